// Four real nodes in a temporary folder, made and started by the command that people use. Commands run
// in that folder, so they find the devnet as they would in anybody's.
//
// A test file starts one at its top and stops it in its last test; see leftovers.ts for when it cannot.

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { appendFile, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@mooring/api/client'
import { type Genesis, parseGenesisJson } from '@mooring/ledger'
import { type CommandOptions, type Ended, runMooring } from './command.ts'
import { processesOf, startReaper } from './leftovers.ts'

export type DevnetNode = {
  index: number
  name: string
  home: string
  peerId: string
  api: string
  metrics: string
  pid: number | null
  client: Client
}

export type Devnet = {
  folder: string
  dir: string
  genesisDigest: string
  genesisFile: string
  genesis: Genesis
  readySeconds: number
  nodes: DevnetNode[]
  run: (line: string | readonly string[], options?: CommandOptions) => Promise<Ended>
  // The same, for commands that must end well.
  succeed: (line: string | readonly string[], options?: CommandOptions) => Promise<Ended>
  // Stops it; fails when anything is left.
  close: () => Promise<void>
}

export type Board = {
  dir: string
  genesisDigest: string
  nodes: (Omit<DevnetNode, 'client'> & { running: boolean; height: number | null })[]
}

export type Workplace = { folder: string; close: () => Promise<void> }

const ASK_MS = 60_000

// A temporary folder that goes, with the devnet in it, also when this process dies.
export async function createWorkplace(): Promise<Workplace> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'mooring-e2e-')))
  const reaper = startReaper(folder)
  return { folder, close: () => clear(folder, reaper) }
}

async function clear(folder: string, reaper: ChildProcess): Promise<void> {
  if (existsSync(join(folder, '.devnet'))) await runMooring('devnet down', folder)
  const left = await processesOf(folder)
  for (const line of left) process.kill(Number.parseInt(line, 10), 'SIGKILL')
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  reaper.ref()
  const gone = once(reaper, 'exit')
  reaper.kill()
  await gone
  assert.deepEqual(left, [], 'processes are left')
}

export async function succeed(
  line: string | readonly string[],
  folder: string,
  options?: CommandOptions,
): Promise<Ended> {
  const ended = await runMooring(line, folder, options)
  assert.equal(ended.code, 0, `mooring ${String(line)}\n${ended.stdout}${ended.stderr}`)
  return ended
}

export async function startDevnet(flags = ''): Promise<Devnet> {
  const { folder, close } = await createWorkplace()
  try {
    const started = performance.now()
    const line = `devnet up --base-port 0 --detach --json --timeout 100s ${flags}`.trimEnd()
    const { stdout } = await succeed(line, folder)
    const readySeconds = (performance.now() - started) / 1_000
    const board: Board = JSON.parse(stdout)
    const [first] = board.nodes
    assert.ok(first !== undefined)
    const genesisFile = join(first.home, 'config', 'genesis.json')
    return {
      folder,
      dir: board.dir,
      genesisDigest: board.genesisDigest,
      genesisFile,
      genesis: parseGenesisJson(await readFile(genesisFile, 'utf8')),
      readySeconds,
      nodes: board.nodes.map(withClient),
      run: (command, options) => runMooring(command, folder, options),
      succeed: (command, options) => succeed(command, folder, options),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function withClient(node: Board['nodes'][number]): DevnetNode {
  return { ...node, client: createClient(node.api, { timeoutMs: ASK_MS }) }
}

// As `record submit` does it: what a node has promised is written where `devnet check` looks for it.
export async function acknowledge(
  devnet: Pick<Devnet, 'dir'>,
  node: DevnetNode,
  records: readonly { id: string }[],
): Promise<void> {
  const at = new Date().toISOString()
  const lines = records.map(({ id }) => `${JSON.stringify({ id, node: node.name, at })}\n`)
  await appendFile(join(devnet.dir, 'acknowledged.ndjson'), lines.join(''))
}

export function nodeAt(devnet: Devnet, index: number): DevnetNode {
  const node = devnet.nodes[index]
  assert.ok(node !== undefined, `the devnet has no node ${index}`)
  return node
}
