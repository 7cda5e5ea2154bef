// A network of our own, inside the kernel: one namespace for each node, with its own address, and a bridge
// in one more namespace. Nothing of it is seen by the rest of the computer, and it needs no firewall.
//
// A cut is silent and has a direction: packets from one node to another are sent to a hardware address
// that nobody has, so they leave and never arrive, as on a broken path. Unplugging takes the cable away.
//
// Whatever this process dies of, a reaper (a shell that waits for its stdin to end) ends what runs in the
// namespaces and removes them.

import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { eventually } from '../e2e/eventually.ts'

const REAP = `
cat >&2; folder=$1; shift
for name in "$@"; do
  for pid in $(ip netns pids "$name"); do kill -9 "$pid"; done
  ip netns delete "$name"
done
rm -rf "$folder"`

const ENDED_MS = 10_000
const NOBODY = '02:00:00:00:ff:ff'

// The programs of a system administrator are not on everybody's path.
export const SYSTEM_PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`

const run = promisify(execFile)

async function ip(...words: string[]): Promise<string> {
  const { stdout } = await run('ip', words, { env: { PATH: SYSTEM_PATH } })
  return stdout
}

// Why this computer cannot make such a network, or null.
export async function whyNoNamespaces(): Promise<string | null> {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'making network namespaces needs root'
  const probe = `moor${process.pid}-probe`
  try {
    await ip('netns', 'add', probe)
    await ip('-n', probe, 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth1')
    await ip('-n', probe, 'link', 'add', 'bridge0', 'type', 'bridge')
    return null
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error))
      .split('\n')
      .slice(-2)
    return `no network namespaces here: ${line}`
  } finally {
    await ip('netns', 'delete', probe).catch(() => undefined)
  }
}

// For the top of a test file: ends it, with the reason, where it cannot run.
export async function skipWithoutNamespaces(): Promise<void> {
  const reason = await whyNoNamespaces()
  if (reason === null) return
  process.stdout.write(`skip: ${reason}\n`)
  process.exit(77)
}

export type Namespaces = {
  addressOf: (index: number) => string
  // The words that put a command into a node's namespace.
  inside: (index: number) => [command: string, args: string[]]
  // Packets from one node to another no longer arrive; the way back is another cut.
  cut: (from: number, to: number) => Promise<void>
  unplug: (index: number) => Promise<void>
  // All cuts and cables.
  heal: () => Promise<void>
  // Fails when processes are left in them.
  remove: () => Promise<void>
}

const addressOf = (index: number) => `10.77.0.${index + 1}`
const hardwareOf = (index: number) => `02:00:00:00:00:${(index + 1).toString(16).padStart(2, '0')}`

// The folder is removed with them when this process dies.
export async function createNamespaces(count: number, folder: string): Promise<Namespaces> {
  const hub = `moor${process.pid}-hub`
  const names = Array.from({ length: count }, (_, index) => `moor${process.pid}-${index}`)
  const nameAt = (index: number): string => names[index] ?? assert.fail(`no namespace ${index}`)
  const reaper = startReaper(folder, [...names, hub])
  const aim = (from: number, to: number, hardware: string) =>
    ip('-n', nameAt(from), 'neigh', 'replace', addressOf(to), 'lladdr', hardware, 'dev', 'eth0')
  const cuts = new Map<string, [from: number, to: number]>()
  const unplugged = new Set<number>()

  await ip('netns', 'add', hub)
  await ip('-n', hub, 'link', 'add', 'bridge0', 'type', 'bridge')
  await ip('-n', hub, 'link', 'set', 'bridge0', 'up')
  for (const [index, name] of names.entries()) await plugIn(hub, name, index)
  for (const [from] of names.entries()) {
    for (const [to] of names.entries()) if (to !== from) await aim(from, to, hardwareOf(to))
  }
  return {
    addressOf,
    inside: (index) => ['ip', ['netns', 'exec', nameAt(index)]],
    async cut(from, to) {
      cuts.set(`${from} ${to}`, [from, to])
      await aim(from, to, NOBODY)
    },
    async unplug(index) {
      unplugged.add(index)
      await ip('-n', hub, 'link', 'set', `port${index}`, 'down')
    },
    async heal() {
      for (const index of unplugged) await ip('-n', hub, 'link', 'set', `port${index}`, 'up')
      unplugged.clear()
      await Promise.all([...cuts.values()].map(([from, to]) => aim(from, to, hardwareOf(to))))
      cuts.clear()
    },
    remove: () => remove([...names, hub], reaper),
  }
}

async function plugIn(hub: string, name: string, index: number): Promise<void> {
  const port = `port${index}`
  await ip('netns', 'add', name)
  const ends = ['link', 'add', 'eth0', 'address', hardwareOf(index), 'netns', name]
  await ip(...ends, 'type', 'veth', 'peer', 'name', port, 'netns', hub)
  await ip('-n', hub, 'link', 'set', port, 'master', 'bridge0', 'up')
  await ip('-n', name, 'address', 'add', `${addressOf(index)}/24`, 'dev', 'eth0')
  await ip('-n', name, 'link', 'set', 'lo', 'up')
  await ip('-n', name, 'link', 'set', 'eth0', 'up')
}

function startReaper(folder: string, names: readonly string[]): ChildProcess {
  const reaper = spawn('/bin/sh', ['-c', REAP, 'reaper', folder, ...names], {
    detached: true,
    env: { PATH: SYSTEM_PATH },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  reaper.unref()
  return reaper
}

async function remove(names: readonly string[], reaper: ChildProcess): Promise<void> {
  try {
    // A killed process is in its namespace until the kernel has taken all of it apart.
    await eventually('nothing runs in the namespaces', ENDED_MS, async () => {
      const pids = await Promise.all(names.map((name) => ip('netns', 'pids', name)))
      return pids.every((text) => text.trim() === '') ? true : undefined
    })
  } finally {
    reaper.ref()
    const gone = once(reaper, 'exit')
    reaper.stdin?.end()
    await gone
  }
}
