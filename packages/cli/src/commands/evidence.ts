// Evidence that an authority has voted against itself: what a node knows, taken out as a file for a removal
// proposal, and checked without any node. Two signatures of one key are all there is to trust.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Evidence } from '@mooring/api'
import { CodecError, fromHex, toHex } from '@mooring/codec'
import { checkEvidence, decodeEvidence } from '@mooring/consensus'
import { genesisDigest } from '@mooring/ledger'
import { foundersOf } from '@mooring/node/authority-sets'
import { homePaths } from '@mooring/node/home'
import { NodeError } from '@mooring/node/node-error'
import { evidenceId } from '@mooring/node/offences'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import { type Context, type GlobalOptions, homeOf } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import {
  type Column,
  createOutput,
  formatCount,
  formatFields,
  formatTable,
  type Output,
  shortDigest,
} from '../output.ts'
import { upTo } from '../pages.ts'
import { readInput } from '../read-input.ts'
import { readTrustedGenesis } from './genesis.ts'

const FILE_BYTES_MAX = 4_096

const KINDS: Record<Evidence['kind'], string> = {
  conflicting_notarize: 'notarized two different blocks',
  conflicting_finalize: 'finalized two different blocks',
  nullify_finalize: 'both nullified and finalized',
}

const COLUMNS: Column<Evidence>[] = [
  { title: 'id', value: ({ id }) => id },
  { title: 'authority', value: ({ authority }) => authority },
  { title: 'offence', value: ({ kind }) => KINDS[kind] },
  { title: 'epoch', value: ({ epoch }) => formatCount(epoch), align: 'right' },
  { title: 'view', value: ({ view }) => formatCount(view), align: 'right' },
  { title: 'seen', value: ({ seenAt }) => seenAt },
]

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list'))
    .description('authorities that have voted against themselves, newest first')
    .addOption(new Option('--limit <count>', 'how many').argParser(countArgument).default(50, '50'))
  withHelp(command, {
    examples: ['mooring evidence list', 'mooring evidence list --json'],
    exits: [4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & { limit: number }>()
    const output = createOutput(context, options)
    const items = await withNode(context, options, (client) =>
      upTo(options.limit, (page) => client.evidenceList(page)),
    )
    if (output.isJson) output.json({ schema: 'mooring/evidence-list/v1', items })
    else if (items.length === 0) output.text('no authority has voted against itself')
    else output.text(formatTable(items, COLUMNS))
  })
}

function idArgument(word: string): string {
  if (/^[0-9a-f]{64}$/i.test(word)) return word.toLowerCase()
  throw new InvalidArgumentError('expected all 64 digits, as "mooring evidence list" shows them.')
}

function addShow(group: Command, context: Context): void {
  const command = remote(group.command('show'))
    .description('one piece of evidence, with both votes')
    .argument('<id>', 'its id, 64 hexadecimal digits', idArgument)
  withHelp(command, {
    examples: ['mooring evidence show <id>', 'mooring evidence show <id> --json'],
    exits: [4, 6],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const evidence = await withNode(context, options, (client) => client.evidence(id))
    print(createOutput(context, options), evidence)
  })
}

function print(output: Output, evidence: Evidence): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/evidence/v1', ...evidence })
    return
  }
  const { id, authority, key, kind, epoch, view, seenAt, votes } = evidence
  const fields: [string, string][] = [
    ['evidence', id],
    ['authority', authority],
    ['key', key ?? '–'],
    ['offence', `${KINDS[kind]} in view ${view} of epoch ${epoch}`],
    ['first seen', seenAt],
  ]
  for (const vote of votes) {
    const what = vote.kind === 'nullify' ? '' : `  block ${vote.digest} at height ${vote.height}`
    fields.push([vote.kind, `signature ${shortDigest(vote.signature)}${what}`])
  }
  output.text(formatFields(fields))
}

