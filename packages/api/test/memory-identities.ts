/** Identities of the node in memory: one is known, and every event is relayed. */

import { toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import type {
  IdentityAnswer,
  IdentityHandlers,
  RecoveryStatement,
} from '../src/identity-handlers.ts'
import type { HandleOpening, PatientCaller } from '../src/patient-handlers.ts'
import { digestOf, timeOf } from './memory-vault.ts'

const RELAYED = { transactionId: digestOf('relayed'), height: 3 }

export const IDENTITY: IdentityAnswer = {
  id: digestOf('identity'),
  sequence: 2,
  controlKey: digestOf('control'),
  nextKeyDigest: digestOf('next'),
  recovery: {
    guardians: digestOf('guardians'),
    threshold: 2,
    vetoes: 1,
    lockMs: 3_000,
    deskLockMs: 1_000,
  },
  devices: [digestOf('device')],
  pending: {
    controlKey: digestOf('new control'),
    openedAt: timeOf(1),
    unlocksAt: timeOf(4),
    isAttested: false,
  },
  time: timeOf(2),
}

export class MemoryIdentities implements IdentityHandlers {
  readonly events: Uint8Array[] = []
  readonly statements: RecoveryStatement[] = []
  readonly delegations: { caller: PatientCaller; open: HandleOpening }[] = []

  relay(event: Uint8Array) {
    this.events.push(event)
    return Promise.resolve(RELAYED)
  }

  find(id: string) {
    return id === IDENTITY.id ? IDENTITY : undefined
  }

  sign(statement: RecoveryStatement) {
    this.statements.push(statement)
    return { organisation: 'st-mary', key: digestOf('anchor'), signature: '0'.repeat(128) }
  }

  openDelegation(caller: PatientCaller, open: HandleOpening) {
    this.delegations.push({ caller, open })
    return Promise.resolve({ ...RELAYED, handle: toHex(sha256(open.publicKey)) })
  }
}
