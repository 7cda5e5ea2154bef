// A missing shard is a fixed linear combination of any k others. Whoever makes it again must not get
// to see those others: k shards are what a reader gets, and a reader leaves a trace.
//
// So each of the k helpers gives its share of the sum under masks, one for every other helper. A mask
// is a key stream that two helpers derive from their seal keys; over GF(256) adding it twice takes
// it away, so in the sum of all parts nothing remains but the shard. Fewer parts than k are random bytes
// to who knows none of the masks. And to who knows those of some helpers, the parts of the others say no
// more than the sum of these others, which he can compute from what he has.
//
// A mask serves one question: the set, the place, the new holder, the helpers, the range and a nonce all
// go into its key, so that no two answers can be compared.

import { bytes, concatBytes, encode, type Infer, list, struct, uint } from '@mooring/codec'
import { combinationFor, domainBytes, hkdfSha256, scaleInto } from '@mooring/crypto'
import { underKeyStream } from './key-stream.ts'
import { organisationIdSchema, type Split } from './placement.ts'
import { SEGMENTS_MAX, SHARDS_MAX } from './shard-set.ts'

const shardIndex = uint(SHARDS_MAX - 1)

export const repairQuestionSchema = struct({
  /** New for every question. */
  nonce: bytes(16),
  setId: bytes(32),
  /** Place of the shard that is made again. */
  index: shardIndex,
  /** Organisation that it is made again for. */
  recipient: organisationIdSchema,
  /** k of them, in one order for all. */
  helpers: list(struct({ holder: organisationIdSchema, index: shardIndex }), SHARDS_MAX),
  /** The first fragment, and how many. */
  from: uint(SEGMENTS_MAX),
  count: uint(SEGMENTS_MAX),
})

export type RepairQuestion = Infer<typeof repairQuestionSchema>

export interface RepairHelper {
  /** Organisation. */
  readonly self: string
  /** Its own shard in the range that is asked for. */
  readonly shard: Uint8Array
  /** X25519 of the seal keys of this helper and another: both compute the same. */
  readonly secretWith: (holder: string) => Uint8Array
}

const KEY_BYTES = 32
const NO_SALT = new Uint8Array(0)

const pairSchema = list(organisationIdSchema, 2)

/** @throws RangeError when the question does not fit the code, or does not name this helper. */
export function repairPart(
  { k, n }: Split,
  question: RepairQuestion,
  { self, shard, secretWith }: RepairHelper,
): Uint8Array {
  const { helpers, index } = question
  const places = helpers.map((helper) => helper.index)
  const at = helpers.findIndex(({ holder }) => holder === self)
  const coefficient = combinationFor(k, n, places, index)[at]
  if (coefficient === undefined) throw new RangeError(`${self} is none of the helpers`)
  let part: Uint8Array = new Uint8Array(shard.length)
  scaleInto(part, shard, coefficient)
  for (const { holder } of helpers) {
    if (holder === self) continue
    const mask = maskOf(question, [self, holder], secretWith(holder))
    part = underKeyStream(mask, part)
  }
  return part
}

/** What the parts of all helpers add up to; they have one length. */
export function sumOfParts(parts: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(parts[0]?.length ?? 0)
  for (const part of parts) scaleInto(sum, part, 1)
  return sum
}

function maskOf(
  question: RepairQuestion,
  pair: readonly [string, string],
  secret: Uint8Array,
): Uint8Array {
  const info = concatBytes(
    domainBytes('repair-mask'),
    encode(repairQuestionSchema, question),
    encode(pairSchema, pair.toSorted()),
  )
  return hkdfSha256(secret, NO_SALT, info, KEY_BYTES)
}
