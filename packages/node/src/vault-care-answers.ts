// The health of the vault for the API: how it stands, and checks and repairs that are asked for.
//
// They wait for what the clock has begun and then have the vault to themselves. Each tells how far it is,
// every shard that is not as it should be, and at the end how whole the sets are.

import type { Vault, VaultHandlers, VaultStep } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { type ShardName, splitOf } from '@mooring/records'
import type { ShardList } from '@mooring/storage'
import type { Clock } from './clock.ts'
import type { CustodianIndex } from './custodian-index.ts'
import { fetchBatches } from './fetch-batches.ts'
import { fetchKeys, fetchOwnShards } from './fetch-lost.ts'
import { possibleHolders } from './holder-choice.ts'
import type { KeptShards } from './kept-shards.ts'
import { inGroups, type KnownSet } from './known-sets.ts'
import type { Members } from './members.ts'
import type { ShardState } from './set-health.ts'
import { StepQueue } from './step-queue.ts'
import type { VaultKeeper } from './vault-keeper.ts'
import { statesOf, type Strengths, surveyPresence } from './vault-survey.ts'

export interface CareAnswerModules {
  readonly self: string
  readonly graceMs: number
  readonly keeper: VaultKeeper
  readonly shards: KeptShards
  readonly members: Pick<Members, 'organisations'>
  readonly index: Pick<CustodianIndex, 'getBySet'>
  /** Records of this custodian that wait for holders. */
  readonly waiting: () => number
  /** Takes back what the custodian's index lost, from the holders; how many records. */
  readonly recover: (signal: AbortSignal) => Promise<number>
  readonly clock: Pick<Clock, 'after'>
}

const SAMPLE = 1_024
const GROUP = 256
const FINDINGS_MAX = 1_000
const REPEAT_MS = 5_000
const CODES: Record<Exclude<ShardState, 'good'>, string> = {
  missing: 'shard_missing',
  wrong: 'shard_wrong',
  unreachable: 'holder_unreachable',
  gone: 'holder_gone',
}

type Tell = (step: Partial<VaultStep> & { detail: string }) => void

export function createCareAnswers(
  modules: CareAnswerModules,
): Pick<VaultHandlers, 'vault' | 'verifyVault' | 'repairVault'> {
  return {
    vault: () => vaultNow(modules),
    verifyVault: ({ isFull, signal }) =>
      told(modules, signal, (tell) => verify(modules, { isFull, signal, tell })),
    repairVault: ({ isImmediate, signal }) =>
      told(modules, signal, (tell) => repair(modules, { isImmediate, signal, tell })),
  }
}

/**
 * Runs alone; what it tells comes out as it goes, and `done` at the end. It says something at once, and
 * again while nothing happens: whoever listens takes long silence for a node that is gone.
 */
function told(
  { keeper: { care }, clock }: CareAnswerModules,
  signal: AbortSignal,
  work: (tell: Tell) => Promise<void>,
): AsyncIterable<VaultStep> {
  const queue = new StepQueue<VaultStep>()
  let last = NOTHING
  const tell: Tell = (step) => {
    last = { ...last, ...NO_FINDING, kind: 'progress', ...step }
    queue.push(last)
  }
  tell({ detail: 'Waits until what was begun before is done.' })
  const repeat = (): void => {
    if (queue.isIdle()) queue.push({ ...last, ...NO_FINDING, kind: 'progress' })
    cancel = clock.after(REPEAT_MS, repeat)
  }
  let cancel = clock.after(REPEAT_MS, repeat)
  care
    .alone(() => (signal.aborted ? Promise.resolve() : work(tell)))
    .then(
      () => queue.end(),
      (error: unknown) => (signal.aborted ? queue.end() : queue.fail(error)),
    )
    .finally(() => cancel())
  return queue
}

const NO_FINDING = { record: null, holder: null, movedTo: null, code: null }
const NOTHING: VaultStep = {
  kind: 'progress',
  checked: 0,
  total: 0,
  good: 0,
  bad: 0,
  repaired: 0,
  ...NO_FINDING,
  detail: '',
}

interface Running {
  readonly signal: AbortSignal
  readonly tell: Tell
}

