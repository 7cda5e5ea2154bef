import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Peer, PeerData, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { test } from 'uvu'
import { rememberProtocols } from '../src/known-protocols.ts'

const peerOf = (id: PeerId): Peer => ({
  id,
  addresses: [],
  protocols: [],
  metadata: new Map(),
  tags: new Map(),
})

async function makeStore() {
  const written: PeerData[] = []
  const deleted: PeerId[] = []
  const store = {
    merge: (id: PeerId, data: PeerData) => {
      written.push(data)
      return Promise.resolve(peerOf(id))
    },
    delete: (id: PeerId) => {
      deleted.push(id)
      return Promise.resolve()
    },
  }
  const clock = { now: 0 }
  rememberProtocols(store, () => clock.now)
  const [id, other] = await Promise.all([
    generateKeyPair('Ed25519').then(peerIdFromPrivateKey),
    generateKeyPair('Ed25519').then(peerIdFromPrivateKey),
  ])
  return { store, written, deleted, clock, id, other }
}

test('a protocol that is said again is written once a minute, for each peer', async () => {
  const { store, written, clock, id, other } = await makeStore()
  for (const protocol of ['/a', '/b', '/a']) await store.merge(id, { protocols: [protocol] })
  assert.deepEqual(written, [{ protocols: ['/a'] }, { protocols: ['/b'] }])
  assert.ok((await store.merge(id, { protocols: ['/a'] })).id.equals(id))
  await store.merge(other, { protocols: ['/a'] })
  assert.equal(written.length, 3)
  clock.now = 60_000
  await store.merge(id, { protocols: ['/a'] })
  assert.equal(written.length, 4)
})

test('whatever else is said is written, and all of it after the peer was deleted', async () => {
  const { store, written, deleted, id } = await makeStore()
  await store.merge(id, { protocols: ['/a'] })
  await store.merge(id, { protocols: ['/a', '/b'] })
  await store.merge(id, { protocols: ['/a'], metadata: {} })
  assert.equal(written.length, 3)
  await store.delete(id)
  assert.equal(deleted.length, 1)
  await store.merge(id, { protocols: ['/a'] })
  assert.equal(written.length, 4)
})

test.run()
