// Changes of the network: proposed, approved and taken back with governance keys.

import { fromHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { formatChange, formatChanges, formatWaiting, shortId } from '../change-text.ts'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { type GovernanceOptions, openGovernance, signTransaction } from '../governance.ts'
import { createOutput } from '../output.ts'
import { findChange, submitFinal } from '../propose.ts'
import { addPropose, governance, waitForPass, waitMsOf } from './change-propose.ts'

type VoteOptions = GovernanceOptions & { wait?: number | true }

const VOTES = {
  approve: {
    kind: 'change.approve',
    description: 'agree to a change, as an authority',
    schema: 'mooring/change-approval/v1',
    done: 'approved',
  },
  withdraw: {
    kind: 'change.withdraw',
    description: 'take back the own proposal or the own approval',
    schema: 'mooring/change-withdrawal/v1',
    done: 'withdrawn',
  },
} as const

function addVote(group: Command, context: Context, verb: keyof typeof VOTES): void {
  const { kind, description, schema, done } = VOTES[verb]
  const command = governance(group.command(verb))
    .description(description)
    .argument('<id>', 'of the change; its first digits are enough')
  withHelp(command, {
    examples: [
      `mooring change ${verb} 9f3c2ab1`,
      `mooring change ${verb} 9f3c2ab1 --governance-key /media/usb/governance.json`,
    ],
    exits: [3, 4, 5, 6, 7, 9, 13],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<VoteOptions>()
    const output = createOutput(context, options)
    await withNode(context, options, async (client, endpoint) => {
      const found = await findChange({ client }, word)
      if (found.status === 'closed') throw new NodeError('change_closed', { id: found.id })
      const opened = await openGovernance(context, options, { client, endpoint })
      const { organisation } = opened
      output.note(`${found.summary}  (${found.proposer}: ${found.reason})`)
      const body = { organisation, change: fromHex(found.id) }
      const transaction = signTransaction(opened, context.now(), { kind, body })
      const transactionId = await submitFinal(opened, transaction, output)
      const timeoutMs = waitMsOf(options)
      const change =
        timeoutMs === undefined
          ? await client.change(found.id)
          : await waitForPass(opened, found.id, { timeoutMs, output })
      if (output.isJson) output.json({ schema, organisation, transactionId, change })
      else {
        const after =
          change.status === 'open'
            ? `it waits for ${formatWaiting(change)}`
            : change.status === 'passed'
              ? `it passed in block ${change.height ?? 0}`
              : 'it is closed'
        output.text(`${organisation} has ${done} change ${shortId(found.id)}; ${after}`)
      }
    })
  })
}

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list'))
    .description('changes that wait for approvals')
    .option('--all', 'with those that passed')
  withHelp(command, {
    examples: ['mooring change list', 'mooring change list --all --json'],
    exits: [4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & { all?: boolean }>()
    const output = createOutput(context, options)
    const query = options.all === true ? {} : { status: 'open' as const }
    const { items } = await withNode(context, options, (client) => client.changes(query))
    if (output.isJson) output.json({ schema: 'mooring/changes/v1', items })
    else if (items.length === 0) output.text('no change waits')
    else output.text(formatChanges(items))
  })
}

// `show` and `status` say the same: who has approved, whose node is ready, what is missing.
function addShow(group: Command, context: Context, verb: 'show' | 'status'): void {
  const command = remote(group.command(verb))
    .description(
      verb === 'show' ? 'one change in full' : 'who has approved a change, and what it waits for',
    )
    .argument('<id>', 'of the change; its first digits are enough')
  withHelp(command, {
    examples: [`mooring change ${verb} 9f3c2ab1`, `mooring change ${verb} 9f3c2ab1 --json`],
    exits: [4, 6],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const change = await withNode(context, options, (client) => findChange({ client }, id))
    if (output.isJson) output.json({ schema: 'mooring/change/v1', ...change })
    else if (verb === 'show') {
      output.text(formatChange(change, context.now()))
      output.text(`\n${JSON.stringify(change.details, null, 2)}`)
    } else output.text(formatChange(change, context.now()))
  })
}

export function addChange(program: Command, context: Context): void {
  const group = program
    .command('change')
    .description('changes of the network: members, keys, parameters, protocol')
  addPropose(group, context)
  addVote(group, context, 'approve')
  addVote(group, context, 'withdraw')
  addList(group, context)
  addShow(group, context, 'show')
  addShow(group, context, 'status')
  withHelp(group, {
    examples: ['mooring change list', 'mooring change approve 9f3c2ab1'],
    exits: [3, 4, 5, 6, 7, 9, 13],
  })
}
