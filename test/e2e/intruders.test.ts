// Who is not a member gets no connection; a member who talks nonsense, as fast as it can, changes nothing
// for the others. Its real node is welcome afterwards.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromHex } from '@mooring/codec'
import { networkId } from '@mooring/ledger'
import { type Network, startNetwork } from '@mooring/network'
import { generatePatient } from '@mooring/records'
import { test } from 'uvu'
import { commandEnvironment } from './command.ts'
import { acknowledge, type Devnet, type DevnetNode, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'

const HOSTILE = fileURLToPath(new URL('hostile-member.ts', import.meta.url))
const REFUSAL_MS = 60_000
const FINAL = { contentType: 'application/fhir+json', waitMs: 60_000 }
// Whoever was cut off for cause again and again is let in after 30 s at the latest.
const RETURN_MS = 90_000
const NOTICE_MS = 60_000
const GROWTH_MIB_MAX = 50
const SETTLE_MS = 60_000
const WARM_UP = 4

const starting = startDevnet()
let seed = 0

test('acceptance 14: a stranger keeps no connection, and learns that it is not admitted', async () => {
  const devnet = await starting
  const stranger = await startStranger(devnet)
  try {
    await eventually('every node has refused it', REFUSAL_MS, () => {
      const codes = stranger.peers().map(({ lastError }) => lastError?.code)
      assert.deepEqual(
        codes,
        devnet.nodes.map(() => 'not_admitted'),
      )
      return true
    })
    await eventually('no connection is left', REFUSAL_MS, () =>
      stranger.stats().connections === 0 ? true : undefined,
    )
    assert.ok(stranger.peers().every(({ connected }) => !connected))
    for (const { client, name } of devnet.nodes) {
      const { peers } = await client.status()
      assert.deepEqual([peers.connected, peers.members], [3, 3], name)
    }
    await finalize(devnet, 0)
  } finally {
    await stranger.close()
  }
})

// Attacks on each of the other three at the same time.
const ATTACKS: string[][] = [
  ['gossip', 'gossip', 'gossip'],
  ['frames', 'votes', 'oversize'],
  ['subscriptions', 'large', 'foreign'],
  ['loris', 'knocks', 'subscriptions'],
]

// What shows in the figures of a node that an attack is felt there.
const CAUSE = /^mooring_p2p_disconnects_total\{reason="cause"\} (\d+)$/m
const FELT: Record<string, RegExp> = {
  gossip: /^mooring_gossip_messages_total\{topic="transactions",result="reject"\} (\d+)$/m,
  frames: CAUSE,
  votes: CAUSE,
  oversize: CAUSE,
  subscriptions: /^mooring_p2p_denied_total\{stage="gossip",reason="malformed"\} (\d+)$/m,
  large: /^mooring_p2p_denied_total\{stage="frame",reason="malformed"\} (\d+)$/m,
  foreign: /^mooring_p2p_denied_total\{stage="hello",reason="mismatch"\} (\d+)$/m,
  loris: /^process_open_fds (\d+)$/m,
  knocks: /^mooring_p2p_denied_total\{stage="connection",reason="address"\} (\d+)$/m,
}

test('acceptance 14: whoever floods the members with nonsense does not stop them, nor fill their memory', async () => {
  const devnet = await starting
  await devnet.succeed('devnet kill 3')
  const others = devnet.nodes.slice(0, 3)
  // A heap that has seen no work yet grows by itself.
  for (let round = 0; round < WARM_UP; round += 1)
    await Promise.all(others.map(({ index }) => finalize(devnet, index)))
  const before = await Promise.all(others.map(memoryMib))
  for (const kinds of ATTACKS) {
    const seconds = await finalizeUnder(devnet, kinds)
    const now = await Promise.all(others.map(memoryMib))
    const growth = now.map((mib, index) => Math.round(mib - (before[index] ?? 0)))
    process.stdout.write(
      `${kinds.join(', ')}: final after ${seconds.join(', ')} s; memory ${growth.join(', ')} MiB\n`,
    )
  }
  const growth = await eventually('memory is given back', SETTLE_MS, async () => {
    const now = await Promise.all(others.map(memoryMib))
    const grown = now.map((mib, index) => Math.round(mib - (before[index] ?? 0)))
    return Math.max(...grown) < GROWTH_MIB_MAX ? grown : undefined
  })
  process.stdout.write(`memory grew by ${growth.join(', ')} MiB\n`)
})

test('its real node comes back and is needed', async () => {
  const devnet = await starting
  await devnet.succeed('devnet restart 3')
  await eventually('all are connected', RETURN_MS, async () => {
    for (const { client, name } of devnet.nodes) {
      const { peers } = await client.status()
      assert.equal(peers.connected, 3, name)
    }
    return true
  })
  await devnet.succeed('devnet kill 2')
  await finalize(devnet, 3)
  const { stdout } = await devnet.succeed('devnet check')
  assert.match(stdout, /no contradictory votes +ok/)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

async function addressesOf(devnet: Devnet): Promise<Map<string, string>> {
  const addresses = new Map<string, string>()
  for (const { home } of devnet.nodes) {
    const config = await readFile(join(home, 'config', 'mooring.toml'), 'utf8')
    for (const [address, peerId = ''] of config.matchAll(/\/ip4\/[^"]+\/p2p\/(\w+)/g)) {
      addresses.set(peerId, address)
    }
  }
  assert.equal(addresses.size, devnet.nodes.length)
  return addresses
}

// Our own networking, with a key that no member has.
async function startStranger(devnet: Devnet): Promise<Network> {
  const addresses = await addressesOf(devnet)
  const genesisDigest = fromHex(devnet.genesisDigest)
  const members = [...addresses.keys()].map((peerId) => ({ peerId, name: peerId, authority: true }))
  return startNetwork(
    {
      listen: [],
      announce: [],
      transportSeed: new Uint8Array(randomBytes(32)),
      networkId: networkId(genesisDigest),
      genesisDigest,
      protocolVersions: [1],
      members: () => members,
      addresses: (peerId) => [addresses.get(peerId) ?? ''],
      log: () => undefined,
    },
    {
      onMessage: () => assert.fail('a member sent a frame'),
      onTransactions: () => assert.fail('a member sent transactions'),
      onRequest: () => assert.fail('a member sent a request'),
      onPeer: () => assert.fail('a member became a peer'),
      status: () => ({ height: 0 }),
    },
  )
}

// One patient to each of the others while the attacks run; seconds until it is final.
async function finalizeUnder(devnet: Devnet, kinds: string[]): Promise<string[]> {
  const others = devnet.nodes.slice(0, 3)
  const count = (node: DevnetNode) => metric(node, FELT[kinds[node.index] ?? ''] ?? CAUSE)
  const before = await Promise.all(others.map(count))
  const hostile = await startHostile(devnet, kinds)
  try {
    await eventually(`all feel ${kinds.join(', ')}`, NOTICE_MS, async () => {
      const after = await Promise.all(others.map(count))
      return after.every((now, index) => now > (before[index] ?? 0)) ? true : undefined
    })
    const times = await Promise.all(others.map(({ index }) => finalize(devnet, index)))
    assert.equal(hostile.exitCode, null, 'the hostile member gave up')
    return times.map((ms) => (ms / 1_000).toFixed(1))
  } finally {
    await end(hostile)
  }
}

async function startHostile(devnet: Devnet, kinds: string[]): Promise<ChildProcess> {
  const { home } = nodeAt(devnet, 3)
  const addresses = await addressesOf(devnet)
  const targets = kinds.map(
    (kind, index) => `${kind}=${addresses.get(nodeAt(devnet, index).peerId)}`,
  )
  return spawn(process.execPath, [HOSTILE, home, devnet.genesisDigest, ...targets], {
    cwd: devnet.folder,
    env: commandEnvironment(),
    stdio: ['pipe', 'ignore', 'inherit'],
  })
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  if (child.exitCode !== null) return
  child.kill('SIGKILL')
  await exit
}

// Milliseconds from submitting a patient until all of it is final.
async function finalize(devnet: Devnet, index: number): Promise<number> {
  const node = nodeAt(devnet, index)
  seed += 1
  const patient = generatePatient(seed)
  const started = performance.now()
  const { records } = await node.client.submitRecords(patient, FINAL)
  const ms = performance.now() - started
  await acknowledge(devnet, node, records)
  const open = records.filter(({ height }) => height === null)
  assert.equal(open.length, 0, `${open.length} records of ${node.name} are not final`)
  return ms
}

// A counter that never moved is not there.
async function metric({ metrics }: DevnetNode, pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${metrics}/metrics`)).text()
  return Number(pattern.exec(text)?.[1] ?? 0)
}

async function memoryMib(node: DevnetNode): Promise<number> {
  return (await metric(node, /^process_resident_memory_bytes (\S+)$/m)) / 2 ** 20
}

test.run()
