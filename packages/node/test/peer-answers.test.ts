import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatPeerId, keyPairFromSeed } from '@mooring/crypto'
import { type Member, type Network, startNetwork } from '@mooring/network'
import { test } from 'uvu'
import { systemClock } from '../src/clock.ts'
import { createPeerAnswers } from '../src/peer-answers.ts'
import { PeerBook } from '../src/peer-book.ts'

const SEEDS = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte))
const [OWN = '', OTHER = '', ABSENT = ''] = SEEDS.map((seed) =>
  formatPeerId(keyPairFromSeed(seed).publicKey),
)
const MEMBERS: Member[] = [OWN, OTHER, ABSENT].map((peerId, index) => {
  return { peerId, name: `hospital-${index}`, authority: true }
})

test('an operator cuts a member off, and lets it in again', () =>
  inWorld(async ({ answers, other }) => {
    assert.equal((await answers.connect(OTHER)).connected, true)
    const { roundTripsMs } = await answers.ping(OTHER, 3)
    assert.equal(roundTripsMs.length, 3)
    assert.ok(roundTripsMs.every((ms) => ms !== null))
    const { bans } = await answers.ban({ targets: [OTHER], reason: 'stolen', forMs: null })
    assert.deepEqual(
      bans.map(({ target, name, reason, until }) => ({ target, name, reason, until })),
      [{ target: OTHER, name: 'hospital-1', reason: 'stolen', until: null }],
    )
    await eventually(() => !isConnected(other, OWN))
    await assert.rejects(answers.connect(OTHER), { code: 'peer_is_banned' })
    await assert.rejects(answers.probe(OTHER), { code: 'peer_is_banned' })
    await answers.unban([OTHER])
    assert.equal((await answers.connect(OTHER)).connected, true)
    assert.equal(answers.disconnect(OTHER).connected, false)
    await eventually(() => isConnected(other, OWN))
  }))

test('who is nobody here is told apart from who is away', () =>
  inWorld(async ({ answers }) => {
    const stranger = formatPeerId(keyPairFromSeed(new Uint8Array(32).fill(9)).publicKey)
    await assert.rejects(answers.connect(stranger), { code: 'peer_unknown' })
    await assert.rejects(answers.probe(stranger), { code: 'peer_unknown' })
    await assert.rejects(answers.ping(stranger, 1), { code: 'peer_unknown' })
    await assert.rejects(answers.connect(OWN), { code: 'peer_is_self' })
    await assert.rejects(answers.ping(ABSENT, 1), { code: 'not_connected' })
    const away = await answers.connect(ABSENT)
    assert.deepEqual([away.connected, away.code], [false, 'dial_failed'])
  }))

test('a probe says at which step the way to a peer ends', () =>
  inWorld(async ({ answers, book }) => {
    const found = await answers.probe(OTHER)
    assert.deepEqual(
      found.steps.map(({ step, ok }) => [step, ok]),
      [
        ['tcp', true],
        ['hello', true],
      ],
    )
    assert.deepEqual([found.ok, found.name, found.height], [true, 'hospital-1', 5])
    const absent = await answers.probe(ABSENT)
    assert.equal(absent.ok, false)
    assert.match(absent.steps[0]?.detail ?? '', /ECONNREFUSED/)
    const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const place = silent.address()
    assert.ok(typeof place === 'object' && place !== null)
    const address = `/ip4/127.0.0.1/tcp/${place.port}`
    await book.add({ peerId: ABSENT, addresses: [address], note: 'moved' })
    const moved = await answers.probe(ABSENT)
    silent.close()
    assert.deepEqual(
      moved.steps.map(({ step, ok }) => [step, ok]),
      [
        ['tcp', true],
        ['hello', false],
      ],
    )
  }))

interface World {
  answers: ReturnType<typeof createPeerAnswers>
  book: PeerBook
  other: Network
}

async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'mooring-peers-'))
  const book = await PeerBook.open(
    { home, ownPeerId: OWN, allow: 'members', allowList: [] },
    { clock: systemClock, isMember: (peerId) => MEMBERS.some((each) => each.peerId === peerId) },
  )
  const other = await start(1, () => [])
  const places = new Map([[ABSENT, '/ip4/127.0.0.1/tcp/9']])
  for (const address of other.addresses()) places.set(OTHER, address)
  const addressesOf = (peerId: string): string[] => {
    const known = book.addressesOf(peerId) ?? [places.get(peerId)]
    return known.flatMap((address) => address ?? [])
  }
  const network = await start(0, addressesOf, book)
  const members = { list: MEMBERS }
  const options = { p2p: { allow: 'members' as const } }
  const answers = createPeerAnswers({
    options,
    book,
    network,
    members,
    addressesOf,
    peers: () => [],
    now: () => performance.now(),
  })
  try {
    await work({ answers, book, other })
  } finally {
    await network.close()
    await other.close()
    book.close()
    await rm(home, { recursive: true })
  }
}

async function start(
  index: number,
  addresses: (peerId: string) => string[],
  book?: PeerBook,
): Promise<Network> {
  const network = await startNetwork(
    {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      transportSeed: SEEDS[index] ?? new Uint8Array(32),
      networkId: 'moor-07070707',
      genesisDigest: new Uint8Array(32).fill(7),
      protocolVersions: [1, 2],
      members: () => MEMBERS,
      addresses,
      ...(book && { local: () => book.list() }),
      limits: { fastRetryMs: 20, helloTimeoutMs: 500, upgradeTimeoutMs: 500, dialTimeoutMs: 1_000 },
      log: () => undefined,
    },
    {
      onMessage: () => undefined,
      onTransactions: () => 'ignore',
      onRequest: (_peer, _protocol, payload) => Promise.resolve(payload),
      onPeer: () => undefined,
      status: () => ({ height: 5 }),
    },
  )
  book?.onChange(() => network.refresh())
  return network
}

function isConnected(network: Network, peerId: string): boolean {
  return network.peers().some((peer) => peer.peerId === peerId && peer.connected)
}

async function eventually(isDone: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!isDone()) {
    assert.ok(performance.now() < deadline, 'it did not happen within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test.run()
