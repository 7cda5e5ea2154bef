// Hospitals on computers of their own, as far as software can tell: real node processes, each alone in a
// network namespace with its own address. They are started, killed, frozen and cut off from here.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, realpath, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Status } from '@mooring/api'
import { createClient } from '@mooring/api/client'
import { toHex } from '@mooring/codec'
import { createDevnet, type Devnet, formatConfigFile, homePaths } from '@mooring/node'
import { checkDevnet } from '../../packages/cli/src/devnet/check.ts'
import {
  killProcess,
  lastWords,
  logFile,
  sendSignal,
} from '../../packages/cli/src/devnet/processes.ts'
import { type DevnetState, isRunning } from '../../packages/cli/src/devnet/state.ts'
import { commandEnvironment, MOORING } from '../e2e/command.ts'
import type { DevnetNode } from '../e2e/devnet.ts'
import { eventually } from '../e2e/eventually.ts'
import { type Doors, openDoors } from './doors.ts'
import { createNamespaces, type Namespaces, SYSTEM_PATH } from './namespaces.ts'

const PORTS = { p2p: 7420, http: 7421, metrics: 7423 }
const READY_MS = 40_000
const RECOVERED_MS = 20_000
const ASK_MS = 5_000
const HEARTBEAT_MS = 1_000

// After a repair: until the first new block is final anywhere, and until every node has one.
export type Recovery = { firstMs: number; allMs: number }

type Parts = {
  state: DevnetState
  nodes: readonly DevnetNode[]
  network: Namespaces
  doors: readonly Doors[]
}

export class Hospitals {
  readonly dir: string
  readonly nodes: readonly DevnetNode[]
  readonly network: Namespaces
  readonly #state: DevnetState
  readonly #doors: readonly Doors[]
  // What was final somewhere when it was last asked, also by nodes that are dead by now.
  #highest = 0

  constructor({ state, nodes, network, doors }: Parts) {
    this.dir = state.dir
    this.nodes = nodes
    this.network = network
    this.#state = state
    this.#doors = doors
  }

  get indices(): number[] {
    return this.nodes.map(({ index }) => index)
  }

  nodeAt(index: number): DevnetNode {
    return this.nodes[index] ?? assert.fail(`no hospital ${index}`)
  }

  async start(index: number): Promise<void> {
    const node = this.#stateAt(index)
    const [command, args] = this.network.inside(index)
    const log = await open(logFile(node), 'a', 0o600)
    const words = [...args, process.execPath, MOORING, '--home', node.home, 'start']
    const child = spawn(command, [...words, '--log-format', 'pretty'], {
      cwd: node.home,
      detached: true,
      env: { ...commandEnvironment(), PATH: SYSTEM_PATH },
      stdio: ['ignore', log.fd, log.fd],
    })
    await once(child, 'spawn')
    await log.close()
    child.unref()
    node.pid = child.pid ?? assert.fail('a spawned process has a pid')
    await eventually(`${node.name} runs`, ASK_MS, async () =>
      (await isRunning(node)) ? true : undefined,
    )
  }

