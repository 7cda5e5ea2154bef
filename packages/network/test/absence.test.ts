import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import { createPath } from './path.ts'
import {
  bestMs,
  closeAll,
  connected,
  createIdentities,
  eventually,
  type Identity,
  isFullMesh,
  startMembers,
  startNode,
} from './world.ts'

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url))

test('a member that restarts is found again within a second', async () => {
  const nodes = await startMembers(3)
  const others = nodes.slice(0, 2)
  const members = nodes.map((node) => node.identity)
  let last = at(nodes, 2)
  await eventually(() => isFullMesh(nodes))
  const best = await bestMs(1_000, async () => {
    await last.network.close()
    await eventually(() => others.every((node) => connected(node).length === 1))
    const start = performance.now()
    last = await startNode(last.identity, { members })
    await eventually(() => isFullMesh([...others, last]))
    return performance.now() - start
  })
  process.stdout.write(`found again after ${best.toFixed(0)} ms\n`)
  assert.ok(best < 1_000, `${best} ms`)
  for (const node of others) {
    const events = node.seen.events.filter(({ peerId }) => peerId === last.identity.peerId)
    const expected = events.map((_, index) => (index % 2 === 0 ? 'connected' : 'disconnected'))
    assert.deepEqual(
      events.map(({ event }) => event),
      expected,
    )
  }
  await closeAll([...others, last])
})

test('a member that is killed is missed at once, and found again when it returns', async () => {
  const members = await createIdentities(2)
  const node = await startNode(at(members, 0), { members })
  const child = spawnMember(members, 1, 'run')
  await eventually(() => connected(node).length === 1)
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
  const missedMs = await eventually(() => connected(node).length === 0)
  process.stdout.write(`missed ${missedMs.toFixed(0)} ms after its end\n`)
  assert.ok(missedMs < 500, `${missedMs} ms`)
  const again = spawnMember(members, 1, 'run')
  await eventually(() => connected(node).length === 1)
  again.kill('SIGKILL')
  await once(again, 'exit')
  await closeAll([node])
})

test('acceptance 4: a member that was away for long is dialled for ever', async () => {
  const members = await createIdentities(2)
  const limits = { fastRetries: 1, fastRetryMs: 10, backoffMinMs: 50, backoffMaxMs: 200 }
  const node = await startNode(at(members, 0), { members, limits })
  await eventually(() => node.network.stats().dialFailures > 10)
  assert.equal(node.network.peers()[0]?.lastError?.code, 'dial_failed')
  const mute = await startNode(at(members, 1), { members, knows: [] })
  await eventually(() => isFullMesh([node, mute]))
  assert.equal(node.network.peers()[0]?.lastError, null)
  await closeAll([node, mute])
})

test('dials that cross leave one connection, without flapping, and gossip over it', async () => {
  for (let round = 0; round < 3; round += 1) {
    const nodes = await startMembers(3, { limits: { secondDiallerDelayMs: 0 } })
    await eventually(() => isFullMesh(nodes))
    const topicsKnown = async () =>
      (await at(nodes, 0).network.publishHeader(new Uint8Array(9))) === 2
    await untilTrue(topicsKnown, 8_000)
    for (const node of nodes) {
      assert.equal(node.network.stats().connections, 2)
      assert.deepEqual(
        node.seen.events.map(({ event }) => event),
        ['connected', 'connected'],
      )
    }
    await closeAll(nodes)
  }
})

test('a peer charged with bad frames is cut off, and dialled again after a pause', async () => {
  const nodes = await startMembers(2, { limits: { backoffMinMs: 300, backoffMaxMs: 300 } })
  const [a, b] = [at(nodes, 0), at(nodes, 1)]
  await eventually(() => isFullMesh(nodes))
  a.network.disconnect(b.identity.peerId, 'five forged votes')
  assert.equal(a.seen.events.at(-1)?.reason, 'five forged votes')
  assert.equal(a.network.peers()[0]?.lastError?.code, 'disconnected')
  const backMs = await eventually(() => isFullMesh(nodes))
  assert.ok(backMs >= 290, `${backMs} ms`)
  assert.equal(a.network.stats().disconnectsForCause, 1)
  await closeAll(nodes)
})

