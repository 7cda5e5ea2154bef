/*
 * CometBFT with its built-in key-value store, as the peer that we are measured against: validators on the
 * loopback, told what its documentation says makes it fast. It is found on the PATH or given by path; nothing of
 * it is here.
 *
 * The store is in the validator's process and in its memory, checks no signature, and indexes nothing, so
 * that what is measured is agreement. What is set beyond the defaults is in SETTINGS, and is printed.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findPortBlock, portsOf } from '@mooring/node'
import { folderBytes, usageOf } from '../processes.ts'
import type { Contact, Engine, Goal, RunningEngine } from './engine.ts'

/** By section and key of its config.toml, in its own notation. */
export type Settings = Readonly<Record<string, string>>

const SHARED: Settings = {
  log_level: '"error"',
  'rpc.max_request_batch_size': '1000',
  'rpc.max_body_bytes': '10000000',
  'p2p.addr_book_strict': 'false',
  'p2p.allow_duplicate_ip': 'true',
  'p2p.pex': 'false',
  'p2p.send_rate': '512000000',
  'p2p.recv_rate': '512000000',
  'mempool.recheck': 'false',
  'mempool.size': '200000',
  'mempool.cache_size': '400000',
  'consensus.timeout_commit': '"0s"',
  'consensus.skip_timeout_commit': 'true',
  'consensus.create_empty_blocks': 'false',
  'storage.discard_abci_responses': 'true',
  'tx_index.indexer': '"null"',
}

const FAST: Settings = {
  ...SHARED,
  'p2p.max_packet_msg_payload_size': '65536',
  'p2p.flush_throttle_timeout': '"10ms"',
  'consensus.peer_gossip_sleep_duration': '"10ms"',
}

export const SETTINGS: Readonly<Record<Goal, Settings>> = {
  throughput: FAST,
  alone: { ...FAST, 'mempool.broadcast': 'false' },
  latency: {
    ...SHARED,
    'p2p.flush_throttle_timeout': '"1ms"',
    'consensus.peer_gossip_sleep_duration': '"1ms"',
  },
}

export interface CometbftContact extends Contact {
  readonly engine: 'cometbft'
  readonly urls: readonly string[]
}

export interface CometbftOptions {
  readonly binary: string
  /** A build of it whose store checks an Ed25519 signature of each transaction once in every process. */
  readonly checking?: string | null
  /** `consensus.timeout_commit="10ms",...`: beside SETTINGS or instead of them. */
  readonly extra?: Settings
}

const APPLICATION = 'kvstore'
const READY_MS = 30_000

/** `cometbft`, or `cometbft-checking`: where it is, or null. */
export function findBinary(name: string, given: string): string | null {
  if (given !== '') return existsSync(given) ? given : null
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null
}

export function cometbft({ binary, checking = null, extra = {} }: CometbftOptions): Engine {
  return {
    name: 'cometbft',
    checking: checking === null ? null : cometbft({ binary: checking, extra }),
    async start({ authorities, goal }) {
      const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-peer-'))
      const { basePort } = await findPortBlock(0, authorities)
      const settings = { ...SETTINGS[goal], ...extra }
      await promisify(execFile)(binary, ['testnet', '--v', String(authorities), '--o', folder])
      const homes = Array.from({ length: authorities }, (_, index) => join(folder, `node${index}`))
      for (const [index, home] of homes.entries()) {
        await configure(join(home, 'config', 'config.toml'), { index, basePort, settings })
      }
      const children = homes.map((home) => spawnValidator(binary, home))
      const ports = homes.map((_, index) => portsOf(basePort, index))
      return running({ folder, children, ports, settings })
    },
  }
}

function spawnValidator(binary: string, home: string): ChildProcess {
  const log = openSync(`${home}.log`, 'a')
  const args = ['start', '--home', home, '--proxy_app', APPLICATION]
  return spawn(binary, args, { stdio: ['ignore', log, log] })
}

async function configure(
  file: string,
  { index, basePort, settings }: { index: number; basePort: number; settings: Settings },
): Promise<void> {
  const { p2p, http } = portsOf(basePort, index)
  const text = await readFile(file, 'utf8')
  const peers = text.replaceAll(
    /([0-9a-f]{40})@node(\d+):\d+/g,
    (_, id: string, at: string) => `${id}@127.0.0.1:${portsOf(basePort, Number(at)).p2p}`,
  )
  const configured = setAll(peers, {
    ...settings,
    'p2p.laddr': `"tcp://127.0.0.1:${p2p}"`,
    'rpc.laddr': `"tcp://127.0.0.1:${http}"`,
  })
  await writeFile(file, configured)
}

/** Every key must be there: a name that it does not know would be ignored by it. */
export function setAll(text: string, settings: Settings): string {
  const left = new Map(Object.entries(settings))
  let section = ''
  const lines = text.split('\n').map((line) => {
    section = /^\[(\w+)\]/.exec(line)?.[1] ?? section
    const key = /^([\w-]+) *=/.exec(line)?.[1]
    if (key === undefined) return line
    const name = section === '' ? key : `${section}.${key}`
    const value = left.get(name)
    left.delete(name)
    return value === undefined ? line : `${key} = ${value}`
  })
  if (left.size > 0) throw new RangeError(`no such settings: ${[...left.keys()].join(', ')}`)
  return lines.join('\n')
}

interface Parts {
  folder: string
  children: ChildProcess[]
  ports: ReturnType<typeof portsOf>[]
  settings: Settings
}

async function running({ folder, children, ports, settings }: Parts): Promise<RunningEngine> {
  const urls = ports.map(({ http }) => `http://127.0.0.1:${http}`)
  const stop = async (): Promise<void> => {
    const living = children.filter(({ exitCode }) => exitCode === null)
    const ends = living.map((child) => once(child, 'exit'))
    for (const child of children) child.kill('SIGTERM')
    await Promise.all(ends)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    for (const url of urls) await untilReady(url, urls.length)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    contact: { engine: 'cometbft', urls } satisfies CometbftContact,
    settings: `${APPLICATION} in the process; ${textOf(settings)}`,
    usage: async () => ({
      ...(await usageOf(children)),
      diskBytes: await folderBytes([folder]),
    }),
    stop,
  }
}

function textOf(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value.replaceAll('"', '')}`)
    .join(', ')
}

async function untilReady(url: string, authorities: number): Promise<void> {
  const until = performance.now() + READY_MS
  while (performance.now() < until) {
    try {
      const answer = await fetch(`${url}/net_info`)
      const { result }: { result: { n_peers: string } } = JSON.parse(await answer.text())
      if (Number(result.n_peers) === authorities - 1) return
    } catch {
      // Not listening yet; the deadline decides.
    }
    await pause(50)
  }
  throw new Error(`a validator was not ready after ${READY_MS / 1_000} s`)
}

/** `consensus.timeout_commit="10ms",mempool.size=5000` */
export function parseSettings(text: string): Settings {
  const pairs = text.split(',').filter((pair) => pair !== '')
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
