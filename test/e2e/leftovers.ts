// Nothing may be left of a scenario: no process, no folder. Nodes of a devnet are in process groups of
// their own, so the end of a test, or its violent death, does not reach them. A reaper does: a shell
// that waits for its stdin to end, which happens when this process is gone, whatever it died of.

import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { execFile } from 'node:child_process'
import { commandEnvironment, MOORING } from './command.ts'

const REAP = 'cat >&2; "$1" "$2" devnet down --dir "$3/.devnet/default"; rm -rf "$3"'

export function startReaper(folder: string): ChildProcess {
  const args = ['-c', REAP, 'reaper', process.execPath, MOORING, folder]
  const reaper = spawn('/bin/sh', args, {
    detached: true,
    env: commandEnvironment(),
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  reaper.unref()
  return reaper
}

function linuxProcesses(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`
      } catch {
        // It ended between the list and the look.
        return []
      }
    })
}

// "pid command line" of everything that names the folder.
export async function processesOf(folder: string): Promise<string[]> {
  const all =
    process.platform === 'linux'
      ? linuxProcesses()
      : (await promisify(execFile)('ps', ['-A', '-o', 'pid=,args='])).stdout.split('\n')
  return all.filter((line) => line.includes(folder) && !line.includes(' reaper '))
}
