// What the verbs of `devnet` have in common: how they name it, what runs of it, the board.

import type { Command } from 'commander'
import type { Context, GlobalOptions } from '../context.ts'
import type { Output } from '../output.ts'
import { boardDocument, flagsOf, formatBoard, formatStalls } from './board.ts'
import { runningNodes } from './make.ts'
import { askAll } from './progress.ts'
import { activeNodes, type DevnetState, requireDevnet } from './state.ts'

export type DevnetOptions = GlobalOptions & { name: string; dir?: string }

// Every verb names its devnet in the same way.
export function devnetCommand(group: Command, usage: string): Command {
  return group
    .command(usage)
    .option('--name <name>', 'name of the devnet', 'default')
    .option('--dir <dir>', 'its folder (.devnet/<name>)')
}

// The state with the pids of the nodes that run, and of those only.
export async function lookAt(context: Context, options: DevnetOptions): Promise<DevnetState> {
  const state = await requireDevnet(context, options)
  const running = await runningNodes(state)
  const nodes = state.nodes.map((node) => {
    if (running.includes(node)) return node
    const { isPaused: _paused, behaviour: _behaviour, ...rest } = node
    return { ...rest, pid: null, startedAt: null }
  })
  return { ...state, nodes }
}

export async function showBoard(
  state: DevnetState,
  { context, output }: { context: Context; output: Output },
): Promise<void> {
  const reports = await askAll(state.nodes)
  if (output.isJson) {
    output.json(boardDocument(state, reports))
    return
  }
  const active = activeNodes(state)
  const running = active.filter(({ pid }) => pid !== null).length
  const what = `${running} of ${active.length} nodes run`
  output.text(
    `mooring devnet "${state.name}"  ${what}  network ${state.networkId}  (${state.dir})\n`,
  )
  output.text(formatBoard(reports))
  const stalls = formatStalls(reports, output)
  if (stalls !== '') output.text(`\n${stalls}`)
  const away = active.filter(({ pid }) => pid === null).map(({ index }) => index)
  if (away.length > 0) {
    output.note(
      `\nBring back:  npx mooring devnet restart ${away.join(' ')}${flagsOf(state, context)}`,
    )
  }
}
