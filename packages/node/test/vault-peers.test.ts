// Asking holders over real sockets: one that is slow, full, busy, away, that refuses, or lies about what
// was asked; and peers that send what is no request.

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import {
  type DepositItem,
  encodeVaultAnswer,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { type Network, NetworkError, startNetwork } from '@mooring/network'
import { formatPeerId } from '@mooring/crypto'
import { test } from 'uvu'
import { systemClock } from '../src/clock.ts'
import { createVaultPeers, VaultPeerError, type VaultPeers } from '../src/vault-peers.ts'
import { keyOf } from './chain-members.ts'
import { bytesOf, CUSTODIAN, withHolders } from './holder-world.ts'

const HOLDER = 'riverside'
const MEMBERS = [CUSTODIAN, HOLDER, 'county'].map((name) => ({
  name,
  peerId: formatPeerId(keyOf(name, 'transport').publicKey),
  authority: true,
}))

type OnRequest = (peerId: string, payload: Uint8Array) => Promise<Uint8Array>

interface Pair {
  peers: VaultPeers
  /** Of the custodian. */
  network: Network
  holderId: string
}

const nobody: OnRequest = () => Promise.reject(new Error('nobody asks here'))
const silent: OnRequest = () => new Promise(() => undefined)

async function withPair(onRequest: OnRequest, work: (pair: Pair) => Promise<void>): Promise<void> {
  const ports = [await freePort(), await freePort()]
  const networks = await Promise.all(
    [nobody, onRequest].map((answer, index) => startMember(index, ports, answer)),
  )
  const [network] = networks
  assert.ok(network !== undefined)
  const peers = createVaultPeers(CUSTODIAN, {
    network,
    members: { list: MEMBERS },
    answer: (sender) => Promise.resolve(refusal(sender)),
  })
  try {
    const until = systemClock.monotonic() + 10_000
    while (!peers.isConnected(HOLDER)) {
      assert.ok(systemClock.monotonic() < until, 'they do not connect')
      await new Promise(setImmediate)
    }
    await work({ peers, network, holderId: MEMBERS[1]?.peerId ?? '' })
  } finally {
    for (const each of networks) await each.close()
  }
}

function startMember(index: number, ports: number[], answer: OnRequest): Promise<Network> {
  const addressOf = (at: number) => `/ip4/127.0.0.1/tcp/${ports[at]}`
  return startNetwork(
    {
      listen: [addressOf(index)],
      announce: [],
      transportSeed: keyOf(MEMBERS[index]?.name ?? '', 'transport').seed,
      networkId: 'moor-00000000',
      genesisDigest: new Uint8Array(32),
      protocolVersions: [1, 2],
      members: () => MEMBERS,
      addresses: (peerId) => {
        const at = MEMBERS.findIndex((member) => member.peerId === peerId)
        return at >= 0 && at < ports.length ? [addressOf(at)] : []
      },
      log: () => undefined,
    },
    {
      onMessage: () => undefined,
      onTransactions: () => 'accept',
      onRequest: (peerId, _protocol, payload) => answer(peerId, payload),
      onPeer: () => undefined,
      status: () => ({ height: 0 }),
    },
  )
}

function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer()
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    server.close(() => resolve(port))
  })
  return promise
}

function refusal(code: string, retryAfterMs = 0): VaultAnswer {
  return { kind: 'refusal', body: { code, retryAfterMs } }
}

const HAVE: VaultRequest = { kind: 'have', body: { shards: [] } }

function failure(code: string, refused: string | null = null): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof VaultPeerError, String(error))
    assert.equal(error.code, code)
    assert.equal(error.refusal, refused)
    return true
  }
}

