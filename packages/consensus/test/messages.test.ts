import assert from 'node:assert/strict'
import { CodecError, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { evidenceOf } from '../src/evidence.ts'
import {
  AUTHORITIES_MAX,
  decodeCertificate,
  decodeEvidence,
  decodeMessage,
  decodeVote,
  encodeCertificate,
  encodeMessage,
  encodeVote,
  EVIDENCE_MAX,
  JUSTIFICATION_MAX,
  type Message,
  STATUS_VIEWS,
  TRANSACTION_NAME_BYTES,
  VOTES_MAX,
} from '../src/messages.ts'
import {
  type Certificate,
  type Evidence,
  nullifySubject,
  type Subject,
  type Vote,
} from '../src/types.ts'

const plain = { noNullPrototype: true } as const
const number = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
const digest = bytesOf(32).map(toHex)

const subject: fc.Arbitrary<Subject> = fc.record(
  {
    epoch: number,
    view: number,
    parentView: number,
    height: number,
    digest,
  },
  plain,
)
const voted = fc.oneof(
  fc.record({ kind: fc.constantFrom('notarize' as const, 'finalize' as const), subject }, plain),
  fc
    .tuple(number, number)
    .map(([epoch, view]) => ({ kind: 'nullify' as const, subject: nullifySubject(epoch, view) })),
)
const vote: fc.Arbitrary<Vote> = fc
  .tuple(voted, fc.nat({ max: AUTHORITIES_MAX - 1 }), bytesOf(64))
  .map(([of, signer, signature]) => ({ ...of, signer, signature }))
const certificate: fc.Arbitrary<Certificate> = fc
  .tuple(voted, fc.uint8Array({ maxLength: 32 }), fc.array(bytesOf(64), { maxLength: 12 }))
  .map(([of, bitmap, signatures]) => ({ ...of, bitmap, signatures }))
const bitmap = bytesOf(STATUS_VIEWS / 8)
const status = fc.record(
  {
    epoch: number,
    finalizedView: number,
    finalizedHeight: number,
    finalizedDigest: digest,
    view: number,
    from: number,
    notarized: bitmap,
    nullified: bitmap,
    question: number,
    answer: number,
  },
  plain,
)
const proposal = fc.record(
  {
    vote,
    justification: fc.array(certificate, { maxLength: 4 }),
    block: fc.uint8Array({ maxLength: 64 }),
  },
  plain,
)
const compact = fc.record(
  {
    vote,
    justification: fc.array(certificate, { maxLength: 4 }),
    header: fc.uint8Array({ maxLength: 64 }),
    names: fc.nat({ max: 6 }).chain((count) => bytesOf(count * TRANSACTION_NAME_BYTES)),
  },
  plain,
)
const evidence: fc.Arbitrary<Evidence> = fc
  .tuple(
    subject,
    subject,
    fc.constantFrom('notarize', 'finalize', 'nullify'),
    fc.nat({ max: AUTHORITIES_MAX - 1 }),
    bytesOf(64),
  )
  .map(([one, other, kind, signer, signature]) => {
    const place = { epoch: one.epoch, view: one.view }
    const first: Vote =
      kind === 'nullify'
        ? { kind, subject: nullifySubject(one.epoch, one.view), signer, signature }
        : { kind, subject: one, signer, signature }
    const second: Vote = {
      kind: kind === 'notarize' ? kind : 'finalize',
      subject: { ...other, ...place },
      signer,
      signature,
    }
    return evidenceOf(first, second)
  })
  .filter((found) => found !== null)
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record(
    { kind: fc.constant('votes' as const), votes: fc.array(vote, { maxLength: 5 }) },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant('certificates' as const),
      certificates: fc.array(certificate, { maxLength: 3 }),
    },
    plain,
  ),
  fc.record({ kind: fc.constant('status' as const), status }, plain),
  fc.record({ kind: fc.constant('proposal' as const), proposal }, plain),
  fc.record({ kind: fc.constant('compact' as const), proposal: compact }, plain),
  fc.record(
    { kind: fc.constant('evidence' as const), evidence: fc.array(evidence, { maxLength: 3 }) },
    plain,
  ),
)

