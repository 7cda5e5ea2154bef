// What processes have used, as the kernel counts it; and what folders hold.

import type { ChildProcess } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface ProcessUsage {
  readonly cpuSeconds: number
  readonly peakRssMiB: number
}

/** CPU seconds of all together, and the largest resident set that one of them had. */
export async function usageOf(children: readonly ChildProcess[]): Promise<ProcessUsage> {
  const each = await Promise.all(children.map(usageOfOne))
  return {
    cpuSeconds: each.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakRssMiB: Math.max(...each.map(({ peakRssMiB }) => peakRssMiB)),
  }
}

async function usageOfOne({ pid }: ChildProcess): Promise<ProcessUsage> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const peak = /VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? '0'
  return { cpuSeconds: ticksOf(text) / 100, peakRssMiB: Number(peak) / 1024 }
}

function ticksOf(line: string): number {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** What a thread is there for: the event loop, the pool that waits for the disk, or V8's compiler and collector. */
export type ThreadKind = 'event loop' | 'disk and pool' | 'V8'

/** CPU seconds of all together, by what their threads are there for. */
export async function threadsOf(
  children: readonly ChildProcess[],
): Promise<Record<ThreadKind, number>> {
  const seconds = { 'event loop': 0, 'disk and pool': 0, V8: 0 }
  for (const { pid } of children) {
    for (const thread of await readdir(`/proc/${pid}/task`)) {
      const text = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => null)
      if (text === null) continue
      const isPool = text.slice(text.indexOf('(') + 1).startsWith('libuv')
      const kind = thread === String(pid) ? 'event loop' : isPool ? 'disk and pool' : 'V8'
      seconds[kind] += ticksOf(text) / 100
    }
  }
  return seconds
}

export interface ProcessMemory {
  readonly rssMiB: number
  /** Of pages that several processes share, the share of this one. */
  readonly pssMiB: number
}

export async function memoryOf({ pid }: ChildProcess): Promise<ProcessMemory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const mebibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) / 1024
  return { rssMiB: mebibytes('Rss'), pssMiB: mebibytes('Pss') }
}

/** Files that go while they are counted are not counted. */
export async function folderBytes(folders: readonly string[]): Promise<number> {
  let bytes = 0
  for (const folder of folders) {
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue
      const found = await stat(join(entry.parentPath, entry.name)).catch(() => null)
      bytes += found?.size ?? 0
    }
  }
  return bytes
}

/** All that went over the loopback since the computer started, in one direction. */
export async function loopbackBytes(): Promise<number> {
  const line = /^\s*lo:(.*)$/m.exec(await readFile('/proc/net/dev', 'utf8'))?.[1] ?? ''
  return Number(line.trim().split(/\s+/)[0])
}
