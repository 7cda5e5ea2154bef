// What patients ask of their hospital and what its desk does for them, as the API asks for it.

import { type ApiHandlers, type PatientHandlers, Refusal } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { handleOfKey } from '@mooring/ledger'
import type { RandomBytes } from '@mooring/records'
import { type Accounts, unknownPatient, unknownRecipient } from './accounts.ts'
import type { Clock } from './clock.ts'
import type { Enrolment } from './enrolment.ts'
import { checkTerms, patientReference } from './grant-terms.ts'
import { depositedGrant, hostedGrant } from './grant-deposit.ts'
import type { FinalFacts } from './final-facts.ts'
import type { GrantDesk } from './grant-desk.ts'
import type { PatientDoor } from './patient-door.ts'

export interface PatientAnswerModules {
  readonly organisation: string
  readonly genesisDigest: Uint8Array
  readonly accounts: Accounts
  readonly door: PatientDoor
  readonly enrolment: Enrolment
  readonly desk: GrantDesk
  readonly facts: Pick<FinalFacts, 'successorOf' | 'handle'>
  readonly isMember: (organisation: string) => boolean
  readonly clock: Pick<Clock, 'wall'>
  readonly random: RandomBytes
}

export type PatientAnswers = Pick<ApiHandlers, 'createGrant'> & { patients: PatientHandlers }

export function createPatientAnswers(modules: PatientAnswerModules): PatientAnswers {
  const { door, enrolment, desk, accounts } = modules
  return {
    createGrant: (request) => createGrant(modules, request),
    patients: {
      caller: (call) => door.caller(call),
      createEnrolment: (request) => enrolment.createTicket(request),
      enrol: (caller, wallet) => enrolment.enrol(caller, wallet),
      rebind: (caller, rebinding) => enrolment.rebind(caller, rebinding),
      depositGrant: async (caller, deposit) => {
        const { organisation, genesisDigest, clock } = modules
        const account = desk.ownAccount(caller)
        const handleOf = (handle: Uint8Array) => modules.facts.handle(handle)
        const ground = { organisation, genesisDigest, now: clock.wall(), handleOf }
        const grant = depositedGrant(account, deposit, ground)
        const { open } = deposit
        const { id, opened } = await desk.putInForce(account, { grant, open, hostedNumber: null })
        return {
          id: toHex(id),
          handle: toHex(handleOfKey(open.publicKey)),
          transactionId: opened?.transaction ? toHex(opened.transaction) : null,
          height: opened?.height ?? 0,
        }
      },
      revoke: (revocation) => desk.revoke(revocation),
      grants: (caller, query) => desk.grants(desk.ownAccount(caller).reference, query),
      grantsOf: (patient, query) => {
        const reference = patientReference(patient)
        if (accounts.find(reference) === undefined) throw unknownPatient()
        return desk.grants(reference, query)
      },
      revokeHosted: (handle) => desk.revokeHosted(handle),
    },
  }
}

type GrantRequest = Parameters<ApiHandlers['createGrant']>[0]

/** With the key that is hosted for the patient; in force when it resolves. */
async function createGrant(modules: PatientAnswerModules, request: GrantRequest): Promise<string> {
  const { accounts, desk, facts, organisation, random, clock, isMember } = modules
  const { recipient, classes, purposes, expiresAt } = request
  const notBefore = request.notBefore ?? clock.wall()
  checkTerms(request, notBefore, clock.wall())
  if (!isMember(recipient)) throw unknownRecipient(recipient)
  const account = accounts.find(patientReference(request.patient))
  if (account === undefined) throw unknownPatient()
  const pair = accounts.signKeyPair(account.patientKey)
  if (pair === undefined)
    throw new Refusal('patient_has_wallet', 'This patient has a wallet, which alone can grant.')
  if (facts.successorOf(organisation, pair.publicKey) !== null)
    throw new Refusal(
      'key_replaced',
      'A wallet has taken the place of the key that is hosted here.',
    )
  const { number, open } = desk.newHandle(account, expiresAt)
  const handle = handleOfKey(open.publicKey)
  const scope = { recipient, classes, purposes, notBefore, expiresAt }
  const terms = { id: random(16), handle, custodian: organisation, ...scope }
  const grant = hostedGrant(pair, account, terms)
  const { document } = await desk.putInForce(account, { grant, open, hostedNumber: number })
  return document
}
