// What a node does for patients, put together from what it has: the door, the desk, and grants.

import { randomBytes } from 'node:crypto'
import type { Agreement } from './agreement.ts'
import { AtRest } from './at-rest.ts'
import { systemClock } from './clock.ts'
import type { Custodian } from './custodian.ts'
import { Enrolment } from './enrolment.ts'
import { GrantDesk } from './grant-desk.ts'
import { KeptGrants } from './kept-grants.ts'
import { loadRecordsSecret } from './local-secret.ts'
import type { CustodyGround } from './open-custodian.ts'
import { createPatientAnswers, type PatientAnswers } from './patient-answers.ts'
import { PatientDoor } from './patient-door.ts'
import type { Relay } from './relay.ts'
import { Tickets } from './tickets.ts'

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

export interface OpenedPatients {
  readonly answers: PatientAnswers
  readonly door: PatientDoor
  /** Goes on with what an earlier run began. */
  start(): Promise<void>
  close(): Promise<void>
}

export async function openPatients(
  { options, stores, late }: Pick<CustodyGround, 'options' | 'stores' | 'late'>,
  { agreement, custodian, relay }: { agreement: Agreement; custodian: Custodian; relay: Relay },
): Promise<OpenedPatients> {
  const { name: organisation, genesisDigest, keys } = options
  const { accounts, index } = custodian
  const { facts, members } = agreement
  const clock = systemClock
  const now = () => clock.wall()
  const isMember = (name: string) => members.organisations.some(({ id }) => id === name)
  const atRest = new AtRest(await loadRecordsSecret(options))
  const store = stores.privateValues
  const common = { organisation, genesisDigest, accounts, facts, relay, clock }
  const kept = new KeptGrants(store, atRest, now)
  const tickets = new Tickets({ store, atRest, now, random })
  const desk = new GrantDesk({ ...common, kept, isMember, random, onFatal: late.fail })
  const enrolment = new Enrolment({ ...common, anchorKey: keys.anchor, tickets, index })
  const door = new PatientDoor({ organisation, genesisDigest, facts, clock })
  const answers = createPatientAnswers({ ...common, door, enrolment, desk, isMember, random })
  return { answers, door, start: () => desk.start(), close: () => desk.close() }
}
