// Checkpoints: a final block with its certificate, to keep, and to compare with what other hospitals have.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Checkpoint } from '@mooring/api'
import { connectClient } from '@mooring/api/node-client'
import { fromHex, toHex } from '@mooring/codec'
import { blockDigest, decodeHeader } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, urlOf, withNode } from '../endpoint.ts'
import { createOutput, formatFields, formatTable, shortDigest } from '../output.ts'
import type { Result } from '../program.ts'
import { asking } from '../remote-error.ts'

const DIFFERENT = 8

type At = RemoteOptions & { height?: number }

const heightOption = () =>
  new Option('--height <height>', 'the first at or after it, instead of the newest').argParser(
    countArgument,
  )

/** The header must be the one that the digest names, and of the height that it claims. */
function checked(checkpoint: Checkpoint, from: string): Checkpoint {
  const header = decodeHeader(fromHex(checkpoint.header))
  const digest = toHex(blockDigest(header))
  const isSame = digest === checkpoint.digest && header.height === checkpoint.height
  if (isSame && toHex(header.stateRoot) === checkpoint.stateRoot) return checkpoint
  const detail = `What ${from} gave for height ${checkpoint.height} does not belong to its header.`
  throw new NodeError('checkpoint_invalid', { detail })
}

function ask(context: Context, options: At): Promise<Checkpoint> {
  return withNode(context, options, async (client, endpoint) =>
    checked(await client.checkpoint(options.height ?? 'latest'), endpoint.url),
  )
}

function addShow(group: Command, context: Context): void {
  const command = remote(group.command('show'))
    .description('the newest final block and who made it final')
    .addOption(heightOption())
  withHelp(command, {
    examples: ['mooring checkpoint show', 'mooring checkpoint show --height 1200 --json'],
    exits: [4, 6, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<At>()
    const output = createOutput(context, options)
    const checkpoint = await ask(context, options)
    if (output.isJson) {
      output.json({ schema: 'mooring/checkpoint/v1', ...checkpoint })
      return
    }
    const { networkId, height, epoch, digest, stateRoot, time, signers } = checkpoint
    output.text(
      formatFields([
        ['network', networkId],
        ['block', `${height}, epoch ${epoch}, ${time}`],
        ['digest', digest],
        ['state', stateRoot],
        ['final by', signers.join(', ')],
      ]),
    )
  })
}

function addExport(group: Command, context: Context): void {
  const command = remote(group.command('export'))
    .description('the same as a file to keep')
    .addOption(heightOption())
    .requiredOption('-o, --output <file>', 'where to write it')
  withHelp(command, {
    examples: [
      'mooring checkpoint export -o checkpoint.json',
      'mooring checkpoint export --height 1200 -o at-1200.json',
    ],
    exits: [4, 6, 7, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<At & { output: string }>()
    const output = createOutput(context, options)
    const checkpoint = await ask(context, options)
    const path = resolve(context.cwd, options.output)
    const document = { schema: 'mooring/checkpoint/v1' as const, ...checkpoint }
    await writeNew(path, `${JSON.stringify(document, null, 2)}\n`)
    if (output.isJson) output.json(document)
    else output.text(`${path}  block ${checkpoint.height}`)
  })
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' })
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    throw isTaken ? new NodeError('file_exists', { path }) : error
  }
}

type Compared = { from: string; height: number; digest: string; isSame: boolean }

function addCompare(group: Command, context: Context, result: Result): void {
  const command = remote(group.command('compare'))
    .description('whether other nodes have the same block at the same height')
    .argument('<url...>', 'addresses of their APIs')
  withHelp(command, {
    examples: [
      'mooring checkpoint compare https://ledger.riverside.example',
      'mooring checkpoint compare http://127.0.0.1:7431 http://127.0.0.1:7441 --json',
    ],
    exits: [4, 6, 8],
  })
  command.action(async (urls: string[]) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const rows = await withNode(context, options, async (client, endpoint) => {
      const others = await Promise.all(urls.map((url) => newestOf(options, url)))
      const own = checked(await client.checkpoint('latest'), endpoint.url)
      const lowest = Math.min(own.height, ...others.map(({ height }) => height))
      const mine = checked(await client.checkpoint(lowest), endpoint.url)
      return await Promise.all(urls.map((url) => compared(options, url, mine)))
    })
    const isSame = rows.every((row) => row.isSame)
    result.exitCode = isSame ? 0 : DIFFERENT
    if (output.isJson) {
      output.json({ schema: 'mooring/checkpoint-comparison/v1', ok: isSame, items: rows })
      return
    }
    output.text(formatTable(rows, COLUMNS))
    output.text(isSame ? output.good('THE SAME') : output.bad('DIFFERENT (MOR-1207)'))
  })
}

function elsewhere<T>(
  options: RemoteOptions,
  url: string,
  work: (client: ReturnType<typeof connectClient>) => Promise<T>,
): Promise<T> {
  const client = connectClient(urlOf(url), { timeoutMs: options.timeout })
  return asking({ url, origin: 'the command line' }, options.timeout, work(client))
}

const newestOf = (options: RemoteOptions, url: string) =>
  elsewhere(options, url, async (client) => checked(await client.checkpoint('latest'), url))

async function compared(options: RemoteOptions, url: string, own: Checkpoint): Promise<Compared> {
  return elsewhere(options, url, async (client) => {
    const { digest, stateRoot, genesisDigest } = await client.block(own.height)
    const isSame =
      digest === own.digest && stateRoot === own.stateRoot && genesisDigest === own.genesisDigest
    return { from: url, height: own.height, digest, isSame }
  })
}

const COLUMNS = [
  { title: 'node', value: ({ from }: Compared) => from },
  { title: 'height', value: ({ height }: Compared) => String(height), align: 'right' as const },
  { title: 'digest', value: ({ digest }: Compared) => shortDigest(digest) },
  { title: '', value: ({ isSame }: Compared) => (isSame ? 'the same' : 'DIFFERENT') },
]

export function addCheckpoint(program: Command, context: Context, result: Result): void {
  const group = program.command('checkpoint').description('final blocks to keep and to compare')
  addShow(group, context)
  addExport(group, context)
  addCompare(group, context, result)
  withHelp(group, {
    examples: ['mooring checkpoint show', 'mooring checkpoint compare http://127.0.0.1:7431'],
    exits: [4, 6, 8],
  })
}
