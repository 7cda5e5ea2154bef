import assert from 'node:assert/strict'
import { test } from 'uvu'
import { isSentToAll } from '../src/gossip.ts'
import { defaultLimits } from '../src/limits.ts'
import {
  closeAll,
  connected,
  createIdentities,
  eventually,
  isFullMesh,
  type Node,
  startMembers,
  startNode,
} from './world.ts'

test('a batch reaches every member once, from whoever had it first', async () => {
  const nodes = await startGossiping(4)
  const batches = Array.from({ length: 20 }, (_, index) => new Uint8Array(20_000).fill(index))
  for (const batch of batches) {
    assert.equal(await at(nodes, 0).network.publishTransactions(batch), 3)
  }
  const others = nodes.slice(1)
  await eventually(() => others.every((node) => node.seen.batches.length >= 20))
  for (const node of others) {
    const first = node.seen.batches.map(({ batch }) => batch[0] ?? 0)
    assert.deepEqual(
      first.toSorted((a, b) => a - b),
      [...Array(20).keys()],
    )
  }
  assert.deepEqual(at(nodes, 0).seen.batches, [])
  await closeAll(nodes)
})

test('a small message goes to all at once, a large one in a large network hop by hop', () => {
  assert.ok(isSentToAll(60_000, 16, defaultLimits))
  assert.ok(isSentToAll(300, 100, defaultLimits))
  assert.ok(!isSentToAll(3_000, 100, defaultLimits))
  assert.ok(!isSentToAll(300, 1_000, defaultLimits))
})

test('what its sender has sent to every member is handed on by nobody', async () => {
  const nodes = await startGossiping(4)
  const offered = (): number =>
    nodes.reduce((sum, { network }) => sum + network.stats().gossipOffered, 0)
  await settled()
  const before = offered()
  const batches = Array.from({ length: 20 }, (_, index) => new Uint8Array(2_000).fill(index))
  for (const batch of batches) await at(nodes, 0).network.publishTransactions(batch)
  await eventually(() => nodes.slice(1).every(({ seen }) => seen.batches.length === 20))
  await settled()
  // A late probe may be among them; handed on, each would come at least twice to somebody.
  const more = offered() - before - 3 * batches.length
  assert.ok(more < batches.length / 2, `${more} more than were sent`)
  await closeAll(nodes)
})

/** What is handed on has arrived, or never will. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 400))
}

test('whom its sender does not reach hears of it from the others', async () => {
  const members = await createIdentities(4)
  const { peerId: banned } = at(members, 3)
  const nodes = await Promise.all(
    members.map((identity, index) =>
      startNode(identity, {
        members,
        ...(index === 0 && { local: () => ({ allowed: [], banned: [banned], bannedHosts: [] }) }),
      }),
    ),
  )
  const [first, ...rest] = nodes
  await eventually(() => isFullMesh(rest) || rest.every((node) => connected(node).length >= 2))
  for (const node of rest.slice(0, 2)) await untilPublished(node, 3)
  await first?.network.publishTransactions(new Uint8Array([1, 2]))
  await eventually(() => at(nodes, 3).seen.batches.length === 1)
  await closeAll(nodes)
})

test('what a candidate hands on is not taken, and a member may still hand on the same', async () => {
  const members = await createIdentities(3)
  const as = (own: number) =>
    members.map((member, index) =>
      index === 2 && own !== 2 ? { ...member, isCandidate: true } : member,
    )
  const nodes = await Promise.all(
    members.map((identity, own) => startNode(identity, { members: as(own) })),
  )
  await eventually(() => isFullMesh(nodes))
  for (const node of nodes) await untilPublished(node, 2)
  const [first, second, candidate] = [at(nodes, 0), at(nodes, 1), at(nodes, 2)]
  await candidate.network.publishTransactions(new Uint8Array([6, 6]))
  await eventually(() => first.network.stats().gossipIgnored > 0)
  await first.network.publishTransactions(new Uint8Array([1, 2]))
  await eventually(() => second.seen.batches.length === 1 && candidate.seen.batches.length === 1)
  const taken = [...first.seen.batches, ...second.seen.batches].map(({ batch }) => batch)
  assert.deepEqual(taken, [new Uint8Array([1, 2])])
  await closeAll(nodes)
})

test('headers have their own topic', async () => {
  const nodes = await startGossiping(2)
  assert.equal(await at(nodes, 0).network.publishHeader(new Uint8Array([4, 2])), 1)
  await eventually(() => at(nodes, 1).seen.headers.at(-1)?.length === 2)
  assert.deepEqual(at(nodes, 1).seen.headers.at(-1), new Uint8Array([4, 2]))
  assert.deepEqual(at(nodes, 1).seen.batches, [])
  await closeAll(nodes)
})

test('the same batch can be offered again', async () => {
  const nodes = await startGossiping(2)
  const batch = new Uint8Array([1, 2, 3])
  for (let round = 0; round < 3; round += 1) {
    assert.equal(await at(nodes, 0).network.publishTransactions(batch), 1)
  }
  await eventually(() => at(nodes, 1).seen.batches.length === 3)
  await closeAll(nodes)
})

test('publishing to nobody says so', async () => {
  const [alone] = await startMembers(1)
  assert.equal(await alone?.network.publishTransactions(new Uint8Array(10)), 0)
  assert.equal(alone?.network.stats().gossipPublishedToNobody, 1)
  await assert.rejects(at([alone], 0)?.network.publishTransactions(new Uint8Array(70_000)) ?? '', {
    code: 'too_large',
  })
  await alone?.network.close()
})

test('an authority is never graylisted, however much of its gossip is bad', async () => {
  const nodes = await startGossiping(2, (batch) => (batch[0] === 0 ? 'reject' : 'accept'))
  const [a, b] = [at(nodes, 0), at(nodes, 1)]
  for (let index = 0; index < 200; index += 1) {
    const bad = new Uint8Array(100)
    bad[1] = index
    await a.network.publishTransactions(bad)
  }
  await eventually(() => b.network.stats().gossipRejected === 200)
  assert.equal(await a.network.publishTransactions(new Uint8Array([1])), 1)
  await eventually(() => b.seen.batches.at(-1)?.batch[0] === 1)
  await closeAll(nodes)
})

test('gossip comes back with a member that restarts', async () => {
  const members = await createIdentities(2)
  const a = await startNode(at(members, 0), { members })
  let b = await startNode(at(members, 1), { members })
  for (let round = 0; round < 3; round += 1) {
    await eventually(() => isFullMesh([a, b]))
    await untilPublished(a)
    await untilPublished(b)
    await b.network.close()
    b = await startNode(at(members, 1), { members })
  }
  await closeAll([a, b])
})

async function startGossiping(
  count: number,
  verdict: (batch: Uint8Array) => 'accept' | 'reject' = () => 'accept',
): Promise<Node[]> {
  const nodes = await startMembers(count, { verdict })
  await eventually(() => isFullMesh(nodes))
  for (const node of nodes) await untilPublished(node, count - 1)
  return nodes
}

/** Headers are cheap probes: the answer counts the subscribers. */
async function untilPublished(node: Node, recipients = 1): Promise<void> {
  const end = performance.now() + 8_000
  while ((await node.network.publishHeader(new Uint8Array([1]))) < recipients) {
    if (performance.now() > end) throw new Error('gossip does not come back')
    await new Promise(setImmediate)
  }
}

function at<T>(items: T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}

test.run()
