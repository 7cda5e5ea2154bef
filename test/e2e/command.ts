// `mooring` as a person types it: every command is a process of its own, and how it ended is a result.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { checkDocuments } from '../../packages/cli/test/json-documents.ts'

export const MOORING = fileURLToPath(new URL('../../packages/cli/bin/mooring.js', import.meta.url))

// On a computer that does much else at the same time.
const COMMAND_MS = 120_000

export type Ended = {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  bytes: Uint8Array
}

export type CommandOptions = {
  stdin?: string | Uint8Array
  timeoutMs?: number
  // Beside what there is.
  env?: Readonly<Record<string, string>>
}

// Nothing of the person's own set-up.
export function commandEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !name.startsWith('MOORING_')) kept[name] = value
  }
  return { ...kept, NO_COLOR: '1' }
}

export function spawnMooring(
  args: readonly string[],
  folder: string,
  more: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  const env = { ...commandEnvironment(), ...more }
  return spawn(process.execPath, [MOORING, ...args], { cwd: folder, env })
}

// In a folder, from its start to its end. Words of a line are parted at blanks.
export function runMooring(
  line: string | readonly string[],
  folder: string,
  options: CommandOptions = {},
): Promise<Ended> {
  const args = typeof line === 'string' ? line.split(' ') : line
  const child = spawnMooring(args, folder, options.env)
  // A command that refuses its input closes the pipe before it has all of it.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.stdin ?? '')
  return endOf(child, options.timeoutMs)
}

const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8')

export function endOf(
  child: ChildProcessWithoutNullStreams,
  timeoutMs = COMMAND_MS,
): Promise<Ended> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      const command = child.spawnargs.slice(2).join(' ')
      reject(new Error(`mooring ${command}: no end after ${timeoutMs} ms\n${text(stderr)}`))
    }, timeoutMs)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const bytes = new Uint8Array(Buffer.concat(stdout))
      try {
        checkDocuments(child.spawnargs.slice(2), text(stdout))
      } catch (error) {
        reject(error)
        return
      }
      resolve({ code, signal, bytes, stdout: text(stdout), stderr: text(stderr) })
    })
  })
}
