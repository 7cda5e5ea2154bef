// Asking holders for proof that they have their shards, before they are needed.
//
// Whoever knows a set may ask: the answers of its holders are a codeword, and a wrong one shows
// itself. An audit costs a holder one read of 4 KiB a set and moves 16 bytes. A holder that says that it has
// no such shard is believed; one that says that it has it, and proves nothing, has something else.

import { toHex } from '@mooring/codec'
import { AUDIT_NONCE_BYTES, AUDIT_SETS_MAX, HAVE_SETS_MAX, judgeAudit } from '@mooring/records'
import type { KnownSet } from './known-sets.ts'
import type { HolderView, ShardFault } from './set-health.ts'
import { orSilence, type VaultPeers } from './vault-peers.ts'

export interface AuditModules {
  readonly peers: Pick<VaultPeers, 'request'>
  readonly view: HolderView
  readonly random: (length: number) => Uint8Array
}

export interface AuditedShard {
  readonly set: KnownSet
  readonly index: number
  readonly holder: string
}

export interface AuditFault extends AuditedShard {
  readonly fault: ShardFault
}

export interface AuditResult {
  readonly verdicts: Record<'good' | 'bad' | 'undecided', number>
  readonly faults: readonly AuditFault[]
  /** Shards that were proved. */
  readonly proved: readonly AuditedShard[]
}

const TIMEOUT_MS = 20_000

/** Answers of one holder, by set; none at all when it did not answer. */
type Answers = Map<KnownSet, Uint8Array | null>

/** Of any number of sets; each holder is asked once for up to 256 of them. */
export async function auditSets(
  modules: AuditModules,
  sets: readonly KnownSet[],
): Promise<AuditResult> {
  const verdicts = { good: 0, bad: 0, undecided: 0 }
  const faults: AuditFault[] = []
  const proved: AuditedShard[] = []
  for (let at = 0; at < sets.length; at += AUDIT_SETS_MAX) {
    const part = sets.slice(at, at + AUDIT_SETS_MAX)
    const answers = await askAll(modules, part)
    for (const set of part) {
      const judged = judge(set, answers)
      faults.push(...judged.faults)
      proved.push(...judged.proved)
      verdicts[judged.verdict] += 1
    }
  }
  return { verdicts, faults: await withReasons(modules, faults), proved }
}

/** Whoever gave no answer is asked whether it has the shard at all. */
async function withReasons(
  modules: AuditModules,
  faults: readonly AuditFault[],
): Promise<AuditFault[]> {
  const silent = faults.filter(({ fault }) => fault === 'missing')
  if (silent.length === 0) return [...faults]
  const { present } = await findMissing(modules, [...new Set(silent.map(({ set }) => set))])
  const has = new Set(present.map(({ set, index }) => `${toHex(set.setId)} ${index}`))
  return faults.map((fault) => {
    const isThere = has.has(`${toHex(fault.set.setId)} ${fault.index}`)
    return fault.fault === 'missing' && isThere ? { ...fault, fault: 'wrong' as const } : fault
  })
}

function judge(
  set: KnownSet,
  answers: ReadonlyMap<string, Answers>,
): Pick<AuditResult, 'faults' | 'proved'> & { verdict: keyof AuditResult['verdicts'] } {
  const faults: AuditFault[] = []
  const proved: AuditedShard[] = []
  const given = set.holders.map((holder) => answers.get(holder)?.get(set))
  const known = given.map((answer) => answer ?? null)
  const { verdict, wrong } = judgeAudit(set.set.k, set.set.n, known)
  for (const [index, holder] of set.holders.entries()) {
    const shard = { set, index, holder }
    const answer = given[index]
    if (wrong.includes(index)) faults.push({ ...shard, fault: 'wrong' })
    else if (answer === null) faults.push({ ...shard, fault: 'missing' })
    else if (answer !== undefined && verdict !== 'undecided') proved.push(shard)
  }
  return { faults, proved, verdict: faults.length > 0 ? 'bad' : verdict }
}

async function askAll(
  { peers, view, random }: AuditModules,
  sets: readonly KnownSet[],
): Promise<Map<string, Answers>> {
  const nonce = random(AUDIT_NONCE_BYTES)
  const answers = new Map<string, Answers>()
  await Promise.all(
    Array.from(shardsByHolder(sets, view), async ([holder, shards]) => {
      const names = shards.map(({ set, index }) => ({ setId: set.setId, index }))
      const request = { kind: 'audit' as const, body: { nonce, shards: names } }
      const answer = await orSilence(peers.request(holder, request, { timeoutMs: TIMEOUT_MS }))
      if (answer === undefined) return
      const given = shards.map(({ set }, at): [KnownSet, Uint8Array | null] => {
        return [set, answer.body.answers[at] ?? null]
      })
      answers.set(holder, new Map(given))
    }),
  )
  return answers
}

/** Which of these shards are where they belong, by what their holders say. */
export async function findMissing(
  { peers, view }: Pick<AuditModules, 'peers' | 'view'>,
  sets: readonly KnownSet[],
): Promise<{ missing: AuditedShard[]; present: AuditedShard[] }> {
  const missing: AuditedShard[] = []
  const present: AuditedShard[] = []
  await Promise.all(
    Array.from(shardsByHolder(sets, view), async ([holder, all]) => {
      for (let at = 0; at < all.length; at += HAVE_SETS_MAX) {
        const shards = all.slice(at, at + HAVE_SETS_MAX)
        const names = shards.map(({ set, index }) => ({ setId: set.setId, index }))
        const request = { kind: 'have' as const, body: { shards: names } }
        const answer = await orSilence(peers.request(holder, request, { timeoutMs: TIMEOUT_MS }))
        if (answer === undefined) return
        for (const [bit, shard] of shards.entries()) {
          const byte = answer.body.bitmap[bit >> 3] ?? 0
          const isThere = ((byte >> (bit & 7)) & 1) === 1
          ;(isThere ? present : missing).push(shard)
        }
      }
    }),
  )
  return { missing, present }
}

/** Of the holders that answer. */
function shardsByHolder(sets: readonly KnownSet[], view: HolderView): Map<string, AuditedShard[]> {
  const members = new Set(view.organisations().map(({ id }) => id))
  const found = new Map<string, AuditedShard[]>()
  for (const set of sets) {
    for (const [index, holder] of set.holders.entries()) {
      if (!members.has(holder) || view.awayMs(holder) > 0) continue
      const shards = found.get(holder) ?? []
      shards.push({ set, index, holder })
      found.set(holder, shards)
    }
  }
  return found
}
