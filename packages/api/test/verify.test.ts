import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { concatBytes } from '@mooring/codec'
import { encodeTransactionProof, formatTransactionProofJson } from '@mooring/ledger'
import { formatAccessProof } from '@mooring/records'
import { formatVerification, verifyProof, verifyRecordProof } from '../src/verify.ts'
import { documentOf, prove, type Deviation, type Proven } from './proof-world.ts'

function failureOf(deviation: Deviation) {
  const { digest, record } = prove(deviation)
  const result = verifyRecordProof(documentOf(record), { genesisDigest: digest })
  assert.ok(!result.ok)
  return result
}

test('a record proof and its file verify in six steps, from the genesis digest alone', () => {
  const { digest, raw, record, transactionId } = prove()
  const result = verifyRecordProof(documentOf(record), { genesisDigest: digest }, raw)
  assert.ok(result.ok, JSON.stringify(result))
  assert.deepEqual(
    result.steps.map(({ number, name, ok }) => `${number} ${name} ${ok}`),
    [
      '1 raw commitment true',
      '2 record true',
      '3 batch path true',
      '4 transaction true',
      '5 finalization true',
      '6 authority set true',
    ],
  )
  assert.match(result.steps[2]?.detail ?? '', /of anchor 31 of st-mary$/)
  assert.match(result.steps[4]?.detail ?? '', /3 of 4 .* st-mary, riverside, county$/)
  const kind = 'record.anchor'
  assert.deepEqual(result.anchor, { kind, organisation: 'st-mary', sequence: 31 })
  assert.deepEqual([result.height, result.transactionId], [1, transactionId])
  assert.deepEqual(formatVerification(result), {
    ok: true,
    steps: result.steps,
    failed: null,
    height: 1,
    blockTime: '2026-11-20T09:31:07.000Z',
    transaction: transactionId,
  })
})

test('a receipt without an opening, and a transaction proof, verify with the steps they have', () => {
  const { genesis, record, transaction } = prove()
  const receipt = { ...record, record: { ...record.record, opening: null } }
  const numbersOf = (document: string) => {
    const result = verifyProof(document, { genesis })
    assert.ok(result.ok)
    return result.steps.map(({ number }) => number)
  }
  assert.deepEqual(numbersOf(documentOf(receipt)), [3, 4, 5, 6])
  assert.deepEqual(numbersOf(documentOf(record)), [2, 3, 4, 5, 6])
  assert.deepEqual(numbersOf(formatTransactionProofJson(transaction)), [4, 5, 6])
})

test('chosen fields verify without the file, and come with the verdict', () => {
  const { digest, disclose } = prove()
  const result = verifyProof(documentOf(disclose('/valueQuantity')), { genesisDigest: digest })
  assert.ok(result.ok, JSON.stringify(result))
  assert.deepEqual(result.shown, [{ pointer: '/valueQuantity/value', value: '1.50' }])
  assert.deepEqual(
    result.steps.map(({ number }) => number),
    [1, 2, 3, 4, 5, 6],
  )
  const changed = documentOf(disclose('/valueQuantity')).replace('"1.50"', '"1.5"')
  const refused = verifyProof(changed, { genesisDigest: digest })
  assert.ok(!refused.ok)
  assert.deepEqual(refused.failed, { number: 1, name: 'fields', code: 'field_not_in_record' })
})

test('another file fails the first step and goes no further', () => {
  const { digest, raw, record } = prove()
  const other = concatBytes(raw, Uint8Array.of(0x21))
  const result = verifyProof(documentOf(record), { genesisDigest: digest }, other)
  assert.ok(!result.ok)
  const failed = { number: 1, name: 'raw commitment', code: 'raw_commitment_differs' }
  assert.deepEqual(result.failed, failed)
  assert.equal(result.steps.length, 1)
  assert.equal(formatVerification(result).failed, 'raw_commitment_differs')
})

test('the anchor of another batch, or of another size, proves nothing of this one', () => {
  for (const deviation of [{ anchoredRoot: new Uint8Array(32) }, { anchoredSize: 4_096 }]) {
    const { failed, steps } = failureOf(deviation)
    assert.deepEqual(failed, { number: 3, name: 'batch path', code: 'wrong_anchor' })
    assert.deepEqual(
      steps.map(({ number, ok }) => [number, ok]),
      [
        [2, true],
        [3, false],
      ],
    )
  }
})

