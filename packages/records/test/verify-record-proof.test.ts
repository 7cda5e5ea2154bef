import assert from 'node:assert/strict'
import { concatBytes } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  batchPath,
  buildBatch,
  commitRecord,
  fieldsOf,
  formatRecordProof,
  generatePatient,
  openingOf,
  parseRecordProof,
  readSubmission,
  type RecordOpening,
  type WholeRecordProof,
  recordSecrets,
  verifyRecordProof,
} from '../src/index.ts'

const utf8 = new TextEncoder()

interface Kept {
  readonly raw: Uint8Array
  readonly proof: WholeRecordProof
  readonly opening: RecordOpening
}

/** The records of a made-up patient, anchored together, each with the proof its patient keeps. */
function anchored(seed: number): Kept[] {
  let drawn = 0
  const random = (length: number) => {
    drawn += 1
    return sha256(utf8.encode(`${seed}/${drawn}`)).slice(0, length)
  }
  const records = readSubmission(generatePatient(seed)).resources.map(({ raw, node }) => {
    const rec = random(32)
    return { raw, rec, ...commitRecord(fieldsOf(node), raw, recordSecrets(rec)) }
  })
  const batch = buildBatch(
    records.map(({ recordCommit }) => recordCommit),
    random,
  )
  assert.ok(!('code' in batch))
  return records.map((record, number) => {
    const index = batch.positions[number] ?? 0
    const path = batchPath(batch.leaves, index)
    const opening = openingOf(record)
    const proof: WholeRecordProof = {
      version: 1,
      network: new Uint8Array(32),
      record: { commit: record.recordCommit, opening },
      batch: { index, size: batch.bucket, path, root: batch.root },
      anchor: Uint8Array.of(1, 2, 3),
    }
    return { raw: record.raw, proof, opening }
  })
}

const KEPT = anchored(1)
const kept = fc.constantFrom(...KEPT)
const place = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))

function flipped(bytes: Uint8Array, [index, mask]: [number, number]): Uint8Array {
  return bytes.with(index % bytes.length, (bytes[index % bytes.length] ?? 0) ^ mask)
}

function withBatch(
  proof: WholeRecordProof,
  batch: Partial<WholeRecordProof['batch']>,
): WholeRecordProof {
  return { ...proof, batch: { ...proof.batch, ...batch } }
}

function withOpening(proof: WholeRecordProof, opening: RecordOpening | null): WholeRecordProof {
  return { ...proof, record: { ...proof.record, opening } }
}

function failureOf(proof: WholeRecordProof, raw: Uint8Array | null): unknown {
  const result = verifyRecordProof(proof, raw)
  if (result.ok) return undefined
  assert.deepEqual(
    result.steps.map(({ ok }) => ok),
    result.steps.map((_, index) => index < result.steps.length - 1),
  )
  assert.equal(result.steps.at(-1)?.number, result.failed.number)
  return result.failed
}

test('a file and its proof pass three steps, also after the proof was a document', () => {
  for (const { proof, raw } of KEPT) {
    const result = verifyRecordProof(parseRecordProof(formatRecordProof(proof)), raw)
    assert.ok(result.ok)
    assert.deepEqual(
      result.steps.map(({ number, name, ok }) => [number, name, ok]),
      [
        [1, 'raw commitment', true],
        [2, 'record', true],
        [3, 'batch path', true],
      ],
    )
  }
})

test('the steps say what was computed', () => {
  const [first] = KEPT
  assert.ok(first !== undefined)
  const details = verifyRecordProof(first.proof, first.raw).steps.map(({ detail }) => detail)
  assert.match(
    details[0] ?? '',
    /^H\(raw\/v1, salt, file\) = [0-9a-f]{4}…[0-9a-f]{2} matches the opening$/,
  )
  assert.match(details[1] ?? '', /^H\(rec\/v1, blind, fields, raw\) = [0-9a-f]{4}…[0-9a-f]{2}$/)
  assert.match(
    details[2] ?? '',
    /^leaf \d+ of 64, 6 digests up = [0-9a-f]{4}…[0-9a-f]{2}, the batch root$/,
  )
})

