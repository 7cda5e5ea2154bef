// `patient emergency status`: what is with the trustees, and everybody who has opened it.

import type { EmergencyNotice, EmergencyStatus } from '@mooring/api'
import type { Wallet } from '@mooring/records'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { type Column, createOutput, formatFields, formatTable, formatTime } from '../output.ts'
import { hospitalsFor, withHospital } from '../patient-client.ts'
import { readWallet, type WalletOptions } from '../wallet-session.ts'

const COLUMNS: Column<EmergencyNotice & { hospital: string }>[] = [
  { title: 'opened', value: ({ time, late }) => (late ? `${time}, told late` : time) },
  { title: 'by', value: ({ organisation }) => organisation },
  { title: 'reason', value: ({ reason }) => reason },
  { title: 'of', value: ({ as }) => (as === 'patient' ? 'you' : 'somebody you guard') },
  { title: 'in words', value: ({ written }) => written ?? 'not yet' },
  { title: 'review', value: ({ verdict }) => verdict?.verdict ?? 'not yet' },
]

export function addEmergencyStatus(group: Command, context: Context): void {
  const command = remote(group.command('status')).description(
    'your emergency set, and everybody who has opened it',
  )
  withHelp(command, {
    examples: ['mooring patient emergency status', 'mooring patient emergency status --json'],
    exits: [4, 5, 6],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & WalletOptions>()
    const output = createOutput(context, options)
    const wallet = await readWallet(context, options)
    const own = hospitalsFor(wallet, options)
    const found: { hospital: string; status: EmergencyStatus }[] = []
    for (const hospital of own) {
      const status = await withHospital(context, { wallet, hospital }, options, (client) =>
        client.ownEmergencyStatus(),
      )
      found.push({ hospital: hospital.organisation, status })
    }
    const notices = found.flatMap(({ hospital, status }) =>
      status.notices.map((notice) => ({ ...notice, hospital })),
    )
    const { deposited, isOptedOut } = wallet.emergency
    const set = found.find(({ hospital }) => hospital === deposited?.home)?.status.set ?? null
    if (output.isJson) {
      output.json({ schema: 'mooring/emergency-status/v1', isOptedOut, set, notices })
      return
    }
    output.text(
      formatFields([
        ['set', setText(isOptedOut, deposited)],
        ['trustees', deposited?.trustees.join(', ') ?? '–'],
        ['versions left', set === null ? '–' : String(set.spare)],
      ]),
    )
    if (notices.length > 0) output.text(output.bad(`\n${formatTable(notices, COLUMNS)}`))
    else output.text('nobody has opened it')
  })
}

function setText(isOptedOut: boolean, deposited: Wallet['emergency']['deposited']): string {
  if (isOptedOut) return 'none: you have opted out'
  if (deposited === null) return 'none'
  return `deposited ${formatTime(deposited.madeAt)} through ${deposited.home}`
}
