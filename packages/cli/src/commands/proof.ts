// Proofs: fetched from a node, and checked without one. `verify` reads files and nothing else; the
// genesis is all it trusts.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fromHex } from '@mooring/codec'
import { genesisDigest } from '@mooring/ledger'
import { type ProofVerification, verifyProof } from '@mooring/api/verify'
import { homePaths } from '@mooring/node/home'
import { NodeError } from '@mooring/node/node-error'
import { TIMELINE_BUNDLE_BYTES_MAX } from '@mooring/records'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, type GlobalOptions, homeOf } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { harmlessLine } from '../harmless.ts'
import { createOutput, formatFields, formatTable, formatTime, type Output } from '../output.ts'
import { readInput } from '../read-input.ts'
import { isBundle, verifyBundle } from '../verify-bundle.ts'
import { readTrustedGenesis } from './genesis.ts'

type VerifyOptions = GlobalOptions & {
  file?: string
  genesis?: string
  genesisDigest?: string
  steps?: boolean
}

function addGet(group: Command, context: Context): void {
  const command = remote(group.command('get'))
    .description('the proof that a record or a transaction is in a final block')
    .argument('<id>', 'of a record or a transaction')
    .option('-o, --output <file>', 'write it there instead of stdout')
    .option('--no-opening', 'without what opens the commitment: proves nothing about the content')
  withHelp(command, {
    examples: [
      'mooring proof get <record> -o proof.json',
      'mooring proof get <record> --no-opening -o receipt.json',
    ],
    exits: [4, 6, 9],
  })
  command.action(async (id: string) => {
    type Options = RemoteOptions & { output?: string; opening: boolean }
    const options = command.optsWithGlobals<Options>()
    const { output: file, opening } = options
    const output = createOutput(context, options)
    const proof = await withNode(context, options, (client) =>
      client.proof(id, { withOpening: opening }),
    )
    if (file === undefined) {
      output.text(proof)
      return
    }
    await writeFile(resolve(context.cwd, file), proof)
    if (output.isJson) output.json({ schema: 'mooring/proof-file/v1', id, file })
    else output.note(`proof of ${id} written to ${file}`)
  })
}

// The digest that is trusted: given, or that of a genesis file. A digest inside the proof is only a claim.
async function trustedDigest(context: Context, options: VerifyOptions): Promise<Uint8Array> {
  const { genesis, genesisDigest: digest } = options
  if (digest !== undefined && !/^[0-9a-fA-F]{64}$/.test(digest)) {
    const detail = 'A genesis digest has 64 hexadecimal digits.'
    throw new NodeError('usage', { detail, command: 'proof verify ' })
  }
  if (genesis !== undefined) {
    return genesisDigest(await readTrustedGenesis(resolve(context.cwd, genesis), digest))
  }
  if (digest !== undefined) return fromHex(digest.toLowerCase())
  try {
    const { genesisFile } = homePaths(homeOf(context, options))
    return genesisDigest(await readTrustedGenesis(genesisFile, undefined))
  } catch (error) {
    if (!(error instanceof NodeError && error.code === 'genesis_missing')) throw error
    throw new NodeError('genesis_needed', {}, { cause: error })
  }
}

function formatSteps({ steps }: ProofVerification, output: Output): string {
  const table = formatTable(steps, [
    { title: '', value: (step) => String(step.number), align: 'right' },
    { title: '', value: (step) => step.name },
    { title: '', value: (step) => `${step.detail}${step.ok ? '' : `   ${output.bad('FAILED')}`}` },
  ])
  return table.split('\n').slice(1).join('\n')
}

const formatShown = (shown: readonly { pointer: string; value: string }[]) =>
  formatFields(
    shown.map(({ pointer, value }) => [harmlessLine(pointer), harmlessLine(value)] as const),
  )

function print(result: ProofVerification, options: VerifyOptions, output: Output): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/verification/v1', ...result })
    return
  }
  if (options.steps === true) output.text(formatSteps(result, output))
  if (!result.ok) return
  const { height, blockTime, shown } = result
  const isOpened = result.steps.some((step) => step.number === 1)
  const opened = shown.length === 0 ? 'record' : 'record with these fields'
  const what = isOpened ? opened : 'commitment'
  if (shown.length > 0) output.text(`${formatShown(shown)}\n`)
  output.text(
    `${output.good('VERIFIED')}  ${what} was final in block ${height} on ${formatTime(blockTime)}`,
  )
  if (options.file === undefined && shown.length === 0) {
    output.note('No --file was given: this says nothing about any content.')
  }
}

function addVerify(group: Command, context: Context): void {
  const command = group
    .command('verify')
    .description(
      'check a proof, a disclosure or an exported timeline offline, from the genesis alone',
    )
    .argument('<proof>', 'proof file, - for stdin')
    .option('--file <file>', 'the record it is to be the proof of')
    .option('--genesis <file>', 'genesis file of the network; default: the one of the home')
    .option('--genesis-digest <hex>', 'its digest, alone or as a check of --genesis')
    .option('--steps', 'print every step')
  withHelp(command, {
    examples: [
      'mooring proof verify proof.json --file patient.json --genesis genesis.json --steps',
      'mooring proof verify proof.json --file patient.json --genesis-digest a1b2…',
      'mooring proof verify shown.json --genesis genesis.json',
      'mooring proof verify bundle.json --genesis genesis.json',
    ],
    exits: [3, 6, 8],
  })
  command.action(async (path: string) => {
    const options = command.optsWithGlobals<VerifyOptions>()
    const output = createOutput(context, options)
    const digest = await trustedDigest(context, options)
    const proof = await readInput(context, path, TIMELINE_BUNDLE_BYTES_MAX)
    if (isBundle(proof)) {
      verifyBundle(proof, { path, genesisDigest: digest }, output)
      return
    }
    const file = options.file === undefined ? null : await readInput(context, options.file)
    const result = verifyProof(proof, { genesisDigest: digest }, file)
    if (result.ok) {
      print(result, options, output)
      return
    }
    const failed = result.steps.at(-1)
    const rows = options.steps === true ? formatSteps(result, output).trimEnd().split('\n') : []
    const { number, name, code } = result.failed
    const detail = `${failed?.detail ?? code} (${code}).`
    throw new NodeError('proof_invalid', { step: number, name, detail }, { rows })
  })
}

export function addProof(program: Command, context: Context): void {
  const group = program.command('proof').description('proofs that need no trust in any node')
  addGet(group, context)
  addVerify(group, context)
  withHelp(group, {
    examples: ['mooring proof verify proof.json --file patient.json --genesis genesis.json'],
    exits: [4, 6, 8, 9],
  })
}
