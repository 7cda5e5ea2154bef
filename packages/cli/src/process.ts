// The real world handed to `runCli`, and its exit code handed back; `startNode` is what `start` runs.

import { writeCrashReport } from '@mooring/node/crash-report'
import { failureOf, formatFailure } from '@mooring/node/error-text'
import type { Context } from './context.ts'
import { runCli } from './run.ts'
import { secretPrompt } from './secret-prompt.ts'
import type { StartNode } from './start-node.ts'

const PATIENCE_MS = 2_500

const crash: NonNullable<Context['crash']> = { place: null }

function createContext(startNode: StartNode): Context {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    now: () => new Date(),
    askSecret: secretPrompt({ input: process.stdin, output: process.stderr }),
    onInterrupt: (listener) => {
      process.on('SIGINT', listener)
      process.on('SIGTERM', listener)
      return () => {
        process.off('SIGINT', listener)
        process.off('SIGTERM', listener)
      }
    },
    onReload: (listener) => {
      process.on('SIGHUP', listener)
      return () => {
        process.off('SIGHUP', listener)
      }
    },
    onBundle: (listener) => {
      process.on('SIGUSR2', listener)
      return () => process.off('SIGUSR2', listener)
    },
    crash,
    patienceMs: PATIENCE_MS,
    startNode,
  }
}

// A bug outside every command: nothing can be trusted after it, so the process ends at once.
function end(error: unknown): void {
  process.stderr.write(formatFailure(failureOf(error), 2))
  const place = crash.place?.()
  const path = place && writeCrashReport(error, { ...place, now: new Date() })
  if (path !== undefined) process.stderr.write(`crash report: ${path}\n`)
  process.exit(1)
}

export async function runProcess(startNode: StartNode, words: readonly string[]): Promise<void> {
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
  // A reader such as `head` that has seen enough is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    end(error)
  })
  const exitCode = await runCli(words, createContext(startNode))
  process.stdout.write('', () => process.exit(exitCode))
}
