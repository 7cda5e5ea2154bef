// What is known of a devnet between two commands: one file beside its homes, with the process of every
// node. A pid alone proves nothing, for the system gives it to others later: a node runs when the
// process with its pid was started for its home.

import { execFile } from 'node:child_process'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { NodeError } from '@mooring/node/node-error'
import type { Behaviour } from '@mooring/node'
import type { Context } from '../context.ts'

export type DevnetNodeState = {
  index: number
  name: string
  home: string
  peerId: string
  api: string
  metrics: string
  pid: number | null
  startedAt: string | null
  // Came after genesis.
  isNewcomer?: boolean
  // Its home is made, and the others have not admitted it yet.
  isPending?: boolean
  // Its process is stopped where it stands, until it is resumed.
  isPaused?: boolean
  // It misbehaves on purpose.
  behaviour?: Behaviour
  // Of the network no more; its home stays, for its votes and its copy of the chain.
  isRemoved?: boolean
}

export type DevnetState = {
  version: 1
  name: string
  dir: string
  networkId: string
  genesisDigest: string
  basePort: number
  heartbeatMs: number
  nodes: DevnetNodeState[]
  // Names of those that have ever misbehaved on purpose: evidence against others is a fault.
  misbehaved?: string[]
  // The process that slows paths down.
  slowing?: { pid: number; nodes: string[]; delayMs: number }
}

/** Those that belong to the network. */
export function activeNodes({ nodes }: DevnetState): DevnetNodeState[] {
  return nodes.filter(({ isPending, isRemoved }) => isPending !== true && isRemoved !== true)
}

export type DevnetChoice = { name: string; dir?: string }

export function devnetFolder({ cwd }: Pick<Context, 'cwd'>, choice: DevnetChoice): string {
  return resolve(cwd, choice.dir ?? join('.devnet', choice.name))
}

const stateFile = (dir: string) => join(dir, 'devnet.json')

export async function readDevnetState(dir: string): Promise<DevnetState | null> {
  try {
    const state: DevnetState = JSON.parse(await readFile(stateFile(dir), 'utf8'))
    return state.version === 1 ? state : null
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

export async function requireDevnet(context: Context, choice: DevnetChoice): Promise<DevnetState> {
  const dir = devnetFolder(context, choice)
  const state = await readDevnetState(dir)
  if (state === null) throw new NodeError('devnet_missing', { name: choice.name, dir })
  return state
}

export async function writeDevnetState(state: DevnetState): Promise<void> {
  await mkdir(state.dir, { recursive: true, mode: 0o700 })
  const path = stateFile(state.dir)
  await writeFile(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

async function commandLine(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8')
  } catch (error) {
    const isLinux = process.platform === 'linux'
    if (isLinux || !(error instanceof Error)) return ''
  }
  const ps = promisify(execFile)('ps', ['-p', String(pid), '-o', 'command='])
  return ps.then(
    ({ stdout }) => stdout,
    () => '',
  )
}

export async function isRunning(node: { pid: number | null; home: string }): Promise<boolean> {
  return node.pid !== null && hasProcess(node.pid, `--home ${node.home} `)
}

/** Whether the process of that number was started with these words on its line. */
export async function hasProcess(pid: number, words: string): Promise<boolean> {
  const line = await commandLine(pid)
  return line.replaceAll('\0', ' ').includes(words)
}

export function nodeOf(state: DevnetState, index: number): DevnetNodeState {
  const node = state.nodes[index]
  if (node !== undefined) return node
  throw new NodeError('devnet_unknown_node', {
    name: state.name,
    last: state.nodes.length - 1,
    node: index,
  })
}

/** One that belongs to the network. */
export function memberOf(state: DevnetState, index: number): DevnetNodeState {
  const node = nodeOf(state, index)
  if (activeNodes(state).includes(node)) return node
  throw new NodeError('member_unknown', { organisation: node.name })
}

const acknowledgedFile = (dir: string) => join(dir, 'acknowledged.ndjson')

export type Acknowledgement = { id: string; node: string; at: string }

// What a client was promised, kept where no node can forget it.
export async function appendAcknowledged(dir: string, lines: Acknowledgement[]): Promise<void> {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  await writeFile(acknowledgedFile(dir), text, { flag: 'a', mode: 0o600 })
}

export async function readAcknowledged(dir: string): Promise<Acknowledgement[]> {
  try {
    const text = await readFile(acknowledgedFile(dir), 'utf8')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Acknowledgement => JSON.parse(line))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
