import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { readGrant } from '../grant-file.ts'
import { readingPractitioner } from '../reading-practitioner.ts'
import { createOutput, formatBytes, shortDigest } from '../output.ts'
import { printRecord, type RecordStream, saveRecord } from '../record-file.ts'

export type GrantOptions = { grant?: string; purpose?: string; as?: string; practitioner?: string }

type GetOptions = RemoteOptions & GrantOptions & { output?: string }

export const DEFAULT_PURPOSE = 'TREAT'

export function withGrant(command: Command, { isGrantNeeded = false } = {}): Command {
  const grant = new Option(
    '--grant <file>',
    'read under this grant, as the organisation of the node',
  )
  return command
    .addOption(grant.makeOptionMandatory(isGrantNeeded))
    .option('--as <name>', 'who looks, for the access log of the patient; else a system does')
    .option('--practitioner <file>', 'key file of who looks, which signs the request')
    .addOption(
      new Option('--purpose <code>', 'why, as a code of v3-ActReason').default(DEFAULT_PURPOSE),
    )
}

export function addGet(group: Command, context: Context): void {
  const command = withGrant(remote(group.command('get')))
    .description('read a record back from its holders; that leaves an access entry')
    .argument('<id>', 'of the record')
    .option('-o, --output <file>', 'write it there instead of stdout, when all of it is there')
  withHelp(command, {
    examples: [
      'mooring record get <id> > record.json',
      'mooring record get <id> -o record.json',
      'mooring record get <id> --grant grant.json --purpose TREAT -o record.json',
    ],
    exits: [4, 5, 6, 8],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<GetOptions>()
    const output = createOutput(context, options)
    const { output: path, purpose = DEFAULT_PURPOSE } = options
    if (output.isJson && path === undefined) {
      if (options.grant !== undefined) throw nowhereToGo()
      const record = await withNode(context, options, (client) => client.record(id))
      output.json({ schema: 'mooring/record/v1', ...record })
      return
    }
    const grant = options.grant === undefined ? null : await readGrant(context, options.grant)
    const practitioner =
      grant === null
        ? undefined
        : await readingPractitioner(context, options.practitioner, grant, purpose)
    await withNode(context, options, async (client) => {
      const opening =
        grant === null
          ? client.openRecord(id, { purpose, person: options.as })
          : client.readRecord(id, { grant: grant.text, purpose, person: options.as, practitioner })
      const record = await waitingFor(output.note, 'the holders', opening)
      if (path === undefined) {
        await printRecord(context.stdout, record, output)
        output.note(anchorText(record))
        return
      }
      const size = await saveRecord(context, { record, path }, output)
      const { entry, anchored, badHolders } = record
      if (output.isJson) {
        const more = { contentType: record.contentType, accessEntry: entry, anchored, badHolders }
        output.json({ schema: 'mooring/record-file/v1', id, file: path, size, ...more })
        return
      }
      const trace = entry === null ? '' : `; the read is access entry ${shortDigest(entry)}`
      output.note(`${formatBytes(size)} written to ${path}; ${anchorText(record)}${trace}`)
    })
  })
}

// Without a file --json shows what the custodian tells of its own record, and a record is no JSON document.
function nowhereToGo(): NodeError {
  const detail = 'With --json what a grant opens goes to a file: name it with -o.'
  return new NodeError('usage', { detail, command: 'record get ' })
}

function anchorText({ anchored: { isAnchored, height } }: Pick<RecordStream, 'anchored'>): string {
  if (!isAnchored) return 'not anchored yet'
  return height === null ? 'anchored' : `anchored in block ${height}`
}
