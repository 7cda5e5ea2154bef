// What a command is given instead of globals, so that a test can run any of them in one process: where
// to write, the environment, the folder, the clock. `main.ts` makes the real one.

import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ScryptCost } from '@mooring/crypto'
import type { StartNode } from './start-node.ts'

export type Sink = {
  write(chunk: string | Uint8Array): unknown
  isTTY?: boolean
  columns?: number
  // Of a stream that makes its writer wait.
  once?: (event: 'drain', listener: () => void) => unknown
}

export type Environment = Readonly<Record<string, string | undefined>>

export type Context = {
  stdout: Sink
  stderr: Sink
  stdin: AsyncIterable<Uint8Array>
  env: Environment
  cwd: string
  now: () => Date
  // Asks without echo; only where a person sits at a terminal.
  askSecret?: ((question: string) => Promise<string>) | undefined
  // What each guess at the passphrase of a new wallet costs; usually what `crypto` says.
  passphraseCost?: ScryptCost
  // Calls the listener at every request to stop; gives the function that ends this.
  onInterrupt: (listener: (signal: 'SIGINT' | 'SIGTERM') => void) => () => void
  // Calls the listener at every request to read the configuration again.
  onReload?: (listener: () => void) => () => void
  // Calls the listener when somebody asks the process for a bundle; gives the function that ends this.
  onBundle?: (listener: () => void) => () => void
  // Where a crash leaves its report: set while a node runs, read when nothing else can be trusted.
  crash?: { place: (() => { home: string; recent: readonly string[] }) | null }
  // After so long without a word a command says what it waits for; undefined: never.
  patienceMs?: number
  waitsFor?: (what: string) => void
  startNode: StartNode
}

// What every command understands, wherever on the line it is written.
export type GlobalOptions = {
  home?: string
  config?: string
  endpoint?: string
  context?: string
  tokenFile?: string
  cacert?: string
  cert?: string
  certKey?: string
  logLevel?: string
  logFormat?: string
  json?: boolean
  // Of commands that may be watched.
  watch?: boolean
  color?: boolean
  quiet?: boolean
  verbose?: number
}

export function homeOf(context: Context, options: GlobalOptions): string {
  const chosen = options.home ?? context.env['MOORING_HOME']
  return resolve(context.cwd, chosen ?? join(context.env['HOME'] ?? homedir(), '.mooring'))
}

export function configOf(context: Context, options: GlobalOptions): string | undefined {
  const chosen = options.config ?? context.env['MOORING_CONFIG']
  return chosen === undefined ? undefined : resolve(context.cwd, chosen)
}

export function hasColour(
  { env, stdout }: Pick<Context, 'env' | 'stdout'>,
  options: GlobalOptions,
): boolean {
  if (options.color === false || options.json === true) return false
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  return stdout.isTTY === true && env['TERM'] !== 'dumb'
}

export function widthOf(sink: Sink, env: Environment): number {
  const asked = Number(env['COLUMNS'])
  return Number.isSafeInteger(asked) && asked >= 40 ? asked : (sink.columns ?? 80)
}

// Says what a command waits for once it has waited two seconds: nothing hangs silently.
export async function waitingFor<T>(
  say: (text: string) => void,
  what: string,
  work: Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => say(`waiting for ${what} …`), 2_000)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}