  async kill(index: number): Promise<void> {
    await killProcess(this.#stateAt(index))
  }

  freeze(index: number): void {
    sendSignal(this.#stateAt(index), 'SIGSTOP')
  }

  thaw(index: number): void {
    sendSignal(this.#stateAt(index), 'SIGCONT')
  }

  statusOf(index: number): Promise<Status> {
    return this.nodeAt(index).client.status()
  }

  async heightOf(index: number): Promise<number> {
    const { height } = (await this.statusOf(index)).chain
    this.#highest = Math.max(this.#highest, height)
    return height
  }

  heights(): Promise<number[]> {
    return Promise.all(this.indices.map((index) => this.heightOf(index)))
  }

  // Both directions between every node of one side and every node of the other.
  async part(left: readonly number[], right: readonly number[]): Promise<void> {
    const pairs = left.flatMap((a) => right.flatMap((b) => [[a, b] as const, [b, a] as const]))
    await Promise.all(pairs.map(([from, to]) => this.network.cut(from, to)))
  }

  // How long after the repair do blocks come again, at every node?
  async recover(repair: () => Promise<unknown>): Promise<Recovery> {
    const heightNow = (index: number) => this.heightOf(index).catch(() => 0)
    await Promise.all(this.indices.map(heightNow))
    const before = this.#highest
    const from = performance.now()
    await repair()
    let firstMs = Number.NaN
    await eventually(`blocks above ${before} at every hospital`, RECOVERED_MS, async () => {
      const seen = await Promise.all(this.indices.map(heightNow))
      if (Number.isNaN(firstMs) && Math.max(...seen) > before) firstMs = performance.now() - from
      return Math.min(...seen) > before ? true : undefined
    })
    return { firstMs, allMs: performance.now() - from }
  }

  async checkAlive(index: number): Promise<void> {
    const node = this.#stateAt(index)
    if (await isRunning(node)) return
    assert.fail(`${node.name} ended by itself:\n${(await lastWords(node)).join('\n')}`)
  }

  // One chain, one state, nothing acknowledged lost, no contradictory votes.
  async check(): Promise<void> {
    for (const index of this.indices) await this.checkAlive(index)
    await eventually('everything accepted is anchored', RECOVERED_MS, async () => {
      const told = await Promise.all(this.indices.map((index) => this.statusOf(index)))
      return told.every(({ records }) => records.anchored === records.accepted) ? true : undefined
    })
    const findings = await checkDevnet(this.#state, this.#state.nodes)
    for (const { check, ok, detail } of findings) {
      process.stdout.write(`${check}: ${detail}\n`)
      assert.ok(ok, check)
    }
    assert.equal(findings.length, 7)
    for (const { name, metrics } of this.nodes) {
      const text = await (await fetch(`${metrics}/metrics`)).text()
      const seen = /^mooring_consensus_equivocations_total\{.*\} [1-9].*/m.exec(text)
      assert.equal(seen, null, `${name} has seen contradictory votes: ${seen?.[0]}`)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.indices.map((index) => this.kill(index)))
    await Promise.all(this.#doors.map((door) => door.close()))
    await this.network.remove()
  }

  #stateAt(index: number) {
    return this.#state.nodes[index] ?? assert.fail(`no hospital ${index}`)
  }
}

export async function startHospitals(count: number): Promise<Hospitals> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'mooring-host-')))
  const network = await createNamespaces(count, folder)
  const devnet = await createDevnet({
    dir: folder,
    nodes: count,
    basePort: PORTS.p2p,
    name: 'host',
    heartbeatMs: HEARTBEAT_MS,
  })
  const { networkId } = devnet
  const genesisDigest = toHex(devnet.genesisDigest)
  const known = { name: 'host', dir: folder, networkId, genesisDigest, heartbeatMs: HEARTBEAT_MS }
  const state: DevnetState = { version: 1, ...known, basePort: PORTS.p2p, nodes: [] }
  const nodes: DevnetNode[] = []
  const doors: Doors[] = []
  for (const { index, name, home, peerId } of devnet.nodes) {
    await writeFile(homePaths(home).configFile, configOf(devnet, network, index))
    const door = await openDoors(network, index, [PORTS.http, PORTS.metrics], folder)
    const [api = '', metrics = ''] = door.urls
    const node = { index, name, home, peerId, api, metrics, pid: null }
    doors.push(door)
    state.nodes.push({ ...node, startedAt: null })
    nodes.push({ ...node, client: createClient(api, { timeoutMs: ASK_MS }) })
  }
  const hospitals = new Hospitals({ state, nodes, network, doors })
  try {
    await Promise.all(hospitals.indices.map((index) => hospitals.start(index)))
    await eventually('all hospitals are linked and make blocks', READY_MS, async () => {
      const told = await Promise.all(hospitals.indices.map((index) => hospitals.statusOf(index)))
      return told.every((status) => isReady(status, count)) ? true : undefined
    })
    return hospitals
  } catch (error) {
    await hospitals.close()
    throw error
  }
}

function isReady({ peers, chain }: Status, count: number): boolean {
  return peers.connected === count - 1 && chain.height > 0
}

function configOf(devnet: Devnet, network: Namespaces, own: number): string {
  const addressOf = (index: number) => `/ip4/${network.addressOf(index)}/tcp/${PORTS.p2p}`
  const others = devnet.nodes.filter(({ index }) => index !== own)
  return formatConfigFile({
    'node.name': devnet.nodes[own]?.name ?? assert.fail(`no node ${own}`),
    'node.role': 'authority',
    'node.profile': 'devnet',
    'network.id': devnet.networkId,
    'p2p.listen': [addressOf(own)],
    'p2p.peers': others.map(({ index, peerId }) => `${addressOf(index)}/p2p/${peerId}`),
    'http.listen': `127.0.0.1:${PORTS.http}`,
    'metrics.listen': `127.0.0.1:${PORTS.metrics}`,
  })
}

export function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

export function describeRecovery({ firstMs, allMs }: Recovery): string {
  return `first new block after ${inSeconds(firstMs)}, at all hospitals after ${inSeconds(allMs)}`
}
