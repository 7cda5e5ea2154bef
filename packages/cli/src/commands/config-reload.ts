// Has a running node read again what may change meanwhile, as SIGHUP does, and says what came of it.

import type { Reloaded } from '@mooring/api'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { type Column, createOutput, formatTable } from '../output.ts'
import type { Result } from '../program.ts'

const COLUMNS: Column<Reloaded>[] = [
  { title: 'part', value: ({ part }) => part },
  { title: 'outcome', value: ({ outcome }) => outcome },
  { title: 'detail', value: ({ detail }) => detail ?? '' },
]

export function addReload(group: Command, context: Context, result: Result): void {
  const command = remote(group.command('reload')).description(
    'have the node read certificates, tokens, callers, allow list and log level again',
  )
  withHelp(command, {
    examples: ['mooring config reload', 'mooring config reload --json'],
    exits: [3, 4, 5],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const { items } = await withNode(context, options, ({ admin }) => admin.access.reload())
    const isRefused = items.some(({ outcome }) => outcome === 'refused')
    result.exitCode = isRefused ? 3 : 0
    if (output.isJson) output.json({ schema: 'mooring/reload/v1', items })
    else output.text(formatTable(items, COLUMNS))
  })
}
