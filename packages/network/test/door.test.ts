import assert from 'node:assert/strict'
import { test } from 'uvu'
import {
  closeAll,
  connected,
  createIdentities,
  eventually,
  isFullMesh,
  type Node,
  numberOf,
  numbered,
  startNode,
} from './world.ts'

test('a stranger keeps no connection, and is told what has probably happened', async () => {
  const [member, stranger] = await createIdentities(2)
  if (member === undefined || stranger === undefined) throw new Error('no identities')
  const inside = await startNode(member, { members: [member] })
  const outside = await startNode(stranger, { members: [member, stranger] })
  await eventually(() => inside.network.stats().strangersRefused >= 2)
  await eventually(() => outside.seen.logs.length > 0)
  assert.equal(inside.network.stats().connections, 0)
  await eventually(() => outside.network.stats().connections === 0)
  const [peer] = outside.network.peers()
  assert.equal(peer?.lastError?.code, 'not_admitted')
  assert.match(peer?.lastError?.message ?? '', /probably not admitted this node/)
  assert.ok(peer?.lastError?.message.includes(stranger.peerId))
  assert.deepEqual([inside.seen.events, outside.seen.events], [[], []])
  await closeAll([inside, outside])
})

test('a member on another network is refused on both sides, and both say both names', async () => {
  const members = await createIdentities(2)
  const [a, b] = await Promise.all([
    startNode(at(members, 0), { members }),
    startNode(at(members, 1), {
      members,
      networkId: 'moor-08080808',
      genesisDigest: new Uint8Array(32).fill(8),
    }),
  ])
  await eventually(() => [a, b].every((node) => errorOf(node)?.code === 'wrong_network'))
  assert.match(
    errorOf(a)?.message ?? '',
    /hospital-1 .* is on network moor-08080808 .* moor-07070707/,
  )
  assert.match(
    errorOf(b)?.message ?? '',
    /hospital-0 .* is on network moor-07070707 .* moor-08080808/,
  )
  await eventually(() => [a, b].every((node) => node.network.stats().connections === 0))
  assert.deepEqual([a.seen.events, b.seen.events], [[], []])
  await closeAll([a, b])
})

test('a member that speaks another protocol version is refused by name', async () => {
  const members = await createIdentities(2)
  const [a, b] = await Promise.all([
    startNode(at(members, 0), { members }),
    startNode(at(members, 1), { members, protocolVersions: [2] }),
  ])
  const refused = () => [a, b].every((node) => errorOf(node)?.code === 'wrong_protocol_version')
  await eventually(refused)
  assert.match(errorOf(a)?.message ?? '', /speaks protocol 2, this node speaks 1/)
  await closeAll([a, b])
})

test('a removed member goes at once and is not dialled again, until it is a member again', async () => {
  const identities = await createIdentities(2)
  const members = [...identities]
  const a = await startNode(at(identities, 0), { members, limits: { fastRetryMs: 20 } })
  const b = await startNode(at(identities, 1), { members: identities, limits: { fastRetryMs: 20 } })
  await eventually(() => isFullMesh([a, b]))
  members.pop()
  a.network.refresh()
  assert.deepEqual(a.network.peers(), [])
  assert.equal(a.seen.events.at(-1)?.reason, 'not a member any more')
  await eventually(() => b.seen.events.at(-1)?.event === 'disconnected')
  const { dials } = a.network.stats()
  await eventually(() => a.network.stats().strangersRefused >= 3)
  assert.equal(a.network.stats().dials, dials)
  assert.equal(a.network.stats().connections, 0)
  members.push(at(identities, 1))
  a.network.refresh()
  await eventually(
    () => isFullMesh([a, b]),
    2_000,
    () => [connected(a), connected(b)],
  )
  await closeAll([a, b])
})

test('what was said to a member before it was removed reaches it, and nothing after that', async () => {
  const identities = await createIdentities(2)
  const members = [...identities]
  const a = await startNode(at(identities, 0), { members })
  const b = await startNode(at(identities, 1), { members: identities })
  await eventually(() => isFullMesh([a, b]))
  a.network.send(b.identity.peerId, 'urgent', numbered(0))
  b.network.send(a.identity.peerId, 'urgent', numbered(0))
  await eventually(() => a.seen.frames.length + b.seen.frames.length === 2)
  for (let index = 1; index < 30; index += 1)
    a.network.send(b.identity.peerId, 'urgent', numbered(index, 1_000))
  await Promise.resolve()
  members.pop()
  a.network.refresh()
  assert.equal(a.network.send(b.identity.peerId, 'urgent', numbered(30)), false)
  // It is busy, and speaks before it listens: to a closed connection, that would be its end.
  b.network.send(a.identity.peerId, 'urgent', numbered(1))
  await eventually(() => b.seen.events.at(-1)?.event === 'disconnected')
  assert.deepEqual(
    b.seen.frames.map(({ frame }) => numberOf(frame)),
    Array.from({ length: 30 }, (_, index) => index),
  )
  assert.equal(a.seen.frames.length, 1)
  await closeAll([a, b])
})

