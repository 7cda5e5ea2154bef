// The folder of a devnet: made whole or not at all, used again as it is, moved to other ports when its
// own are taken.

import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { toHex } from '@mooring/codec'
import {
  createDevnet,
  findPortBlock,
  portsOf,
  readDevnet,
  writeDevnetConfigs,
  type Devnet,
  type DevnetNode,
} from '@mooring/node/devnet'
import { NodeError } from '@mooring/node/node-error'
import { formatDuration } from '@mooring/node/option-values'
import {
  activeNodes,
  type DevnetNodeState,
  type DevnetState,
  isRunning,
  readDevnetState,
  writeDevnetState,
} from './state.ts'

export type MakeOptions = {
  dir: string
  name: string
  // Undefined: as the existing devnet has it, or the default.
  nodes: number | undefined
  heartbeatMs: number | undefined
  basePort: number
  isReset: boolean
  // Only when it is made now.
  hasSigners?: boolean
  say: (text: string) => void
}

const NODES = 4
const HEARTBEAT_MS = 1_000

function stateOf(devnet: Devnet, basePort: number): DevnetState {
  const { name, dir, networkId, genesisDigest, parameters, nodes } = devnet
  return {
    version: 1,
    name,
    dir,
    networkId,
    genesisDigest: toHex(genesisDigest),
    basePort,
    heartbeatMs: parameters.heartbeatMs,
    nodes: nodes.map(nodeStateOf),
  }
}

export function nodeStateOf({ index, name, home, peerId, ports }: DevnetNode): DevnetNodeState {
  return {
    index,
    name,
    home,
    peerId,
    api: `http://127.0.0.1:${ports.http}`,
    metrics: `http://127.0.0.1:${ports.metrics}`,
    pid: null,
    startedAt: null,
  }
}

// As `node` knows it: with the ports that each node has now, and without those that left.
export async function devnetOf(state: DevnetState): Promise<Devnet> {
  const devnet = await readDevnet(state.dir, state.name, state.nodes.length, state.basePort)
  const nodes = activeNodes(state).flatMap(({ index, api }) => {
    const node = devnet.nodes[index]
    const firstPort = Number(new URL(api).port) - 1
    return node === undefined ? [] : [{ ...node, ports: portsOf(firstPort, 0) }]
  })
  return { ...devnet, nodes }
}

async function freeBlock(basePort: number, nodes: number, say: MakeOptions['say']) {
  const block = await findPortBlock(basePort, nodes)
  for (const { basePort: first, taken } of block.skipped) {
    say(`ports ${taken.join(', ')} of the block at ${first} are taken: trying the next block`)
  }
  return block.basePort
}

async function isUsed(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length > 0
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

async function create(options: MakeOptions): Promise<DevnetState> {
  const { dir, name, nodes = NODES, heartbeatMs = HEARTBEAT_MS, hasSigners = false, say } = options
  if (await isUsed(dir)) throw new NodeError('file_exists', { path: dir })
  const basePort = await freeBlock(options.basePort, nodes, say)
  const draft = join(dirname(dir), `.${basename(dir)}.new-${process.pid}`)
  await mkdir(dirname(dir), { recursive: true })
  try {
    await createDevnet({ dir: draft, name, nodes, heartbeatMs, basePort, hasSigners })
    await rm(dir, { recursive: true, force: true })
    await rename(draft, dir)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  const state = stateOf(await readDevnet(dir, name, nodes, basePort), basePort)
  await writeDevnetState(state)
  return state
}

const describe = (count: number, ms: number) => `${count} nodes, heartbeat ${formatDuration(ms)}`

function checkSame(state: DevnetState, options: MakeOptions): void {
  const { nodes, heartbeatMs, name } = options
  const founders = state.nodes.filter(({ isNewcomer }) => isNewcomer !== true).length
  const isSame =
    (nodes === undefined || nodes === founders) &&
    (heartbeatMs === undefined || heartbeatMs === state.heartbeatMs)
  if (isSame) return
  throw new NodeError('devnet_differs', {
    name,
    existing: describe(founders, state.heartbeatMs),
    asked: describe(nodes ?? founders, heartbeatMs ?? state.heartbeatMs),
  })
}

export async function runningNodes(state: DevnetState): Promise<DevnetState['nodes']> {
  const running: DevnetState['nodes'] = []
  for (const node of state.nodes) {
    if (await isRunning(node)) running.push(node)
  }
  return running
}

async function moveFromTakenPorts(state: DevnetState, say: MakeOptions['say']) {
  const basePort = await freeBlock(state.basePort, state.nodes.length, say)
  if (basePort === state.basePort) return state
  const devnet = await readDevnet(state.dir, state.name, state.nodes.length, basePort)
  await writeDevnetConfigs(devnet)
  const moved = stateOf(devnet, basePort)
  for (const { index, isNewcomer, isPending, isRemoved } of state.nodes) {
    const node = moved.nodes[index]
    if (node === undefined) continue
    if (isNewcomer === true) node.isNewcomer = true
    if (isPending === true) node.isPending = true
    if (isRemoved === true) node.isRemoved = true
  }
  await writeDevnetState(moved)
  return moved
}

export async function makeDevnet(options: MakeOptions): Promise<DevnetState> {
  const { dir, isReset, name, say } = options
  const state = await readDevnetState(dir)
  if (state === null) return create(options)
  const running = await runningNodes(state)
  if (isReset) {
    if (running.length > 0) {
      throw new NodeError('devnet_busy', { name, pids: running.map(({ pid }) => pid).join(', ') })
    }
    await rm(dir, { recursive: true })
    return create(options)
  }
  checkSame(state, options)
  return running.length > 0 ? state : moveFromTakenPorts(state, say)
}