async function verify(
  modules: CareAnswerModules,
  { isFull, signal, tell }: Running & { isFull: boolean },
): Promise<void> {
  const { keeper } = modules
  const { care, known } = keeper
  const { sets: total } = await care.count({ signal })
  await surveyPresence(keeper.survey, {
    signal,
    onProgress: (checked) => tell({ checked, total, detail: 'Holders say what they have.' }),
  })
  let scrubbed = 0
  await scrub(modules, { isFull, signal }, () => {
    scrubbed += 1
    if (scrubbed % GROUP === 0) tell({ total, detail: `${scrubbed} shards were read here.` })
  })
  let audited = 0
  const audit = async (sets: readonly KnownSet[]): Promise<void> => {
    signal.throwIfAborted()
    await care.audit(sets)
    audited += sets.length
    tell({ checked: audited, total, detail: 'Holders prove what they have.' })
  }
  if (isFull) for await (const group of inGroups(known.all(), GROUP)) await audit(group)
  else await audit(await known.sample(SAMPLE))
  const findings = await tellFindings(modules, { signal, tell })
  const { sets, strengths } = await care.count({ signal })
  const { full } = strengths
  const detail =
    findings === 0
      ? `All ${sets} sets are at full strength; ${audited} were challenged.`
      : `${sets - full} of ${sets} sets are not at full strength: ${describe(strengths)}.`
  tell({ kind: 'done', checked: sets, total: sets, good: full, bad: sets - full, detail })
}

async function repair(
  modules: CareAnswerModules,
  { isImmediate, signal, tell }: Running & { isImmediate: boolean },
): Promise<void> {
  const { keeper, graceMs: grace } = modules
  const { care, known, lost } = keeper
  const graceMs = isImmediate ? 0 : grace
  const recovered = await modules.recover(signal)
  if (recovered > 0)
    tell({ detail: `${recovered} records are in the index of this custodian again.` })
  const keys = await fetchKeys(lost, { graceMs: Math.max(1, graceMs), signal })
  if (keys > 0) tell({ detail: `${keys} key deposits were copied here again.` })
  const batches = await fetchBatches(lost, { graceMs: Math.max(1, graceMs), signal })
  if (batches > 0) tell({ detail: `The leaves of ${batches} batches were copied here again.` })
  let repaired = await fetchOwnShards(lost, { signal })
  if (repaired > 0) tell({ repaired, detail: 'Shards that were lost here are made again.' })
  const { sets: total } = await care.count({ signal })
  await surveyPresence(keeper.survey, {
    signal,
    onProgress: (checked) => tell({ checked, total, detail: 'Holders say what they have.' }),
  })
  let checked = 0
  const how = { graceMs, gone: new Set<string>(), drivesAll: true, signal }
  for await (const group of inGroups(known.all(), GROUP)) {
    signal.throwIfAborted()
    const { shards } = await care.repair(group, how)
    checked += group.length
    for (const { set, before, holder, outcome } of shards) {
      if (outcome !== 'kept') continue
      repaired += 1
      const record = recordOf(modules, set)
      const detail = `A shard of ${before} was made again at ${holder ?? before}.`
      tell({
        kind: 'finding',
        checked,
        total,
        repaired,
        record,
        holder: before,
        movedTo: holder,
        detail,
      })
    }
    tell({ checked, total, repaired, detail: 'Missing shards are made again.' })
  }
  await tellFindings(modules, { signal, tell })
  const { sets, strengths } = await care.count({ signal })
  const { full } = strengths
  const detail =
    full === sets
      ? `All ${sets} sets are at full strength; ${repaired} shards were made again.`
      : `${repaired} shards were made again; of ${sets} sets ${describe(strengths)}.`
  tell({ kind: 'done', checked: sets, total: sets, good: full, bad: sets - full, repaired, detail })
}

/** Reads shards that are kept here; a damaged one is known as missing from then on. */
async function scrub(
  { keeper: { faults }, shards }: CareAnswerModules,
  { isFull, signal }: { isFull: boolean; signal: AbortSignal },
  onShard: () => void,
): Promise<void> {
  let left = isFull ? Number.POSITIVE_INFINITY : SAMPLE
  for (const custodian of shards.store.usage.keys()) {
    if (left <= 0) return
    let after: ShardName | null = null
    do {
      signal.throwIfAborted()
      const { heads, damaged, next }: ShardList = await shards.store.list(custodian, after, GROUP)
      for (const { setId, index } of damaged) faults.mark(setId, index, 'missing')
      for (const head of heads) {
        const kept = shards.find(head)
        if (kept === undefined || !(await shards.verify(kept))) {
          faults.mark(head.setId, head.index, 'missing')
        }
        onShard()
      }
      left -= heads.length
      after = left > 0 ? next : null
    } while (after !== null)
  }
}

