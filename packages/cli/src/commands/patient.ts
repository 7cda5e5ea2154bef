// What a patient does with a wallet of their own; each area has its file.

import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { withWalletOptions } from '../wallet-session.ts'
import { addPatientGrant } from './patient-grant.ts'
import { addPatientEmergency } from './patient-emergency.ts'
import { addEnrol } from './patient-enrol.ts'
import { addPatientDevice, addPatientRepresent } from './patient-device.ts'
import { addPatientErase } from './patient-erase.ts'
import { addPatientGuardians } from './patient-guardians.ts'
import { addPatientJoin } from './patient-join.ts'
import { addPatientAccess } from './patient-access.ts'
import { addTimeline } from './patient-timeline.ts'
import { addPatientRecover } from './patient-recover.ts'
import { addPatientVeto } from './patient-veto.ts'
import { addWalletCommands } from './patient-wallet.ts'

export function addPatient(program: Command, context: Context): void {
  const group = withWalletOptions(program.command('patient')).description(
    'the wallet of a patient: keys, hospitals, what they permit and what was read',
  )
  const areas = [
    addWalletCommands,
    addEnrol,
    addPatientGrant,
    addPatientEmergency,
    addPatientGuardians,
    addPatientRecover,
    addPatientVeto,
    addTimeline,
    addPatientAccess,
    addPatientDevice,
    addPatientRepresent,
    addPatientJoin,
    addPatientErase,
  ]
  for (const add of areas) add(group, context)
  withHelp(group, {
    examples: [
      'mooring patient new                make a wallet, and write its words down',
      "mooring patient enrol <ticket>     with the ticket of a hospital's desk",
      'mooring patient hospitals          where the wallet is known',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10, 13],
  })
}