test('a member without a known address is waited for', async () => {
  const members = await createIdentities(2)
  const a = await startNode(at(members, 0), { members, knows: [] })
  const b = await startNode(at(members, 1), { members })
  await eventually(() => isFullMesh([a, b]))
  assert.equal(a.network.peers()[0]?.direction, 'inbound')
  assert.equal(a.network.stats().dials, 0)
  await b.network.close()
  await eventually(() => errorOf(a)?.code === 'no_address', 5_000)
  await a.network.close()
})

test('a ban holds against members, on either side and in both directions, and ends when it is lifted', async () => {
  const members = await createIdentities(2)
  const banned: string[] = []
  const list = () => ({ allowed: [], banned, bannedHosts: [] })
  const limits = { fastRetryMs: 20 }
  const a = await startNode(at(members, 0), { members, limits, local: list })
  const b = await startNode(at(members, 1), { members, limits })
  await eventually(() => isFullMesh([a, b]))
  banned.push(b.identity.peerId)
  a.network.refresh()
  assert.deepEqual(a.network.peers(), [])
  assert.equal(a.network.send(b.identity.peerId, 'urgent', numbered(0)), false)
  await assert.rejects(a.network.connect(b.identity.peerId), { code: 'not_admitted' })
  await eventually(() => connected(b).length === 0)
  await eventually(() => a.network.stats().strangersRefused >= 3)
  await assert.rejects(b.network.ping(a.identity.peerId), { code: 'not_connected' })
  banned.pop()
  a.network.refresh()
  await a.network.connect(b.identity.peerId)
  await eventually(() => isFullMesh([a, b]))
  // In whole milliseconds, which may be none on one computer.
  assert.ok((await a.network.ping(b.identity.peerId)) >= 0)
  await closeAll([a, b])
})

test('whom a peer hangs up on once, in favour of a dial of its own, is connected all the same', async () => {
  const members = await createIdentities(2)
  const banned: string[] = []
  const limits = { secondDiallerDelayMs: 1_500 }
  const a = await startNode(at(members, 0), { members, limits })
  const local = () => ({ allowed: [], banned, bannedHosts: [] })
  const b = await startNode(at(members, 1), { members, local })
  await eventually(() => isFullMesh([a, b]))
  banned.push(a.identity.peerId)
  b.network.refresh()
  await eventually(() => connected(a).length === 0)
  const connecting = a.network.connect(b.identity.peerId)
  await eventually(() => b.network.stats().strangersRefused >= 1)
  banned.pop()
  b.network.refresh()
  await connecting
  assert.equal(connected(a).length, 1)
  await closeAll([a, b])
})

test('nobody comes in from the address of a computer that is banned', async () => {
  const members = await createIdentities(2)
  const bannedHosts = ['127.0.0.1']
  const a = await startNode(at(members, 0), {
    members,
    knows: [],
    local: () => ({ allowed: [], banned: [], bannedHosts }),
  })
  const b = await startNode(at(members, 1), { members, limits: { fastRetryMs: 20 } })
  await eventually(() => a.network.stats().addressesRefused >= 3)
  assert.deepEqual(connected(b), [])
  bannedHosts.pop()
  a.network.refresh()
  await eventually(() => isFullMesh([a, b]))
  await closeAll([a, b])
})

test('a connection that is hung up is made again, and a dial that fails says why', async () => {
  const members = await createIdentities(2)
  const a = await startNode(at(members, 0), { members })
  const b = await startNode(at(members, 1), { members })
  await eventually(() => isFullMesh([a, b]))
  a.network.hangUp(b.identity.peerId, 'asked to')
  assert.equal(a.seen.events.at(-1)?.reason, 'asked to')
  await eventually(() => isFullMesh([a, b]))
  assert.equal(a.network.stats().disconnectsForCause, 0)
  await b.network.close()
  await eventually(() => connected(a).length === 0)
  await assert.rejects(a.network.connect(b.identity.peerId), { code: 'dial_failed' })
  await a.network.close()
})

test('a port that is taken stops the start with its address', async () => {
  const members = await createIdentities(1)
  const first = await startNode(at(members, 0), { members })
  await assert.rejects(startNode(at(members, 0), { members }), {
    name: 'NetworkError',
    code: 'listen_failed',
  })
  await closeAll([first])
})

function at<T>(items: T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}

function errorOf(node: Node) {
  return node.network.peers()[0]?.lastError
}

test.run()
