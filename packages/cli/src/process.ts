// The real world handed to `runCli`, and its exit code handed back; `startNode` is what `start` runs.

import { failureOf, formatFailure } from '@mooring/node'
import type { Context } from './context.ts'
import { runCli } from './run.ts'
import { secretPrompt } from './secret-prompt.ts'
import type { StartNode } from './start-node.ts'

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
    startNode,
  }
}

// A bug outside every command: nothing can be trusted after it, so the process ends at once.
function crash(error: unknown): void {
  process.stderr.write(formatFailure(failureOf(error), 2))
  process.exit(1)
}

export async function runProcess(startNode: StartNode, words: readonly string[]): Promise<void> {
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  // A reader such as `head` that has seen enough is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    crash(error)
  })
  const exitCode = await runCli(words, createContext(startNode))
  process.stdout.write('', () => process.exit(exitCode))
}
