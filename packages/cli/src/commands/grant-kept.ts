// The grants that a hospital keeps, of one patient: which are in force, and the end of one that it made.
//
// A grant of a wallet is ended with the wallet; here only those whose one-time key is hosted.

import type { KnownGrant } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { readGrant } from '../grant-file.ts'
import { type Column, createOutput, formatCount, formatTable } from '../output.ts'
import { upTo } from '../pages.ts'

type ListOptions = RemoteOptions & { patient: string; limit: number }

const COLUMNS: Column<KnownGrant>[] = [
  { title: 'recipient', value: ({ recipient }) => recipient },
  { title: 'purposes', value: ({ purposes }) => purposes.join(', ') },
  { title: 'classes', value: ({ classes }) => classes.join(', ') || 'single records' },
  { title: 'until', value: ({ expiresAt }) => expiresAt },
  { title: 'state', value: (grant) => stateText(grant) },
  { title: 'made', value: ({ hosted }) => (hosted ? 'here' : 'by a wallet') },
  { title: 'handle', value: ({ handle }) => handle },
]

function stateText({ status, revokedHeight }: KnownGrant): string {
  if (status === 'not_yet') return 'not yet'
  return revokedHeight === null ? status : `revoked in block ${formatCount(revokedHeight)}`
}

export function addGrantList(group: Command, context: Context): void {
  const command = remote(group.command('list'))
    .description('the grants of one patient that the node keeps, newest first')
    .requiredOption('--patient <reference>', 'whose: Patient/4711, or 4711; "" for no patient')
    .addOption(new Option('--limit <count>', 'how many').argParser(countArgument).default(50, '50'))
  withHelp(command, {
    examples: [
      'mooring grant list --patient Patient/4711',
      'mooring grant list --patient 4711 --limit 500 --json',
    ],
    exits: [4, 6],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ListOptions>()
    const output = createOutput(context, options)
    const { patient, limit } = options
    const items = await withNode(context, options, (client) =>
      upTo(limit, (page) => client.grants(patient, page)),
    )
    if (output.isJson) output.json({ schema: 'mooring/kept-grants/v1', items })
    else if (items.length === 0) output.text('this patient has granted nothing here')
    else output.text(formatTable(items, COLUMNS))
  })
}

export function addGrantRevoke(group: Command, context: Context): void {
  const command = remote(group.command('revoke'))
    .description('take back a grant that this node made; nobody serves it any more')
    .argument('<grant>', 'its handle, or its file')
  withHelp(command, {
    examples: ['mooring grant revoke grant.json', 'mooring grant revoke grant.json --json'],
    exits: [4, 6, 7],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const handle = await handleOf(context, word)
    const revoked = await withNode(context, options, (client) =>
      waitingFor(output.note, 'the block that revokes it', client.revokeGrant(handle)),
    )
    if (output.isJson) output.json({ schema: 'mooring/revoked-grant/v1', ...revoked })
    else output.text(`revoked in block ${formatCount(revoked.height)}: nobody serves it any more`)
  })
}

async function handleOf(context: Context, word: string): Promise<string> {
  if (/^[0-9a-f]{64}$/i.test(word)) return word.toLowerCase()
  if (/^[0-9a-f]+$/i.test(word)) {
    const detail = `A handle has 64 hexadecimal digits; "${word}" has ${word.length}.`
    throw new NodeError('usage', { detail, command: 'grant revoke ' })
  }
  return toHex((await readGrant(context, word)).grant.handle)
}
