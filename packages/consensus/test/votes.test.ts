import assert from 'node:assert/strict'
import { concatBytes, fromHex } from '@mooring/codec'
import { bitmapOf, type KeyPair, keyPairFromSeed, sign } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  nullifySubject,
  type Certificate,
  type Subject,
  type Vote,
  type VoteKind,
} from '../src/types.ts'
import { certificateOf, checkCertificate, checkVote, voteMessage, votesOf } from '../src/votes.ts'

const chain = new Uint8Array(32).fill(7)
const pairs: KeyPair[] = Array.from({ length: 7 }, (_, index) =>
  keyPairFromSeed(new Uint8Array(32).fill(index + 1)),
)
const authorities = { chain, keys: pairs.slice(0, 4).map(({ publicKey }) => publicKey) }
const subject: Subject = { epoch: 2, view: 9, parentView: 7, height: 5, digest: 'ab'.repeat(32) }

function signed(kind: VoteKind, of: Subject, signer: number, on = chain): Vote {
  const pair = pairs[signer]
  assert.ok(pair !== undefined)
  return { kind, subject: of, signer, signature: sign(pair, voteMessage(on, kind, of)) }
}

function certificate(
  kind: VoteKind = 'finalize',
  of: Subject = subject,
  signers = [0, 2, 3],
): Certificate {
  const votes = signers.map((signer) => signed(kind, of, signer))
  return certificateOf(votes, signers.length, 4)
}

function codeOf(changed: Certificate): string | undefined {
  return checkCertificate(changed, authorities)?.code
}

test('a vote signs kind, chain, epoch, view, parent view, height and digest, in this order', () => {
  const expected = concatBytes(
    new TextEncoder().encode('mooring/vote/v1\0'),
    Uint8Array.of(3),
    chain,
    fromHex('0000000000000002'),
    fromHex('0000000000000009'),
    fromHex('0000000000000007'),
    fromHex('0000000000000005'),
    fromHex(subject.digest),
  )
  assert.deepEqual(voteMessage(chain, 'finalize', subject), expected)
})

test('the largest numbers keep all their digits', () => {
  const view = Number.MAX_SAFE_INTEGER
  const message = voteMessage(chain, 'nullify', nullifySubject(0, view))
  assert.deepEqual(message.slice(16 + 41, 16 + 49), fromHex('001fffffffffffff'))
})

test('whatever differs between two votes, their messages differ, and their length does not', () => {
  const digest = fc.constantFrom('00'.repeat(32), '01'.repeat(32))
  const few = fc.integer({ min: 0, max: 2 })
  const vote = fc.record({
    chain: fc.constantFrom(chain, new Uint8Array(32)),
    kind: fc.constantFrom<VoteKind>('notarize', 'nullify', 'finalize'),
    subject: fc.record({ epoch: few, view: few, parentView: few, height: few, digest }),
  })
  fc.assert(
    fc.property(vote, vote, (a, b) => {
      const [first, second] = [a, b].map((one) =>
        Buffer.from(voteMessage(one.chain, one.kind, one.subject)).toString('hex'),
      )
      assert.equal(first === second, JSON.stringify(a) === JSON.stringify(b))
      assert.equal(first?.length, second?.length)
    }),
    { numRuns: 2_000 },
  )
})

test('a signature counts for its signer, chain, epoch, view and kind, and nowhere else', () => {
  const vote = signed('notarize', subject, 1)
  assert.equal(checkVote(vote, authorities), true)
  assert.equal(checkVote({ ...vote, signer: 2 }, authorities), false)
  assert.equal(checkVote({ ...vote, signer: 4 }, authorities), false)
  assert.equal(checkVote({ ...vote, kind: 'finalize' }, authorities), false)
  assert.equal(checkVote(vote, { ...authorities, chain: new Uint8Array(32) }), false)
  for (const change of [
    { epoch: 3 },
    { view: 8 },
    { parentView: 6 },
    { height: 6 },
    { digest: 'ac'.repeat(32) },
  ])
    assert.equal(checkVote({ ...vote, subject: { ...subject, ...change } }, authorities), false)
})

test('a certificate of exactly a quorum holds, whoever signed', () => {
  assert.equal(codeOf(certificate()), undefined)
  assert.equal(codeOf(certificate('notarize', subject, [0, 1, 2])), undefined)
  assert.equal(codeOf(certificate('nullify', nullifySubject(2, 9), [1, 2, 3])), undefined)
})

test('a certificate is made of a quorum and no more, in the order of signers', () => {
  const votes = [3, 1, 0, 2].map((signer) => signed('notarize', subject, signer))
  const made = certificateOf(votes, 3, 4)
  assert.deepEqual(made.bitmap, Uint8Array.of(0b0111))
  assert.deepEqual(votesOf(made), [votes[2], votes[1], votes[3]])
  assert.equal(checkCertificate(made, authorities), undefined)
  assert.throws(() => certificateOf(votes.slice(0, 2), 3, 4))
})

test('too few and too many signers are refused', () => {
  assert.equal(codeOf(certificate('finalize', subject, [0, 2])), 'not_a_quorum')
  assert.equal(codeOf(certificate('finalize', subject, [0, 1, 2, 3])), 'not_a_quorum')
  const nobody = { ...certificate(), bitmap: Uint8Array.of(0), signatures: [] }
  assert.equal(codeOf(nobody), 'not_a_quorum')
})

test('signatures and signers must be as many, and each in its place', () => {
  const good = certificate()
  const [first, second, third] = good.signatures
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  assert.equal(codeOf({ ...good, signatures: [first, second] }), 'wrong_signature_count')
  assert.equal(
    codeOf({ ...good, signatures: [first, second, third, third] }),
    'wrong_signature_count',
  )
  assert.equal(codeOf({ ...good, signatures: [second, first, third] }), 'bad_signature')
  assert.equal(codeOf({ ...good, signatures: [first, first, first] }), 'bad_signature')
  assert.equal(codeOf({ ...good, bitmap: bitmapOf([0, 1, 2], 4) }), 'bad_signature')
})

test('bits beyond the last authority, and a bitmap of another length, are refused', () => {
  const good = certificate()
  assert.equal(codeOf({ ...good, bitmap: Uint8Array.of(0b10_0101) }), 'signer_out_of_range')
  assert.equal(codeOf({ ...good, bitmap: new Uint8Array(0) }), 'wrong_bitmap_length')
  assert.equal(codeOf({ ...good, bitmap: Uint8Array.of(0b1101, 0) }), 'wrong_bitmap_length')
})

test('a certificate of one kind, view, epoch or chain proves nothing of another', () => {
  const good = certificate()
  assert.equal(codeOf({ ...good, kind: 'notarize' }), 'bad_signature')
  for (const change of [{ epoch: 1 }, { view: 10 }, { parentView: 8 }, { height: 4 }])
    assert.equal(codeOf({ ...good, subject: { ...subject, ...change } }), 'bad_signature')
  assert.equal(
    checkCertificate(good, { ...authorities, chain: new Uint8Array(32) })?.code,
    'bad_signature',
  )
})

test('a certificate of one authority set proves nothing to another', () => {
  const keys = pairs.slice(3, 7).map(({ publicKey }) => publicKey)
  assert.equal(checkCertificate(certificate(), { chain, keys })?.code, 'bad_signature')
  const seven = pairs.map(({ publicKey }) => publicKey)
  assert.equal(checkCertificate(certificate(), { chain, keys: seven })?.code, 'not_a_quorum')
})

test.run()
