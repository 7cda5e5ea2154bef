// A holder helps another one to a shard that was lost: its masked share of each, for whom it consents to.
//
// A mask hides a shard from the new holder only while its other end is in somebody else's hands. So whoever is
// to get the shard is none of the helpers, and every helper stands where the set has it: with a made-up
// one at made-up places the new holder would get one equation after the other for the shards of the rest.

import type { KeptShards } from './kept-shards.ts'
import type { RepairConsent } from './repair-consent.ts'
import { type HolderView, shardStates } from './set-health.ts'
import type { ShardFaults } from './shard-faults.ts'
import {
  fragmentBytesOf,
  fragmentOffsetOf,
  repairPart,
  type RepairQuestion,
  type ShardSet,
} from '@mooring/records'
import { toHex } from '@mooring/codec'

export interface RepairHelperModules {
  readonly self: string
  readonly kept: Pick<KeptShards, 'find' | 'bytes'>
  readonly consent: RepairConsent
  readonly view: HolderView
  readonly faults: ShardFaults
  /** X25519 of our seal key and that of a member; undefined for who is none. */
  readonly secretWith: (organisation: string) => Uint8Array | undefined
}

/** All parts of one answer together. */
const ANSWER_BYTES_MAX = 9 << 19

/** Null where this holder does not help: it has no such shard, or does not consent. */
export async function repairParts(
  modules: RepairHelperModules,
  sender: string,
  questions: readonly RepairQuestion[],
): Promise<(Uint8Array | null)[]> {
  const parts: (Uint8Array | null)[] = []
  let bytes = 0
  for (const question of questions) {
    const isTooMuch = bytes > ANSWER_BYTES_MAX
    const part = isTooMuch || question.recipient !== sender ? null : await partOf(modules, question)
    bytes += part?.length ?? 0
    parts.push(bytes > ANSWER_BYTES_MAX ? null : part)
  }
  await modules.consent.settle()
  return parts
}

async function partOf(
  { self, kept, consent, view, faults, secretWith }: RepairHelperModules,
  question: RepairQuestion,
): Promise<Uint8Array | null> {
  const { setId, index, recipient, helpers } = question
  const own = helpers.find(({ holder }) => holder === self)
  const found = own && kept.find({ setId, index: own.index })
  if (found === undefined || !isSound(question, found.set)) return null
  if (!areInPlace(question, self, found.head.holders)) return null
  const secrets = new Map<string, Uint8Array>()
  for (const { holder } of helpers) {
    const secret = holder === self ? undefined : secretWith(holder)
    if (secret !== undefined) secrets.set(holder, secret)
  }
  if (secrets.size !== helpers.length - 1) return null
  const states = shardStates(
    { k: found.set.k, holders: found.head.holders },
    view,
    faults.of(setId),
  )
  const asked = { setId: toHex(setId), index, recipient }
  if (consent.check(found.head, states, asked) !== undefined) return null
  const { from, length } = rangeOf(question, found.set)
  const shard = await kept.bytes(found.head, from, length)
  if (shard === undefined) return null
  return repairPart(found.set, question, {
    self,
    shard,
    secretWith: (holder) => secrets.get(holder) ?? shard.subarray(0, 0),
  })
}

/** k different helpers at different places, none of them the one that is made again. */
function isSound({ helpers, index, from, count }: RepairQuestion, set: ShardSet): boolean {
  const places = new Set(helpers.map((helper) => helper.index))
  const names = new Set(helpers.map(({ holder }) => holder))
  return (
    places.size === set.k &&
    names.size === set.k &&
    helpers.length === set.k &&
    helpers.every((helper) => helper.index < set.n) &&
    !places.has(index) &&
    index < set.n &&
    count >= 1 &&
    from + count <= set.segmentCount
  )
}

function areInPlace(
  { helpers, recipient }: RepairQuestion,
  self: string,
  holders: readonly string[],
): boolean {
  return helpers.every(
    ({ holder, index }) => holder !== recipient && (holder === self || holders[index] === holder),
  )
}

function rangeOf({ from, count }: RepairQuestion, set: ShardSet): { from: number; length: number } {
  const last = from + count - 1
  const start = fragmentOffsetOf(set, from)
  return { from: start, length: fragmentOffsetOf(set, last) + fragmentBytesOf(set, last) - start }
}
