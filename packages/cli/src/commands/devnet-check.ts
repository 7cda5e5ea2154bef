import { setTimeout as pause } from 'node:timers/promises'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { durationArgument, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { checkDevnet, type Finding } from '../devnet/check.ts'
import { devnetCommand, type DevnetOptions, lookAt } from '../devnet/command.ts'
import { createOutput, formatTable } from '../output.ts'
import { asking } from '../remote-error.ts'

const PAUSE_MS = 1_000
const ASK_MS = 10_000

export function addCheck(group: Command, context: Context): void {
  const command = devnetCommand(group, 'check')
    .description('check what the network promises, over all nodes that run')
    .addOption(
      new Option('--duration <duration>', 'again and again for so long')
        .argParser(durationArgument)
        .default(0, 'once'),
    )
  withHelp(command, {
    examples: ['mooring devnet check', 'mooring devnet check --duration 30s --json'],
    exits: [6, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<DevnetOptions & { duration: number }>()
    const output = createOutput(context, options)
    const deadline = performance.now() + options.duration
    let findings: Finding[]
    let hasTime: boolean
    do {
      const state = await lookAt(context, options)
      const running = state.nodes.filter(({ pid }) => pid !== null)
      const endpoint = { url: 'a node', origin: `devnet "${state.name}"` }
      const work = checkDevnet(state, running)
      findings = await waitingFor(output.note, 'the nodes', asking(endpoint, ASK_MS, work))
      hasTime = performance.now() < deadline && findings.every(({ ok }) => ok)
      if (hasTime) await pause(PAUSE_MS)
    } while (hasTime)

    const failed = findings.filter(({ ok }) => !ok)
    const table = formatTable(findings, [
      { title: 'check', value: ({ check }) => check },
      { title: '', value: ({ ok }) => (ok ? output.good('ok') : output.bad('BROKEN')) },
      { title: 'found', value: ({ detail }) => detail },
    ])
    if (failed.length > 0) {
      const rows = table.trimEnd().split('\n')
      throw new NodeError('devnet_violated', { count: failed.length }, { rows })
    }
    if (output.isJson) output.json({ schema: 'mooring/devnet-check/v1', ok: true, findings })
    else output.text(table)
  })
}
