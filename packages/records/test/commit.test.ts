import assert from 'node:assert/strict'
import { concatBytes, parseJson, toHex } from '@mooring/codec'
import { checkInclusion, hkdfSha256, inclusionProof, merkleRootOfHashes } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  commitRecord,
  type Field,
  fieldLeafHash,
  fieldsOf,
  fieldTree,
  openingOf,
  rawCommitment,
  recordCommitment,
  recordSecrets,
  RecordsError,
} from '../src/index.ts'

const utf8 = new TextEncoder()
const EMPTY = new Uint8Array(0)

const REC = new Uint8Array(32).fill(2)
const RAW = utf8.encode(
  '{"resourceType":"AllergyIntolerance","code":{"coding":[{"code":"1191"}]},' +
    '"criticality":"high","onsetDateTime":"2011-05-03"}',
)
const LEAVES = [
  {
    pointer: '/code/coding/0/code',
    value: '"1191"',
    salt: '68fa7e0a2c0d43f01f28a9baa4f8239b',
    leaf: 'dbcfa943f365beb33ad5895cd86433b1641fc7e005e69725de25ab91b0bcc1ab',
  },
  {
    pointer: '/criticality',
    value: '"high"',
    salt: '666c4d612260e0a06f4f7795a08706ce',
    leaf: 'cd1f71da6fe4afa2cd39c3817c63a4382235a1e621f9a9fb8ac21c1201bc415d',
  },
  {
    pointer: '/onsetDateTime',
    value: '"2011-05-03"',
    salt: 'c962af4a5c140f5695cd2c495b6662ba',
    leaf: '9067b7012b65a18531ab9f559dcbd8b3ddd1a7e3651ff62f4b6bea29c115556b',
  },
  {
    pointer: '/resourceType',
    value: '"AllergyIntolerance"',
    salt: 'cc9ff995474e139df7e76b4189911f04',
    leaf: '9dcf2ab12664cbe3db4e90ba63d7eb6d955ecd3f50c0d65d22bec1512eff64f9',
  },
]

const rec32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

const resource = fc
  .dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 12 })
  .map((members) => utf8.encode(JSON.stringify({ ...members, resourceType: 'Basic' })))

function fieldsIn(raw: Uint8Array): Field[] {
  return fieldsOf(parseJson(raw))
}

function commitOf(raw: Uint8Array, rec: Uint8Array): string {
  return toHex(commitRecord(fieldsIn(raw), raw, recordSecrets(rec)).recordCommit)
}

function flipped(bytes: Uint8Array, index: number, mask: number): Uint8Array {
  return bytes.with(index % bytes.length, (bytes[index % bytes.length] ?? 0) ^ mask)
}

test('the published vector comes out, value by value', () => {
  const secrets = recordSecrets(REC)
  assert.equal(
    toHex(secrets.blind),
    '1c3cbba3e6ff659c03039f44211dbb45e67804532cd172f67801a2cb8f476ca5',
  )
  assert.equal(
    toHex(secrets.rawSalt),
    '37e70eaa91c854e5c26a2f120093235b94d3e817d2e8a94f2cc3d4f0fe226a58',
  )
  const tree = fieldTree(fieldsIn(RAW), secrets.fieldSeed)
  assert.deepEqual(
    tree.fields.map(({ pointer, value, salt, leafHash }) => ({
      pointer,
      value: new TextDecoder().decode(value),
      salt: toHex(salt),
      leaf: toHex(leafHash),
    })),
    LEAVES,
  )
  const commitment = commitRecord(fieldsIn(RAW), RAW, secrets)
  assert.deepEqual(
    [commitment.fieldRoot, commitment.rawCommit, commitment.recordCommit].map(toHex),
    [
      '066667e69b42dbeb16922c8fe4a3dbe6fe15d15e5f00d4fabc011910afdea86c',
      'e6eb00faaacc4ebec28a53f08552d1c23403d9459a189575d5bc5a5a36a1bd9b',
      '8d9412e93d317ecabdb54a22cca36b22b3e4a42ceb01c842ddc63a1b44523bb5',
    ],
  )
})

test('the secrets of a record are HKDF outputs under three names', () => {
  fc.assert(
    fc.property(rec32, (rec) => {
      const derive = (info: string) => hkdfSha256(rec, EMPTY, utf8.encode(info), 32)
      assert.deepEqual(recordSecrets(rec), {
        fieldSeed: derive('fields/v1'),
        rawSalt: derive('raw/v1'),
        blind: derive('blind/v1'),
      })
    }),
    { numRuns: 20 },
  )
})

test('a secret of another length is refused', () => {
  for (const length of [0, 31, 33]) {
    assert.throws(
      () => recordSecrets(new Uint8Array(length)),
      (error: unknown) => error instanceof RecordsError && error.code === 'wrong_length',
    )
  }
})

