// The vault: how strong it is, and what to do about it when it is not.

import type { Vault, VaultStep } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import {
  createOutput,
  formatAmount,
  formatCount,
  formatFields,
  formatTable,
  type Output,
} from '../output.ts'
import { formatHeld } from '../status-text.ts'

const TELL_MS = 2_000
const FINDINGS_SHOWN = 50

function formatScheme({ scheme }: Vault): string {
  if (scheme === null) return 'too few legal groups: nothing can be placed'
  const { needed, shards, groups } = scheme
  return `any ${needed} of ${shards} shards open a record; ${groups} legal groups hold them`
}

function formatRecords({ records, scheme }: Vault, output: Output): string {
  const { total, waiting, full, reduced, critical, lost } = records
  const needed = scheme?.needed ?? '?'
  const parts = [
    formatCount(total),
    total > 0 && full === total
      ? output.good('all at full strength')
      : `${formatCount(full)} at full strength`,
    ...(reduced > 0 ? [`${formatCount(reduced)} reduced`] : []),
    ...(critical > 0 ? [output.bad(`${formatCount(critical)} with ${needed} shards left`)] : []),
    ...(lost > 0 ? [output.bad(`${formatCount(lost)} not readable now`)] : []),
    ...(waiting > 0 ? [`${formatCount(waiting)} on the way to holders`] : []),
  ]
  return parts.join(', ')
}

function formatVault(vault: Vault, output: Output): string {
  const { held, challenges, repair } = vault
  const last = challenges.lastAt ?? 'never'
  const bad = challenges.bad === 0 ? '' : output.bad(`, ${challenges.bad} bad`)
  const active = repair.active ? 'under way' : 'idle'
  const fields = formatFields([
    ['scheme', formatScheme(vault)],
    ['records', formatRecords(vault, output)],
    ['held here', formatHeld(held)],
    ['challenges', `${last}: ${formatCount(challenges.checked)} checked${bad}`],
    ['repair', `${active}, ${repair.waiting} waiting, ${formatCount(repair.repaired)} made anew`],
  ])
  const table = formatTable(vault.holders, [
    { title: 'holder', value: ({ name }) => name },
    { title: 'group', value: ({ group }) => group },
    { title: 'answers', value: ({ reachable }) => (reachable ? 'yes' : output.bad('no')) },
    { title: 'shards', value: ({ shards }) => formatCount(shards), align: 'right' },
    { title: 'challenged', value: (each) => formatCount(each.challenged), align: 'right' },
    { title: 'failed', value: ({ failed }) => formatCount(failed), align: 'right' },
    { title: 'last good', value: ({ lastGoodAt }) => lastGoodAt ?? '–' },
    { title: 'problem', value: ({ problem }) => problem ?? '' },
  ])
  return `${fields}\n\n${table}`
}

function isWeak({ records, scheme }: Vault): boolean {
  return scheme === null || records.critical > 0 || records.lost > 0
}

function addStatus(group: Command, context: Context, result: { exitCode: number }): void {
  const command = remote(group.command('status')).description(
    'how strong the vault is, holder by holder; exit code 9 when a record hangs by a thread',
  )
  withHelp(command, {
    examples: ['mooring vault status', 'mooring vault status --json'],
    exits: [4, 9],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const vault = await withNode(context, options, (client) => client.vault())
    if (output.isJson) output.json({ schema: 'mooring/vault/v1', ...vault })
    else output.text(formatVault(vault, output))
    if (isWeak(vault)) result.exitCode = 9
  })
}

type Outcome = { last: VaultStep; findings: VaultStep[] }
type Ask = (client: Client, signal: AbortSignal) => AsyncIterable<VaultStep>
type StepsSchema = 'mooring/vault-verification/v1' | 'mooring/vault-repair/v1'
type Steps = { options: RemoteOptions; schema: StepsSchema; ask: Ask }

const isGreen = ({ last }: Outcome) => last.kind === 'done' && last.bad === 0

