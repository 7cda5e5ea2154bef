// Programs of the system, run to their end. The words of a failure are what the program said.

import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export type Ended = { code: number | null; stdout: string; stderr: string }

export type CommandOptions = {
  stdin?: string
  timeoutMs?: number
  cwd?: string
  // Beside what there is.
  env?: Readonly<Record<string, string>>
}

const COMMAND_MS = 60_000
const PATH = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Where a program is, also one that only administrators have on their path. */
export function whereIs(name: string): string | undefined {
  const folders = ['/usr/bin', ...PATH.split(delimiter)]
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

export function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Ended> {
  const { stdin = '', timeoutMs = COMMAND_MS, cwd, env } = options
  const child = spawn(program, args, { cwd, env: { ...process.env, PATH, ...env } })
  const heard = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (heard.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (heard.stderr += text))
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(
        new Error(`${program} ${args.join(' ')}: no end after ${timeoutMs} ms\n${heard.stderr}`),
      )
    }, timeoutMs)
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, ...heard })
    })
  })
}

/** The same, for what must end well; gives what it printed. */
export async function must(
  program: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options)
  if (code === 0) return stdout
  const line = [program, ...args].join(' ').slice(0, 300)
  throw new Error(`${line}: exit code ${code}\n${stdout.slice(-2_000)}${stderr.slice(-4_000)}`)
}