test('an altered byte of the file fails step 1', () => {
  fc.assert(
    fc.property(kept, place, ({ proof, raw }, where) => {
      const expected = { number: 1, code: 'raw_commitment_differs' }
      assert.deepEqual(failureOf(proof, flipped(raw, where)), expected)
    }),
  )
})

test('an altered salt or raw commitment in the opening fails step 1', () => {
  fc.assert(
    fc.property(kept, place, ({ proof, raw, opening }, where) => {
      const rawSalt = flipped(opening.rawSalt, where)
      const rawCommit = flipped(opening.rawCommit, where)
      const expected = { number: 1, code: 'raw_commitment_differs' }
      assert.deepEqual(failureOf(withOpening(proof, { ...opening, rawSalt }), raw), expected)
      assert.deepEqual(failureOf(withOpening(proof, { ...opening, rawCommit }), raw), expected)
    }),
  )
})

test('an altered blind, field root or record fails step 2', () => {
  fc.assert(
    fc.property(kept, place, ({ proof, raw, opening }, where) => {
      const blind = flipped(opening.blind, where)
      const fieldRoot = flipped(opening.fieldRoot, where)
      const commit = flipped(proof.record.commit, where)
      const expected = { number: 2, code: 'record_commitment_differs' }
      assert.deepEqual(failureOf(withOpening(proof, { ...opening, blind }), raw), expected)
      assert.deepEqual(failureOf(withOpening(proof, { ...opening, fieldRoot }), raw), expected)
      assert.deepEqual(failureOf({ ...proof, record: { commit, opening } }, raw), expected)
    }),
  )
})

test('an altered path, place, size or root fails step 3', () => {
  fc.assert(
    fc.property(kept, place, fc.nat(), ({ proof, raw }, where, at) => {
      const { index, size, path, root } = proof.batch
      const step = at % path.length
      const altered = [
        { path: path.with(step, flipped(path[step] ?? root, where)) },
        { path: path.toSpliced(step, 1) },
        { path: [...path, root] },
        { root: flipped(root, where) },
        { index: (index + 1 + (at % (size - 1))) % size },
        { size: size * 2 },
      ]
      for (const batch of altered) {
        const expected = { number: 3, code: 'not_in_batch' }
        assert.deepEqual(failureOf(withBatch(proof, batch), raw), expected)
      }
    }),
  )
})

test('the file of another record fails step 1', () => {
  const [first, second] = KEPT
  assert.ok(first !== undefined && second !== undefined)
  assert.deepEqual(failureOf(first.proof, second.raw), {
    number: 1,
    code: 'raw_commitment_differs',
  })
})

test('white space around a file is not forgiven but explained', () => {
  const [first] = KEPT
  assert.ok(first !== undefined)
  const saved = concatBytes(first.raw, utf8.encode('\n'))
  const result = verifyRecordProof(first.proof, saved)
  assert.equal(result.ok, false)
  assert.match(result.steps[0]?.detail ?? '', /without the white space around it$/)
})

test('a receipt passes step 3 alone and opens no file', () => {
  const [first] = KEPT
  assert.ok(first !== undefined)
  const receipt = withOpening(first.proof, null)
  const result = verifyRecordProof(receipt, null)
  assert.equal(result.ok, true)
  assert.deepEqual(
    result.steps.map(({ number }) => number),
    [3],
  )
  assert.deepEqual(failureOf(receipt, first.raw), { number: 1, code: 'no_opening' })
})

test('a proof without its file passes steps 2 and 3', () => {
  const [first] = KEPT
  assert.ok(first !== undefined)
  const result = verifyRecordProof(first.proof, null)
  assert.equal(result.ok, true)
  assert.deepEqual(
    result.steps.map(({ number }) => number),
    [2, 3],
  )
})

test.run()
