import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  formatRecordProof,
  parseRecordProof,
  type WholeRecordProof,
  RecordsError,
  type RecordsErrorCode,
} from '../src/index.ts'

const hex = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32)
const filled = (byte: number) => new Uint8Array(32).fill(byte)

const PROOF: WholeRecordProof = {
  version: 1,
  network: filled(1),
  record: {
    commit: filled(2),
    opening: { blind: filled(3), fieldRoot: filled(4), rawSalt: filled(5), rawCommit: filled(6) },
  },
  batch: {
    index: 5,
    size: 16,
    path: [filled(7), filled(8), filled(9), filled(10)],
    root: filled(11),
  },
  anchor: Uint8Array.of(0xff, 0xfe, 0x00, 0x01),
}

const DOCUMENT = `{
 "version": 1,
 "network": "${hex(1)}",
 "record": {
  "commit": "${hex(2)}",
  "opening": {
   "blind": "${hex(3)}",
   "fieldRoot": "${hex(4)}",
   "rawSalt": "${hex(5)}",
   "rawCommit": "${hex(6)}"
  }
 },
 "batch": {
  "index": 5,
  "size": 16,
  "path": [
   "${hex(7)}",
   "${hex(8)}",
   "${hex(9)}",
   "${hex(10)}"
  ],
  "root": "${hex(11)}"
 },
 "anchor": "__4AAQ"
}
`

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 })

const anyProof: fc.Arbitrary<WholeRecordProof> = fc
  .record({
    network: digest,
    commit: digest,
    opening: fc.option(
      fc.record(
        { blind: digest, fieldRoot: digest, rawSalt: digest, rawCommit: digest },
        { noNullPrototype: true },
      ),
    ),
    size: fc.integer({ min: 1, max: 65_536 }),
    index: fc.nat(),
    path: fc.array(digest, { maxLength: 16 }),
    root: digest,
    anchor: fc.uint8Array({ maxLength: 300 }),
  })
  .map(({ network, commit, opening, size, index, path, root, anchor }) => ({
    version: 1,
    network,
    record: { commit, opening },
    batch: { index: index % size, size, path, root },
    anchor,
  }))

function errorOf(document: string | Uint8Array): RecordsError {
  try {
    parseRecordProof(document)
  } catch (error) {
    if (error instanceof RecordsError) return error
    throw error
  }
  throw new assert.AssertionError({ message: 'the document was read' })
}

function edited(from: string, to: string): string {
  assert.ok(DOCUMENT.includes(from), from)
  return DOCUMENT.replace(from, to)
}

test('a proof is written as this document and read back from it', () => {
  assert.equal(formatRecordProof(PROOF), DOCUMENT)
  assert.deepEqual(parseRecordProof(DOCUMENT), PROOF)
  assert.deepEqual(parseRecordProof(new TextEncoder().encode(DOCUMENT)), PROOF)
})

test('a receipt has null where the opening would be', () => {
  const receipt = { ...PROOF, record: { commit: PROOF.record.commit, opening: null } }
  assert.match(formatRecordProof(receipt), /"opening": null\n/)
  assert.deepEqual(parseRecordProof(formatRecordProof(receipt)), receipt)
})

test('any proof survives being written and read', () => {
  fc.assert(
    fc.property(anyProof, (proof) => {
      assert.deepEqual(parseRecordProof(formatRecordProof(proof)), proof)
    }),
  )
})

test('whatever is wrong with a document has a code and a path', () => {
  const cases: [from: string, to: string, code: RecordsErrorCode, path: string][] = [
    ['{', '', 'not_json', ''],
    ['"version": 1', '"version": 3', 'unknown_version', 'version'],
    ['"version": 1', '"version": 1.0', 'unknown_version', 'version'],
    ['"version": 1', '"version": "1"', 'wrong_type', 'version'],
    ['"version": 1,', '', 'missing_member', 'version'],
    ['"version": 1,', '"version": 1, "version": 1,', 'not_json', ''],
    ['"version": 1,', '"version": 1, "note": "x",', 'unknown_member', 'note'],
    ['"index": 5,', '"index": 5, "depth": 4,', 'unknown_member', 'batch.depth'],
    ['"index": 5,', '', 'missing_member', 'batch.index'],
    ['"index": 5', '"index": 16', 'out_of_range', 'batch.index'],
    ['"index": 5', '"index": -1', 'wrong_type', 'batch.index'],
    ['"index": 5', '"index": 5.0', 'wrong_type', 'batch.index'],
    ['"index": 5', '"index": 1e1', 'wrong_type', 'batch.index'],
    ['"index": 5', '"index": 05', 'not_json', ''],
    ['"size": 16', '"size": 0', 'out_of_range', 'batch.size'],
    ['"size": 16', '"size": 65537', 'out_of_range', 'batch.size'],
    ['"size": 16', '"size": 99999999999999999999', 'wrong_type', 'batch.size'],
    [`"${hex(8)}"`, '7', 'wrong_type', 'batch.path[1]'],
    [`"${hex(8)}"`, '"08"', 'wrong_length', 'batch.path[1]'],
    [`"${hex(10)}"`, `"${hex(10).toUpperCase()}"`, 'bad_encoding', 'batch.path[3]'],
    [`"${hex(10)}"`, `"${hex(10)}"${`,"${hex(1)}"`.repeat(13)}`, 'too_large', 'batch.path'],
    [`"root": "${hex(11)}"`, '"root": null', 'wrong_type', 'batch.root'],
    [`"blind": "${hex(3)}",`, '', 'missing_member', 'record.opening.blind'],
    [`"blind": "${hex(3)}"`, '"blind": "zz"', 'bad_encoding', 'record.opening.blind'],
    ['"__4AAQ"', '"__4AAQ=="', 'bad_encoding', 'anchor'],
    ['"__4AAQ"', '"__4AAR"', 'bad_encoding', 'anchor'],
    ['"__4AAQ"', '"//4AAQ"', 'bad_encoding', 'anchor'],
    ['"__4AAQ"', '[]', 'wrong_type', 'anchor'],
    ['"__4AAQ"', `"${'A'.repeat(4_000_001)}"`, 'too_large', 'anchor'],
  ]
  for (const [from, to, code, path] of cases) {
    const error = errorOf(edited(from, to))
    assert.deepEqual([error.code, error.path], [code, path], `${from} -> ${to.slice(0, 99)}`)
  }
  for (const document of ['[]', 'null', '7', '""']) {
    assert.deepEqual(errorOf(document).code, 'wrong_type')
  }
})

test('a document of another version is called that, whatever members it has', () => {
  assert.equal(errorOf('{"version":3,"fields":[]}').code, 'unknown_version')
})

test('a document that is too large is refused before it is read', () => {
  assert.equal(errorOf(new Uint8Array(4 * 1024 * 1024 + 1)).code, 'too_large')
})

test('any damage to a document is refused with a code or gives another proof', () => {
  const bytes = new TextEncoder().encode(DOCUMENT)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
      try {
        parseRecordProof(bytes.with(at, byte))
      } catch (error) {
        assert.ok(error instanceof RecordsError)
      }
    }),
    { numRuns: 1_000 },
  )
})

test.run()
