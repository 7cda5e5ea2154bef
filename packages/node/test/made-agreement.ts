// Four authorities with keys of their own, and the state of whoever only looks on.

import assert from 'node:assert/strict'
import {
  type BlockMeta,
  type ConsensusState,
  start,
  type Subject,
  type Vote,
  type VoteKind,
  voteMessage,
  ZERO_DIGEST,
} from '@mooring/consensus'
import { keyPairFromSeed, sign } from '@mooring/crypto'

export const chain = new Uint8Array(32).fill(7)
const pairs = [1, 2, 3, 4].map((seed) => keyPairFromSeed(new Uint8Array(32).fill(seed)))
export const authorities = { chain, keys: pairs.map(({ publicKey }) => publicKey) }

export const GENESIS: BlockMeta = {
  digest: 'a'.repeat(64),
  parent: ZERO_DIGEST,
  view: 0,
  parentView: 0,
  height: 0,
  time: 1,
  isEmpty: true,
  isSealing: false,
}

export function stateOfObserver(): ConsensusState {
  const timing = { deltaMs: 150, skipMs: 2_000, statusMs: 3_000, minBlockIntervalMs: 0 }
  const config = { epoch: 0, authorities: pairs.length, me: null, precisionMs: 500, ...timing }
  const marks = { notarize: 0, nullify: 0, finalize: 0 }
  const nothing = { finalization: null, certificates: [], votes: [], blocks: [], marks }
  const recovered = { committed: GENESIS, ...nothing, rejoin: null }
  return start(config, recovered, { monotonic: 1, wall: 1 }).state
}

/** Of a signer, with its key unless another one is named. */
export function voteOf(kind: VoteKind, on: Subject, signer: number, key = signer): Vote {
  const pair = pairs[key]
  assert.ok(pair !== undefined)
  return { kind, subject: on, signer, signature: sign(pair, voteMessage(chain, kind, on)) }
}