test('salts and padding come from the field seed under names that never meet', () => {
  const { fieldSeed } = recordSecrets(REC)
  const raw = utf8.encode('{"resourceType":"Basic","a":1.50,"b":"é","c":[],"d~/":{}}')
  const { fields, leafHashes, root } = fieldTree(fieldsIn(raw), fieldSeed)
  assert.equal(leafHashes.length, 8)
  for (const { pointer, value, salt, leafHash } of fields) {
    assert.deepEqual(salt, hkdfSha256(fieldSeed, EMPTY, utf8.encode(pointer), 16))
    assert.deepEqual(fieldLeafHash(pointer, value, salt), leafHash)
  }
  const padding = [5, 6, 7].map((index) =>
    hkdfSha256(fieldSeed, EMPTY, utf8.encode(`padding/v1/${index}`), 32),
  )
  assert.deepEqual(leafHashes.slice(5), padding)
  assert.deepEqual(root, merkleRootOfHashes(leafHashes))
  assert.equal(toHex(root), '213a76f734222bd4bb97fa410ede7de7bb3061bb85b93992776b339525adbfe1')
})

test('bytes that are no resource have one padding leaf for a field root', () => {
  const secrets = recordSecrets(REC)
  const raw = Uint8Array.of(0x89, 0x50, 0x4e, 0x47)
  const commitment = commitRecord([], raw, secrets)
  const padding = hkdfSha256(secrets.fieldSeed, EMPTY, utf8.encode('padding/v1/0'), 32)
  assert.deepEqual(commitment.fieldRoot, padding)
  assert.deepEqual(
    commitment.recordCommit,
    recordCommitment(secrets.blind, padding, rawCommitment(secrets.rawSalt, raw)),
  )
})

test('fields are sorted by the bytes of their pointers, not by UTF-16 units', () => {
  const value = utf8.encode('1')
  const pointers = ['/😀', '/\uffee', '/b', '/a/0', '/a', '']
  const { fields } = fieldTree(
    pointers.map((pointer) => ({ pointer, value })),
    REC,
  )
  assert.deepEqual(
    fields.map(({ pointer }) => pointer),
    ['', '/a', '/a/0', '/b', '/\uffee', '/😀'],
  )
})

test('a field leaf cannot be read as another pointer and value', () => {
  const salt = new Uint8Array(16)
  const one = fieldLeafHash('/a', utf8.encode('bc'), salt)
  const other = fieldLeafHash('/ab', utf8.encode('c'), salt)
  assert.notDeepEqual(one, other)
})

test('a commitment depends on nothing but the bytes and the secret', () => {
  fc.assert(
    fc.property(resource, rec32, (raw, rec) => {
      const fields = fieldsIn(raw)
      const secrets = recordSecrets(rec)
      const reversed = commitRecord(fields.toReversed(), raw.slice(), secrets)
      assert.deepEqual(commitRecord(fields, raw, secrets), reversed)
    }),
  )
})

test('altering any byte of the file or the secret alters the commitment', () => {
  const anywhere = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))
  fc.assert(
    fc.property(resource, rec32, anywhere, (raw, rec, [index, mask]) => {
      const secrets = recordSecrets(rec)
      const fields = fieldsIn(raw)
      const { recordCommit, rawCommit } = commitRecord(fields, raw, secrets)
      const altered = commitRecord(fields, flipped(raw, index, mask), secrets)
      assert.notDeepEqual(altered.rawCommit, rawCommit)
      assert.notDeepEqual(altered.recordCommit, recordCommit)
      assert.notEqual(commitOf(raw, flipped(rec, index, mask)), toHex(recordCommit))
    }),
  )
})

test('1.5 and 1.50 are different fields', () => {
  const roots = ['1.5', '1.50'].map((lexeme) =>
    toHex(fieldTree(fieldsIn(utf8.encode(`{"value":${lexeme}}`)), REC).root),
  )
  assert.notEqual(roots[0], roots[1])
})

test('every field of any resource can be shown alone against the field root', () => {
  fc.assert(
    fc.property(resource, rec32, (raw, rec) => {
      const { fields, leafHashes, root } = fieldTree(fieldsIn(raw), recordSecrets(rec).fieldSeed)
      const size = leafHashes.length
      assert.equal(Math.log2(size) % 1, 0)
      for (const [index, { pointer, value, salt }] of fields.entries()) {
        const path = inclusionProof(leafHashes, index)
        const shown = { leafHash: fieldLeafHash(pointer, value, salt), index, size, path, root }
        assert.equal(checkInclusion(shown), undefined)
        const other = fieldLeafHash(pointer, concatBytes(value, Uint8Array.of(0x20)), salt)
        assert.deepEqual(checkInclusion({ ...shown, leafHash: other }), { code: 'wrong_root' })
      }
    }),
    { numRuns: 60 },
  )
})

test('an opening of a stored record leads back to its commitment', () => {
  const { recordCommit, fieldRoot, rawCommit } = commitRecord(
    fieldsIn(RAW),
    RAW,
    recordSecrets(REC),
  )
  const opening = openingOf({ rec: REC, fieldRoot, rawCommit })
  assert.deepEqual(rawCommitment(opening.rawSalt, RAW), opening.rawCommit)
  assert.deepEqual(
    recordCommitment(opening.blind, opening.fieldRoot, opening.rawCommit),
    recordCommit,
  )
})

test.run()
