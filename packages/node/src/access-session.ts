// One request for access: its trace at k holders before anything of a record is asked for.
//
// The entry is written first, into the reader's own log and at every holder that can be reached; each says so
// with a signature. With k of them, of different legal groups among the holders of every set, shards may be
// asked for as long as the request lives. A holder that refuses says why: when too few are left, the
// reason that was given most often is the reason.

import {
  type Access,
  type AccessEntry,
  accessEntryCommit,
  accessRequestDigest,
  type AccessRequest,
  type AccessWitness,
  factsNeeded,
  gateTagOf,
  type Grant,
  type LeafPlace,
  type Manifest,
  openFacts,
  practitionerMessage,
  sealAccessEntry,
  type ShardSet,
  signAccessRequest,
  type SignedAccessRequest,
  verifyWitness,
} from '@mooring/records'
import { Refusal } from '@mooring/api'
import type { KeyPair } from '@mooring/crypto'
import type { Clock } from './clock.ts'
import { NodeError } from './node-error.ts'
import { VaultPeerError, type VaultPeers } from './vault-peers.ts'

/** A record whose manifest is open, and where its shards are. */
export interface LocatedRecord {
  readonly setId: Uint8Array
  readonly set: ShardSet
  readonly holders: readonly string[]
  readonly manifest: Manifest
  /** In which batch its commitment is, as its custodian says; nothing where it has not said so. */
  readonly place?: LeafPlace | null | undefined
}

export interface AccessReason {
  readonly grant: Grant | null
  /** The patient's, from the grant or the custodian's account: the entry is sealed to it. */
  readonly logKey: Uint8Array
  /** A code of v3-ActReason. */
  readonly purpose: string
  readonly person: ReadingPerson
}

/** For whom this organisation asks, as its own systems say, and as a practitioner may prove. */
export interface ReadingPerson {
  readonly kind: 'person' | 'machine'
  readonly name: string | null
  readonly practitioner: PractitionerSigner | null
}

export interface PractitionerSigner {
  readonly key: Uint8Array
  /** @throws Refusal when no signature can be had */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>
}

export const NOBODY: ReadingPerson = { kind: 'machine', name: null, practitioner: null }

export interface AccessModules {
  readonly self: string
  readonly anchorKey: KeyPair
  readonly clock: Clock
  readonly peers: VaultPeers
  readonly random: (length: number) => Uint8Array
  /** A final block that all who keep up have. */
  readonly recentBlock: () => { height: number; digest: Uint8Array }
  readonly memberOf: (
    organisation: string,
  ) => { anchorKey: Uint8Array; legalGroup: string } | undefined
  /** The next number of this reader's entries under a grant; durable when it resolves. */
  readonly nextSequence: (grant: Pick<Grant, 'custodian' | 'id'>) => Promise<number>
  /** Durable in the reader's own access log when it resolves; the same entry twice is one. */
  readonly keepEntry: (entry: AccessEntry, signed: SignedAccessRequest) => Promise<void>
}

/** The trace of one request is laid: with this, its holders serve. */
export interface AccessSession {
  readonly signed: SignedAccessRequest
  readonly entryCommit: Uint8Array
  readonly witnesses: readonly AccessWitness[]
  /** Wall clock. */
  readonly expiresAt: number
  /** How long the witnesses took, which says what is slow here. */
  readonly tookMs: number
}

const LIFETIME_MS = 9 * 60_000
const WITNESS_TIMEOUT_MS = 10_000
/** A holder that is a block behind does not know our block yet. */
const BLOCK_WAIT_MS = 250
export const BLOCK_TRIES = 8
const UNANSWERED = 'unanswered'

/** @throws Refusal with the code of the holders; NodeError holders_unreachable */
export async function openSession(
  modules: AccessModules,
  records: readonly LocatedRecord[],
  reason: AccessReason,
  signal: AbortSignal,
): Promise<AccessSession> {
  const started = modules.clock.monotonic()
  const sequence = reason.grant && (await modules.nextSequence(reason.grant))
  const { signed, entry } = await signRequest(modules, records, { ...reason, sequence })
  await modules.keepEntry(entry, signed)
  const witnesses = await collectWitnesses(modules, { records, signed, entry, signal })
  return {
    signed,
    entryCommit: signed.request.entry,
    witnesses,
    expiresAt: signed.request.expiresAt,
    tookMs: modules.clock.monotonic() - started,
  }
}

