// A hospital more, and a hospital less: the whole way of a member, in one command each.

import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@mooring/api/client'
import type { Change } from '@mooring/ledger'
import { createNewcomer, findPortBlock, writeDevnetConfigs } from '@mooring/node/devnet'
import { loadNodeOptions } from '@mooring/node/load-options'
import { NodeError } from '@mooring/node/node-error'
import { formatDuration } from '@mooring/node/option-values'
import { type Command, Option } from 'commander'
import { countArgument, durationArgument, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { untilCaughtUp } from '../devnet/catch-up.ts'
import { devnetCommand, type DevnetOptions, lookAt, showBoard } from '../devnet/command.ts'
import { devnetOf, nodeStateOf } from '../devnet/make.ts'
import { type Assembly, isMember, passChange } from '../devnet/membership.ts'
import { quorumOf } from '../devnet/progress.ts'
import {
  activeNodes,
  type DevnetNodeState,
  isRunning,
  memberOf,
  writeDevnetState,
} from '../devnet/state.ts'
import { startNodes } from '../devnet/up.ts'
import { createOutput } from '../output.ts'
import { BEHIND_MAX } from '../propose.ts'
import { asking } from '../remote-error.ts'
import { snapshotSourceOf } from '../snapshot-source.ts'

type AddOptions = DevnetOptions & {
  role: 'observer' | 'authority'
  snapshot?: boolean
  timeout: number
}

const POLL_MS = 200
const ASK_MS = 10_000
// Who missed the block that removes it is refused by all, and stops after a minute of that.
const GONE_MS = 75_000

// The home comes first. One that was made by an interrupted command is used again, keys and all.
async function makeHome({ state, output }: Assembly) {
  const waiting = state.nodes.find(({ isPending }) => isPending === true)
  const index = waiting?.index ?? state.nodes.length
  const devnet = await devnetOf(state)
  const { basePort } = await findPortBlock(state.basePort + 10 * index, 1)
  const { node, admission } = await createNewcomer(devnet, { index, firstPort: basePort })
  await writeDevnetConfigs({ ...devnet, nodes: [...devnet.nodes, node] })
  const added: DevnetNodeState = { ...nodeStateOf(node), isNewcomer: true, isPending: true }
  state.nodes[index] = added
  await writeDevnetState(state)
  output.note(`made the home of ${added.name}: ${added.home}`)
  return { added, admission }
}

// The state of now instead of every block since genesis, which it is checked against.
async function fetchSnapshot({ state, output }: Assembly, added: DevnetNodeState): Promise<void> {
  const running = activeNodes(state).filter(({ name, pid }) => pid !== null && name !== added.name)
  const [first] = running
  if (first === undefined) return
  const endpoint = { url: first.api, origin: first.name }
  const taken = createClient(first.api, { timeoutMs: ASK_MS }).createSnapshot()
  const { height } = await asking(endpoint, ASK_MS, taken)
  const options = await loadNodeOptions({ home: added.home, flags: {}, env: {} })
  const sources = running.map(({ name, api }) => snapshotSourceOf(name, api, ASK_MS))
  const onBad = (name: string, reason: string) =>
    output.note(`${name} gave no good snapshot: ${reason}`)
  // Databases are for the one hospital that begins so.
  const { startHomeFrom } = await import('@mooring/node/offline')
  await startHomeFrom(options, sources, { height, onBad, onProgress: () => undefined })
  output.note(`${added.name} begins with the snapshot of block ${height}`)
}

async function start(
  { context, state, output }: Assembly,
  added: DevnetNodeState,
  timeoutMs: number,
): Promise<void> {
  const started = await startNodes(state, [added], context)
  await untilCaughtUp(state, [added], { started, step: 'follow the chain', timeoutMs })
  output.note(`${added.name} runs and has caught up  (pid ${added.pid})`)
}

// Promotion asks whether the others see it: a proposal through a node that does not is refused.
async function untilSeen(
  { state }: Assembly,
  added: DevnetNodeState,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  const { authorities } = await quorumOf(state)
  const voters = activeNodes(state).filter(
    ({ name, pid }) => pid !== null && authorities.includes(name),
  )
  for (const { api } of voters) {
    const client = createClient(api)
    for (;;) {
      const [{ items }, { chain }] = await Promise.all([client.members(), client.status()])
      const member = items.find(({ id }) => id === added.name)
      const behind = chain.height - (member?.height ?? 0)
      if (member?.connected === true && behind <= BEHIND_MAX) break
      if (performance.now() >= deadline) return
      await pause(POLL_MS)
    }
  }
}

async function untilVoting({ api }: DevnetNodeState, timeoutMs: number): Promise<void> {
  const client = createClient(api)
  const deadline = performance.now() + timeoutMs
  while ((await client.status()).node.role !== 'authority' && performance.now() < deadline) {
    await pause(POLL_MS)
  }
}

/** Who falls behind again between being seen and being proposed is waited for anew. */
async function promote(
  assembly: Assembly,
  added: DevnetNodeState,
  { about, timeout }: { about: { subject: string; reason: string }; timeout: number },
): Promise<void> {
  const deadline = performance.now() + timeout
  const body = { organisation: added.name, role: 'authority' } as const
  for (;;) {
    await untilSeen(assembly, added, timeout)
    try {
      await passChange(assembly, { kind: 'role', body }, about)
      return
    } catch (error) {
      const isBehind = error instanceof NodeError && error.code === 'change_unsafe'
      if (!isBehind || performance.now() >= deadline) throw error
      await pause(POLL_MS)
    }
  }
}

type Newcomer = Pick<AddOptions, 'role' | 'snapshot' | 'timeout'>

/** The whole way of one more hospital, from its home to the chain that it follows. */
export async function addHospital(
  assembly: Assembly,
  { role, snapshot, timeout }: Newcomer,
): Promise<void> {
  const { state } = assembly
  const { added, admission } = await makeHome(assembly)
  const about = { subject: added.name, reason: `devnet node add ${added.index}` }
  if (!(await isMember(assembly, added.name))) {
    await passChange(assembly, { kind: 'admit', body: admission }, about)
  }
  delete added.isPending
  await writeDevnetState(state)
  if (snapshot === true) await fetchSnapshot(assembly, added)
  await start(assembly, added, timeout)
  if (role === 'authority') {
    await promote(assembly, added, { about, timeout })
    await untilVoting(added, timeout)
  }
}

function addAdd(group: Command, context: Context): void {
  const command = devnetCommand(group, 'add')
    .description('one more hospital: its home, its admission by the others, its node')
    .addOption(
      new Option('--role <role>', 'an authority is admitted first, and promoted once it follows')
        .choices(['observer', 'authority'])
        .default('observer'),
    )
    .option('--snapshot', 'begin with a snapshot instead of every block since genesis')
    .addOption(
      new Option('--timeout <duration>', 'to catch up in')
        .argParser(durationArgument)
        .default(60_000, '60s'),
    )
  withHelp(command, {
    examples: ['mooring devnet node add', 'mooring devnet node add --role authority --snapshot'],
    exits: [6, 7, 9],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<AddOptions>()
    const output = createOutput(context, options)
    const state = await lookAt(context, options)
    await addHospital({ context, options, output, state }, options)
    await showBoard(state, { context, output })
  })
}

async function untilGone(node: DevnetNodeState): Promise<boolean> {
  const deadline = performance.now() + GONE_MS
  while (await isRunning(node)) {
    if (performance.now() >= deadline) return false
    await pause(POLL_MS)
  }
  return true
}

async function remove(assembly: Assembly, node: DevnetNodeState): Promise<void> {
  const { output, state } = assembly
  const { name, index } = node
  const change: Change = { kind: 'remove', body: { organisation: name, evidence: [] } }
  const about = { subject: name, reason: `devnet node remove ${index}` }
  const passed = await passChange(assembly, change, about)
  const wasRunning = node.pid !== null
  const isGone = await untilGone(node)
  node.isRemoved = true
  if (isGone) Object.assign(node, { pid: null, startedAt: null })
  await writeDevnetState(state)
  if (output.isJson) {
    const { id, height, effect } = passed
    output.json({ schema: 'mooring/devnet-node/v1', removed: name, change: id, height, effect })
    return
  }
  if (wasRunning && !isGone) {
    output.text(`${name} is removed, and its node still runs after ${formatDuration(GONE_MS)}`)
  } else output.text(`${name} is removed${wasRunning ? '; its node has stopped by itself' : ''}`)
}

function indexOf(word: string): number {
  return countArgument(word.replace(/^hospital-/, ''))
}

function addRemove(group: Command, context: Context): void {
  const command = devnetCommand(group, 'remove')
    .description('remove a hospital by the votes of the others; its home stays')
    .argument('<node>', 'number or name', indexOf)
  withHelp(command, {
    examples: ['mooring devnet node remove 4', 'mooring devnet node remove hospital-4 --json'],
    exits: [6, 7, 9],
  })
  command.action(async (index: number) => {
    const options = command.optsWithGlobals<DevnetOptions>()
    const output = createOutput(context, options)
    const state = await lookAt(context, options)
    await remove({ context, options, output, state }, memberOf(state, index))
  })
}

export function addNode(parent: Command, context: Context): void {
  const group = parent.command('node').description('hospitals that join and leave')
  addAdd(group, context)
  addRemove(group, context)
  withHelp(group, {
    examples: ['mooring devnet node add --role authority', 'mooring devnet node remove 4'],
    exits: [6, 7, 9],
  })
}
