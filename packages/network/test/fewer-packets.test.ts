import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { mock } from 'node:test'
import { test } from 'uvu'
import { closeAll, eventually, isFullMesh, type Node, numbered, startMembers } from './world.ts'

const FRAMES = 200
/** Keepalives, pings and heartbeats of gossip go on meanwhile. */
const OTHERS = FRAMES / 4

/** What everybody in this process says and fails at while the work goes on. */
async function countedDuring(work: () => Promise<void>) {
  const write = mock.method(Socket.prototype, 'write').mock
  const cork = mock.method(Socket.prototype, 'cork').mock
  const { RangeError: plain } = globalThis
  let errors = 0
  globalThis.RangeError = new Proxy(plain, {
    construct: (target, given, made) => Reflect.construct(target, [...given, (errors += 1)], made),
    apply: (target, _self, given) => new target(...given, (errors += 1)),
  })
  try {
    await work()
  } finally {
    write.restore()
    cork.restore()
    globalThis.RangeError = plain
  }
  return { writes: write.callCount(), corks: cork.callCount(), errors }
}

async function sendOneByOne([from, to]: [Node, Node]): Promise<void> {
  const before = to.seen.frames.length
  for (let sent = 1; sent <= FRAMES; sent += 1) {
    from.network.send(to.identity.peerId, 'urgent', numbered(sent))
    await eventually(() => to.seen.frames.length === before + sent)
  }
}

function pair([a, b]: Node[]): [Node, Node] {
  if (a === undefined || b === undefined) throw new Error('not a pair')
  return [a, b]
}

test('a frame is one packet, of one write, that nothing answers and no error follows', async () => {
  const nodes = await startMembers(2)
  await eventually(() => isFullMesh(nodes))
  const [a, b] = pair(nodes)
  await sendOneByOne([a, b])
  const { writes, errors } = await countedDuring(() => sendOneByOne([a, b]))
  assert.ok(writes >= FRAMES, `${writes} writes`)
  assert.ok(writes < FRAMES + OTHERS, `${writes} writes for ${FRAMES} frames`)
  assert.equal(errors, 0)
  await closeAll(nodes)
})

test('what is said to a peer in one turn is written in one', async () => {
  const nodes = await startMembers(2)
  await eventually(() => isFullMesh(nodes))
  const [a, b] = pair(nodes)
  const before = b.seen.frames.length
  const { writes, corks } = await countedDuring(async () => {
    for (const channel of ['bulk', 'urgent'] as const)
      for (let index = 0; index < 8; index += 1)
        a.network.send(b.identity.peerId, channel, numbered(index, 60_000))
    await eventually(() => b.seen.frames.length === before + 16)
  })
  assert.ok(corks > 0 && corks < writes, `${corks} turns for ${writes} packets`)
  await closeAll(nodes)
})

test('a window is opened again before it is used up', async () => {
  const nodes = await startMembers(2)
  await eventually(() => isFullMesh(nodes))
  const [a, b] = pair(nodes)
  const frames = 40
  for (let index = 0; index < frames; index += 1)
    a.network.send(b.identity.peerId, 'bulk', numbered(index, 100_000))
  const arrived = () => b.seen.frames.filter(({ channel }) => channel === 'bulk').length
  await eventually(() => arrived() === frames)
  await closeAll(nodes)
})

test.run()