test('a certificate of too few, of another kind or of another block makes nothing final', () => {
  const deviations: Deviation[] = [
    { signers: [0, 1] },
    { signers: [0, 1, 2, 3] },
    { kind: 'notarize' },
    { subject: { digest: 'a'.repeat(64) } },
    { subject: { height: 2 } },
    { subject: { view: 4 } },
    { subject: { view: 2, parentView: 1 }, sealing: true },
    { subject: { epoch: 1 } },
  ]
  for (const deviation of deviations) {
    const { failed } = failureOf(deviation)
    assert.deepEqual(failed, { number: 5, name: 'finalization', code: 'not_final' })
  }
})

test('a block that ends its epoch may be final in a later view than that of its header', () => {
  const { digest, record } = prove({ sealing: true, subject: { view: 9, parentView: 3 } })
  const result = verifyRecordProof(documentOf(record), { genesisDigest: digest })
  assert.ok(result.ok, JSON.stringify(result))
})

function asEntry({ record: { record, ...rest } }: Proven): string {
  return formatAccessProof({ ...rest, version: 1, entry: { commit: record.commit, content: null } })
}

test('an entry is proved by an access batch, a record by an anchor, and neither by the other', () => {
  const logged = prove({ logs: true })
  const result = verifyProof(asEntry(logged), logged)
  assert.ok(result.ok)
  const kind = 'access.log'
  assert.deepEqual(result.anchor, { kind, organisation: 'st-mary', sequence: 31 })
  assert.match(result.steps[0]?.detail ?? '', /of access batch 31 of st-mary$/)
  const anchored = prove()
  for (const [document, trust] of [
    [asEntry(anchored), anchored],
    [documentOf(logged.record), logged],
  ] as const) {
    const refused = verifyProof(document, trust)
    assert.ok(!refused.ok)
    assert.deepEqual(refused.failed, { number: 3, name: 'batch path', code: 'wrong_anchor' })
    assert.match(refused.steps.at(-1)?.detail ?? '', /is no batch of this kind$/)
  }
})

test('a transaction that is no anchor proves itself, and no record', () => {
  const { digest, record, transaction, transactionId } = prove({ governance: true })
  const alone = verifyProof(formatTransactionProofJson(transaction), { genesisDigest: digest })
  assert.ok(alone.ok)
  assert.deepEqual([alone.transactionId, alone.anchor], [transactionId, null])
  const result = verifyRecordProof(documentOf(record), { genesisDigest: digest })
  assert.ok(!result.ok)
  assert.deepEqual(result.failed, { number: 3, name: 'batch path', code: 'wrong_anchor' })
  const detail = 'the transaction is a change.withdraw and anchors no batch'
  assert.equal(result.steps.at(-1)?.detail, detail)
})

test('a proof of another network is refused by name, whatever else it says', () => {
  const ours = prove()
  const theirs = prove({ network: 'other' })
  const result = verifyProof(documentOf(theirs.record), { genesisDigest: ours.digest })
  assert.ok(!result.ok)
  assert.equal(result.failed.code, 'wrong_network')
  const relabelled = documentOf({ ...theirs.record, network: ours.digest })
  assert.ok(!verifyProof(relabelled, { genesisDigest: ours.digest }).ok)
})

test('a proof with its own genesis does not verify under ours', () => {
  const ours = prove()
  const theirs = prove({ network: 'other' })
  const { genesis } = theirs.transaction
  const anchor = encodeTransactionProof({ ...ours.transaction, genesis })
  const document = documentOf({ ...ours.record, anchor })
  const result = verifyProof(document, { genesisDigest: ours.digest })
  assert.ok(!result.ok)
  assert.deepEqual([result.failed.number, result.failed.code], [6, 'wrong_genesis'])
})

test('what is no proof document is a failed verification, not an exception', () => {
  const { digest } = prove()
  for (const text of [
    '',
    'no',
    '[]',
    '{}',
    '{"record":1}',
    '{"record":{},"record":{}}',
    '\ud800',
  ]) {
    const result = verifyProof(text, { genesisDigest: digest })
    assert.ok(!result.ok)
    assert.deepEqual(result.failed, { number: 0, name: 'document', code: 'malformed_proof' })
  }
})

test('no changed byte of a proof verifies', () => {
  const { digest, raw, record } = prove()
  const bytes = new TextEncoder().encode(documentOf(record))
  const place = fc.nat({ max: bytes.length - 1 })
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Uint8Array.from(bytes)
      const before = changed[at] ?? 0
      changed[at] = before ^ change
      const isSpace = [before, changed[at]].every((byte) => [9, 10, 13, 32].includes(byte ?? 0))
      assert.equal(verifyProof(changed, { genesisDigest: digest }, raw).ok, isSpace)
    }),
    { numRuns: 300 },
  )
})

test.run()