/** What is asked of holders, for records of one patient, and the entry that they are to keep of it. */
export async function signRequest(
  modules: AccessModules,
  records: readonly LocatedRecord[],
  reason: AccessReason & { readonly sequence: number | null },
): Promise<{ signed: SignedAccessRequest; entry: AccessEntry }> {
  const { custodian, patientKey } = whoseOf(records, reason)
  const shown = reason.grant === null ? [] : factsNeeded(reason.grant.consent)
  return await signOne(modules, reason, {
    kind: 'read',
    custodian,
    patientKey,
    query: null,
    records: records.map(({ setId, manifest: { recordCommit, facts } }) => {
      return { setId, recordCommit, class: facts.class }
    }),
    sets: records.map(({ setId, manifest: { rec, facts } }) => {
      return { setId, gateTag: gateTagOf(rec), facts: openFacts(rec, facts, shown) }
    }),
    audience: [...new Set(records.flatMap(({ holders }) => holders))],
  })
}

export interface Query extends AccessReason {
  readonly grant: Grant
  /** What is asked, in words for the patient. */
  readonly query: string
}

/** A question to the custodian of what a grant opens; its entry is durable here when this resolves. */
export async function signQuery(
  modules: AccessModules,
  { query, ...reason }: Query,
): Promise<{ signed: SignedAccessRequest; entry: AccessEntry }> {
  const { custodian, patientKey } = reason.grant
  const sequence = await modules.nextSequence(reason.grant)
  const question = await signOne(
    modules,
    { ...reason, sequence },
    {
      kind: 'query',
      custodian,
      patientKey,
      query,
      records: [],
      sets: [],
      audience: [custodian],
    },
  )
  await modules.keepEntry(question.entry, question.signed)
  return question
}

interface Question extends Pick<Access, 'kind' | 'custodian' | 'patientKey' | 'records' | 'query'> {
  readonly sets: AccessRequest['sets']
  readonly audience: readonly string[]
}

async function signOne(
  { self, anchorKey, clock, random, recentBlock }: AccessModules,
  { grant, logKey, purpose, person, sequence }: AccessReason & { readonly sequence: number | null },
  { sets, audience, ...what }: Question,
): Promise<{ signed: SignedAccessRequest; entry: AccessEntry }> {
  const { kind, name, practitioner } = person
  const id = random(16)
  const issuedAt = clock.wall()
  const access: Access = {
    ...what,
    id,
    time: issuedAt,
    reader: self,
    purpose,
    grant: grant?.id ?? null,
    by: {
      kind,
      name,
      key: practitioner?.key ?? null,
      role: grant?.signed.delegations[0]?.delegation.role ?? null,
    },
    sequence,
    emergency: null,
  }
  const entry = sealAccessEntry(access, logKey, random)
  const request: AccessRequest = {
    id,
    reader: self,
    custodian: what.custodian,
    purpose,
    grant: grant?.signed ?? null,
    practitioner: null,
    sets,
    entry: accessEntryCommit(entry),
    block: recentBlock(),
    issuedAt,
    expiresAt: issuedAt + LIFETIME_MS,
    audience: [...audience],
  }
  if (practitioner === null) return { signed: signAccessRequest(anchorKey, request), entry }
  const signature = await practitioner.sign(practitionerMessage(request))
  const proved = { ...request, practitioner: { key: practitioner.key, signature } }
  return { signed: signAccessRequest(anchorKey, proved), entry }
}

function whoseOf(records: readonly LocatedRecord[], { grant }: AccessReason) {
  const [first] = records
  if (first === undefined) throw new RangeError('a request for no record')
  const patientKey = grant?.patientKey ?? first.manifest.facts.patientKey
  return { custodian: first.set.custodian, patientKey }
}

