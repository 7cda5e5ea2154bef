import { setTimeout as pause } from 'node:timers/promises'
import { ApiProblem, type Client } from '@mooring/api/client'
import { NodeError } from '@mooring/node/node-error'
import { formatDuration } from '@mooring/node/option-values'
import type { Transaction } from '@mooring/api'
import { type Command, Option } from 'commander'
import { durationArgument, remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, formatFields, type Output } from '../output.ts'

const POLL_MS = 200
const ASK_MS = 10_000

function print(output: Output, transaction: Transaction): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/transaction/v1', ...transaction })
    return
  }
  const { id, status, kind, height, index, time, expiresAt, receipt } = transaction
  const fields: [string, string][] = [
    ['transaction', id],
    ['kind', kind],
    ['status', status],
    ['expires', expiresAt],
  ]
  if (height !== null) fields.push(['block', `${height}, position ${index ?? 0}`])
  if (time !== null) fields.push(['time', time])
  if (receipt !== null) fields.push(['receipt', JSON.stringify(receipt)])
  output.text(formatFields(fields))
}

async function waitForFinal(client: Client, id: string, timeoutMs: number): Promise<Transaction> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const found = await client.transaction(id).catch((error: unknown) => {
      if (error instanceof ApiProblem && error.code === 'unknown_transaction') return undefined
      throw error
    })
    if (found?.status === 'final') return found
    if (performance.now() >= deadline) {
      const timeout = formatDuration(timeoutMs)
      throw new NodeError('wait_timeout', { what: `Transaction ${id}`, timeout })
    }
    await pause(POLL_MS)
  }
}

export function addTransaction(program: Command, context: Context): void {
  const group = program
    .command('transaction')
    .alias('tx')
    .description('transactions and what became of them')
  const get = remote(group.command('get'))
    .description('one transaction: pending, or final with its receipt')
    .argument('<id>', 'its id, 64 hexadecimal digits')
  withHelp(get, {
    examples: ['mooring transaction get 9f3c…', 'mooring tx get 9f3c… --json'],
    exits: [4, 6],
  })
  get.action(async (id: string) => {
    const options = get.optsWithGlobals<RemoteOptions>()
    const transaction = await withNode(context, options, (client) => client.transaction(id))
    print(createOutput(context, options), transaction)
  })

  const wait = group
    .command('wait')
    .description('wait until a transaction is in a final block')
    .argument('<id>', 'its id')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait')
        .argParser(durationArgument)
        .default(30_000, '30s'),
    )
  withHelp(wait, {
    examples: ['mooring transaction wait 9f3c…', 'mooring tx wait 9f3c… --timeout 1m'],
    exits: [4, 9],
  })
  wait.action(async (id: string) => {
    const options = wait.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const { timeout } = options
    const work = withNode(context, { ...options, timeout: ASK_MS }, (client) =>
      waitForFinal(client, id, timeout),
    )
    print(output, await waitingFor(output.note, 'a final block', work))
  })
  withHelp(group, { examples: ['mooring transaction get 9f3c…'], exits: [4, 6, 9] })
}
