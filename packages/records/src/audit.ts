// Asking holders whether they still have their shards, without moving any.
//
// A nonce picks one fragment and at most 4 KiB of it, and the answer is a random linear combination of its
// blocks of 16 bytes, over GF(256). Only who has every byte of the window can compute it. The code that
// splits a record is linear over the same field and works byte by byte: so the answers of the n
// holders are themselves a codeword, and anybody can judge them without having a shard. With one answer
// more than k a wrong one is noticed, with two more it is named.
//
// The combination depends on who asks, as the transport knows it: a holder that lost its shard cannot
// ask the others for their answers to the same question and interpolate its own.

import { bytes, encode, equalBytes, struct } from '@mooring/codec'
import { combinationFor, domainHash, scaleInto } from '@mooring/crypto'
import { organisationIdSchema } from './placement.ts'
import { fragmentBytesOf, fragmentOffsetOf, type ShardSet, shardBytesOf } from './shard-set.ts'

export const AUDIT_NONCE_BYTES = 16
export const AUDIT_ANSWER_BYTES = 16

const WINDOW_BYTES_MAX = 4096
const DIGEST_BYTES = 32

export interface AuditQuestion {
  readonly setId: Uint8Array
  /** The organisation that asks. */
  readonly auditor: string
  readonly nonce: Uint8Array
}

/** The bytes of a shard that an audit asks about. */
export interface AuditWindow {
  readonly offset: number
  readonly length: number
}

export interface AuditJudgement {
  /**
   * good: all that answered agree, and there are more than k; bad: `wrong` answered something else, if no
   * more than that did; undecided: too few answered, or too few to tell who is wrong.
   */
  readonly verdict: 'good' | 'bad' | 'undecided'
  readonly wrong: readonly number[]
  /** False when somebody who answered is wrong. */
  readonly isConsistent: boolean
}

const questionSchema = struct({
  setId: bytes(32),
  auditor: organisationIdSchema,
  nonce: bytes(AUDIT_NONCE_BYTES),
})

export function auditWindow(set: ShardSet, question: AuditQuestion): AuditWindow {
  const seed = seedOf(question)
  const view = new DataView(seed.buffer, seed.byteOffset, seed.length)
  const segment = view.getUint32(0) % set.segmentCount
  const length = fragmentBytesOf(set, segment)
  const windows = Math.ceil(length / WINDOW_BYTES_MAX)
  const start = (view.getUint32(4) % windows) * WINDOW_BYTES_MAX
  return {
    offset: fragmentOffsetOf(set, segment) + start,
    length: Math.min(WINDOW_BYTES_MAX, length - start),
  }
}

/**
 * The nonce that a holder answers with. There are only so many for a set: all answers that one auditor
 * ever gets about a shard say a quarter of it, however often it asks, and to keep the answers instead of
 * the shard would take as much room with four auditors.
 */
export function auditNonce(set: ShardSet, nonce: Uint8Array): Uint8Array {
  const answersMax = Math.max(1, Math.floor(shardBytesOf(set) / (4 * AUDIT_ANSWER_BYTES)))
  const { buffer, byteOffset, length } = nonce
  const bounded = new Uint8Array(AUDIT_NONCE_BYTES)
  const number = new DataView(buffer, byteOffset, length).getUint32(0) % answersMax
  new DataView(bounded.buffer).setUint32(0, number)
  return bounded
}

/** The answer of who has these bytes in the window. */
export function auditAnswer(window: Uint8Array, question: AuditQuestion): Uint8Array {
  const seed = seedOf(question)
  const answer = new Uint8Array(AUDIT_ANSWER_BYTES)
  const last = new Uint8Array(AUDIT_ANSWER_BYTES)
  const blocks = Math.ceil(window.length / AUDIT_ANSWER_BYTES)
  let coefficients = seed
  for (let block = 0; block < blocks; block += 1) {
    const at = block % DIGEST_BYTES
    if (at === 0)
      coefficients = domainHash('audit-block', seed, Uint8Array.of(block / DIGEST_BYTES))
    const start = block * AUDIT_ANSWER_BYTES
    let source = window.subarray(start, start + AUDIT_ANSWER_BYTES)
    if (source.length < AUDIT_ANSWER_BYTES) {
      last.set(source)
      source = last
    }
    // Zero would leave a block out.
    scaleInto(answer, source, coefficients[at] || 1)
  }
  return answer
}

/** Null for a holder that gave no answer. */
export function judgeAudit(
  k: number,
  n: number,
  answers: readonly (Uint8Array | null)[],
): AuditJudgement {
  const present = answers.flatMap((answer, at) => (answer === null ? [] : [at]))
  const spare = present.length - k
  if (spare < 0) return { verdict: 'undecided', wrong: [], isConsistent: true }
  let best: number[] | undefined
  for (const basis of subsetsOf(present, k)) {
    const wrong = present.filter((at) => !agrees({ k, n, answers, basis, at }))
    if (wrong.length === 0) {
      return { verdict: spare > 0 ? 'good' : 'undecided', wrong: [], isConsistent: true }
    }
    // No other codeword can be as near as one within half of the spare answers.
    if (2 * wrong.length <= spare) best ??= wrong
  }
  return { verdict: best ? 'bad' : 'undecided', wrong: best ?? [], isConsistent: false }
}

interface Answered {
  readonly k: number
  readonly n: number
  readonly answers: readonly (Uint8Array | null)[]
  readonly basis: readonly number[]
  readonly at: number
}

function agrees({ k, n, answers, basis, at }: Answered): boolean {
  const expected = new Uint8Array(AUDIT_ANSWER_BYTES)
  for (const [index, coefficient] of combinationFor(k, n, basis, at).entries()) {
    const answer = answers[basis[index] ?? -1]
    if (answer) scaleInto(expected, answer, coefficient)
  }
  const given = answers[at]
  return given !== null && given !== undefined && equalBytes(expected, given)
}

function* subsetsOf(items: readonly number[], size: number): Generator<number[]> {
  if (size === 0) {
    yield []
    return
  }
  for (const [index, first] of items.entries()) {
    for (const rest of subsetsOf(items.slice(index + 1), size - 1)) yield [first, ...rest]
  }
}

function seedOf(question: AuditQuestion): Uint8Array {
  return domainHash('audit', encode(questionSchema, question))
}
