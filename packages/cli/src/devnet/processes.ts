// The processes of a devnet: each node is the real daemon, in a process group of its own, so that Ctrl-C
// in the terminal reaches the command that started them and not the nodes.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { signerHome } from '@mooring/node/devnet'
import type { Environment } from '../context.ts'
import { type DevnetNodeState, isRunning } from './state.ts'

const MAIN = fileURLToPath(new URL('../../bin/mooring.js', import.meta.url))
const WITH_SIGNER = fileURLToPath(new URL('with-signer.ts', import.meta.url))
const MISBEHAVE = fileURLToPath(new URL('misbehave.ts', import.meta.url))
// The young generation of the heap grows to 128 MiB while a large record passes through, and is as
// good with a fourth of that. A node that somebody starts has it from NODE_OPTIONS.
const HEAP = '--max-semi-space-size=16'
const POLL_MS = 50
const STOP_MS = 10_000

export type Ending = { code: number | null; signal: string | null }

// How a node ended that this process started; undefined while it runs.
export type Started = { pid: number; ending: () => Ending | undefined; child: ChildProcess }

export function logFile(node: DevnetNodeState): string {
  return join(node.home, 'logs', 'node.log')
}

// What belongs to the person's own node must not reach those of the devnet.
function childEnvironment(env: Environment): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !name.startsWith('MOORING_')) kept[name] = value
  }
  return kept
}

function programOf({ behaviour, home }: DevnetNodeState): string[] {
  if (behaviour !== undefined) return [MISBEHAVE, behaviour]
  const signer = signerHome(home)
  return existsSync(signer) ? [WITH_SIGNER, signer] : [MAIN]
}

export async function startProcess(node: DevnetNodeState, env: Environment): Promise<Started> {
  await mkdir(join(node.home, 'logs'), { recursive: true, mode: 0o700 })
  const program = programOf(node)
  const log = await open(logFile(node), 'a', 0o600)
  try {
    const child = spawn(
      process.execPath,
      [HEAP, ...program, '--home', node.home, 'start', '--log-format', 'pretty'],
      {
        cwd: node.home,
        detached: true,
        env: childEnvironment(env),
        stdio: ['ignore', log.fd, log.fd],
      },
    )
    let ending: Ending | undefined
    child.once('exit', (code, signal) => {
      ending = { code, signal }
    })
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject)
    })
    const spawned = new Promise<void>((resolve) => {
      child.once('spawn', () => resolve())
    })
    await Promise.race([spawned, failed])
    child.unref()
    if (child.pid === undefined) throw new TypeError('a spawned process has a pid')
    return { pid: child.pid, ending: () => ending, child }
  } finally {
    await log.close()
  }
}

export function sendSignal(node: DevnetNodeState, signal: NodeJS.Signals): void {
  if (node.pid === null) return
  try {
    process.kill(node.pid, signal)
  } catch (error) {
    // It ended between the look and the signal.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

async function waitUntilGone(node: DevnetNodeState, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (await isRunning(node)) {
    if (performance.now() >= deadline) return false
    await pause(POLL_MS)
  }
  return true
}

// Stops in order, and by force what does not stop; gives the nodes that needed force.
export async function stopProcesses(
  nodes: readonly DevnetNodeState[],
  force: Promise<unknown>,
): Promise<DevnetNodeState[]> {
  const running: DevnetNodeState[] = []
  for (const node of nodes) {
    if (await isRunning(node)) running.push(node)
  }
  // One that is paused hears the first signal once it goes on.
  for (const node of running) {
    sendSignal(node, 'SIGTERM')
    sendSignal(node, 'SIGCONT')
  }
  const forced = force.then(() => false)
  const results = await Promise.all(
    running.map(async (node) => {
      const isGone = await Promise.race([waitUntilGone(node, STOP_MS), forced])
      return { node, isGone }
    }),
  )
  const stubborn = results.filter(({ isGone }) => !isGone).map(({ node }) => node)
  for (const node of stubborn) await killProcess(node)
  return stubborn
}

export async function killProcess(node: DevnetNodeState): Promise<void> {
  if (!(await isRunning(node))) return
  sendSignal(node, 'SIGKILL')
  await waitUntilGone(node, STOP_MS)
}

export async function lastLogLines(node: DevnetNodeState, count: number): Promise<string[]> {
  try {
    const text = (await readFile(logFile(node), 'utf8')).trimEnd()
    return text === '' ? [] : text.split('\n').slice(-count)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

// The end of the log, from the headline of its last error on when there is one close to the end.
export async function lastWords(node: DevnetNodeState): Promise<string[]> {
  const lines = await lastLogLines(node, 12)
  const headline = lines.findLastIndex((line) => line.startsWith('error: '))
  return headline === -1 ? lines.slice(-5) : lines.slice(headline)
}

// What most likely went wrong, read from how a node ended and what it said last.
export function likelyCause(ending: Ending | undefined, lines: readonly string[]): string {
  const text = lines.join('\n')
  const causes: [pattern: RegExp, cause: string][] = [
    [
      /EADDRINUSE|address_in_use|MOR-1019|MOR-4022|MOR-2017/,
      'another program holds one of its ports',
    ],
    [/MOR-1010|LEVEL_LOCKED/, 'another process uses its home'],
    [/EACCES|EPERM|MOR-1008|MOR-1009|MOR-1012/, 'permissions of its home'],
    [/ENOSPC|MOR-1022/, 'the disk is full'],
    [/ERR_UNKNOWN_FILE_EXTENSION|MOR-1001/, 'the Node that ran it is too old'],
    [/MOR-103\d/, 'its vote journal: see the error above'],
    [/clock|time is ahead/i, 'the clock of this computer'],
    [/heap out of memory/, 'not enough memory'],
  ]
  const found = causes.find(([pattern]) => pattern.test(text))
  if (found !== undefined) return found[1]
  if (ending?.signal === 'SIGKILL') return 'somebody killed it, or the system was out of memory'
  if (ending === undefined) return 'this computer is busy: more time may be enough'
  return 'see its last lines above'
}
