// The timeline of a patient over all hospitals of the wallet.

import { toHex } from '@mooring/codec'
import {
  mergeTimelines,
  type Timeline,
  type TimelineLine,
  type WalletHospital,
} from '@mooring/records'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { exportTimeline, wholeOf } from '../export-timeline.ts'
import { createOutput, type Output } from '../output.ts'
import { genesisOf, type OwnTimeline, ownTimeline, withSeen } from '../own-timelines.ts'
import { chosenHospital, chosenHospitals, withHospital } from '../patient-client.ts'
import { printTimeline, timelineDocument } from '../timeline-text.ts'
import type { ProvenEntry } from '../timelines.ts'
import { type WalletOptions, withWallet } from '../wallet-session.ts'

type Options = RemoteOptions &
  WalletOptions & { hospital?: string; export?: string; accept?: string }

type Silent = { hospital: WalletHospital; error: Error }

export function addTimeline(group: Command, context: Context): void {
  const command = remote(group.command('timeline'))
    .description('all records at all hospitals of the wallet, in order, each one proved')
    .option('--hospital <organisation>', 'only what is there')
    .option('--export <file>', 'with the content, as one FHIR document that carries the proofs')
    .option('--accept <organisation>', 'take what it tells now for what it told before')
  withHelp(command, {
    examples: [
      'mooring patient timeline',
      'mooring patient timeline --export bundle.json',
      'mooring proof verify bundle.json --genesis genesis.json',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const found = await withWallet(context, options, async (wallet, save) => {
      const hospitals = chosenHospitals(wallet, options.hospital, options)
      const told: OwnTimeline[] = []
      const silent: Silent[] = []
      for (const hospital of hospitals) {
        const isAccepted = options.accept === hospital.organisation
        const work = ownTimeline(context, { wallet, hospital }, options, isAccepted)
        try {
          told.push(await waitingFor(output.note, hospital.organisation, work))
        } catch (error) {
          // Others are shown all the same, and this one is named.
          if (!(error instanceof Error) || hospitals.length === 1) throw error
          silent.push({ hospital, error })
        }
      }
      const timeline = mergeTimelines(told.map(({ part }) => part))
      await save(withSeen(wallet, told))
      const trust = { genesisDigest: genesisOf(wallet) }
      return { wallet, told, silent, timeline, trust }
    })
    const { told, silent, timeline } = found
    tell(timeline, { told, silent, output })
    if (options.export !== undefined) {
      const { wallet, trust } = found
      const read = ({ entry }: TimelineLine<ProvenEntry>) => {
        const hospital = chosenHospital(wallet, entry.custodian, options)
        const id = toHex(entry.record)
        return withHospital(context, { wallet, hospital }, options, async (client) =>
          wholeOf(await client.openOwnRecord(id)),
        )
      }
      await exportTimeline(context, { timeline, path: options.export, trust }, read, output)
    }
    const fault = told.map((each) => each.fault).find((each) => each !== null)
    if (fault) throw fault
    if (told.length === 0 && silent[0] !== undefined) throw silent[0].error
  })
}

function tell(
  timeline: Timeline<ProvenEntry>,
  {
    told,
    silent,
    output,
  }: { told: readonly OwnTimeline[]; silent: readonly Silent[]; output: Output },
): void {
  if (output.isJson) {
    output.json({
      schema: 'mooring/patient-timeline/v1',
      hospitals: told.map(({ hospital, part, fault }) => {
        return {
          organisation: hospital.organisation,
          count: part.count,
          fault: fault?.code ?? null,
        }
      }),
      silent: silent.map(({ hospital }) => hospital.organisation),
      ...timelineDocument(timeline),
    })
    return
  }
  printTimeline(timeline, output)
  for (const { hospital, error } of silent)
    output.note(output.bad(`${hospital.organisation} is not in it: ${error.message}`))
}
