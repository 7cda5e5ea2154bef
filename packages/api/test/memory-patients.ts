/** Patients of the node in memory: who one is stands in the header, and everything is granted. */

import { fromHex, toHex } from '@mooring/codec'
import { Refusal } from '../src/errors.ts'
import type {
  EnrolmentRequest,
  KnownGrantAnswer,
  KnownGrantQuery,
  PatientCall,
  PatientCaller,
  PatientHandlers,
  WalletEnrolment,
  WalletRebinding,
} from '../src/patient-handlers.ts'
import { digestOf, timeOf } from './memory-vault.ts'

const RELAYED = { transactionId: digestOf('relayed'), height: 3 }

export class MemoryPatients implements PatientHandlers {
  readonly calls: PatientCall[] = []
  readonly enrolled: { caller: PatientCaller; enrolment: WalletEnrolment }[] = []
  readonly deposits: { grant: string; kind: string; handle: string }[] = []

  caller(call: PatientCall): PatientCaller {
    this.calls.push(call)
    const key = /^Mooring-Patient ([0-9a-f]{64})$/.exec(call.authorization ?? '')?.[1]
    if (key === undefined) throw new Refusal('patient_request_malformed', 'It is no signature.')
    return { patientKey: fromHex(key), signer: fromHex(key), delegation: null }
  }

  createEnrolment({ patient, endpoint, isNew = false }: EnrolmentRequest) {
    if (patient === 'nobody' && !isNew)
      throw new Refusal('unknown_patient', 'No record has come in.')
    return Promise.resolve({ ticket: `mooring-ticket:${endpoint}`, expiresAt: timeOf(900) })
  }

  enrol(caller: PatientCaller, enrolment: WalletEnrolment) {
    this.enrolled.push({ caller, enrolment })
    return Promise.resolve({ receipts: Uint8Array.of(1, 2, 3), replaced: RELAYED })
  }

  rebind(caller: PatientCaller, { sealKey, recoveryCommit }: WalletRebinding) {
    return this.enrol(caller, { code: new Uint8Array(16), sealKey, recoveryCommit })
  }

  depositGrant(
    _caller: PatientCaller,
    { grant, open }: Parameters<PatientHandlers['depositGrant']>[1],
  ) {
    const handle = digestOf(open.publicKey)
    this.deposits.push({ grant, kind: open.kind, handle })
    return Promise.resolve({ id: 'g1', handle, ...RELAYED })
  }

  revoke({ publicKey }: { publicKey: Uint8Array }) {
    return Promise.resolve({ handle: digestOf(publicKey), ...RELAYED })
  }

  grants({ patientKey }: PatientCaller, query: KnownGrantQuery) {
    return this.grantsOf(toHex(patientKey), query)
  }

  grantsOf(_patient: string, { before, limit }: KnownGrantQuery) {
    const end = before ?? this.deposits.length
    const from = Math.max(0, end - limit)
    const items = this.deposits.slice(from, end).toReversed().map(answerOf)
    return Promise.resolve({ items, next: from === 0 ? null : from })
  }

  revokeHosted(handle: string) {
    const isKnown = this.deposits.some((each) => each.handle === handle)
    return Promise.resolve(isKnown ? { handle, ...RELAYED } : undefined)
  }
}

function answerOf({ handle }: { handle: string }): KnownGrantAnswer {
  const times = { notBefore: timeOf(0), expiresAt: timeOf(60) }
  const scope = { recipient: 'riverside', classes: ['general'], purposes: ['TREAT'] }
  const standing = { status: 'live' as const, revokedHeight: null, isHosted: false }
  return { id: 'g1', handle, ...scope, ...times, ...standing, document: '{}' }
}
