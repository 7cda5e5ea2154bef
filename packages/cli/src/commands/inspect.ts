// A stopped or broken home, read through the API that its node would have.

import { inspectHome } from '@mooring/node/inspect'
import { loadHomeOptions } from '@mooring/node/load-options'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import { type Context, configOf, type GlobalOptions, homeOf } from '../context.ts'
import { addHolder } from '../home-holder.ts'
import { createOutput } from '../output.ts'

export function addInspect(program: Command, context: Context): void {
  const command = program
    .command('inspect')
    .description('answer what the disk of a stopped or broken home says, and change nothing')
    .option('--listen <address>', 'where, on this computer', '127.0.0.1:7421')
  withHelp(command, {
    examples: [
      'mooring inspect',
      'mooring --home /srv/mooring inspect --listen 127.0.0.1:0',
      'mooring block list     in another terminal, of the home that is inspected',
    ],
    exits: [3, 10, 11],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<GlobalOptions & { listen: string }>()
    const output = createOutput(context, options)
    const home = homeOf(context, options)
    const sources = { home, configPath: configOf(context, options), flags: {}, env: context.env }
    const stop = Promise.withResolvers<void>()
    const forget = context.onInterrupt(() => stop.resolve())
    try {
      const inspection = await inspectHome(await loadHomeOptions(sources), options.listen)
      const { url, parts } = inspection
      if (output.isJson) output.json({ schema: 'mooring/inspection/v1', url, parts })
      else {
        for (const { part, isReadable, detail } of parts) {
          const mark = isReadable ? output.good('readable') : output.bad('broken')
          output.text(`${part.padEnd(10)} ${mark}  ${detail}`)
        }
        output.text(`reading at ${url} until Ctrl-C`)
      }
      await stop.promise
      await inspection.close()
    } catch (error) {
      throw await addHolder(error, home)
    } finally {
      forget()
    }
  })
}
