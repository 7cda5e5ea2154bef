// What test/vectors/consensus-*.json hold: what a vote signs, and every encoded type, from fixed seeds.

import { toHex } from '@mooring/codec'
import { keyPairFromSeed, sign } from '@mooring/crypto'
import {
  type Certificate,
  type Evidence,
  encodeCertificate,
  encodeEvidence,
  encodeMessage,
  encodeVote,
  type Message,
  type Subject,
  TRANSACTION_NAME_BYTES,
  type Vote,
  type VoteKind,
  voteMessage,
  ZERO_DIGEST,
} from '../src/index.ts'
import { certificateOf } from '../src/votes.ts'

export const vectorFolder = new URL('../../../test/vectors/', import.meta.url)

export const chain = new Uint8Array(32).fill(0x11)
const pairs = [1, 2, 3, 4].map((seed) => keyPairFromSeed(new Uint8Array(32).fill(seed)))
export const keys = pairs.map(({ publicKey }) => publicKey)

const block: Subject = {
  epoch: 0,
  view: 70_000,
  parentView: 69_998,
  height: 300,
  digest: 'd1'.repeat(32),
}
const nothing: Subject = { epoch: 0, view: 69_999, parentView: 0, height: 0, digest: ZERO_DIGEST }

function vote(kind: VoteKind, subject: Subject, signer: number): Vote {
  const pair = pairs[signer]
  if (pair === undefined) throw new RangeError(`no authority ${signer}`)
  return { kind, subject, signer, signature: sign(pair, voteMessage(chain, kind, subject)) }
}

function certificate(kind: VoteKind, subject: Subject): Certificate {
  const votes = [0, 1, 3].map((signer) => vote(kind, subject, signer))
  return certificateOf(votes, 3, pairs.length)
}

const votes = [vote('notarize', block, 0), vote('nullify', nothing, 1), vote('finalize', block, 3)]
const parent: Subject = { ...block, view: 69_998, parentView: 69_997, height: 299 }
const certificates = [
  certificate('notarize', parent),
  certificate('nullify', nothing),
  certificate('finalize', parent),
]
const rival: Subject = { ...block, digest: 'b1'.repeat(32) }
const evidence: Evidence[] = [
  {
    kind: 'conflicting_notarize',
    first: vote('notarize', rival, 2),
    second: vote('notarize', block, 2),
  },
  {
    kind: 'conflicting_finalize',
    first: vote('finalize', rival, 2),
    second: vote('finalize', block, 2),
  },
  {
    kind: 'nullify_finalize',
    first: vote('nullify', { ...nothing, view: block.view }, 2),
    second: vote('finalize', block, 2),
  },
]
const messages: Message[] = [
  { kind: 'votes', votes },
  { kind: 'certificates', certificates },
  {
    kind: 'proposal',
    proposal: {
      vote: vote('notarize', block, 0),
      justification: certificates.slice(0, 2),
      block: Uint8Array.of(0xca, 0xfe),
    },
  },
  {
    kind: 'status',
    status: {
      epoch: 0,
      finalizedView: 69_990,
      finalizedHeight: 292,
      finalizedDigest: 'f1'.repeat(32),
      view: 70_000,
      from: 69_991,
      notarized: Uint8Array.of(0b1111_1110, 0, 0, 0, 0, 0, 0, 0),
      nullified: Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0),
      question: 0,
      answer: 281_474_976_710_655,
    },
  },
  { kind: 'evidence', evidence },
  {
    kind: 'compact',
    proposal: {
      vote: vote('notarize', block, 0),
      justification: [],
      header: Uint8Array.of(0xca, 0xfe),
      names: new Uint8Array(2 * TRANSACTION_NAME_BYTES).fill(0xe1),
    },
  },
]

export const vectors = {
  'consensus-votes.json': {
    chain: toHex(chain),
    authorities: keys.map(toHex),
    votes: votes.map((one) => ({
      kind: one.kind,
      subject: one.subject,
      signer: one.signer,
      signed: toHex(voteMessage(chain, one.kind, one.subject)),
      signature: toHex(one.signature),
      bytes: toHex(encodeVote(one)),
    })),
    certificates: certificates.map((one) => ({
      kind: one.kind,
      subject: one.subject,
      bitmap: toHex(one.bitmap),
      bytes: toHex(encodeCertificate(one)),
    })),
  },
  'consensus-evidence.json': {
    chain: toHex(chain),
    authorities: keys.map(toHex),
    evidence: evidence.map((one) => ({ kind: one.kind, bytes: toHex(encodeEvidence(one)) })),
  },
  'consensus-messages.json': {
    messages: messages.map((message) => ({
      kind: message.kind,
      bytes: toHex(encodeMessage(message)),
    })),
  },
}
