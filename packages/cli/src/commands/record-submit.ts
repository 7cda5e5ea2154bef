// Submitting: all files are read first, each part is acknowledged by the node, and then the command
// waits for the anchors. Received is queued at the node, accepted is receipted by enough other
// hospitals, anchored is in a final block.

import { type Command, Option } from 'commander'
import { durationArgument, remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { acknowledge } from '../devnet/acknowledge.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import {
  createOutput,
  formatAmount,
  formatBytes,
  formatSeconds,
  formatTable,
  type Output,
} from '../output.ts'
import {
  type FileSubmission,
  readRecordFiles,
  type SubmittedRecord,
  submitPart,
  waitForAnchors,
} from '../submit-records.ts'

type SubmitOptions = RemoteOptions & {
  wait?: boolean
  waitTimeout: number
  partial?: boolean
  mediaType?: string
  patient?: string
}

function printSubmissions(output: Output, submissions: readonly FileSubmission[]): void {
  if (output.isJson) {
    const items = submissions.map(({ path, submission }) => ({ file: path, ...submission }))
    output.json({ schema: 'mooring/submissions/v1', items })
    return
  }
  const rows = submissions.flatMap(({ path, submission }) =>
    submission.records.map((record) => ({ path, record })),
  )
  output.text(
    formatTable(rows, [
      { title: 'record', value: ({ record }) => record.id },
      { title: 'type', value: ({ record }) => record.resourceType ?? '–' },
      { title: 'status', value: ({ record }) => record.status },
      { title: 'block', value: ({ record }) => String(record.height ?? '–'), align: 'right' },
      { title: 'file', value: ({ path }) => path },
    ]),
  )
  for (const { path, submission } of submissions) {
    for (const { line, column, detail, code } of submission.problems) {
      output.note(output.bad(`left out ${path}:${line}:${column}  ${detail} (${code})`))
    }
  }
}

function countStates({ submission }: FileSubmission): string {
  const counts = new Map<string, number>()
  for (const { status } of submission.records) counts.set(status, (counts.get(status) ?? 0) + 1)
  const [only] = counts
  // "3 records" of a submission that was taken as a whole; anything else is told apart.
  if (
    counts.size <= 1 &&
    (only === undefined || only[0] === 'accepted' || only[0] === 'received')
  ) {
    return formatAmount(submission.records.length, 'record')
  }
  return [...counts].map(([status, count]) => `${count} ${status}`).join(', ')
}

const isReceived = ({ status }: SubmittedRecord) => status === 'received'

function apart(records: readonly SubmittedRecord[]): [SubmittedRecord[], SubmittedRecord[]] {
  return [records.filter(isReceived), records.filter((record) => !isReceived(record))]
}

async function submit(
  context: Context,
  paths: readonly string[],
  options: SubmitOptions,
): Promise<FileSubmission[]> {
  const output = createOutput(context, options)
  const isPartial = options.partial === true
  const { mediaType = null, patient = null } = options
  const files = await readRecordFiles(context, paths, { isPartial, mediaType, patient })
  return withNode(context, options, async (client, endpoint) => {
    const started = performance.now()
    const submissions: FileSubmission[] = []
    const received: SubmittedRecord[] = []
    for (const [index, { path, size, parts }] of files.entries()) {
      for (const [at, part] of parts.entries()) {
        const work = submitPart(client, { path, part }, { note: output.note, isPartial })
        const submission = await waitingFor(output.note, `the answer for ${path}`, work)
        // Received is no promise yet: that takes the receipts of other hospitals.
        const [late, promised] = apart(submission.records)
        received.push(...late)
        await acknowledge(context, options, { endpoint, records: promised })
        const taken = { path, submission }
        submissions.push(taken)
        const which = parts.length === 1 ? '' : `, part ${at + 1} of ${parts.length}`
        const amount = `${formatBytes(size)}${which}, ${countStates(taken)}`
        const word = promised.length > 0 || late.length === 0 ? 'accepted' : 'received'
        output.note(`${word} ${index + 1}/${files.length}  ${path}  ${amount}`)
      }
    }
    if (options.wait === false) return submissions
    const how = { timeoutMs: options.waitTimeout, note: output.note }
    const work = waitForAnchors(client, submissions, how)
    const anchored = await waitingFor(output.note, 'a final block', work)
    await acknowledge(context, options, { endpoint, records: received })
    output.note(`anchored after ${formatSeconds(performance.now() - started)}`)
    return anchored
  })
}

export function addSubmit(group: Command, context: Context): void {
  const command = remote(group.command('submit'))
    .description('seal and place records, and wait until they are anchored')
    .argument('<files...>', 'FHIR as JSON or NDJSON, or any other file; - for stdin')
    .option('--wait', 'wait until every record is in a final block (the default)')
    .option('--no-wait', 'return once enough hospitals have taken them')
    .addOption(
      new Option('--wait-timeout <duration>', 'how long to wait for finality')
        .argParser(durationArgument)
        .default(30_000, '30s'),
    )
    .option('--partial', 'NDJSON: take the good lines although others are bad')
    .option('--media-type <type>', 'of files that are no FHIR; else by their ending')
    .option('--patient <reference>', 'whose they are, for files that are no FHIR')
  withHelp(command, {
    examples: [
      'mooring record submit patient.json',
      'mooring record submit ward-7/*.json --no-wait --json',
      'cat export.ndjson | mooring record submit - --partial',
      'mooring record submit scan.dcm --patient Patient/4711',
    ],
    exits: [4, 6, 9, 11],
  })
  command.action(async (paths: string[]) => {
    const options = command.optsWithGlobals<SubmitOptions>()
    printSubmissions(createOutput(context, options), await submit(context, paths, options))
  })
}