interface Witnessing {
  readonly records: readonly LocatedRecord[]
  readonly signed: SignedAccessRequest
  readonly entry: AccessEntry
  readonly signal: AbortSignal
}

/** Resolves with the first that are enough; the others go on, for the trace. */
function collectWitnesses(
  modules: AccessModules,
  { records, signed, entry, signal }: Witnessing,
): Promise<AccessWitness[]> {
  const digest = accessRequestDigest(signed.request)
  const { promise, resolve, reject } = Promise.withResolvers<AccessWitness[]>()
  const witnesses: AccessWitness[] = []
  const refusals: string[] = []
  const asked = signed.request.audience.filter((holder) => isReachable(modules, holder))
  const need = Math.max(...records.map(({ set }) => set.k))
  let open = asked.length
  const judge = (): void => {
    if (records.every((record) => hasEnough(record, witnesses, modules))) resolve([...witnesses])
    else if (open === 0) reject(tooFew(refusals, { have: witnesses.length, need }))
  }
  for (const holder of asked) {
    askWitness(modules, { records, holder, signed, entry, digest, signal })
      .then((outcome) => {
        if (typeof outcome === 'string') refusals.push(outcome)
        else witnesses.push(outcome)
      })
      .finally(() => {
        open -= 1
        judge()
      })
      .catch(reject)
  }
  const onAbort = (): void => reject(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  judge()
  return promise.finally(() => signal.removeEventListener('abort', onAbort))
}

function isReachable({ self, peers }: AccessModules, holder: string): boolean {
  return holder === self || peers.isConnected(holder)
}

/** The witness, or the code of what went wrong. */
async function askWitness(
  { peers, clock, memberOf }: AccessModules,
  { holder, signed, entry, digest, signal }: Witnessing & { holder: string; digest: Uint8Array },
): Promise<AccessWitness | string> {
  const request = { kind: 'witness' as const, body: { signed, entry } }
  try {
    const { body } = await untilBlockKnown({ clock, signal }, () =>
      peers.request(holder, request, { timeoutMs: WITNESS_TIMEOUT_MS }),
    )
    const witness = { holder, signature: body.signature }
    const member = memberOf(holder)
    const isGood = member !== undefined && verifyWitness(witness, member.anchorKey, digest)
    return isGood ? witness : 'witness_forged'
  } catch (error) {
    if (error instanceof VaultPeerError) return error.refusal ?? UNANSWERED
    throw error
  }
}

/** Asks again, so often and no longer, who does not know our block yet. @throws VaultPeerError */
export async function untilBlockKnown<T>(
  { clock, signal }: { clock: Pick<Clock, 'after'>; signal: AbortSignal },
  ask: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      const isBehind = error instanceof VaultPeerError && error.refusal === 'block_unknown'
      if (!isBehind || tries >= BLOCK_TRIES || signal.aborted) throw error
      await blockWait(clock)
    }
  }
}

/** Until who is a block behind has caught up. */
export function blockWait(clock: Pick<Clock, 'after'>): Promise<void> {
  return new Promise((resolve) => {
    clock.after(BLOCK_WAIT_MS, resolve)
  })
}

function hasEnough(
  { set, holders }: LocatedRecord,
  witnesses: readonly AccessWitness[],
  { memberOf }: AccessModules,
): boolean {
  const groups = new Set(
    witnesses.flatMap(({ holder }) =>
      holders.includes(holder) ? [memberOf(holder)?.legalGroup ?? holder] : [],
    ),
  )
  return groups.size >= set.k
}

function tooFew(
  refusals: readonly string[],
  { have, need }: { have: number; need: number },
): Error {
  const counts = new Map<string, number>()
  for (const code of refusals) {
    if (code !== UNANSWERED) counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  const [commonest] = [...counts].toSorted((a, b) => b[1] - a[1])
  if (commonest === undefined) return new NodeError('holders_unreachable', { have, need })
  const [code, count] = commonest
  return new Refusal(code, `${count} of ${refusals.length + have} holders refuse: ${code}.`)
}
