// The custodian's side of a question: what does this grant open?
//
// The question leaves an entry before it is answered, like a reading. What is told are sealed manifests. A
// grant of whole classes brings their class keys, sealed to the recipient; a narrower one the keys of
// those records alone that the consent permits, each decided here. A record of which fields are all that
// may be seen is not told of: its manifest would open the whole (granted-fields.ts).

import { equalBytes } from '@mooring/codec'
import {
  type AccessEntry,
  accessEntryCommit,
  type AccessRequest,
  accessRequestDigest,
  type CatalogueItem,
  decideConsent,
  decideQuery,
  type Grant,
  type LeafPlace,
  type Manifest,
  sealRecordKeys,
  type SignedAccessRequest,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { Refusal } from '@mooring/api'
import type { Account, Accounts } from './accounts.ts'
import type { Clock } from './clock.ts'
import type { GrantReader } from './grant-reader.ts'
import { decisionTime, grantStandings, isStale, type StandingFacts } from './grant-standings.ts'

type Question = Extract<VaultRequest, { kind: 'catalogue' }>['body']
type Answer = Extract<VaultAnswer, { kind: 'catalogue' }>['body']

export interface CatalogueEntry {
  readonly arrival: number
  readonly setId: Uint8Array
  /** Encoded. */
  readonly set: Uint8Array
  /** Sealed. */
  readonly manifest: Uint8Array
  /** Opens this manifest alone. */
  readonly manifestKey: Uint8Array
  readonly holders: readonly string[]
  /** Holders lack a record that is only received: it does not open so far. */
  readonly status: 'received' | 'accepted' | 'batched'
  /** The patient's key that the record is under. */
  readonly account: Uint8Array
  /** The manifest, opened. */
  readonly metadata: Pick<Manifest, 'facts' | 'recordCommit'>
}

/** Of the custodian's index. */
export interface CatalogueIndex {
  getBySet(setId: Uint8Array): Pick<CatalogueEntry, 'arrival' | 'account'> | undefined
  /** Of one patient, newest first. */
  listAccount(
    patientKey: Uint8Array,
    before: number | null,
    limit: number,
  ): Promise<readonly CatalogueEntry[]>
}

export interface QueryModules {
  readonly self: string
  readonly clock: Pick<Clock, 'wall'>
  readonly accounts: Pick<Accounts, 'findByKey' | 'wrapsFor'>
  readonly facts: StandingFacts
  readonly grants: GrantReader
  readonly anchorKeyOf: (organisation: string) => Uint8Array | undefined
  readonly tip: () => number
  readonly blockDigestAt: (height: number) => Uint8Array | undefined
  /** Durable when it resolves; false when the entry stands for another question. */
  readonly noteQuery: (request: AccessRequest, entry: AccessEntry) => Promise<boolean>
  readonly noteRefusal: (refusal: {
    peer: string
    code: string
    request: AccessRequest
    entry: AccessEntry
  }) => Promise<void>
}

export interface CatalogueModules extends QueryModules {
  readonly index: CatalogueIndex
  /** Where records are in anchored batches, in their order; null for those that wait. */
  readonly placesOf: (records: readonly CatalogueEntry[]) => Promise<(LeafPlace | null)[]>
  readonly sealKeyOf: (organisation: string) => Uint8Array | undefined
  /** Kept because the law says so, and read by nobody else. */
  readonly isRestricted: (recordCommit: Uint8Array) => boolean
  readonly random: (length: number) => Uint8Array
}

const PAGE_MAX = 500
const LOOKED_THROUGH_MAX = 2_000

/** @throws Refusal */
export async function answerCatalogue(
  modules: CatalogueModules,
  sender: string,
  { signed, entry, after, limit }: Question,
): Promise<Answer> {
  const { grant, account } = await permitQuery(modules, sender, { signed, entry })
  const { request } = signed
  const isWide = !grant.isNarrow
  const keys =
    isWide && after === null
      ? modules.accounts.wrapsFor(account.patientKey, sender).slice(0, 256)
      : []
  const found = await coveredBy(modules, { grant, account, request }, { after, limit })
  const whole = found.items.map(({ entry: each }) => each)
  const places = await modules.placesOf(whole)
  const items = whole.map(({ set, manifest, holders }, at): CatalogueItem => {
    return { set, manifest, holders: [...holders], place: places[at] ?? null }
  })
  const recordKeys = isWide ? NO_KEYS : sealedKeys(modules, sender, request, whole)
  return { keys: [...keys], items, recordKeys, next: found.next }
}

const NO_KEYS = new Uint8Array(0)

function sealedKeys(
  { sealKeyOf, random }: CatalogueModules,
  sender: string,
  request: AccessRequest,
  items: readonly CatalogueEntry[],
): Uint8Array {
  const recipient = sealKeyOf(sender)
  if (recipient === undefined || items.length === 0) return NO_KEYS
  const keys = items.map(({ setId, manifestKey: key }) => ({ setId, key }))
  const question = accessRequestDigest(request)
  return sealRecordKeys(keys, { recipient, question, ephemeral: random(32) })
}

export interface Asked {
  readonly grant: Grant
  readonly account: Account
  readonly request: AccessRequest
}

export interface Covered {
  readonly entry: CatalogueEntry
  /** JSON pointers of what may be seen; empty for the whole. */
  readonly fields: readonly string[]
}

/** Newest first, those of the key in force before those of each former one; `next` names the last one. */
export async function coveredBy(
  { index, clock, facts, isRestricted }: CoveredModules,
  asked: Asked,
  { after, limit, isOfFields = false }: CoveredPage,
): Promise<{ items: Covered[]; next: Uint8Array | null }> {
  const time = decisionTime(clock, facts)
  const wanted = Math.max(1, Math.min(limit, PAGE_MAX))
  const last = after === null ? undefined : index.getBySet(after)
  const keys = [asked.account.patientKey, ...asked.account.former.toReversed()]
  const begun = last === undefined ? 0 : keys.findIndex((key) => equalBytes(key, last.account))
  const items: Covered[] = []
  let looked = 0
  let before = after === null ? null : (last?.arrival ?? 0)
  let next: Uint8Array | null = null
  for (const key of begun < 0 ? [] : keys.slice(begun)) {
    while (looked < LOOKED_THROUGH_MAX && items.length < wanted) {
      const page = await index.listAccount(key, before, wanted)
      if (page.length === 0) break
      looked += page.length
      for (const found of page) {
        if (items.length === wanted) break
        before = found.arrival
        next = found.setId
        if (found.status === 'received' || isRestricted(found.metadata.recordCommit)) continue
        const fields = fieldsOpened(asked, found, time)
        if (fields !== undefined && fields.length > 0 === isOfFields)
          items.push({ entry: found, fields })
      }
    }
    if (looked >= LOOKED_THROUGH_MAX || items.length === wanted) return { items, next }
    before = null
  }
  return { items, next: null }
}

type CoveredModules = Pick<CatalogueModules, 'index' | 'clock' | 'facts' | 'isRestricted'>

interface CoveredPage {
  readonly after: Uint8Array | null
  readonly limit: number
  /** Records of which no more than fields may be seen, in place of those that open as a whole. */
  readonly isOfFields?: boolean
}

/** Undefined when nothing of it may be seen. */
function fieldsOpened(
  { grant, request }: Asked,
  { metadata }: CatalogueEntry,
  time: number,
): readonly string[] | undefined {
  const { reader: organisation, practitioner, purpose } = request
  const decision = decideConsent(grant.consent, {
    time,
    organisation,
    practitioner: practitioner?.key ?? null,
    purpose,
    facts: metadata.facts,
  })
  return decision.permit ? decision.fields : undefined
}

/** Whether the question may be answered; its entry is durable here when this resolves. @throws Refusal */
export async function permitQuery(
  modules: QueryModules,
  sender: string,
  { signed, entry }: { signed: SignedAccessRequest; entry: AccessEntry },
): Promise<{ grant: Grant; account: Account }> {
  const { request } = signed
  const decided = decide(modules, sender, signed, entry)
  const isReused = typeof decided !== 'string' && !(await modules.noteQuery(request, entry))
  const outcome = isReused ? 'entry_reused' : decided
  if (typeof outcome !== 'string') return outcome
  await modules.noteRefusal({ peer: sender, code: outcome, request, entry })
  throw new Refusal(outcome, `The question of ${sender} is refused: ${outcome}.`)
}

function decide(
  { self, clock, accounts, facts, grants, anchorKeyOf, tip, blockDigestAt }: QueryModules,
  sender: string,
  signed: SignedAccessRequest,
  entry: AccessEntry,
): string | { grant: Grant; account: Account } {
  const decision = decideQuery({
    signed,
    sender,
    self,
    entry: accessEntryCommit(entry),
    anchorKeyOf,
    grantOf: (grant) => grants.find(grant),
    standings: grantStandings(facts),
    isStale: isStale(clock, facts),
    tip: tip(),
    blockDigestAt,
    now: decisionTime(clock, facts),
  })
  if (!decision.permit) return decision.code
  const given = signed.request.grant
  const grant = given === null ? undefined : grants.find(given)
  const account = grant && accounts.findByKey(grant.patientKey)
  if (grant === undefined || account === undefined) return 'wrong_patient'
  // The entry must be one that the patient can open, and an account of its own governs every key.
  const isOfPatient =
    equalBytes(account.patientKey, grant.patientKey) && equalBytes(account.logKey, grant.logKey)
  return isOfPatient ? { grant, account } : 'wrong_patient'
}
