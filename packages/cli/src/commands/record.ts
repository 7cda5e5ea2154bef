// Records: submitted to a node, listed, and fetched back byte for byte.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { StoredRecord } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { type Command, Option } from 'commander'
import { acknowledge } from '../devnet/acknowledge.ts'
import { countArgument, durationArgument, remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, formatBytes, formatSeconds, formatTable, type Output } from '../output.ts'
import {
  type FileSubmission,
  readRecordFiles,
  submitFile,
  waitForAnchors,
} from '../submit-records.ts'

type SubmitOptions = RemoteOptions & { wait?: boolean; waitTimeout: number; partial?: boolean }

const orDash = (value: number | null) => (value === null ? '–' : String(value))

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
      { title: 'block', value: ({ record }) => orDash(record.height), align: 'right' },
      { title: 'file', value: ({ path }) => path },
    ]),
  )
  for (const { path, submission } of submissions) {
    for (const { line, column, detail, code } of submission.problems) {
      output.note(output.bad(`left out ${path}:${line}:${column}  ${detail} (${code})`))
    }
  }
}

async function submit(
  context: Context,
  paths: readonly string[],
  options: SubmitOptions,
): Promise<FileSubmission[]> {
  const output = createOutput(context, options)
  const isPartial = options.partial === true
  const files = await readRecordFiles(context, paths, isPartial)
  return withNode(context, options, async (client, endpoint) => {
    const started = performance.now()
    const submissions: FileSubmission[] = []
    for (const [index, file] of files.entries()) {
      const work = submitFile(client, file, isPartial)
      const submission = await waitingFor(output.note, `the answer for ${file.path}`, work)
      const { records } = submission
      await acknowledge(context, options, { url: endpoint.url, records })
      submissions.push({ path: file.path, submission })
      const size = `${formatBytes(file.bytes.length)}, ${submission.records.length} records`
      output.note(`accepted ${index + 1}/${files.length}  ${file.path}  ${size}`)
    }
    if (options.wait === false) return submissions
    const work = waitForAnchors(client, submissions, options.waitTimeout)
    const anchored = await waitingFor(output.note, 'a final block', work)
    output.note(`anchored after ${formatSeconds(performance.now() - started)}`)
    return anchored
  })
}

function addSubmit(group: Command, context: Context): void {
  const command = remote(group.command('submit'))
    .description('submit FHIR resources or bundles, and wait until they are anchored')
    .argument('<files...>', 'JSON, or NDJSON with one resource a line; - for stdin')
    .option('--wait', 'wait until every record is in a final block (the default)')
    .option('--no-wait', 'return once the node has accepted them')
    .addOption(
      new Option('--wait-timeout <duration>', 'how long to wait for finality')
        .argParser(durationArgument)
        .default(30_000, '30s'),
    )
    .option('--partial', 'NDJSON: take the good lines although others are bad')
  withHelp(command, {
    examples: [
      'mooring record submit patient.json',
      'mooring record submit ward-7/*.json --no-wait --json',
      'cat export.ndjson | mooring record submit - --partial',
    ],
    exits: [4, 6, 9],
  })
  command.action(async (paths: string[]) => {
    const options = command.optsWithGlobals<SubmitOptions>()
    printSubmissions(createOutput(context, options), await submit(context, paths, options))
  })
}

function addGet(group: Command, context: Context): void {
  const command = remote(group.command('get'))
    .description('the exact bytes of a record, as they were submitted')
    .argument('<id>', 'of the record')
    .option('-o, --output <file>', 'write them there instead of stdout')
  withHelp(command, {
    examples: ['mooring record get <id> > record.json', 'mooring record get <id> -o record.json'],
    exits: [4, 6],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions & { output?: string }>()
    const output = createOutput(context, options)
    if (output.isJson && options.output === undefined) {
      const record = await withNode(context, options, (client) => client.record(id))
      output.json({ schema: 'mooring/record/v1', ...record })
      return
    }
    const { bytes } = await withNode(context, options, (client) => client.recordContent(id))
    if (options.output === undefined) {
      context.stdout.write(bytes)
      return
    }
    await writeFile(resolve(context.cwd, options.output), bytes)
    const file = options.output
    if (output.isJson) {
      output.json({ schema: 'mooring/record-file/v1', id, file, size: bytes.length })
    } else output.note(`${formatBytes(bytes.length)} written to ${file}`)
  })
}

async function newest(client: Client, options: ListOptions): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  const filter = options.type === undefined ? {} : { type: options.type }
  let cursor: string | null = null
  do {
    const limit = Math.min(500, options.limit - records.length)
    const page: Awaited<ReturnType<Client['records']>> = await client.records({
      ...filter,
      limit,
      ...(cursor === null ? {} : { cursor }),
    })
    records.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null && records.length < options.limit)
  return records
}

type ListOptions = RemoteOptions & { limit: number; type?: string }

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list'))
    .description('records that the node keeps, newest first')
    .addOption(new Option('--limit <count>', 'how many').argParser(countArgument).default(20, '20'))
    .option('--type <type>', 'only this FHIR resource type')
  withHelp(command, {
    examples: ['mooring record list', 'mooring record list --type Observation --json'],
    exits: [4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ListOptions>()
    const output = createOutput(context, options)
    const records = await withNode(context, options, (client) => newest(client, options))
    if (output.isJson) {
      output.json({ schema: 'mooring/records/v1', items: records })
      return
    }
    output.text(
      formatTable(records, [
        { title: 'record', value: (record) => record.id },
        { title: 'type', value: (record) => record.resourceType ?? '–' },
        { title: 'size', value: (record) => formatBytes(record.size), align: 'right' },
        { title: 'status', value: (record) => record.status },
        { title: 'block', value: (record) => orDash(record.height), align: 'right' },
        { title: 'accepted', value: (record) => record.acceptedAt },
      ]),
    )
  })
}

export function addRecord(program: Command, context: Context): void {
  const group = program.command('record').description('records and where they are anchored')
  addSubmit(group, context)
  addGet(group, context)
  addList(group, context)
  withHelp(group, { examples: ['mooring record submit patient.json'], exits: [4, 6, 9] })
}
