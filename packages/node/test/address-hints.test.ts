import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { formatPeerId, parsePeerId } from '@mooring/crypto'
import { genesisState } from '@mooring/ledger'
import { test } from 'uvu'
import { addressesOf } from '../src/address-hints.ts'
import { genesisWith, keyOf, NAMES } from './chain-members.ts'

const [FIRST = '', SECOND = ''] = NAMES
const state = (() => {
  const entries = genesisState(genesisWith({}))
  return { get: (key: Uint8Array) => entries.get(toHex(key))?.value ?? undefined }
})()

function peerIdOf(name: string, duty = 'transport'): string {
  return formatPeerId(keyOf(name, duty).publicKey)
}

test('an address counts for its own peer id, and for the one that its organisation has now', () => {
  const configured = [
    `/ip4/10.0.0.1/tcp/7420/p2p/${peerIdOf(FIRST)}`,
    // A key that the organisation has or once had: here another one of its keys stands for it.
    `/dns4/old.example/tcp/7420/p2p/${peerIdOf(FIRST, 'anchor')}`,
    `/ip4/10.0.0.2/tcp/7420/p2p/${peerIdOf(SECOND)}`,
    `/ip4/10.0.0.3/tcp/7420/p2p/${formatPeerId(keyOf('stranger', 'transport').publicKey)}`,
    '/ip4/10.0.0.4/tcp/7420/p2p/not-a-peer-id',
    '/ip4/10.0.0.5/tcp/7420',
  ]
  assert.deepEqual(addressesOf(peerIdOf(FIRST), configured, state), [
    `/ip4/10.0.0.1/tcp/7420/p2p/${peerIdOf(FIRST)}`,
    `/dns4/old.example/tcp/7420/p2p/${peerIdOf(FIRST)}`,
  ])
  assert.deepEqual(addressesOf(peerIdOf(SECOND), configured, state), [configured[2]])
  assert.deepEqual(addressesOf('not-a-peer-id', configured, state), [configured[4]])
})

test('a peer id is its key, and nothing else is one', () => {
  const { publicKey } = keyOf(FIRST, 'transport')
  assert.deepEqual(parsePeerId(formatPeerId(publicKey)), publicKey)
  for (const text of ['', '0OIl', formatPeerId(publicKey).slice(1), 'z'.repeat(300)])
    assert.equal(parsePeerId(text), undefined, text)
})

test.run()
