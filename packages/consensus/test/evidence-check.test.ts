import assert from 'node:assert/strict'
import { CodecError, concatBytes } from '@mooring/codec'
import { keyPairFromSeed, sign } from '@mooring/crypto'
import { test } from 'uvu'
import { checkEvidence, evidenceOf } from '../src/evidence.ts'
import { decodeEvidence, encodeEvidence, encodeVote } from '../src/messages.ts'
import { nullifySubject, type Subject, type Vote, type VoteKind } from '../src/types.ts'
import { voteMessage } from '../src/votes.ts'

const chain = new Uint8Array(32).fill(7)
const pairs = [1, 2, 3, 4].map((byte) => keyPairFromSeed(new Uint8Array(32).fill(byte)))
const keys = pairs.map(({ publicKey }) => publicKey)

function subjectOf(digest: string, change: Partial<Subject> = {}): Subject {
  return { epoch: 2, view: 9, parentView: 8, height: 5, digest: digest.repeat(32), ...change }
}

function signed(kind: VoteKind, subject: Subject, signer = 2): Vote {
  const pair = pairs[signer]
  assert.ok(pair)
  return { kind, subject, signer, signature: sign(pair, voteMessage(chain, kind, subject)) }
}

const [a, b] = [subjectOf('aa'), subjectOf('bb')]
const nothing = nullifySubject(2, 9)

test('each offence convicts, whichever of its votes was seen first', () => {
  const offences: [string, Vote, Vote][] = [
    ['conflicting_notarize', signed('notarize', a), signed('notarize', b)],
    [
      'conflicting_notarize',
      signed('notarize', a),
      signed('notarize', subjectOf('aa', { parentView: 3 })),
    ],
    ['conflicting_finalize', signed('finalize', a), signed('finalize', b)],
    ['nullify_finalize', signed('nullify', nothing), signed('finalize', b)],
  ]
  for (const [kind, first, second] of offences) {
    const evidence = evidenceOf(first, second)
    assert.equal(evidence?.kind, kind)
    assert.deepEqual(evidenceOf(second, first), evidence)
    assert.equal(checkEvidence(evidence, { chain, keys }), undefined)
    const bytes = encodeEvidence({ ...evidence, first: second, second: first })
    assert.ok(bytes.length <= 512, `${bytes.length} bytes`)
    assert.deepEqual(bytes, encodeEvidence(evidence))
    assert.deepEqual(decodeEvidence(bytes), evidence)
  }
})

test('what an honest authority signs is no evidence', () => {
  const allowed: [Vote, Vote][] = [
    [signed('notarize', a), signed('notarize', a)],
    [signed('nullify', nothing), signed('nullify', nothing)],
    [signed('notarize', a), signed('finalize', b)],
    [signed('notarize', a), signed('nullify', nothing)],
    [signed('notarize', a), signed('notarize', b, 1)],
    [signed('notarize', a), signed('notarize', subjectOf('bb', { view: 10 }))],
    [signed('notarize', a), signed('notarize', subjectOf('bb', { epoch: 3 }))],
    [signed('nullify', nothing), signed('finalize', b, 1)],
  ]
  for (const [first, second] of allowed) {
    assert.equal(evidenceOf(first, second), null)
    const evidence = { kind: 'conflicting_notarize' as const, first, second }
    assert.deepEqual(checkEvidence(evidence, { chain, keys }), { code: 'no_offence' })
  }
})

test('nobody is convicted by a signature that is not his', () => {
  const evidence = evidenceOf(signed('notarize', a), signed('notarize', b))
  assert.ok(evidence)
  const { first, second } = evidence
  const bad = { code: 'bad_signature' }
  const forged = { ...second, signature: signed('notarize', b, 1).signature }
  assert.deepEqual(checkEvidence({ ...evidence, second: forged }, { chain, keys }), bad)
  const framed = { ...evidence, first: { ...first, signer: 1 }, second: { ...second, signer: 1 } }
  assert.deepEqual(checkEvidence(framed, { chain, keys }), bad)
  const unknown = { ...evidence, first: { ...first, signer: 9 }, second: { ...second, signer: 9 } }
  assert.deepEqual(checkEvidence(unknown, { chain, keys }), bad)
  const elsewhere = { chain: new Uint8Array(32), keys }
  assert.deepEqual(checkEvidence(evidence, elsewhere), bad)
  const wrongKind = { ...evidence, kind: 'conflicting_finalize' as const }
  assert.deepEqual(checkEvidence(wrongKind, { chain, keys }), { code: 'no_offence' })
})

test('votes in the other order, or without an offence, do not decode', () => {
  const evidence = evidenceOf(signed('notarize', a), signed('notarize', b))
  assert.ok(evidence)
  const bytes = encodeEvidence(evidence)
  const [first, second] = [encodeVote(evidence.first), encodeVote(evidence.second)]
  const head = bytes.subarray(0, bytes.length - first.length - second.length)
  assert.deepEqual(concatBytes(head, first, second), bytes)
  assert.throws(() => decodeEvidence(concatBytes(head, second, first)), CodecError)
  assert.throws(() => decodeEvidence(concatBytes(head, first, first)), CodecError)
})

test.run()