test('silence is noticed, and keep-alives are what breaks it', async () => {
  const limits = { keepAliveMs: 50, silentAfterMs: 400 }
  const nodes = await startMembers(2, { limits })
  const [a, b] = [at(nodes, 0), at(nodes, 1)]
  await eventually(() => isFullMesh(nodes))
  const heardBefore = a.network.peers()[0]?.lastHeard ?? 0
  await eventually(() => (a.network.peers()[0]?.lastHeard ?? 0) > heardBefore + 600)
  assert.equal(a.seen.events.length, 1)
  assert.deepEqual(a.seen.frames, [])
  await eventually(() => a.network.peers()[0]?.rttMs !== null)
  await closeAll([a, b])
})

test('a member that only stops answering is cut off', async () => {
  const members = await createIdentities(2)
  const limits = { keepAliveMs: 50, silentAfterMs: 400, pingTimeoutMs: 100 }
  const node = await startNode(at(members, 0), { members, limits })
  const child = spawnMember(members, 1, 'run')
  await eventually(() => connected(node).length === 1)
  child.kill('SIGSTOP')
  await eventually(() => connected(node).length === 0)
  assert.equal(node.network.stats().silencesClosed, 1)
  assert.match(node.seen.events.at(-1)?.reason ?? '', /nothing heard for \d+ ms/)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await closeAll([node])
})

test('acceptance 4: a path that comes back is in use at once, however long it was gone', async () => {
  const members = await createIdentities(2)
  const [a, b] = [at(members, 0), at(members, 1)]
  const path = await createPath(b.port)
  const limits = { keepAliveMs: 50, silentAfterMs: 300, dialTimeoutMs: 300, backoffMaxMs: 60_000 }
  const quick = { ...limits, fastRetries: 1, backoffMinMs: 50, unansweredMaxMs: 100 }
  const knows = [{ ...b, port: path.port }]
  const near = await startNode(a, { members, knows, limits: quick })
  const far = await startNode(b, { members, knows: [], limits: quick })
  await eventually(() => isFullMesh([near, far]))
  path.block()
  await eventually(() => connected(near).length === 0 && connected(far).length === 0)
  await eventually(() => near.network.stats().dialFailures > 12)
  assert.match(
    near.network.peers()[0]?.lastError?.message ?? '',
    /does not answer at .* within 0.3 s/,
  )
  path.open()
  await eventually(() => isFullMesh([near, far]), 5_000)
  await closeAll([near, far])
  path.close()
})

test('a peer that is busy with one long message is not silent', async () => {
  const members = await createIdentities(2)
  const [a, b] = [at(members, 0), at(members, 1)]
  const path = await createPath(b.port, 400_000)
  const limits = { keepAliveMs: 50, silentAfterMs: 500 }
  const near = await startNode(a, { members, knows: [{ ...b, port: path.port }], limits })
  const far = await startNode(b, { members, knows: [], limits })
  await eventually(() => isFullMesh([near, far]))
  near.network.send(b.peerId, 'bulk', new Uint8Array(1_000_000))
  await eventually(() => far.seen.frames.length === 1)
  assert.equal(far.network.stats().silencesClosed + near.network.stats().silencesClosed, 0)
  await closeAll([near, far])
  path.close()
})

test('a closed network leaves nothing behind that keeps the process alive', async () => {
  const members = await createIdentities(2)
  const node = await startNode(at(members, 0), { members })
  const child = spawnMember(members, 1, 'close')
  await once(child, 'exit', { signal: AbortSignal.timeout(10_000) })
  assert.equal(child.exitCode, 0)
  await closeAll([node])
})

function spawnMember(members: Identity[], index: number, task: string): ChildProcess {
  const ports = members.map(({ port }) => String(port))
  const args = [CHILD, String(index), task, ...ports]
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

async function untilTrue(check: () => Promise<boolean>, deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms`)
    await new Promise(setImmediate)
  }
}

function at<T>(items: T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}

test.run()