test('a vote, a certificate and every message come back from their bytes', () => {
  fc.assert(
    fc.property(vote, certificate, message, (oneVote, oneCertificate, oneMessage) => {
      assert.deepEqual(decodeVote(encodeVote(oneVote)), oneVote)
      assert.deepEqual(decodeCertificate(encodeCertificate(oneCertificate)), oneCertificate)
      assert.deepEqual(decodeMessage(encodeMessage(oneMessage)), oneMessage)
    }),
    { numRuns: 300 },
  )
})

test('altered bytes are refused, or are another message with those very bytes', () => {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    byte: fc.nat({ max: 255 }),
    how: fc.constantFrom('set', 'drop', 'insert', 'cut'),
  })
  fc.assert(
    fc.property(message, fc.array(change, { minLength: 1, maxLength: 4 }), (original, changes) => {
      let bytes = encodeMessage(original)
      for (const { at, byte, how } of changes) {
        const index = Math.floor(at * bytes.length)
        const [before, after] = [bytes.slice(0, index), bytes.slice(index + 1)]
        if (how === 'set') bytes = Uint8Array.of(...before, byte, ...after)
        else if (how === 'drop') bytes = Uint8Array.of(...before, ...after)
        else if (how === 'insert') bytes = Uint8Array.of(...before, byte, ...bytes.slice(index))
        else bytes = before
      }
      try {
        assert.deepEqual(encodeMessage(decodeMessage(bytes)), bytes)
      } catch (error) {
        assert.ok(error instanceof CodecError, String(error))
      }
    }),
    { numRuns: 1_000 },
  )
})

test('random bytes are refused as bytes, not by accident', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of [decodeMessage, decodeVote, decodeCertificate, decodeEvidence])
        assert.throws(() => decode(bytes), CodecError)
    }),
    { numRuns: 500 },
  )
})

test('a nullify names a view and nothing else', () => {
  const place = { epoch: 0, view: 7, parentView: 0, height: 0, digest: '0'.repeat(64) }
  const signature = new Uint8Array(64)
  for (const wrong of [{ parentView: 6 }, { height: 1 }, { digest: `${'0'.repeat(63)}1` }]) {
    const of = { kind: 'nullify' as const, subject: { ...place, ...wrong } }
    const encodedVote = encodeVote({ ...of, signer: 0, signature })
    assert.throws(() => decodeVote(encodedVote), { code: 'out_of_range' })
    const encoded = encodeCertificate({ ...of, bitmap: new Uint8Array(1), signatures: [] })
    assert.throws(() => decodeCertificate(encoded), { code: 'out_of_range' })
  }
})

test('messages beyond their limits are refused before anything is verified', () => {
  const [oneVote] = fc.sample(vote, 1)
  const [oneCertificate] = fc.sample(certificate, 1)
  const [oneEvidence] = fc.sample(evidence, 1)
  assert.ok(oneVote !== undefined && oneCertificate !== undefined && oneEvidence !== undefined)
  const tooMany: Message[] = [
    { kind: 'votes', votes: Array.from({ length: VOTES_MAX + 1 }, () => oneVote) },
    { kind: 'certificates', certificates: Array.from({ length: 131 }, () => oneCertificate) },
    {
      kind: 'proposal',
      proposal: {
        vote: oneVote,
        justification: Array.from({ length: JUSTIFICATION_MAX + 1 }, () => oneCertificate),
        block: new Uint8Array(1),
      },
    },
    {
      kind: 'proposal',
      proposal: { vote: oneVote, justification: [], block: new Uint8Array((8 << 20) + 1) },
    },
    { kind: 'evidence', evidence: Array.from({ length: EVIDENCE_MAX + 1 }, () => oneEvidence) },
    compactOf(oneVote, new Uint8Array(513), 0),
    compactOf(oneVote, new Uint8Array(1), 100_001 * TRANSACTION_NAME_BYTES),
  ]
  for (const one of tooMany) assert.throws(() => encodeMessage(one), CodecError)
  const signer = { ...oneVote, signer: AUTHORITIES_MAX }
  assert.throws(() => encodeVote(signer), CodecError)
  const part = encodeMessage(compactOf(oneVote, new Uint8Array(1), TRANSACTION_NAME_BYTES - 1))
  assert.throws(() => decodeMessage(part), { code: 'out_of_range' })
})

function compactOf(of: Vote, header: Uint8Array, nameBytes: number): Message {
  const names = new Uint8Array(nameBytes)
  return { kind: 'compact', proposal: { vote: of, justification: [], header, names } }
}

test.run()
