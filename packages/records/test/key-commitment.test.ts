// One ciphertext that the cipher opens under two keys, made on purpose, and refused.
//
// The tag of ChaCha20-Poly1305 is a polynomial over the ciphertext, evaluated at a secret of the key. With
// two keys and two free blocks of ciphertext there are two linear equations for one tag: they are solved
// here modulo 2^130 - 5, until both blocks have a size that blocks have.

import assert from 'node:assert/strict'
import { concatBytes } from '@mooring/codec'
import { aeadOpen, aeadSeal, encodeParity, leafHash, merkleRootOfHashes } from '@mooring/crypto'
import { test } from 'uvu'
import {
  encodeShardSet,
  openManifest,
  openRecord,
  sealManifest,
  sealRecord,
  type ShardSet,
  shardSetId,
} from '../src/index.ts'
import { maskSegment } from '../src/all-or-nothing.ts'
import { classKey, detailsOf, optionsFor } from './seal-world.ts'

const P = (1n << 130n) - 5n
const BLOCK = 1n << 128n
const NONCE = new Uint8Array(12).with(11, 1)
const NO_AAD = new Uint8Array(0)

const mod = (value: bigint): bigint => ((value % P) + P) % P

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let bit = 1n << 131n; bit > 0n; bit >>= 1n) {
    result = mod(result * result)
    if ((exponent & bit) !== 0n) result = mod(result * base)
  }
  return result
}

const inverse = (value: bigint): bigint => power(value, P - 2n)

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

function toLittleEndian(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn))
}

/** From block 0 of the key stream, which the cipher keeps to itself (RFC 8439 section 2.6). */
function polyKey(key: Uint8Array): { r: bigint; s: bigint } {
  const block = chachaBlock(key, 0, NONCE)
  const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn
  const r = fromLittleEndian(block.subarray(0, 16)) & clamp
  return { r, s: fromLittleEndian(block.subarray(16, 32)) }
}

function chachaBlock(key: Uint8Array, counter: number, nonce: Uint8Array): Uint8Array {
  const view = new DataView(concatBytes(key, nonce).buffer)
  const words = Array.from({ length: 11 }, (_, at) => view.getUint32(4 * at, true))
  const sigma = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]
  const start = [...sigma, ...words.slice(0, 8), counter, ...words.slice(8)]
  const state = Uint32Array.from(start)
  for (let round = 0; round < 10; round += 1) {
    for (const at of [0, 1, 2, 3]) quarter(state, [at, at + 4, at + 8, at + 12])
    for (const at of [0, 1, 2, 3]) {
      quarter(state, [at, 4 + ((at + 1) & 3), 8 + ((at + 2) & 3), 12 + ((at + 3) & 3)])
    }
  }
  const out = new DataView(new ArrayBuffer(64))
  for (const [at, word] of state.entries()) out.setUint32(4 * at, word + (start[at] ?? 0), true)
  return new Uint8Array(out.buffer)
}

function quarter(state: Uint32Array, [a, b, c, d]: [number, number, number, number]): void {
  const step = (to: number, from: number, turned: number, bits: number) => {
    state[to] = (state[to] ?? 0) + (state[from] ?? 0)
    const mixed = (state[turned] ?? 0) ^ (state[to] ?? 0)
    state[turned] = (mixed << bits) | (mixed >>> (32 - bits))
  }
  step(a, b, d, 16)
  step(c, d, b, 12)
  step(a, b, d, 8)
  step(c, d, b, 7)
}

/** A ciphertext of this many bytes, with its tag, that opens under both keys. */
function colliding(length: number, keys: readonly [Uint8Array, Uint8Array]): Uint8Array {
  const blocks = length / 16
  const lengths = BLOCK + (BigInt(length) << 64n)
  // Blocks 0 and 1 are free, the others zero. Block b has the power `blocks + 1 - b`, the lengths 1.
  const parts = keys.map((key) => {
    const { r, s } = polyKey(key)
    let fixed = mod(lengths * r)
    for (let block = 2; block < blocks; block += 1) {
      fixed = mod(fixed + BLOCK * power(r, BigInt(blocks + 1 - block)))
    }
    const [a, b] = [power(r, BigInt(blocks + 1)), power(r, BigInt(blocks))]
    return { a, b, fixed, s }
  })
  const [one, two] = parts
  assert.ok(one && two)
  const determinant = inverse(mod(one.a * two.b - one.b * two.a))
  // Near the top, so that the tag is the sum of both parts without a carry.
  for (let tag = BLOCK - 1n; ; tag -= 1n) {
    const [u, v] = [mod(tag - one.s - one.fixed), mod(tag - two.s - two.fixed)]
    const x = mod((u * two.b - v * one.b) * determinant)
    const y = mod((one.a * v - two.a * u) * determinant)
    if (x >> 128n !== 1n || y >> 128n !== 1n) continue
    const sealed = new Uint8Array(length + 16)
    sealed.set(toLittleEndian(x, 16), 0)
    sealed.set(toLittleEndian(y, 16), 16)
    sealed.set(toLittleEndian(tag, 16), length)
    return sealed
  }
}

test('the block function of this test is that of the cipher', () => {
  const key = new Uint8Array(32).fill(5)
  const sealed = aeadSeal(key, NONCE, NO_AAD, new Uint8Array(64))
  assert.deepEqual(chachaBlock(key, 1, NONCE), sealed.subarray(0, 64))
})

test('a ciphertext with two plaintexts opens under the key of its set and under no other', () => {
  const keys = [new Uint8Array(32).fill(0xaa), new Uint8Array(32).fill(0xbb)] as const
  const sealed = colliding(4096, keys)
  const [first, second] = keys.map((key) => aeadOpen(key, NONCE, NO_AAD, sealed))
  assert.ok(first && second)
  assert.notDeepEqual(first, second)

  // A custodian that wants two readers to see two records: one set, two manifests.
  const { k, n } = { k: 2, n: 3 }
  const masked = maskSegment(keys[0], NONCE, sealed)
  const half = masked.length / k
  const data = [masked.subarray(0, half), masked.subarray(half)]
  const shards = [...data, ...encodeParity(k, n, data)]
  // One segment: the leaf of a shard is the digest of its one fragment.
  const leaves = shards.map((shard) => leafHash(shard))
  const template = sealRecord(first, detailsOf(first), {
    ...optionsFor(1, { k, n }),
    random: (length) => (length === 32 ? keys[0].slice() : Uint8Array.of(0, 0, 0, 1)),
  })
  const set: ShardSet = { ...template.set, leaves, shardRoot: merkleRootOfHashes(leaves) }
  const setId = shardSetId(encodeShardSet(set))
  const outcomes = [first, second].map((raw, at) => {
    const details = { ...detailsOf(raw), rec: detailsOf(first).rec }
    const manifest = {
      ...details,
      dek: keys[at] ?? keys[0],
      rawBytes: raw.length,
      payloadBytes: raw.length,
      encoding: 'identity' as const,
    }
    const opened = openManifest(sealManifest(manifest, classKey, setId), classKey, setId)
    assert.ok(opened)
    const result = openRecord(set, opened, shards)
    return result.ok ? 'opened' : result.code
  })
  assert.deepEqual(outcomes, ['opened', 'key_commitment_differs'])
})

test.run()
