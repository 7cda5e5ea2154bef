// What goes wrong in a network, as commands: cuts, long paths, nodes that stand still, nodes that misbehave.
// Each says what it expects of the network then; `devnet check` says whether it holds.

import { NodeError } from '@mooring/node/node-error'
import { formatDuration } from '@mooring/node/option-values'
import { BEHAVIOURS, type Behaviour } from '@mooring/node/behaviours'
import { Argument, type Command, Option } from 'commander'
import { durationArgument, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { devnetCommand, type DevnetOptions, lookAt } from '../devnet/command.ts'
import { groupsOf, indexIn } from '../devnet/groups.ts'
import { becomes, EFFECTS } from '../devnet/misbehaving.ts'
import { cut, describeSides, mend, sidesOf, untilLinked } from '../devnet/partition.ts'
import { sendSignal } from '../devnet/processes.ts'
import { quorumOf } from '../devnet/progress.ts'
import { slowDown, speedUp } from '../devnet/slowing.ts'
import {
  activeNodes,
  type DevnetNodeState,
  type DevnetState,
  memberOf,
  writeDevnetState,
} from '../devnet/state.ts'
import { createOutput, type Output } from '../output.ts'

const LINKED_MS = 20_000
const HEALED_MS = 45_000
const BACK_MS = 60_000

type Given<T> = { options: DevnetOptions & T; output: Output; state: DevnetState }

async function given<T>(context: Context, command: Command): Promise<Given<T>> {
  const options = command.optsWithGlobals<DevnetOptions & T>()
  return { options, output: createOutput(context, options), state: await lookAt(context, options) }
}

function nodesNamed(state: DevnetState, words: readonly string[]): DevnetNodeState[] {
  return words
    .flatMap((word) => word.split(','))
    .map((word) => {
      const index = indexIn(word)
      if (index !== undefined) return memberOf(state, index)
      throw new NodeError('devnet_groups_invalid', { detail: `"${word}" is no number or name` })
    })
}

const namesOf = (nodes: readonly DevnetNodeState[]) => nodes.map(({ name }) => name)

export function addPartition(group: Command, context: Context): void {
  const command = devnetCommand(group, 'partition')
    .description('cut all connections between groups of nodes')
    .argument('<groups...>', '"0,1|2,3": who is in no group forms one more')
    .addOption(new Option('--for <duration>', 'end by itself (never)').argParser(durationArgument))
  withHelp(command, {
    examples: [
      "mooring devnet partition '0,1|2,3'",
      'mooring devnet partition 3 --for 30s      hospital-3 alone, the others together',
      'mooring devnet heal',
    ],
    exits: [6, 9],
  })
  command.action(async (words: string[]) => {
    const { options, output, state } = await given<{ for?: number }>(context, command)
    const groups = groupsOf(state, words)
    const forMs = options.for ?? null
    const quorum = await quorumOf(state)
    const told = await cut(groups, forMs)
    const isCut = await waitingFor(output.note, 'the cut', untilLinked(groups, LINKED_MS))
    const sides = sidesOf(groups, quorum)
    if (!isCut) throw new NodeError('not_ready', { detail: 'Some connections are still open.' })
    if (output.isJson) {
      output.json({ schema: 'mooring/devnet-partition/v1', sides, told: namesOf(told), forMs })
      return
    }
    const end = forMs === null ? '' : `, for ${formatDuration(forMs)}`
    output.text(`cut into ${groups.length}${end}: ${describeSides(sides)}`)
  })
}

export function addHeal(group: Command, context: Context): void {
  const command = devnetCommand(group, 'heal').description(
    'end every cut and every long path, and wait until all nodes are connected again',
  )
  withHelp(command, {
    examples: ['mooring devnet heal', 'mooring devnet heal --json'],
    exits: [6, 9],
  })
  command.action(async () => {
    const { output, state } = await given(context, command)
    const cuts = await mend(state)
    const wasSlow = await speedUp(state)
    const all = [activeNodes(state)]
    const still = activeNodes(state).filter(isPaused)
    if (still.length > 0)
      output.note(`${namesOf(still).join(', ')} stand still: resume, and heal again`)
    const isWhole = await waitingFor(output.note, 'the nodes', untilLinked(all, HEALED_MS))
    if (!isWhole) throw new NodeError('not_ready', { detail: 'Not all nodes are connected.' })
    const isChanged = cuts > 0 || wasSlow
    if (output.isJson) output.json({ schema: 'mooring/devnet-heal/v1', cuts, wasSlow })
    else output.text(isChanged ? 'healed: all nodes that run are connected' : 'nothing was cut')
  })
}

export function addLatency(group: Command, context: Context): void {
  const command = devnetCommand(group, 'latency')
    .description('make paths longer; 0 makes them as they were')
    .argument('<time>', 'of each way, added to what it takes anyway', durationArgument)
    .argument('[nodes...]', 'numbers or names: their paths to all others; all when left out')
    .addOption(
      new Option('--jitter <duration>', 'up to so much more, by chance (0)').argParser(
        durationArgument,
      ),
    )
  withHelp(command, {
    examples: [
      'mooring devnet latency 50ms',
      'mooring devnet latency 200ms 3 --jitter 50ms',
      'mooring devnet latency 0ms',
    ],
    exits: [6, 9],
  })
  command.action(async (delayMs: number, words: string[] = []) => {
    const { options, output, state } = await given<{ jitter?: number }>(context, command)
    const nodes = words.length === 0 ? activeNodes(state) : nodesNamed(state, words)
    const { jitter: jitterMs = 0 } = options
    const isSlow = delayMs + jitterMs > 0
    const paths = isSlow ? await slowDown(state, nodes, { delayMs, jitterMs }) : 0
    if (!isSlow) await speedUp(state)
    const all = [activeNodes(state)]
    const isLinked = await waitingFor(output.note, 'the nodes', untilLinked(all, HEALED_MS))
    const names = namesOf(nodes)
    if (output.isJson) {
      output.json({ schema: 'mooring/devnet-latency/v1', paths, delayMs, jitterMs, nodes: names })
    } else if (isSlow) {
      const time = formatDuration(delayMs)
      output.text(`${paths} paths take ${time} longer each way: those of ${names.join(', ')}`)
    } else output.text('all paths are as they were')
    if (!isLinked) output.note('some of them do not run, or are cut off')
  })
}

/** Stands still as if its computer had: no vote, no answer, and every connection open. */
export function addPause(group: Command, context: Context): void {
  for (const verb of ['pause', 'resume'] as const) {
    const isPause = verb === 'pause'
    const command = devnetCommand(group, verb)
      .description(
        isPause ? 'let nodes stand still, with all they hold' : 'let nodes that stand still go on',
      )
      .argument(isPause ? '<nodes...>' : '[nodes...]', 'numbers or names')
    withHelp(command, {
      examples: [`mooring devnet ${verb} 3`, `mooring devnet ${verb} 2 3 --json`],
      exits: [6, 7],
    })
    command.action(async (words: string[] = []) => {
      const { output, state } = await given(context, command)
      const all = activeNodes(state)
      const chosen = words.length === 0 ? all.filter(isPaused) : nodesNamed(state, words)
      const nodes = chosen.filter((node) => node.pid !== null && isPaused(node) !== isPause)
      for (const node of nodes) {
        sendSignal(node, isPause ? 'SIGSTOP' : 'SIGCONT')
        if (isPause) node.isPaused = true
        else delete node.isPaused
      }
      await writeDevnetState(state)
      const names = namesOf(nodes)
      const done = isPause ? 'paused' : 'resumed'
      if (output.isJson) output.json({ schema: `mooring/devnet-${verb}/v1`, [done]: names })
      else if (names.length === 0) output.text(`none of them ${isPause ? 'runs' : 'was paused'}`)
      else {
        const quorum = await quorumOf(state)
        const going = all.filter((node) => node.pid !== null && !isPaused(node))
        output.text(`${done} ${names.join(', ')}; ${describeSides(sidesOf([going], quorum))}`)
      }
    })
  }
}

const isPaused = (node: DevnetNodeState) => node.isPaused === true

export function addByzantine(group: Command, context: Context): void {
  const command = devnetCommand(group, 'byzantine')
    .description('let a node misbehave, with its own keys, until it is honest again')
    .argument('<node>', 'number or name')
    .addArgument(new Argument('<how>', 'what it does').choices([...BEHAVIOURS, 'honest']))
    .addOption(
      new Option('--timeout <duration>', 'to come back in')
        .argParser(durationArgument)
        .default(BACK_MS, '60s'),
    )
  withHelp(command, {
    examples: [
      'mooring devnet byzantine 3 equivocate',
      'mooring devnet byzantine 3 flood',
      'mooring devnet byzantine 3 honest',
    ],
    exits: [1, 6, 9],
  })
  command.action(async (word: string, behaviour: Behaviour | 'honest') => {
    const { options, output, state } = await given<{ timeout: number }>(context, command)
    const [node] = nodesNamed(state, [word])
    if (node === undefined) return
    const next = behaviour === 'honest' ? undefined : behaviour
    const how = { context, timeoutMs: options.timeout }
    const isBack = await waitingFor(output.note, node.name, becomes(state, node, next, how))
    if (!isBack) throw new NodeError('not_ready', { detail: `${node.name} does not answer yet.` })
    const effect = next === undefined ? 'does its part again' : EFFECTS[next]
    if (output.isJson) {
      const schema = 'mooring/devnet-byzantine/v1'
      output.json({ schema, node: node.name, behaviour, effect })
    } else output.text(`${node.name} ${effect}`)
  })
}
