// Taking back: one grant, or everything. What a hospital has made final no holder serves any more.

import { toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { stateOf } from '../grant-words.ts'
import { createOutput, type Output } from '../output.ts'
import {
  findGrant,
  grantsOf,
  type OwnGrant,
  revokeGrant,
  type Revocation,
  withRevoked,
} from '../patient-grants.ts'
import { type WalletOptions, withWallet } from '../wallet-session.ts'

type RevokeOptions = RemoteOptions & WalletOptions
type RevokeAllOptions = RevokeOptions & { at?: string; to?: string }
type Row = OwnGrant & { revocation: Revocation | undefined }

const WORDS: Record<Revocation['outcome'] | 'failed', string> = {
  revoked: 'no holder serves it any more',
  over: 'it was over already',
  unopened: 'it never was in force',
  failed: 'NOT revoked',
}

// One after the other, each saved when it is done; what fails is left for another try.
async function revokeEach(
  context: Context,
  options: RevokeOptions,
  pick: (known: OwnGrant[]) => OwnGrant[],
): Promise<{ rows: Row[]; error: unknown }> {
  return withWallet(context, options, async (wallet, save) => {
    const rows: Row[] = []
    let current = wallet
    let error: unknown
    for (const { entry, grant } of pick(grantsOf(wallet))) {
      try {
        const revocation = await revokeGrant(context, current, entry, options)
        rows.push({ entry, grant, revocation })
        if (revocation.outcome === 'unopened') continue
        current = withRevoked(current, entry, context.now().getTime())
        await save(current)
      } catch (failure) {
        error = failure
        rows.push({ entry, grant, revocation: undefined })
      }
    }
    return { rows, error }
  })
}

function tell(output: Output, rows: readonly Row[]): void {
  const items = rows.map(({ entry, grant, revocation }) => ({
    id: grant === null ? null : toHex(grant.id),
    handle: toHex(entry.handle),
    custodian: entry.custodian,
    recipient: entry.recipient,
    outcome: revocation?.outcome ?? ('failed' as const),
    height: revocation?.outcome === 'revoked' ? revocation.height : null,
  }))
  if (output.isJson) {
    output.json({ schema: 'mooring/revocations/v1', items })
    return
  }
  for (const { id, handle, recipient, custodian, outcome, height } of items) {
    const where = height === null ? '' : `, since block ${height}`
    output.text(
      `${(id ?? handle).slice(0, 8)}  ${recipient} of ${custodian}: ${WORDS[outcome]}${where}`,
    )
  }
}

export function addGrantRevoke(group: Command, context: Context): void {
  addRevoke(group, context)
  addRevokeAll(group, context)
}

function addRevoke(group: Command, context: Context): void {
  const command = remote(group.command('revoke'))
    .description('take a grant back, everywhere, at once')
    .argument('<grants...>', 'the beginning of the id or handle of each')
  withHelp(command, {
    examples: ['mooring patient grant revoke 5f3a90', 'mooring patient grant revoke 5f3a90 c0ffee'],
    exits: [3, 4, 5, 6, 8, 10],
  })
  command.action(async (ids: string[]) => {
    const options = command.optsWithGlobals<RevokeOptions>()
    const output = createOutput(context, options)
    const revoking = revokeEach(context, options, (known) => ids.map((id) => findGrant(known, id)))
    const { rows, error } = await waitingFor(output.note, 'the revocation to be final', revoking)
    tell(output, rows)
    if (error !== undefined) throw error
  })
}

function addRevokeAll(group: Command, context: Context): void {
  const command = remote(group.command('revoke-all'))
    .description('take back everything that is in force')
    .option('--at <hospital>', 'only of its records')
    .option('--to <organisation>', 'only what it may read')
  withHelp(command, {
    examples: [
      'mooring patient grant revoke-all',
      'mooring patient grant revoke-all --to lakeview',
    ],
    exits: [3, 4, 5, 6, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RevokeAllOptions>()
    const output = createOutput(context, options)
    const now = context.now().getTime()
    const isMeant = ({ entry }: OwnGrant) =>
      ['live', 'not_yet'].includes(stateOf(entry, now)) &&
      (options.at === undefined || entry.custodian === options.at) &&
      (options.to === undefined || entry.recipient === options.to)
    const revoking = revokeEach(context, options, (known) => known.filter(isMeant))
    const { rows, error } = await waitingFor(output.note, 'the revocations to be final', revoking)
    tell(output, rows)
    if (rows.length === 0) output.note('nothing is in force')
    if (error === undefined) return
    const count = rows.filter(({ revocation }) => revocation === undefined).length
    throw new NodeError('grants_left', { count, of: rows.length }, { cause: error })
  })
}
