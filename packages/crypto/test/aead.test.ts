import assert from 'node:assert/strict'
import { concatBytes, fromHex, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as browser from '../src/aead-browser.ts'
import * as node from '../src/aead-node.ts'
import { aeadOpen, aeadSeal } from '../src/index.ts'
import { readVectors } from './shared-vectors.ts'

const backends = { node, browser }

interface Vector {
  tcId: number
  comment: string
  key: string
  iv: string
  aad: string
  msg: string
  ct: string
  tag: string
  result: 'valid' | 'invalid'
}

const RFC_8439: Vector = {
  tcId: 0,
  comment: 'RFC 8439, 2.8.2',
  key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
  iv: '070000004041424344454647',
  aad: '50515253c0c1c2c3c4c5c6c7',
  msg: '4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069742e',
  ct: 'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116',
  tag: '1ae10b594f09e26a7e902ecbd0600691',
  result: 'valid',
}

function vectors(): Vector[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the published shape
  const shared = readVectors('wycheproof/chacha20_poly1305_test.json') as
    | { numberOfTests: number; testGroups: { tests: Vector[] }[] }
    | undefined
  const tests = shared?.testGroups.flatMap((group) => group.tests) ?? []
  assert.equal(tests.length, shared?.numberOfTests ?? 0)
  return [RFC_8439, ...tests]
}

test('both backends give the published results', () => {
  for (const { tcId, comment, key, iv, aad, msg, ct, tag, result } of vectors()) {
    const label = `${tcId}: ${comment}`
    const nonce = fromHex(iv)
    const sealed = fromHex(ct + tag)
    if (nonce.length !== 12) {
      assert.equal(result, 'invalid', label)
      assert.throws(() => aeadOpen(fromHex(key), nonce, fromHex(aad), sealed), RangeError)
      assert.throws(() => aeadSeal(fromHex(key), nonce, fromHex(aad), fromHex(msg)), RangeError)
      continue
    }
    for (const [name, { seal, open }] of Object.entries(backends)) {
      const opened = open(fromHex(key), nonce, fromHex(aad), sealed)
      assert.equal(
        opened && toHex(opened),
        result === 'valid' ? msg : undefined,
        `${name} ${label}`,
      )
      const made = toHex(seal(fromHex(key), nonce, fromHex(aad), [fromHex(msg)]))
      if (result === 'valid') assert.equal(made, ct + tag, `${name} ${label}`)
      else assert.notEqual(made, ct + tag, `${name} ${label}`)
    }
  }
})

const input = fc.record({
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  nonce: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  aad: fc.uint8Array({ maxLength: 100 }),
  plaintext: fc.uint8Array({ maxLength: 600 }),
})

test('the backends seal alike, open each other, and leave what they are given alone', () => {
  fc.assert(
    fc.property(input, ({ key, nonce, aad, plaintext }) => {
      const before = concatBytes(key, nonce, aad, plaintext)
      const sealed = node.seal(key, nonce, aad, [plaintext])
      assert.deepEqual(browser.seal(key, nonce, aad, [plaintext]), sealed)
      assert.deepEqual(node.open(key, nonce, aad, sealed), plaintext)
      assert.deepEqual(browser.open(key, nonce, aad, sealed), plaintext)
      assert.deepEqual(aeadOpen(key, nonce, aad, aeadSeal(key, nonce, aad, plaintext)), plaintext)
      assert.deepEqual(concatBytes(key, nonce, aad, plaintext), before)
      assert.equal(sealed.constructor, Uint8Array)
      assert.equal(node.open(key, nonce, aad, sealed)?.constructor, Uint8Array)
    }),
  )
})

test('a plaintext in parts is sealed as one in one piece, and the parts are left alone', () => {
  const cuts = fc.array(fc.nat(9_000), { maxLength: 5 })
  fc.assert(
    fc.property(input, cuts, ({ key, nonce, aad }, lengths) => {
      const parts = lengths.map((length, at) => new Uint8Array(length).fill(at + 1))
      const whole = concatBytes(...parts)
      for (const { seal } of Object.values(backends))
        assert.deepEqual(seal(key, nonce, aad, parts), node.seal(key, nonce, aad, [whole]))
      assert.deepEqual(aeadOpen(key, nonce, aad, aeadSeal(key, nonce, aad, ...parts)), whole)
      assert.deepEqual(concatBytes(...parts), whole)
    }),
  )
})

test('one changed bit anywhere, and it does not open', () => {
  fc.assert(
    fc.property(input, fc.nat(), fc.nat(7), ({ key, nonce, aad, plaintext }, position, bit) => {
      const parts = [key, nonce, aad, aeadSeal(key, nonce, aad, plaintext)]
      const all = concatBytes(...parts)
      const at = position % all.length
      all[at] = (all[at] ?? 0) ^ (1 << bit)
      let offset = 0
      const [key2, nonce2, aad2, sealed2] = parts.map(({ length }) => {
        offset += length
        return all.slice(offset - length, offset)
      })
      assert.ok(key2 && nonce2 && aad2 && sealed2)
      for (const { open } of Object.values(backends)) {
        assert.equal(open(key2, nonce2, aad2, sealed2), undefined)
      }
    }),
  )
})

test('what is sealed with another library for its length opens, and not when a bit of it is changed', () => {
  const [key, nonce] = [new Uint8Array(32).fill(7), new Uint8Array(12).fill(9)]
  for (const length of [8_191, 8_192, 8_193, 70_000]) {
    const plaintext = Uint8Array.from({ length }, (_, index) => index * 11)
    const sealed = node.seal(key, nonce, key, [plaintext])
    assert.deepEqual(browser.seal(key, nonce, key, [plaintext]), sealed)
    assert.deepEqual(node.open(key, nonce, key, sealed), plaintext)
    sealed[length - 1] = (sealed[length - 1] ?? 0) ^ 1
    assert.equal(node.open(key, nonce, key, sealed), undefined)
  }
})

test('lengths: a wrong key is an error of the program, sealed bytes of any length are not', () => {
  const [key, nonce, aad] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(0)]
  for (let length = 0; length < 40; length += 1) {
    assert.equal(aeadOpen(key, nonce, aad, new Uint8Array(length)), undefined)
  }
  for (const wrong of [0, 31, 33, 64]) {
    assert.throws(() => aeadSeal(new Uint8Array(wrong), nonce, aad, aad), RangeError)
    assert.throws(() => aeadOpen(new Uint8Array(wrong), nonce, aad, aad), RangeError)
  }
})

test.run()
