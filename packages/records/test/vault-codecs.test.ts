import assert from 'node:assert/strict'
import { CodecError, decode, encode, equalBytes } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  CLASS_KEY_WRAP_BYTES,
  decodeKeyDeposit,
  decodeShardSet,
  decodeVaultAnswer,
  decodeVaultRequest,
  encodeKeyDeposit,
  encodeShardSet,
  encodeVaultAnswer,
  encodeVaultRequest,
  manifestSchema,
  SHARD_SET_BYTES_MAX,
  type ShardSet,
  VAULT_MESSAGE_BYTES_MAX,
} from '../src/index.ts'
import {
  anyAnswer,
  anyKeyDeposit,
  anyManifest,
  anyRequest,
  anySet,
  answerKinds,
  keyDepositExample,
  requestExamples,
  requestKinds,
  sealedExample,
} from './vault-values.ts'

interface Codec {
  readonly name: string
  readonly any: fc.Arbitrary<unknown>
  readonly encode: (value: never) => Uint8Array
  readonly decode: (encoded: Uint8Array) => unknown
}

const CODECS: Codec[] = [
  { name: 'a shard set', any: anySet, encode: encodeShardSet, decode: decodeShardSet },
  {
    name: 'a manifest',
    any: anyManifest,
    encode: (value) => encode(manifestSchema, value),
    decode: (encoded) => decode(manifestSchema, encoded),
  },
  { name: 'a key deposit', any: anyKeyDeposit, encode: encodeKeyDeposit, decode: decodeKeyDeposit },
  { name: 'a request', any: anyRequest, encode: encodeVaultRequest, decode: decodeVaultRequest },
  { name: 'an answer', any: anyAnswer, encode: encodeVaultAnswer, decode: decodeVaultAnswer },
]

/** Only a CodecError is an answer to bytes that are none of these; what decodes encodes to the same. */
function tryDecode(codec: Codec, bytes: Uint8Array): void {
  let value: unknown
  try {
    value = codec.decode(bytes)
  } catch (error) {
    assert.ok(error instanceof CodecError, String(error))
    return
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it came from this codec
  assert.ok(equalBytes(codec.encode(value as never), bytes))
}

for (const codec of CODECS) {
  test(`${codec.name} survives its bytes, and its bytes survive it`, () => {
    fc.assert(
      fc.property(codec.any, (value) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the codec's own kind
        const encoded = codec.encode(value as never)
        assert.deepEqual(codec.decode(encoded), value)
        tryDecode(codec, encoded)
      }),
      { numRuns: 300 },
    )
  })

  test(`${codec.name}: changed, cut or made-up bytes are refused with a code, or are a value`, () => {
    const change = fc.tuple(codec.any, fc.nat(), fc.nat(255), fc.boolean())
    fc.assert(
      fc.property(change, ([value, at, byte, isCut]) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the codec's own kind
        const encoded = codec.encode(value as never)
        const place = at % encoded.length
        tryDecode(codec, isCut ? encoded.subarray(0, place) : encoded.with(place, byte))
      }),
      { numRuns: 500 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => tryDecode(codec, bytes)))
  })
}

function kindsIn(any: fc.Arbitrary<{ kind: string }>): number {
  return new Set(fc.sample(any, { numRuns: 600, seed: 1 }).map(({ kind }) => kind)).size
}

test('every kind of request and answer was tried', () => {
  assert.equal(kindsIn(anyRequest), requestKinds.length)
  assert.equal(kindsIn(anyAnswer), answerKinds.length)
})

test('a set that contradicts itself is none', () => {
  const { set } = sealedExample
  const wrong: Partial<ShardSet>[] = [
    { k: 0 },
    { k: 4 },
    { n: 4 },
    { leaves: set.leaves.slice(1) },
    { leaves: set.leaves.toReversed() },
    { shardRoot: set.kc },
    { segmentCount: 0 },
    { segmentBytes: set.lastSegmentBytes + 1 },
    { segmentCount: 2, segmentBytes: set.lastSegmentBytes - 1 },
    { lastSegmentBytes: 16, segmentBytes: 16 },
    { custodian: 'St Anna' },
  ]
  for (const change of wrong) {
    assert.throws(() => encodeShardSet({ ...set, ...change }), CodecError, JSON.stringify(change))
  }
})

test('the longest of everything fits its limit, and a message has one', () => {
  const longest = fc
    .sample(anySet, { numRuns: 500, seed: 2 })
    .map((set) => encodeShardSet(set).length)
  assert.ok(Math.max(...longest) < SHARD_SET_BYTES_MAX)
  const full = {
    ...keyDepositExample,
    wraps: Array.from({ length: 64 }, () => new Uint8Array(CLASS_KEY_WRAP_BYTES)),
  }
  assert.deepEqual(decodeKeyDeposit(encodeKeyDeposit(full)), full)
  assert.throws(() => decodeVaultRequest(new Uint8Array(VAULT_MESSAGE_BYTES_MAX + 1)), CodecError)
  assert.throws(() => decodeVaultAnswer(new Uint8Array(VAULT_MESSAGE_BYTES_MAX + 1)), CodecError)
  for (const request of requestExamples) {
    assert.deepEqual(decodeVaultRequest(encodeVaultRequest(request)), request)
  }
})

test.run()
