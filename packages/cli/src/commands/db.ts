// The databases of a home: looked at, verified, compacted, repaired, set back. All of it on a stopped home;
// a node that runs verifies its own.

import { setTimeout as pause } from 'node:timers/promises'
import type { DatabaseCheck as ToldCheck, Verifications } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { checkHomeData } from '@mooring/node/database-check'
import { compactDatabases } from '@mooring/node/database-compact'
import { databaseInfo } from '@mooring/node/database-info'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { printCheck } from '../database-text.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { inHomeOrNode, stoppedHome } from '../home-or-node.ts'
import {
  createOutput,
  formatBytes,
  formatCount,
  formatFields,
  formatTable,
  type Output,
} from '../output.ts'
import type { Result } from '../program.ts'
import { addRepair } from './db-repair.ts'
import { addRollback } from './db-rollback.ts'

const POLL_MS = 200
const LINE_MS = 5_000

function addInfo(group: Command, context: Context): void {
  const command = group
    .command('info')
    .description('what a stopped home keeps: formats, sizes, the chain, snapshots, the trash')
  withHelp(command, {
    examples: ['mooring db info', 'mooring --home /srv/mooring db info --json'],
    exits: [3, 10, 11, 13],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const info = await databaseInfo(await stoppedHome(context, options))
    if (output.isJson) {
      output.json({ schema: 'mooring/db-info/v1', ...info })
      return
    }
    const { chain, home, snapshots, trash } = info
    output.text(
      formatFields([
        ['format', `${home.format ?? 'none yet'}; this version knows up to ${home.known}`],
        ['written by', home.writtenBy ?? 'a version before 0.1.0, or nobody yet'],
        ...(chain === null
          ? [['chain', 'none'] as const]
          : [
              ['chain', `height ${formatCount(chain.height)}, ${chain.digest}`] as const,
              ['state root', chain.stateRoot] as const,
              ['as of', chain.time] as const,
              ['bodies', `above ${formatCount(chain.prunedTo)}`] as const,
            ]),
        ['snapshots', snapshots.length === 0 ? 'none' : snapshots.map(formatCount).join(', ')],
      ]),
    )
    output.text('')
    output.text(
      formatTable(info.databases, [
        { title: 'database', value: ({ name }) => name },
        { title: 'format', value: ({ format }) => String(format), align: 'right' },
        { title: 'files', value: ({ files }) => formatCount(files), align: 'right' },
        { title: 'size', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
      ]),
    )
    for (const { path, bytes } of trash) output.note(`trash: ${path}, ${formatBytes(bytes)}`)
  })
}

function addVerify(group: Command, context: Context, result: Result): void {
  const command = remote(group.command('verify')).description(
    'read everything and compare it with its digests: in a stopped home, or by the node that runs',
  )
  withHelp(command, {
    examples: ['mooring db verify', 'mooring db verify --json'],
    exits: [3, 4, 11, 13],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const started = performance.now()
    const check = await inHomeOrNode<ToldCheck>(context, options, {
      home: async (own) => {
        const found = await checkHomeData(own)
        return { ...found, seconds: Math.round((performance.now() - started) / 1_000) }
      },
      node: (client) => askNode(client, output),
    })
    result.exitCode = check.damaged === 0 ? 0 : 11
    if (output.isJson) {
      output.json({ schema: 'mooring/db-verification/v1', ok: check.damaged === 0, ...check })
      return
    }
    printCheck(output, check)
  })
}

async function askNode(client: Client, output: Output): Promise<ToldCheck> {
  let state: Verifications = await client.admin.data.beginVerification()
  let toldAt = performance.now()
  while (state.runningSince !== null) {
    await pause(POLL_MS)
    state = await client.admin.data.verifications()
    if (performance.now() - toldAt < LINE_MS) continue
    toldAt = performance.now()
    output.note('the node verifies its databases')
  }
  const { last, failure } = state
  if (failure !== null || last === null) {
    throw new NodeError('answer_incomplete', { detail: failure?.detail ?? 'nothing was verified' })
  }
  return last
}

function addCompact(group: Command, context: Context): void {
  const command = group
    .command('compact')
    .description('give the room of what was deleted and replaced back to the disk')
  withHelp(command, {
    examples: ['mooring db compact', 'mooring --home /srv/mooring db compact --json'],
    exits: [3, 10, 11, 13],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const items = await compactDatabases(await stoppedHome(context, options))
    if (output.isJson) {
      output.json({ schema: 'mooring/db-compacted/v1', items })
      return
    }
    output.text(
      formatTable(items, [
        { title: 'database', value: ({ name }) => name },
        { title: 'before', value: ({ before }) => formatBytes(before), align: 'right' },
        { title: 'after', value: ({ after }) => formatBytes(after), align: 'right' },
      ]),
    )
  })
}

export function addDb(program: Command, context: Context, result: Result): void {
  const group = program
    .command('db')
    .description('databases of a home: verify, compact, repair, set back')
  addInfo(group, context)
  addVerify(group, context, result)
  addCompact(group, context)
  addRepair(group, context)
  addRollback(group, context)
  withHelp(group, {
    examples: ['mooring db verify', 'mooring db rollback --to 1200'],
    exits: [3, 4, 7, 9, 10, 11, 13],
  })
}
