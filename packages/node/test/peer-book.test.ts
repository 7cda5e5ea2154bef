import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatPeerId, keyPairFromSeed } from '@mooring/crypto'
import { test } from 'uvu'
import { forgetDecided, PeerBook, peersFile } from '../src/peer-book.ts'
import { TestClock } from './test-clock.ts'

const OWN = peerOf(1)
const MEMBER = peerOf(2)
const STRANGER = peerOf(3)
const ADDRESS = '/ip4/203.0.113.7/tcp/7420'

test('what an operator decides counts at once, and after the next start', () =>
  inHome(async (home) => {
    const { book, changes } = await openBook(home)
    await book.add({ peerId: STRANGER, addresses: [ADDRESS], note: 'the archive' })
    await book.ban([MEMBER, '203.0.113.9'], 'stolen machine', null)
    assert.equal(changes(), 2)
    const expected = { allowed: [STRANGER], banned: [MEMBER], bannedHosts: ['203.0.113.9'] }
    assert.deepEqual(book.list(), expected)
    const again = await openBook(home)
    assert.deepEqual(again.book.list(), expected)
    assert.deepEqual(again.book.addressesOf(STRANGER), [ADDRESS])
    assert.equal(again.book.addressesOf(MEMBER), null)
    assert.equal(again.book.banOf(MEMBER)?.reason, 'stolen machine')
    await again.book.unban([MEMBER])
    await again.book.remove(STRANGER)
    assert.deepEqual((await openBook(home)).book.list(), {
      allowed: [],
      banned: [],
      bannedHosts: ['203.0.113.9'],
    })
  }))

test('a ban with an end ends by itself, also while the node was off', () =>
  inHome(async (home) => {
    const { book, clock, changes } = await openBook(home)
    await book.ban([MEMBER], 'a rehearsal', 30_000)
    await book.ban([STRANGER], 'for months', 60 * 86_400_000)
    clock.advance(29_000)
    assert.equal(book.list().banned.length, 2)
    const before = changes()
    clock.advance(2_000)
    assert.deepEqual(book.list().banned, [STRANGER])
    assert.equal(changes(), before + 1)
    const later = await openBook(home, { clock })
    assert.deepEqual(later.book.list().banned, [STRANGER])
    await assert.rejects(later.book.unban([MEMBER]), { code: 'ban_unknown' })
  }))

test('decisions that are made at the same time are all kept', () =>
  inHome(async (home) => {
    const { book } = await openBook(home)
    const peers = Array.from({ length: 20 }, (_, index) => peerOf(index + 10))
    await Promise.all(peers.map((peerId) => book.ban([peerId], '', null)))
    assert.equal((await openBook(home)).book.bans.length, peers.length)
  }))

test('what names no peer, or nobody who may be named, is refused', () =>
  inHome(async (home) => {
    const { book } = await openBook(home, { allow: 'members' })
    const bad = { peerId: MEMBER, addresses: ['/ip4/203.0.113.7'], note: '' }
    await assert.rejects(book.add(bad), { code: 'peer_invalid' })
    const others = { ...bad, addresses: [`${ADDRESS}/p2p/${STRANGER}`] }
    await assert.rejects(book.add(others), { code: 'peer_invalid' })
    await assert.rejects(book.add({ ...bad, addresses: [], note: 'a\nb' }), {
      code: 'peer_invalid',
    })
    await assert.rejects(book.ban(['12D3KooWnobody'], '', null), { code: 'peer_invalid' })
    await assert.rejects(book.ban([OWN], '', null), { code: 'peer_is_self' })
    await assert.rejects(book.add({ peerId: STRANGER, addresses: [], note: '' }), {
      code: 'peer_list_off',
    })
    await assert.rejects(book.remove(STRANGER), { code: 'peer_unknown' })
    await book.add({ peerId: MEMBER, addresses: [ADDRESS], note: '' })
    assert.deepEqual(book.list().allowed, [])
  }))

test('a list that is full says so', () =>
  inHome(async (home) => {
    const { book } = await openBook(home)
    const hosts = Array.from({ length: 1_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
    await book.ban(hosts, '', null)
    await assert.rejects(book.ban(['203.0.113.9'], '', null), { code: 'peer_list_full' })
    assert.equal(book.bans.length, 1_000)
  }))

test('in a home without a node what was decided for one reason is forgotten, and nothing else', () =>
  inHome(async (home) => {
    await forgetDecided(home, 'a rehearsal')
    const { book } = await openBook(home)
    await book.ban([MEMBER], 'a rehearsal', null)
    await book.ban([STRANGER], 'stolen', null)
    await book.add({ peerId: MEMBER, addresses: [ADDRESS], note: 'a rehearsal' })
    await forgetDecided(home, 'a rehearsal')
    const { book: after } = await openBook(home)
    assert.deepEqual(after.list().banned, [STRANGER])
    assert.deepEqual(after.peers, [])
  }))

test('a file that is damaged stops the start instead of forgetting the bans', () =>
  inHome(async (home) => {
    const { book } = await openBook(home)
    await book.ban([MEMBER], '', null)
    const text = await readFile(peersFile(home), 'utf8')
    for (const broken of [
      '',
      text.slice(0, -9),
      text.replace('"bans"', '"bunch"'),
      '{"version":2}',
    ]) {
      await writeFile(peersFile(home), broken)
      await assert.rejects(openBook(home), { code: 'peers_unreadable' })
    }
  }))

async function openBook(
  home: string,
  {
    allow = 'members+list',
    clock = new TestClock(),
  }: {
    allow?: 'members' | 'members+list'
    clock?: TestClock
  } = {},
) {
  let changes = 0
  const options = { home, ownPeerId: OWN, allow, allowList: [] }
  const book = await PeerBook.open(options, { clock, isMember: (peerId) => peerId === MEMBER })
  book.onChange(() => {
    changes += 1
  })
  return { book, clock, changes: () => changes }
}

function peerOf(byte: number): string {
  return formatPeerId(keyPairFromSeed(new Uint8Array(32).fill(byte)).publicKey)
}

async function inHome(work: (home: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'mooring-peers-'))
  try {
    await work(home)
  } finally {
    await rm(home, { recursive: true })
  }
}

test.run()