test('a refusal has its code, a busy holder says when, and a liar is told from both', async () => {
  const answers: Uint8Array[] = []
  const answer: OnRequest = () => Promise.resolve(answers.shift() ?? new Uint8Array(0))
  await withPair(answer, async ({ peers }) => {
    const ask = (given: Uint8Array) => {
      answers.push(given)
      return peers.request(HOLDER, HAVE, { timeoutMs: 5_000 })
    }
    const good = { kind: 'have' as const, body: { bitmap: Uint8Array.of(5) } }
    assert.deepEqual(await ask(encodeVaultAnswer(good)), good)
    await assert.rejects(
      ask(encodeVaultAnswer(refusal('holder_full'))),
      failure('refused', 'holder_full'),
    )
    await assert.rejects(ask(encodeVaultAnswer(refusal('busy', 700))), (error) => {
      assert.ok(failure('busy')(error) && error instanceof VaultPeerError)
      return error.retryAfterMs === 700
    })
    await assert.rejects(ask(encodeVaultAnswer({ kind: 'done', body: {} })), failure('malformed'))
    await assert.rejects(ask(new Uint8Array(20)), failure('malformed'))
    await assert.rejects(ask(encodeVaultAnswer(good).subarray(1)), failure('malformed'))
  })
})

test('a holder that does not answer in time, is away, or is no member, is not waited for', async () => {
  await withPair(silent, async ({ peers }) => {
    await assert.rejects(peers.request(HOLDER, HAVE, { timeoutMs: 200 }), failure('timeout'))
    await assert.rejects(peers.request('county', HAVE, { timeoutMs: 200 }), failure('unreachable'))
    await assert.rejects(peers.request('nobody', HAVE, { timeoutMs: 200 }), failure('unreachable'))
    assert.deepEqual(
      ['county', HOLDER, CUSTODIAN].map((name) => peers.isConnected(name)),
      [false, true, true],
    )
  })
})

test('the holder on this node is asked without the wire, and refuses like any other', async () => {
  await withPair(
    () => Promise.reject(new Error('not over the wire')),
    async ({ peers }) => {
      const own = peers.request(CUSTODIAN, HAVE, { timeoutMs: 200 })
      await assert.rejects(own, failure('refused', CUSTODIAN))
    },
  )
})

test('a message full of shards goes over the wire, and junk does not come in', async () => {
  await withHolders(async (world) => {
    const onRequest: OnRequest = async (peerId, payload) => {
      const sender = MEMBERS.find((member) => member.peerId === peerId)?.name ?? ''
      return encodeVaultAnswer(await world.askBytes(sender, HOLDER, payload))
    }
    await withPair(onRequest, async ({ peers, network, holderId }) => {
      const items: DepositItem[] = Array.from({ length: 512 }, () => world.itemOf(world.seal(), 1))
      const request = { kind: 'deposit' as const, body: { items } }
      const receipt = await peers.request(HOLDER, request, { timeoutMs: 30_000 })
      assert.deepEqual(receipt.body.refused, [])
      assert.equal(world.hospital(HOLDER).store.usageOf(CUSTODIAN).shards, 512)

      const part = new Uint8Array(4 * 1024 * 1024)
      const body = { shard: { setId: bytesOf('set'), index: 1 }, offset: 0, part }
      const late = peers.request(HOLDER, { kind: 'deposit-part', body }, { timeoutMs: 30_000 })
      await assert.rejects(late, failure('refused', 'upload_unknown'))
      const oversize = new Uint8Array(6 * 1024 * 1024)
      await assert.rejects(
        network.request(holderId, 'records', oversize, { timeoutMs: 5_000 }),
        (error) => error instanceof NetworkError && error.code === 'too_large',
      )
      const junk = new Uint8Array(1024 * 1024).fill(0x82)
      const answer = await network.request(holderId, 'records', junk, { timeoutMs: 5_000 })
      assert.deepEqual(answer, encodeVaultAnswer(refusal('request_malformed')))
      assert.equal(world.hospital(HOLDER).noted.refused.at(-1)?.peer, CUSTODIAN)
    })
  })
})

test.run()
