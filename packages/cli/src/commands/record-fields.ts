// What a grant shows of records that it does not open as a whole: fields, each with its proof.

import type { Command } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { readGrant } from '../grant-file.ts'
import { createOutput, shortDigest } from '../output.ts'
import { upTo } from '../pages.ts'
import { readingPractitioner } from '../reading-practitioner.ts'
import { DEFAULT_PURPOSE, type GrantOptions, withGrant } from './record-get.ts'

type FieldsOptions = RemoteOptions & GrantOptions & { grant: string; limit: number }

export function addFields(group: Command, context: Context): void {
  const command = withGrant(remote(group.command('fields')), { isGrantNeeded: true })
    .description('fields that a grant shows of records it does not open as a whole, proved')
    .option('--limit <count>', 'of how many records', countArgument, 20)
  withHelp(command, {
    examples: [
      'mooring record fields --grant grant.json',
      'mooring record fields --grant grant.json --as "Dr. Lind" --json',
    ],
    exits: [4, 5],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<FieldsOptions>()
    const output = createOutput(context, options)
    const file = await readGrant(context, options.grant)
    const purpose = options.purpose ?? DEFAULT_PURPOSE
    const signer = await readingPractitioner(context, options.practitioner, file, purpose)
    const under = { grant: file.text, purpose, person: options.as, practitioner: signer }
    const items = await withNode(context, options, (client) => {
      const work = upTo(options.limit, (page) => client.readFields(under, page))
      return waitingFor(output.note, 'the custodian', work)
    })
    if (output.isJson) {
      output.json({ schema: 'mooring/record-fields/v1', items })
      return
    }
    const lines = items.flatMap(({ id, fields }) => [
      `record ${shortDigest(id)}`,
      ...fields.map(({ pointer, value }) => `  ${pointer}  ${value}`),
    ])
    output.text(lines.length === 0 ? 'The grant shows no fields.' : lines.join('\n'))
  })
}