// Follows the steps to their end; progress on stderr, at most every two seconds.
async function follow(steps: AsyncIterable<VaultStep>, output: Output): Promise<Outcome> {
  const findings: VaultStep[] = []
  let last: VaultStep | null = null
  let tellAt = performance.now() + TELL_MS
  for await (const step of steps) {
    last = step
    if (step.kind === 'finding') findings.push(step)
    if (step.kind !== 'progress' || performance.now() < tellAt) continue
    tellAt = performance.now() + TELL_MS
    output.note(`${formatCount(step.checked)} of ${formatCount(step.total)}  ${step.detail}`)
  }
  if (last === null || last.kind === 'progress' || last.kind === 'finding') {
    const detail = 'The check ended before its end was told: the node stopped, or is stopping.'
    throw new NodeError('answer_incomplete', { detail })
  }
  return { last, findings }
}

function formatFindings(findings: readonly VaultStep[]): string {
  return formatTable(findings.slice(0, FINDINGS_SHOWN), [
    { title: 'record', value: ({ record }) => record ?? '–' },
    { title: 'holder', value: ({ holder }) => holder ?? '–' },
    { title: 'found', value: ({ code, detail }) => code ?? detail },
    { title: 'now at', value: ({ movedTo }) => movedTo ?? '–' },
  ])
}

function print(schema: StepsSchema, outcome: Outcome, output: Output): void {
  const { last, findings } = outcome
  const { checked, good, bad, repaired, detail } = last
  const ok = isGreen(outcome)
  if (output.isJson) {
    const counts = { checked, good, bad, repaired }
    output.json({ schema, ok, ...counts, detail, findings })
    return
  }
  if (findings.length > 0) output.text(formatFindings(findings))
  const more = findings.length - FINDINGS_SHOWN
  if (more > 0) output.text(`and ${formatCount(more)} more`)
  const verdict = ok ? output.good('GREEN') : output.bad('NOT AT FULL STRENGTH')
  const anew = repaired === 0 ? '' : `, ${formatAmount(repaired, 'shard')} made anew`
  output.text(`${verdict}  ${formatCount(good)} of ${formatCount(checked)} sets${anew}. ${detail}`)
}

// Ctrl-C ends the work at the node as well.
async function runSteps(
  context: Context,
  { options, schema, ask }: Steps,
  result: { exitCode: number },
): Promise<void> {
  const output = createOutput(context, options)
  const stop = new AbortController()
  const forget = context.onInterrupt(() => stop.abort())
  try {
    const outcome = await withNode(context, options, (client) =>
      follow(ask(client, stop.signal), output),
    )
    print(schema, outcome, output)
    if (!isGreen(outcome)) result.exitCode = 8
  } finally {
    forget()
  }
}

function addVerify(group: Command, context: Context, result: { exitCode: number }): void {
  const command = remote(group.command('verify'))
    .description('challenge the holders of every record of this node, now')
    .option('--sample', 'challenge for a sample of the records only')
  withHelp(command, {
    examples: ['mooring vault verify', 'mooring vault verify --sample --json'],
    exits: [4, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & { sample?: boolean }>()
    const schema = 'mooring/vault-verification/v1'
    const full = options.sample !== true
    const ask: Ask = (client, signal) => client.verifyVault({ full, signal })
    await runSteps(context, { options, schema, ask }, result)
  })
}

function addRepair(group: Command, context: Context, result: { exitCode: number }): void {
  const command = remote(group.command('repair'))
    .description('make missing and bad shards anew, now')
    .option('--immediate', 'replace holders that do not answer, without waiting for them')
  withHelp(command, {
    examples: ['mooring vault repair', 'mooring vault repair --immediate --json'],
    exits: [4, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & { immediate?: boolean }>()
    const schema = 'mooring/vault-repair/v1'
    const immediate = options.immediate === true
    const ask: Ask = (client, signal) => client.repairVault({ immediate, signal })
    await runSteps(context, { options, schema, ask }, result)
  })
}

export function addVault(program: Command, context: Context, result: { exitCode: number }): void {
  const group = program.command('vault').description('how strong the records are, and repair')
  addStatus(group, context, result)
  addVerify(group, context, result)
  addRepair(group, context, result)
  withHelp(group, {
    examples: ['mooring vault status', 'mooring vault verify'],
    exits: [4, 8, 9],
  })
}
