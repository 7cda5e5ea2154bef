// Records: submitted to a node, read back from their holders, listed, shown in part.

import type { ReadableRecord, RecordVersion, StoredRecord } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { type Command, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { readGrant, writeNew } from '../grant-file.ts'
import { createOutput, formatBytes, formatTable, type Output, shortDigest } from '../output.ts'
import { upTo } from '../pages.ts'
import { readingPractitioner } from '../reading-practitioner.ts'
import { addFields } from './record-fields.ts'
import { addErasing } from './record-erase.ts'
import { addGet, DEFAULT_PURPOSE, type GrantOptions, withGrant } from './record-get.ts'
import { addSubmit } from './record-submit.ts'
import { addRecordTimeline } from './record-timeline.ts'

const orDash = (value: number | null) => (value === null ? '–' : String(value))

type ListOptions = RemoteOptions & GrantOptions & { limit: number; type?: string }

function printStored(output: Output, records: readonly StoredRecord[]): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/records/v1', items: records })
    return
  }
  output.text(
    formatTable(records, [
      { title: 'record', value: (record) => record.id },
      { title: 'type', value: (record) => record.resourceType ?? record.contentType },
      { title: 'size', value: (record) => formatBytes(record.size), align: 'right' },
      { title: 'status', value: (record) => record.status },
      { title: 'block', value: (record) => orDash(record.height), align: 'right' },
      { title: 'accepted', value: (record) => record.acceptedAt },
    ]),
  )
}

function printReadable(output: Output, records: readonly ReadableRecord[]): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/readable-records/v1', items: records })
    return
  }
  output.text(
    formatTable(records, [
      { title: 'record', value: (record) => record.id },
      { title: 'type', value: (record) => record.resourceType ?? record.contentType },
      { title: 'class', value: (record) => record.class },
      { title: 'size', value: (record) => formatBytes(record.size), align: 'right' },
      { title: 'custodian', value: (record) => record.custodian },
      { title: 'received', value: (record) => record.receivedAt },
    ]),
  )
}

function storedOf(client: Client, { type, limit }: ListOptions): Promise<StoredRecord[]> {
  const filter = type === undefined ? {} : { type }
  return upTo(limit, (page) => client.records({ ...filter, ...page }))
}

function addList(group: Command, context: Context): void {
  const command = withGrant(remote(group.command('list')))
    .description('records that the node keeps, newest first; or what a grant opens')
    .addOption(new Option('--limit <count>', 'how many').argParser(countArgument).default(20, '20'))
    .option('--type <type>', 'only this FHIR resource type')
  withHelp(command, {
    examples: [
      'mooring record list',
      'mooring record list --type Observation --json',
      'mooring record list --grant grant.json --limit 100',
    ],
    exits: [4, 5],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ListOptions>()
    const output = createOutput(context, options)
    if (options.grant === undefined) {
      printStored(output, await withNode(context, options, (client) => storedOf(client, options)))
      return
    }
    const file = await readGrant(context, options.grant)
    const purpose = options.purpose ?? DEFAULT_PURPOSE
    const signer = await readingPractitioner(context, options.practitioner, file, purpose)
    const under = { grant: file.text, purpose, person: options.as, practitioner: signer }
    const found = await withNode(context, options, (client) => {
      const work = upTo(options.limit, (page) => client.readable(under, page))
      return waitingFor(output.note, 'what the grant opens', work)
    })
    const { type } = options
    printReadable(
      output,
      type === undefined ? found : found.filter((each) => each.resourceType === type),
    )
  })
}

function printHistory(output: Output, id: string, versions: readonly RecordVersion[]): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/record-history/v1', id, items: versions })
    return
  }
  output.text(
    formatTable(versions, [
      { title: 'version', value: ({ versionId }) => versionId ?? '–' },
      { title: 'record', value: (version) => version.id },
      { title: 'status', value: ({ status }) => status },
      { title: 'block', value: ({ height }) => orDash(height), align: 'right' },
      { title: 'size', value: ({ size }) => formatBytes(size), align: 'right' },
      { title: 'holders', value: ({ holders }) => String(holders), align: 'right' },
      { title: 'accesses', value: ({ accesses }) => String(accesses), align: 'right' },
      { title: 'accepted', value: ({ acceptedAt }) => acceptedAt },
    ]),
  )
}

function addHistory(group: Command, context: Context): void {
  const command = remote(group.command('history'))
    .description('the versions of a record: anchors, holders, and how often it was read')
    .argument('<id>', 'of any version')
    .addOption(new Option('--limit <count>', 'how many').argParser(countArgument).default(20, '20'))
  withHelp(command, {
    examples: ['mooring record history <id>', 'mooring record history <id> --json'],
    exits: [4, 6],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions & { limit: number }>()
    const versions = await withNode(context, options, (client) =>
      upTo(options.limit, (page) => client.recordHistory(id, page)),
    )
    printHistory(createOutput(context, options), id, versions)
  })
}

type DiscloseOptions = RemoteOptions & { field: string[]; output?: string }

function addDisclose(group: Command, context: Context): void {
  const command = remote(group.command('disclose'))
    .description('a proof that shows chosen fields of a record, and no other')
    .argument('<id>', 'of the record')
    .requiredOption('--field <pointers...>', 'JSON pointers, such as /code/text')
    .option('-o, --output <file>', 'write it there instead of stdout')
  withHelp(command, {
    examples: [
      'mooring record disclose <id> --field /code/text -o shown.json',
      'mooring proof verify shown.json --genesis genesis.json',
    ],
    exits: [4, 6, 7, 9],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<DiscloseOptions>()
    const output = createOutput(context, options)
    const { field: fields, output: file } = options
    const proof = await withNode(context, options, (client) =>
      waitingFor(output.note, 'the holders', client.disclose(id, fields)),
    )
    if (file === undefined) {
      output.text(proof)
      return
    }
    await writeNew(context, file, proof)
    if (output.isJson) output.json({ schema: 'mooring/proof-file/v1', id, file, fields })
    else output.note(`${fields.join(', ')} of ${shortDigest(id)} shown in ${file}`)
  })
}

export function addRecord(program: Command, context: Context): void {
  const group = program
    .command('record')
    .description('records: sealed, spread over hospitals, anchored')
  addSubmit(group, context)
  addGet(group, context)
  addList(group, context)
  addHistory(group, context)
  addDisclose(group, context)
  addFields(group, context)
  addErasing(group, context)
  addRecordTimeline(group, context)
  withHelp(group, { examples: ['mooring record submit patient.json'], exits: [4, 5, 6, 9] })
}