/** Each shard that is not where it should be; the answer is how many there are. */
async function tellFindings(
  modules: CareAnswerModules,
  { signal, tell }: Running,
): Promise<number> {
  let found = 0
  for await (const set of modules.keeper.known.all()) {
    signal.throwIfAborted()
    for (const [index, state] of statesOf(modules.keeper.survey, set).entries()) {
      if (state === 'good') continue
      found += 1
      if (found > FINDINGS_MAX) continue
      const holder = set.holders[index] ?? null
      const record = recordOf(modules, set)
      const code = CODES[state]
      const detail = `Shard ${index} of a set: ${holder ?? 'nobody'}, ${code}.`
      tell({ kind: 'finding', record, holder, code, detail })
    }
  }
  return found
}

function recordOf({ index }: CareAnswerModules, { setId }: KnownSet): string | null {
  const entry = index.getBySet(setId)
  return entry === undefined ? null : toHex(entry.id)
}

function describe({ degraded, atRisk, lost }: Strengths): string {
  return `${degraded} are reduced, ${atRisk} critical, ${lost} not readable now`
}

async function vaultNow(modules: CareAnswerModules): Promise<Vault> {
  const { keeper, shards, members, waiting } = modules
  const { care, faults } = keeper
  await care.recent()
  const { survey, lastAudit, audits, isRepairing, restored, lastRestoredAt } = care.counts()
  const strengths = survey?.own.strengths ?? { full: 0, degraded: 0, atRisk: 0, lost: 0 }
  const possible = possibleHolders(members.organisations)
  const groups = new Set(possible.map(({ legalGroup }) => legalGroup)).size
  const split = splitOf(groups)
  const held = shards.usage()
  let keyDeposits = 0
  for (const custodian of shards.store.usage.keys()) {
    keyDeposits += await shards.store.countKeys(custodian)
  }
  return {
    scheme: split === undefined ? null : { needed: split.k, shards: split.n, groups },
    records: {
      total: survey?.own.sets ?? 0,
      waiting: waiting(),
      full: strengths.full,
      reduced: strengths.degraded,
      critical: strengths.atRisk,
      lost: strengths.lost,
    },
    held: {
      custodians: held.custodians,
      shards: held.shards,
      bytes: held.bytes,
      keyDeposits,
    },
    holders: holdersNow(modules),
    challenges: {
      lastAt: timeOf(audits.lastAt),
      checked: lastAudit?.sets ?? 0,
      bad: lastAudit?.bad ?? 0,
    },
    repair: {
      active: isRepairing,
      waiting: faults.size,
      repaired: restored,
      lastAt: timeOf(lastRestoredAt),
    },
  }
}

function holdersNow({ keeper, members }: CareAnswerModules): Vault['holders'] {
  const { survey, holders } = keeper.care.counts()
  const groups = new Map(members.organisations.map(({ id, legalGroup }) => [id, legalGroup]))
  const own = survey?.own.holders ?? new Map()
  const names = new Set([...groups.keys(), ...own.keys()])
  return Array.from(names, (name) => {
    const isMember = groups.has(name)
    const reachable = isMember && keeper.reach.awayMs(name) === 0
    const audited = holders.get(name)
    const bad = survey?.own.holders.get(name)?.bad ?? 0
    const problem = !isMember ? 'holder_gone' : reachable ? null : 'holder_unreachable'
    return {
      name,
      group: groups.get(name) ?? '',
      reachable,
      shards: survey?.own.holders.get(name)?.shards ?? 0,
      challenged: audited?.asked ?? 0,
      failed: audited?.failed ?? 0,
      lastGoodAt: timeOf(audited?.lastGoodAt ?? null),
      problem: problem ?? (bad > 0 ? 'shard_missing' : null),
    }
  })
}

function timeOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
