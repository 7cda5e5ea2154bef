// A network of real nodes on this computer: no container, no root, nothing outside one folder.

import type { Command } from 'commander'
import { watchable, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { devnetCommand, type DevnetOptions, lookAt, showBoard } from '../devnet/command.ts'
import { stopDevnet } from '../devnet/foreground.ts'
import { requireDevnet } from '../devnet/state.ts'
import { createOutput } from '../output.ts'
import type { Result } from '../program.ts'
import { addByzantine, addHeal, addLatency, addPartition, addPause } from './devnet-chaos.ts'
import { addCheck } from './devnet-check.ts'
import { addInit, addList, addRemove, addReset } from './devnet-folders.ts'
import { addLoad } from './devnet-load.ts'
import { addKill, addLogs, addRestart } from './devnet-nodes.ts'
import { addExport } from './devnet-export.ts'
import { addNode } from './devnet-node.ts'
import { addUp } from './devnet-up.ts'

function addDown(group: Command, context: Context): void {
  const command = devnetCommand(group, 'down').description('stop its nodes; the data stays')
  withHelp(command, {
    examples: ['mooring devnet down', 'mooring devnet down --name other'],
    exits: [6],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<DevnetOptions>()
    const output = createOutput(context, options)
    const { name, dir } = await requireDevnet(context, options)
    const force = Promise.withResolvers<void>()
    const forget = context.onInterrupt(() => force.resolve())
    try {
      const stopped = await stopDevnet(dir, output, force.promise)
      if (output.isJson) output.json({ schema: 'mooring/devnet-down/v1', name, stopped })
      else output.text(stopped.length === 0 ? 'nothing ran' : `stopped ${stopped.join(', ')}`)
    } finally {
      forget()
    }
  })
}

function addStatus(group: Command, context: Context): void {
  const command = watchable(devnetCommand(group, 'status')).description(
    'its nodes, and which of them are missing when blocks wait',
  )
  withHelp(command, {
    examples: ['mooring devnet status', 'mooring devnet status --json'],
    exits: [6],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<DevnetOptions>()
    const output = createOutput(context, options)
    await showBoard(await lookAt(context, options), { context, output })
  })
}

function addEnvironment(group: Command, context: Context): void {
  const command = devnetCommand(group, 'env').description(
    'shell lines that point the other commands at it',
  )
  withHelp(command, {
    examples: ['eval "$(mooring devnet env)"', 'mooring devnet env --name other'],
    exits: [6],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<DevnetOptions>()
    const output = createOutput(context, options)
    const state = await lookAt(context, options)
    const node = state.nodes.find(({ pid }) => pid !== null) ?? state.nodes[0]
    const variables = { MOORING_ENDPOINT: node?.api ?? '', MOORING_HOME: node?.home ?? '' }
    if (output.isJson) {
      output.json({ schema: 'mooring/devnet-env/v1', variables })
      return
    }
    for (const [name, value] of Object.entries(variables)) {
      output.text(`export ${name}='${value.replaceAll("'", "'\\''")}'`)
    }
  })
}

export function addDevnet(program: Command, context: Context, result: Result): void {
  const group = program.command('devnet').description('a network of real nodes on this computer')
  addUp(group, context, result)
  addDown(group, context)
  addStatus(group, context)
  addLogs(group, context)
  addKill(group, context)
  addRestart(group, context)
  addPause(group, context)
  addPartition(group, context)
  addHeal(group, context)
  addLatency(group, context)
  addByzantine(group, context)
  addLoad(group, context)
  addNode(group, context)
  addCheck(group, context)
  addEnvironment(group, context)
  addList(group, context)
  addInit(group, context)
  addReset(group, context)
  addRemove(group, context)
  addExport(group, context)
  withHelp(group, {
    examples: ['mooring devnet up', 'mooring devnet kill 3', 'mooring devnet down'],
    exits: [6, 7, 8, 9],
  })
}
