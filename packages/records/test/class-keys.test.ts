import assert from 'node:assert/strict'
import { CodecError } from '@mooring/codec'
import { x25519PublicKey } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  CLASS_KEY_WRAP_BYTES,
  type ClassKeyContent,
  createKeyDeposit,
  decodeKeyDeposit,
  encodeKeyDeposit,
  openClassKeyWrap,
  openKeyDeposit,
  wrapClassKey,
} from '../src/index.ts'
import { bytesOf } from './access-world.ts'
import { classKey, patientKey, seededRandom } from './seal-world.ts'

const content: ClassKeyContent = {
  class: 'general',
  epoch: 0,
  patientKey,
  logKey: bytesOf('log key'),
  classKey,
  mark: new Uint8Array(16).fill(7),
}
const secrets = ['patient', 'custodian', 'recipient'].map((name) => bytesOf(name))
const recipients = secrets.map((secret) => x25519PublicKey(secret))
const source = { custodian: 'st-anna', random: seededRandom(1) }
const deposit = createKeyDeposit(content, recipients, source)

test('each of those it is sealed to opens a deposit, and nobody else', () => {
  const read = decodeKeyDeposit(encodeKeyDeposit(deposit))
  for (const secret of secrets) assert.deepEqual(openKeyDeposit(read, secret), content)
  for (let other = 0; other < 20; other += 1) {
    assert.equal(openKeyDeposit(read, bytesOf(`stranger ${other}`)), undefined)
  }
})

test('a wrap belongs to its deposit: in another one it opens for nobody', () => {
  const other = createKeyDeposit({ ...content, epoch: 1 }, recipients, source)
  const mixed = { ...other, wraps: deposit.wraps }
  for (const secret of secrets) assert.equal(openKeyDeposit(mixed, secret), undefined)
})

test('any bit of a wrap that is changed closes it, and so does any other length', () => {
  const [wrap] = deposit.wraps
  const [secret] = secrets
  assert.ok(wrap && secret)
  const target = { secret, aad: deposit.id }
  assert.deepEqual(openClassKeyWrap(wrap, target), content)
  fc.assert(
    fc.property(fc.nat(CLASS_KEY_WRAP_BYTES - 1), fc.nat(7), (at, bit) => {
      const changed = wrap.with(at, (wrap[at] ?? 0) ^ (1 << bit))
      // The top bit of the last byte of an X25519 key is no part of it, but of what is hashed.
      assert.equal(openClassKeyWrap(changed, target), undefined)
    }),
    { numRuns: 200 },
  )
  assert.equal(openClassKeyWrap(wrap.subarray(1), target), undefined)
  assert.equal(openClassKeyWrap(new Uint8Array(CLASS_KEY_WRAP_BYTES), target), undefined)
})

test('all wraps have one size, whatever the class, and two of one key have nothing in common', () => {
  const longest = `sensitive:${'x'.repeat(32)}`
  const [recipient] = recipients
  assert.ok(recipient)
  const aad = deposit.id
  const wraps = [content, { ...content, class: longest, epoch: 0xffff_ffff }, content].map(
    (each, number) =>
      wrapClassKey(each, { recipient, aad, ephemeral: bytesOf(`ephemeral ${number}`) }),
  )
  for (const wrap of wraps) assert.equal(wrap.length, CLASS_KEY_WRAP_BYTES)
  const [one, , three] = wraps
  const same = one?.filter((byte, at) => byte === three?.[at]).length ?? 0
  assert.ok(same < 12, `${same} bytes are the same`)
  assert.throws(
    () => wrapClassKey({ ...content, class: 'other' }, { recipient, aad, ephemeral: aad }),
    CodecError,
  )
})

test.run()