function addExport(group: Command, context: Context): void {
  const command = remote(group.command('export'))
    .description('the bytes, as `change propose remove --evidence` takes them')
    .argument('<id>', 'its id, 64 hexadecimal digits', idArgument)
    .requiredOption('-o, --output <file>', 'where to write them')
  withHelp(command, {
    examples: [
      'mooring evidence export <id> -o votes.cbor',
      'mooring change propose remove <organisation> --reason "…" --evidence votes.cbor',
    ],
    exits: [4, 6],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions & { output: string }>()
    const output = createOutput(context, options)
    const bytes = await withNode(context, options, (client) => client.evidenceBytes(id))
    const file = options.output
    await writeFile(resolve(context.cwd, file), bytes)
    if (output.isJson) output.json({ schema: 'mooring/evidence-file/v1', id, file })
    else output.note(`evidence ${id} written to ${file} (${bytes.length} bytes)`)
  })
}

type VerifyOptions = GlobalOptions & { genesis?: string; key?: string }

function addVerify(group: Command, context: Context): void {
  const command = group
    .command('verify')
    .description(
      'check evidence without a node: two signatures of one key that contradict each other',
    )
    .argument('<file>', 'the file, or - for stdin')
    .option('--genesis <file>', 'genesis of the network (default: that of the home)')
    .option('--key <hex>', 'consensus key of the authority; needed after epoch 0')
  withHelp(command, {
    examples: [
      'mooring evidence verify votes.cbor --genesis genesis.json',
      'mooring evidence verify votes.cbor --genesis genesis.json --key <hex>',
    ],
    exits: [3, 6, 8],
  })
  command.action(async (path: string) => {
    const options = command.optsWithGlobals<VerifyOptions>()
    await verify(context, path, options)
  })
}

async function verify(context: Context, path: string, options: VerifyOptions): Promise<void> {
  const bytes = await readInput(context, path, FILE_BYTES_MAX)
  const evidence = read(bytes, path)
  const { genesisFile } = homePaths(homeOf(context, options))
  const file = options.genesis === undefined ? genesisFile : resolve(context.cwd, options.genesis)
  const genesis = await readTrustedGenesis(file, undefined)
  const { first } = evidence
  const { epoch, view } = first.subject
  const founders = foundersOf(genesis)
  const key = keyOf(options, epoch, founders.keys[first.signer])
  const keys: Uint8Array[] = []
  keys[first.signer] = key
  const invalid = checkEvidence(evidence, { chain: genesisDigest(genesis), keys })
  if (invalid !== undefined) {
    const detail = 'a signature is not of that key, or of another network'
    throw new NodeError('evidence_invalid', { path, detail })
  }
  const output = createOutput(context, options)
  const id = evidenceId(bytes)
  const authority = epoch === 0 ? (founders.organisations[first.signer] ?? null) : null
  const { kind } = evidence
  if (output.isJson) {
    const schema = 'mooring/evidence-verification/v1'
    output.json({ schema, ok: true, id, kind, authority, key: toHex(key), epoch, view })
    return
  }
  const who = authority ?? `the holder of key ${toHex(key)}`
  output.text(`${output.good('VERIFIED')}  ${who} ${KINDS[kind]} in view ${view} of epoch ${epoch}`)
}

function keyOf(options: VerifyOptions, epoch: number, founder: Uint8Array | undefined): Uint8Array {
  const { key } = options
  if (key !== undefined && /^[0-9a-f]{64}$/i.test(key)) return fromHex(key.toLowerCase())
  if (key === undefined && epoch === 0 && founder !== undefined) return founder
  const detail =
    key === undefined
      ? `The evidence is of epoch ${epoch}, whose keys are not in the genesis: name the consensus key with --key.`
      : 'A consensus key has 64 hexadecimal digits.'
  throw new NodeError('usage', { detail, command: 'evidence verify ' })
}

function read(bytes: Uint8Array, path: string): ReturnType<typeof decodeEvidence> {
  try {
    return decodeEvidence(bytes)
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause
    const detail = 'it is not the encoding of two votes that contradict each other'
    throw new NodeError('evidence_invalid', { path, detail }, { cause })
  }
}

export function addEvidence(program: Command, context: Context): void {
  const group = program
    .command('evidence')
    .description('authorities that have voted against themselves')
  addList(group, context)
  addShow(group, context)
  addExport(group, context)
  addVerify(group, context)
  withHelp(group, {
    examples: ['mooring evidence list', 'mooring evidence export <id> -o votes.cbor'],
    exits: [4, 6, 8],
  })
}
