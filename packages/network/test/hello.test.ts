import assert from 'node:assert/strict'
import { fromHex, toHex } from '@mooring/codec'
import { test } from 'uvu'
import { checkHello, decodeHello, encodeHello, type Hello } from '../src/hello.ts'

const own: Hello = {
  networkId: 'moor-0a0a0a0a',
  genesisDigest: new Uint8Array(32).fill(10),
  protocolVersions: [1, 2],
  instance: new Uint8Array(16),
  height: 4,
}

test('two members of one network belong together, whatever their height and instance', () => {
  const other = { ...own, instance: new Uint8Array(16).fill(3), height: 900 }
  assert.equal(checkHello(own, other, 'hospital-b'), undefined)
})

test('another genesis is refused in a sentence that names both', () => {
  const genesisDigest = new Uint8Array(32).fill(11)
  const refused = checkHello(
    own,
    { ...own, networkId: 'moor-0b0b0b0b', genesisDigest },
    'hospital-b',
  )
  assert.equal(refused?.code, 'wrong_network')
  assert.match(refused?.message ?? '', /hospital-b is on network moor-0b0b0b0b \(genesis 0b0b/)
  assert.match(refused?.message ?? '', /this node is on moor-0a0a0a0a \(genesis 0a0a/)
  assert.equal(refused?.data['otherGenesis'], '0b'.repeat(32))
})

test('the same name over another genesis is still another network', () => {
  const refused = checkHello(own, { ...own, genesisDigest: new Uint8Array(32) }, 'hospital-b')
  assert.equal(refused?.code, 'wrong_network')
})

test('one common protocol version is enough, none is refused', () => {
  assert.equal(checkHello(own, { ...own, protocolVersions: [2, 3] }, 'hospital-b'), undefined)
  const refused = checkHello(own, { ...own, protocolVersions: [3] }, 'hospital-b')
  assert.equal(refused?.code, 'wrong_protocol_version')
  assert.equal(refused?.message, 'hospital-b speaks protocol 3, this node speaks 1, 2')
})

const GOLDEN =
  '86016d6d6f6f722d306130613061306158200a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a' +
  '8201025000000000000000000000000000000000' +
  '04'

test('the bytes of a hello are frozen', () => {
  assert.equal(toHex(encodeHello(own)), GOLDEN)
  assert.deepEqual(decodeHello(fromHex(GOLDEN), 1_024), own)
})

test('what is not a hello is refused with the reason', () => {
  const next = fromHex(GOLDEN)
  next[1] = 2
  const writing = fromHex(GOLDEN)
  writing[4] = 0x1b
  const others = [writing, new Uint8Array(0), new Uint8Array(2_000), fromHex(`${GOLDEN}00`)]
  for (const encoded of [next, ...others]) {
    assert.throws(() => decodeHello(encoded, 1_024), { code: 'hello_malformed' })
  }
})

test.run()
