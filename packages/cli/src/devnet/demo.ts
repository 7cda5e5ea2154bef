// The demo: made-up patients through the first hospital, one of them read at the second under a grant, and
// the commands to look at what became of them.

import { createClient } from '@mooring/api/client'
import { generatePatient } from '@mooring/records'
import type { Context } from '../context.ts'
import { formatTable, type Output } from '../output.ts'
import { type FileSubmission, waitForAnchors } from '../submit-records.ts'
import { remember } from './acknowledge.ts'
import { flagsOf } from './board.ts'
import {
  formatReading,
  formatReadingTour,
  patientIn,
  readElsewhere,
  UNHURRIED,
} from './demo-reading.ts'
import { asking } from '../remote-error.ts'
import { activeNodes, type DevnetNodeState, type DevnetState } from './state.ts'

const WAIT_MS = 30_000
const FHIR = { contentType: 'application/fhir+json' }

async function submitPatients(
  state: DevnetState,
  node: DevnetNodeState,
  { context, patients }: { context: Context; patients: number },
): Promise<FileSubmission[]> {
  const client = createClient(node.api, UNHURRIED)
  const submissions: FileSubmission[] = []
  for (let seed = 1; seed <= patients; seed += 1) {
    const submission = await client.submitRecords(generatePatient(seed), FHIR)
    await remember(context, state.dir, node, submission.records)
    submissions.push({ path: `patient ${seed}`, submission })
  }
  return waitForAnchors(client, submissions, { timeoutMs: WAIT_MS })
}

export async function runDemo(
  state: DevnetState,
  context: Context,
  output: Output,
  patients: number,
): Promise<object | undefined> {
  const [first, second] = activeNodes(state)
  if (first === undefined) return undefined
  const endpoint = { url: first.api, origin: first.name }
  const anchored = await asking(
    endpoint,
    UNHURRIED.timeoutMs,
    submitPatients(state, first, { context, patients }),
  )
  const reading =
    second === undefined || patients === 0
      ? undefined
      : await asking(
          { url: second.api, origin: second.name },
          UNHURRIED.timeoutMs,
          readElsewhere(
            { custodian: first, reader: second },
            patientIn(generatePatient(1)),
            context.now(),
          ),
        )
  if (output.isJson) {
    return anchored.map(({ path, submission }) => ({ patient: path, ...submission }))
  }
  output.text(formatPatients(anchored))
  if (reading !== undefined) output.text(formatReading(reading))
  const sample = anchored[0]?.submission.records[0]
  if (sample !== undefined) {
    const flags = flagsOf(state, context)
    const ask = flags === '' ? '' : ` --endpoint ${first.api}`
    if (reading !== undefined) output.text(formatReadingTour(reading, ask))
    output.text(formatTour(state, sample, { ask, flags }))
  }
  return undefined
}

function formatPatients(anchored: readonly FileSubmission[]): string {
  return formatTable(anchored, [
    { title: 'patient', value: ({ path }) => path },
    {
      title: 'records',
      value: ({ submission }) => String(submission.records.length),
      align: 'right',
    },
    {
      title: 'block',
      value: ({ submission }) => String(submission.records[0]?.height ?? '–'),
      align: 'right',
    },
    { title: 'first record', value: ({ submission }) => submission.records[0]?.id ?? '–' },
  ])
}

function formatTour(
  state: DevnetState,
  { id, height }: { id: string; height: number | null },
  { ask, flags }: { ask: string; flags: string },
): string {
  return [
    '',
    'Look at the block, then prove the record to somebody who trusts none of these nodes:',
    `  npx mooring block get ${height ?? 'latest'}${ask}`,
    `  npx mooring record get ${id}${ask} -o record.json`,
    `  npx mooring proof get ${id}${ask} -o proof.json`,
    `  npx mooring devnet down${flags}`,
    `  npx mooring proof verify proof.json --file record.json --steps \\`,
    `      --genesis-digest ${state.genesisDigest}`,
  ].join('\n')
}
