/*
 * Runs one command in a process group of its own until it ends or its time is over, and leaves nothing
 * of it behind: what it started is killed with it, and a process that left the group but still holds the
 * pipes is not waited for.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'

export type Ended = {
  code: number | null
  signal: string | null
  timedOut: boolean
  stdout: string
  /** stdout and stderr as they came, with colours. */
  output: string
}

const OUTPUT_MAX = 4_000_000
const PIPE_GRACE_MS = 500

const running = new Set<ChildProcess>()

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL')
  } catch (error) {
    // Nothing left to end; macOS says EPERM where others say ESRCH.
    if (!(error instanceof Error && /ESRCH|EPERM/.test(error.message))) throw error
  }
}

export function runProcess(command: string, args: string[], timeoutMs: number): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    })
    running.add(child)
    const ended = { timedOut: false, stdout: '', output: '' }
    const read = (into: 'stdout' | 'output') => (chunk: string) => {
      ended[into] = (ended[into] + chunk).slice(-OUTPUT_MAX)
    }
    const timer = setTimeout(() => {
      ended.timedOut = true
      killGroup(child)
    }, timeoutMs)
    child.stdout.setEncoding('utf8').on('data', read('stdout')).on('data', read('output'))
    child.stderr.setEncoding('utf8').on('data', read('output'))
    child.on('error', (error) => read('output')(error.message))
    child.on('exit', () => {
      clearTimeout(timer)
      killGroup(child)
      setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }, PIPE_GRACE_MS).unref()
    })
    child.on('close', (code, signal) => {
      running.delete(child)
      ended.stdout = stripVTControlCharacters(ended.stdout)
      resolve({ ...ended, code, signal })
    })
  })
}

/** The groups do not hear Ctrl-C: whoever runs commands must pass it on. */
export function killAllOnSignal(): void {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      for (const child of running) killGroup(child)
      process.exit(code)
    })
  }
}
