import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { devnetCommand, type DevnetOptions } from '../devnet/command.ts'
import { exportCompose } from '../devnet/containers.ts'
import { makeDevnet, runningNodes } from '../devnet/make.ts'
import { devnetFolder } from '../devnet/state.ts'
import { createOutput } from '../output.ts'
import { readVersion } from './version.ts'

type ExportOptions = DevnetOptions & { format: 'compose'; output?: string }

const BASE_PORT = 7420

// The folder of the sources; an image has no Dockerfile to build another one from.
function sourcesFolder(): string | null {
  const folder = resolve(import.meta.dirname, '..', '..', '..', '..')
  return existsSync(join(folder, 'docker', 'Dockerfile')) ? folder : null
}

export function addExport(group: Command, context: Context): void {
  const command = devnetCommand(group, 'export')
    .description('the same hospitals as containers; it is made first if needed')
    .addOption(
      new Option('--format <format>', 'compose: a file for docker compose, over the homes there')
        .choices(['compose'])
        .makeOptionMandatory(),
    )
    .option('-o, --output <dir>', 'where the files go (the folder of the devnet)')
  withHelp(command, {
    examples: [
      'mooring devnet export --format compose',
      'mooring devnet export --format compose --name clinic -o clinic',
    ],
    exits: [7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ExportOptions>()
    const output = createOutput(context, options)
    const dir = devnetFolder(context, options)
    const state = await makeDevnet({
      dir,
      name: options.name,
      nodes: undefined,
      heartbeatMs: undefined,
      basePort: BASE_PORT,
      isReset: false,
      say: output.note,
    })
    const folder = options.output === undefined ? dir : resolve(context.cwd, options.output)
    const made = { sources: sourcesFolder(), version: readVersion() }
    const { composeFile, user, isGivenAway } = await exportCompose(state, folder, made)
    const running = await runningNodes(state)
    if (output.isJson) {
      const schema = 'mooring/devnet-export/v1'
      const names = state.nodes.map(({ name }) => name)
      output.json({ schema, format: options.format, file: composeFile, user, hospitals: names })
      return
    }
    const file = relative(context.cwd, composeFile)
    output.text(`wrote ${file}: ${state.nodes.length} hospitals as user ${user}`)
    if (isGivenAway) output.note('the homes belong to the user of the image now')
    if (running.length > 0) output.note('it still runs as processes:  npx mooring devnet down')
    output.note(`\nStart it:  docker compose -f ${file} up --detach --build`)
  })
}
