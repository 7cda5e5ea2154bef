// The timeline of a patient for who has grants: merged over several hospitals, proved by the genesis that
// this node's home has, or that is named.

import type { Client } from '@mooring/api/client'
import { toHex } from '@mooring/codec'
import { genesisDigest } from '@mooring/ledger'
import { homePaths } from '@mooring/node/home'
import { NodeError } from '@mooring/node/node-error'
import { mergeTimelines } from '@mooring/records'
import type { Command } from 'commander'
import { resolve } from 'node:path'
import { remote, withHelp } from '../command-help.ts'
import { type Context, homeOf, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { exportTimeline, wholeOf } from '../export-timeline.ts'
import { readGrant } from '../grant-file.ts'
import { readingPractitioner } from '../reading-practitioner.ts'
import { createOutput } from '../output.ts'
import { printTimeline, timelineDocument } from '../timeline-text.ts'
import { fetchTimeline, joinedByCustodian, type TimelineTrust } from '../timelines.ts'
import { readTrustedGenesis } from './genesis.ts'
import { DEFAULT_PURPOSE } from './record-get.ts'

type UnderGrant = Parameters<Client['grantedTimeline']>[0]

type Options = RemoteOptions & {
  grant: string[]
  purpose?: string
  as?: string
  practitioner?: string
  genesis?: string
  export?: string
}

export function addRecordTimeline(group: Command, context: Context): void {
  const command = remote(group.command('timeline'))
    .description('what grants of a patient open, over several hospitals, in order and proved')
    .requiredOption('--grant <files...>', 'grants of one patient, to this organisation')
    .option('--purpose <code>', `why, as a code of v3-ActReason (${DEFAULT_PURPOSE})`)
    .option('--as <name>', 'who looks, for the access log of the patient; else a system does')
    .option('--practitioner <file>', 'key file of who looks, which signs the requests')
    .option('--genesis <file>', 'what is trusted (that of the home)')
    .option('--export <file>', 'with the content, as one FHIR document that carries the proofs')
  withHelp(command, {
    examples: [
      'mooring record timeline --grant st-mary.json riverside.json',
      'mooring record timeline --grant st-mary.json riverside.json --export bundle.json',
    ],
    exits: [3, 4, 5, 6, 7, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const purpose = options.purpose ?? DEFAULT_PURPOSE
    const trust = await trusted(context, options)
    const grants = await Promise.all(options.grant.map((path) => readGrant(context, path)))
    const under = new Map<string, UnderGrant>()
    const entries = await withNode(context, options, async (client) => {
      const all = []
      for (const grant of grants) {
        const { practitioner: file, as: person } = options
        const practitioner = await readingPractitioner(context, file, grant, purpose)
        const asked = { grant: grant.text, purpose, person, practitioner }
        const ask = fetchTimeline((page) => client.grantedTimeline(asked, page), trust)
        const { entries: told } = await waitingFor(output.note, 'what a grant opens', ask)
        for (const { record } of told) under.set(toHex(record), asked)
        all.push(...told)
      }
      return all
    })
    const timeline = mergeTimelines(joinedByCustodian(entries))
    if (output.isJson)
      output.json({ schema: 'mooring/record-timeline/v1', ...timelineDocument(timeline) })
    else printTimeline(timeline, output)
    if (options.export === undefined) return
    await exportTimeline(
      context,
      { timeline, path: options.export, trust },
      ({ entry }) => {
        const id = toHex(entry.record)
        const asked = under.get(id)
        if (asked === undefined) throw new Error('a record that no grant has opened')
        return withNode(context, options, async (client) =>
          wholeOf(await client.readRecord(id, asked)),
        )
      },
      output,
    )
  })
}

async function trusted(context: Context, options: Options): Promise<TimelineTrust> {
  const path =
    options.genesis === undefined
      ? homePaths(homeOf(context, options)).genesisFile
      : resolve(context.cwd, options.genesis)
  try {
    return { genesisDigest: genesisDigest(await readTrustedGenesis(path, undefined)) }
  } catch (error) {
    const isMissing = error instanceof NodeError && error.code === 'genesis_missing'
    if (!isMissing || options.genesis !== undefined) throw error
    throw new NodeError('genesis_needed', {}, { cause: error })
  }
}
