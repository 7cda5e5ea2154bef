// Records for the API: opened through their holders, under a grant or as their custodian.

import { type ReadableRecord, type RecordContent, Refusal, type VaultHandlers } from '@mooring/api'
import { fromHex, toHex } from '@mooring/codec'
import { decodeShardSet, type Grant, type LeafPlace, parseGrant } from '@mooring/records'
import type { LocatedRecord, PractitionerSigner, ReadingPerson } from './access-session.ts'
import type { Accounts } from './accounts.ts'
import type { CustodianIndex, IndexEntry } from './custodian-index.ts'
import { failureOf } from './error-text.ts'
import { VAULT_TEXTS } from './errors-vault.ts'
import { type ReadFieldsModules, readFields } from './granted-fields.ts'
import type { GrantReader } from './grant-reader.ts'
import { NodeError } from './node-error.ts'
import type { VaultKeeper } from './vault-keeper.ts'
import type { PractitionerDesk } from './practitioner-desk.ts'
import type { ReadHow, Reading } from './vault-reader.ts'

export interface ReadingModules {
  readonly keeper: Pick<VaultKeeper, 'reader' | 'granted'>
  readonly grants: GrantReader
  readonly fields: ReadFieldsModules
  readonly desk: PractitionerDesk
  readonly index: Pick<CustodianIndex, 'get' | 'getBySet'>
  readonly accounts: Pick<Accounts, 'findByKey'>
  readonly placesOf: (records: readonly IndexEntry[]) => Promise<(LeafPlace | null)[]>
}

export function createReadingAnswers(
  modules: ReadingModules,
): Pick<VaultHandlers, 'recordContent' | 'readable' | 'readFields'> {
  return {
    recordContent: async (asked) => {
      const { id, purpose, grant: file, person = null, practitioner = null, signal } = asked
      const what = callOf('read', { id, purpose, file, person })
      return await modules.desk.run(practitioner, { what, signal }, (signer, whileHere) =>
        read(modules, { id, purpose, file, person: personOf(person, signer), signal: whileHere }),
      )
    },
    readable: async ({ grant: file, purpose, records: only, after, limit, signal, ...by }) => {
      const { person = null, practitioner = null } = by
      const grant = modules.grants.read(parseGrant(file))
      const what = callOf('list', { purpose, file, person, only, after, limit })
      const page = await modules.desk.run(practitioner, { what, signal }, (signer, whileHere) => {
        const use = { grant, purpose, person: personOf(person, signer), signal: whileHere }
        return modules.keeper.granted.list(use, { after, limit, only })
      })
      return {
        items: page.items.map(readableOf),
        entry: page.entry && toHex(page.entry),
        next: page.next,
      }
    },
    readFields: async ({ grant: file, purpose, after, limit, signal, ...by }) => {
      const { person = null, practitioner = null } = by
      const grant = modules.grants.read(parseGrant(file))
      const what = callOf('fields', { purpose, file, person, after, limit })
      const found = await modules.desk
        .run(practitioner, { what, signal }, (signer, whileHere) => {
          const use = { grant, purpose, person: personOf(person, signer), signal: whileHere }
          const page = { after: after === null ? null : fromHex(after), limit }
          return readFields(modules.fields, use, page)
        })
        .catch(told)
      const items = found.items.map(({ id, fields, proof }) => {
        const shown: object = JSON.parse(proof)
        return { id: toHex(id), fields: [...fields], proof: shown }
      })
      return { items, entry: toHex(found.entry), next: found.next && toHex(found.next) }
    },
  }
}

interface Asked {
  readonly id: string
  readonly purpose: string
  /** The grant. */
  readonly file: string | null
  readonly person: ReadingPerson
  readonly signal: AbortSignal
}

async function read(
  modules: ReadingModules,
  { id, purpose, file, person, signal }: Asked,
): Promise<RecordContent | undefined> {
  const grant = file === null ? null : modules.grants.read(parseGrant(file))
  const found =
    grant === null
      ? await ownRecord(modules, id)
      : await grantedRecord(modules, { grant, purpose, person, signal }, id)
  if (found === undefined) return undefined
  const { record, ...whose } = found
  const how = { ...whose, purpose, person, signal }
  const reading = await readRecord(modules, record, how).catch(told)
  const { mediaType, rawBytes } = record.manifest
  return {
    contentType: mediaType,
    size: rawBytes,
    body: reading.body,
    entry: toHex(reading.entryCommit),
    anchored: reading.anchored,
    badHolders: reading.badHolders,
  }
}

/** One text for all that a call asks. */
export function callOf(kind: string, asked: object): string {
  return JSON.stringify([kind, asked])
}

/** Whoever has a name or signs is a person; what does neither, a system. */
export function personOf(
  name: string | null,
  practitioner: PractitionerSigner | null,
): ReadingPerson {
  const kind = name === null && practitioner === null ? 'machine' : 'person'
  return { kind, name, practitioner }
}

interface Found extends Pick<ReadHow, 'grant' | 'logKey'> {
  readonly record: LocatedRecord
}

async function ownRecord(
  { index, accounts, placesOf }: ReadingModules,
  id: string,
): Promise<Found | undefined> {
  const name = fromHex(id)
  const entry = index.get(name) ?? index.getBySet(name)
  const account = entry && accounts.findByKey(entry.account)
  if (entry === undefined || account === undefined) return undefined
  const { setId, set, holders, metadata } = entry
  const [place = null] = await placesOf([entry])
  const record = { setId, set: decodeShardSet(set), holders, manifest: metadata, place }
  return { record, grant: null, logKey: account.logKey }
}

async function grantedRecord(
  { keeper }: ReadingModules,
  use: { grant: Grant; purpose: string; person: ReadingPerson; signal: AbortSignal },
  id: string,
): Promise<Found | undefined> {
  const { grant } = use
  const record = await keeper.granted.find(use, id)
  return record && { record, grant, logKey: grant.logKey }
}

/** Where the shards were is not always where they are: a repair may have moved some. */
async function readRecord(
  { keeper }: ReadingModules,
  record: LocatedRecord,
  how: ReadHow,
): Promise<Reading> {
  try {
    return await keeper.reader.read(record, how)
  } catch (error) {
    if (!isFewHolders(error)) throw error
    const now = await keeper.granted.locate(record, how.signal)
    if (now === record) throw error
    return await keeper.reader.read(now, how)
  }
}

/** How many holders it takes and how many answer is for the caller to know. */
function told(error: unknown): never {
  if (error instanceof NodeError && Object.hasOwn(VAULT_TEXTS, error.code)) {
    throw new Refusal(error.code, failureOf(error).where)
  }
  throw error
}

function isFewHolders(error: unknown): boolean {
  if (error instanceof NodeError) {
    return error.code === 'holders_unreachable' || error.code === 'record_unavailable'
  }
  return error instanceof Error && 'code' in error && error.code === 'no_such_set'
}

function readableOf({ set, manifest }: LocatedRecord): ReadableRecord {
  const { recordCommit, facts, resourceType, resourceId, versionId } = manifest
  const commitment = toHex(recordCommit)
  return {
    id: commitment,
    commitment,
    custodian: set.custodian,
    class: facts.class,
    resourceType,
    resourceId,
    versionId,
    contentType: manifest.mediaType,
    size: manifest.rawBytes,
    receivedAt: new Date(manifest.receivedAt).toISOString(),
    supersedes: manifest.supersedes && toHex(manifest.supersedes),
  }
}
