import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { countArgument, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { devnetCommand, type DevnetOptions } from '../devnet/command.ts'
import { exportCompose, IMAGE_USER } from '../devnet/containers.ts'
import { exportKubernetes } from '../devnet/kubernetes.ts'
import { makeDevnet, runningNodes } from '../devnet/make.ts'
import { devnetFolder } from '../devnet/state.ts'
import { createOutput, type Output } from '../output.ts'
import { readVersion } from './version.ts'

type ExportOptions = DevnetOptions & {
  format: 'compose' | 'kustomize'
  nodes?: number
  output?: string
}

type Exported = {
  file: string
  hospitals: string[]
  user: string
  notes: string[]
  start: string
}

const BASE_PORT = 7420
const NODES = 4
const HEARTBEAT_MS = 1_000
const USER = `${IMAGE_USER}:${IMAGE_USER}`

// The folder of the sources; an image has no Dockerfile to build another one from.
function sourcesFolder(): string | null {
  const folder = resolve(import.meta.dirname, '..', '..', '..', '..')
  return existsSync(join(folder, 'docker', 'Dockerfile')) ? folder : null
}

async function toCompose(
  context: Context,
  options: ExportOptions,
  output: Output,
): Promise<Exported> {
  const dir = devnetFolder(context, options)
  const state = await makeDevnet({
    dir,
    name: options.name,
    nodes: options.nodes,
    heartbeatMs: undefined,
    basePort: BASE_PORT,
    isReset: false,
    say: output.note,
  })
  const folder = options.output === undefined ? dir : resolve(context.cwd, options.output)
  const made = { sources: sourcesFolder(), version: readVersion() }
  const { composeFile: file, user, isGivenAway } = await exportCompose(state, folder, made)
  const running = await runningNodes(state)
  const notes: string[] = []
  if (isGivenAway) notes.push('the homes belong to the user of the image now')
  if (running.length > 0) notes.push('it still runs as processes:  npx mooring devnet down')
  const start = `docker compose -f ${relative(context.cwd, file)} up --detach --build`
  return { file, hospitals: state.nodes.map(({ name }) => name), user, notes, start }
}

async function toKubernetes(context: Context, options: ExportOptions): Promise<Exported> {
  const sources = sourcesFolder()
  if (sources === null || options.output === undefined) {
    const detail =
      sources === null
        ? 'The manifests are with the sources, and this is an image.'
        : 'A network for a cluster has keys of its own: say where they go, with --output.'
    throw new NodeError('usage', { detail, command: 'devnet export ' })
  }
  const folder = resolve(context.cwd, options.output)
  const { name, nodes = NODES } = options
  const version = readVersion()
  const asked = { folder, sources, name, version, nodes, heartbeatMs: HEARTBEAT_MS }
  const { file, hospitals } = await exportKubernetes(asked)
  const place = relative(context.cwd, folder)
  const notes = [`take ${join(place, 'governance')} away: no node needs these keys`]
  return { file, hospitals, user: USER, notes, start: `kubectl apply --kustomize ${place}` }
}

export function addExport(group: Command, context: Context): void {
  const command = devnetCommand(group, 'export')
    .description('hospitals as containers, of a devnet or for a cluster')
    .addOption(
      new Option(
        '--format <format>',
        'compose: the homes of the devnet, made if needed, for docker compose; kustomize: a network with keys of its own, for Kubernetes',
      )
        .choices(['compose', 'kustomize'])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('-n, --nodes <count>', 'hospitals, when it is made (4)').argParser(countArgument),
    )
    .option('-o, --output <dir>', 'where the files go (compose: the folder of the devnet)')
  withHelp(command, {
    examples: [
      'mooring devnet export --format compose',
      'mooring devnet export --format kustomize -o cluster',
    ],
    exits: [7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ExportOptions>()
    const output = createOutput(context, options)
    const { format } = options
    const exported =
      format === 'compose'
        ? await toCompose(context, options, output)
        : await toKubernetes(context, options)
    const { file, user, hospitals, notes, start } = exported
    if (output.isJson) {
      output.json({ schema: 'mooring/devnet-export/v1', format, file, user, hospitals })
      return
    }
    const count = hospitals.length
    output.text(`wrote ${relative(context.cwd, file)}: ${count} hospitals as user ${user}`)
    for (const note of notes) output.note(note)
    output.note(`\nStart it:  ${start}`)
  })
}
