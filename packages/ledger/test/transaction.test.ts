import assert from 'node:assert/strict'
import { bytes, concatBytes, encode, raw, type Schema, struct } from '@mooring/codec'
import { domainBytes, domainHash, verify } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  createTransaction,
  decodeTransaction,
  describeMalformed,
  type InvalidTransaction,
  hasValidSignature,
  payerOf,
  placeOf,
  signedBytesOf,
  transactionId,
} from '../src/index.ts'
import { anchor, keyOf, seedOf, START, world } from './fixture.ts'

const here = world()

type Cbor = ReturnType<Schema<unknown>['write']>

const envelope = struct({ payload: raw(100_000), signer: bytes(32), signature: bytes(64) })

/** A transaction around any CBOR; what it says and whether it is signed is up to the test. */
function wrap(items: Cbor[]): Uint8Array {
  const anything: Schema<Cbor[]> = { read: () => [], write: (values) => values }
  const payload = encode(anything, items)
  return encode(envelope, { payload, signer: seedOf('a'), signature: new Uint8Array(64) })
}

function reasonFor(encoded: Uint8Array): InvalidTransaction {
  try {
    decodeTransaction(encoded, here.digest)
  } catch (error) {
    return describeMalformed(error)
  }
  assert.fail('the transaction was decoded')
}

const body = ['st-mary', 1, seedOf('root'), 64]

test('a transaction is decoded once and keeps its bytes', () => {
  const encoded = anchor(here)
  const transaction = decodeTransaction(encoded, here.digest)
  assert.equal(transaction.bytes, encoded)
  assert.deepEqual(transaction.signer, keyOf('st-mary', 'anchor').publicKey)
  assert.equal(transaction.payload.kind, 'record.anchor')
  assert.equal(transaction.payload.body.organisation, 'st-mary')
  assert.equal(payerOf(transaction), 'st-mary')
  assert.deepEqual(placeOf(transaction), { counter: 'anchorSequence', sequence: 1 })
})

test('signature and id cover the domain, the genesis digest and the payload', () => {
  const encoded = anchor(here)
  const transaction = decodeTransaction(encoded, here.digest)
  const { id, signer, signature } = transaction
  const signedBytes = signedBytesOf(here.digest, transaction)
  const payload = encoded.subarray(1, encoded.length - 34 - 66)
  assert.deepEqual(signedBytes, concatBytes(domainBytes('transaction'), here.digest, payload))
  assert.ok(verify(signer, signedBytes, signature))
  assert.deepEqual(id, domainHash('transaction', here.digest, payload))
  assert.deepEqual(id, transactionId(here.digest, payload))
})

test('in another network the same bytes have another id and no valid signature', () => {
  const encoded = anchor(here)
  const there = decodeTransaction(encoded, world({}, 'elsewhere').digest)
  assert.notDeepEqual(there.id, decodeTransaction(encoded, here.digest).id)
  assert.ok(!hasValidSignature(there, world({}, 'elsewhere').digest))
})

test('creating is deterministic', () => {
  assert.deepEqual(anchor(here), anchor(here))
})

test('any anchor comes back as it was made', () => {
  const keyPair = keyOf('st-mary', 'anchor')
  fc.assert(
    fc.property(
      fc.record({
        organisation: fc.string({ unit: 'grapheme', maxLength: 8 }),
        sequence: fc.maxSafeNat(),
        batchRoot: fc.uint8Array({ minLength: 32, maxLength: 32 }),
        sizeBucket: fc.maxSafeNat(),
      }),
      fc.nat(),
      (content, later) => {
        const expiresAt = START + later
        const made = createTransaction({
          genesisDigest: here.digest,
          keyPair,
          kind: 'record.anchor',
          expiresAt,
          body: content,
        })
        const { payload } = decodeTransaction(made, here.digest)
        assert.deepEqual(payload, { kind: 'record.anchor', expiresAt, body: { ...content } })
      },
    ),
    { numRuns: 50 },
  )
})

test('each way to be no transaction has its reason', () => {
  const good = wrap([1, 'record.anchor', START, body])
  decodeTransaction(good, here.digest)
  const cases: [Uint8Array, InvalidTransaction['code'], RegExp][] = [
    [wrap([1, 'record.anchr', START, body]), 'unknown_kind', /"record\.anchr"/],
    [wrap([1, 'toString', START, body]), 'unknown_kind', /"toString"/],
    [wrap([1, '', START, body]), 'unknown_kind', /""/],
    [wrap([1, 'x'.repeat(33), START, body]), 'malformed', /too_large/],
    [wrap([2, 'record.anchor', START, body]), 'malformed', /unknown_version/],
    [wrap([1, 'record.anchor', START]), 'malformed', /array of 3/],
    [wrap([1, 'record.anchor', START, body, 0]), 'malformed', /array of 5/],
    [wrap([1, 'record.anchor', '7', body]), 'malformed', /wrong_type/],
    [wrap([1, 'record.anchor', 253_402_300_800_000, body]), 'malformed', /out_of_range/],
    [wrap([1, 'record.anchor', START, [...body, 0]]), 'malformed', /array of 5/],
    [wrap([1, 'record.anchor', START, body.with(2, new Uint8Array(31))]), 'malformed', /batchRoot/],
    [wrap([1, 'record.anchor', START, body.with(0, 'x'.repeat(65))]), 'malformed', /organisation/],
    [concatBytes(good, Uint8Array.of(0)), 'malformed', /trailing_bytes/],
    [good.subarray(0, -1), 'malformed', /truncated/],
    [new Uint8Array(0), 'malformed', /truncated/],
    [new Uint8Array(1024 * 1024 + 1), 'malformed', /too_large/],
  ]
  for (const [encoded, code, detail] of cases) {
    const reason = reasonFor(encoded)
    assert.equal(reason.code, code)
    assert.match('detail' in reason ? reason.detail : '', detail)
  }
})

test('bytes from anywhere are refused with a reason or decode to what they encode', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      assert.ok(['malformed', 'unknown_kind'].includes(reasonFor(noise).code))
    }),
    { numRuns: 500 },
  )
})

test('an error that is no refusal of bytes is not swallowed', () => {
  assert.throws(() => describeMalformed(new RangeError('a bug')), RangeError)
})

test.run()
