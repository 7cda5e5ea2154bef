// A hospital's desk over a chain of its own: accounts, tickets, grants and the door, each the real one, and
// blocks that are made when something waits for one. A node can be ended, and begins again with what
// was on its disk.

import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { HandleOpening, PatientCaller } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { type KeyPair, x25519PublicKey } from '@mooring/crypto'
import { genesisDigest, handleOfKey, signGrantOpen, wholeDayAfter } from '@mooring/ledger'
import {
  consentOf,
  formatGrant,
  type GrantTerms,
  handleKey,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  parseTicket,
  signGrant,
} from '@mooring/records'
import { AccountStore, MemoryLevel, openDatabaseOn, PrivateValues } from '@mooring/storage'
import { AtRest } from '../src/at-rest.ts'
import { Enrolment } from '../src/enrolment.ts'
import { createFinalFacts } from '../src/final-facts.ts'
import { GrantDesk } from '../src/grant-desk.ts'
import { KeptGrants } from '../src/kept-grants.ts'
import { KeyDeposits } from '../src/key-deposits.ts'
import { createPatientAnswers } from '../src/patient-answers.ts'
import { PatientAccounts } from '../src/patient-accounts.ts'
import { PatientDoor } from '../src/patient-door.ts'
import { createRelay, type Relay, type Relayed } from '../src/relay.ts'
import { Tickets } from '../src/tickets.ts'
import { keyOf, NAMES } from './chain-members.ts'
import { withWorld, type World } from './chain-world.ts'
import { makeBlock } from './custody-world.ts'

export const [OWN = '', READER = ''] = NAMES
export const DAY_MS = 86_400_000
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

export type Desk = ReturnType<typeof createDesk>

export interface PatientsWorld {
  world: World
  digest: Uint8Array
  /** The next steps on the chain come to nothing, as if the node ended before them. */
  relaying: { isCut: boolean; sent: Relayed['kind'][] }
  desk: Desk
  /** Ends the node, and begins again with its disk. */
  again: () => Promise<Desk>
  /** Makes blocks until it is done. */
  final: <T>(work: Promise<T>) => Promise<T>
}

export async function withPatients(work: (world: PatientsWorld) => Promise<void>): Promise<void> {
  await withWorld(async (world) => {
    const level = new MemoryLevel('records')
    const relaying: PatientsWorld['relaying'] = { isCut: false, sent: [] }
    const create = async () => {
      const database = await openDatabaseOn(level, 'records')
      const accounts = await AccountStore.open(database)
      return createDesk(world, { accounts, values: new PrivateValues(database), relaying })
    }
    await work({
      world,
      digest: genesisDigest(world.genesis),
      relaying,
      desk: await create(),
      again: create,
      final: (answer) => untilDone(world, answer),
    })
  })
}

async function untilDone<T>(world: World, answer: Promise<T>): Promise<T> {
  const state = { isDone: false }
  const done = answer.finally(() => {
    state.isDone = true
  })
  done.catch(() => undefined)
  for (let turn = 0; !state.isDone && turn < 10_000; turn += 1) {
    await makeBlock(world)
    await nextTurn()
  }
  return await done
}

const onFatal = (error: unknown): void => {
  throw error
}

function createDesk(
  world: World,
  {
    accounts: store,
    values,
    relaying,
  }: { accounts: AccountStore; values: PrivateValues; relaying: PatientsWorld['relaying'] },
) {
  const { clock, parts, mempool, genesis } = world
  const { execution, committer, chain } = parts
  const digest = genesisDigest(genesis)
  const anchorKey = keyOf(OWN, 'anchor')
  const atRest = new AtRest(new Uint8Array(32).fill(9))
  const members = genesis.organisations.map(({ organisation }) => organisation)
  const finalState = () => execution.finalState()
  const facts = createFinalFacts({ chain, finalState, heartbeatMs: () => 0 })
  const keys = new KeyDeposits({ organisation: OWN, organisations: () => members, store, atRest })
  const now = () => clock.wall()
  const accounts = new PatientAccounts({
    organisation: OWN,
    store,
    atRest,
    keys,
    sealKey: x25519PublicKey(keyOf(OWN, 'seal').seed),
    sealKeyOf: (name) => members.find(({ id }) => id === name)?.keys.seal,
    isOpenHandle: (handle) => facts.handle(handle)?.revokedAt === null,
    now,
    random,
  })
  const chained = createRelay(
    { genesisDigest: digest, anchorKey },
    { clock, execution, mempool, committer, chain },
  )
  const relay: Relay = {
    submit: (relayed, signal) => {
      relaying.sent.push(relayed.kind)
      if (relaying.isCut) return Promise.reject(new Error('the node ends here'))
      return chained.submit(relayed, signal)
    },
  }
  const isMember = (name: string) => members.some(({ id }) => id === name)
  const common = { organisation: OWN, genesisDigest: digest, accounts, facts, relay, clock }
  const kept = new KeptGrants(values, atRest, now)
  const tickets = new Tickets({ store: values, atRest, now, random })
  const desk = new GrantDesk({ ...common, kept, isMember, random, onFatal })
  const index = { listAccount: () => Promise.resolve([]) }
  const enrolment = new Enrolment({ ...common, anchorKey, tickets, index })
  const door = new PatientDoor({ organisation: OWN, genesisDigest: digest, facts, clock })
  const answers = createPatientAnswers({ ...common, door, enrolment, desk, isMember, random })
  const close = () => desk.close()
  return { ...answers, accounts, relay, facts, kept, tickets, start: () => desk.start(), close }
}

/** The keys of one patient's wallet, and what it makes with them. */
export class MadeWallet {
  readonly sign: KeyPair
  readonly logKey: Uint8Array
  readonly #seed: Uint8Array
  readonly #of: PatientsWorld

  constructor(of: PatientsWorld, byte: number) {
    const did = organisationDid(OWN)
    this.#of = of
    this.#seed = new Uint8Array(32).fill(byte)
    this.sign = pairwiseSignKey(this.#seed, did)
    this.logKey = pairwiseSealKey(this.#seed, did, 1).publicKey
  }

  get caller(): PatientCaller {
    return { patientKey: this.sign.publicKey, signer: this.sign.publicKey, delegation: null }
  }

  async ticket(patient: string, isNew = false): Promise<Uint8Array> {
    const asked = { patient, endpoint: 'http://127.0.0.1:7421', isNew }
    const { ticket } = await this.#of.desk.patients.createEnrolment(asked)
    return parseTicket(ticket).code
  }

  async enrol(patient: string, isNew = false) {
    const code = await this.ticket(patient, isNew)
    const wallet = { code, sealKey: this.logKey, recoveryCommit: null }
    return this.#of.final(this.#of.desk.patients.enrol(this.caller, wallet))
  }

  oneTime(index: number): KeyPair {
    return handleKey(this.#seed, index)
  }

  consent(index: number, terms: Partial<GrantTerms> = {}) {
    const now = this.#of.world.clock.wall()
    return consentOf({
      id: new Uint8Array(16).fill(index),
      handle: handleOfKey(this.oneTime(index).publicKey),
      patientKey: this.sign.publicKey,
      logKey: this.logKey,
      custodian: OWN,
      recipient: READER,
      purposes: ['TREAT'],
      notBefore: now,
      expiresAt: now + DAY_MS,
      content: { classes: ['general'] },
      ...terms,
    })
  }

  grant(index: number, terms: Partial<GrantTerms> = {}): string {
    return formatGrant(signGrant(this.sign, this.consent(index, terms)))
  }

  opening(index: number, terms: Partial<HandleOpening> = {}): HandleOpening {
    const { digest, world } = this.#of
    const pair = this.oneTime(index)
    const expiresAt = wholeDayAfter(world.clock.wall() + DAY_MS)
    const said = { expiresAt, kind: 'share' as const, ...terms }
    const signature = signGrantOpen(digest, said, pair)
    return { publicKey: pair.publicKey, signature, ...said, ...terms }
  }

  deposit(index: number, terms: Partial<GrantTerms> = {}) {
    const deposit = { grant: this.grant(index, terms), open: this.opening(index) }
    return this.#of.final(this.#of.desk.patients.depositGrant(this.caller, deposit))
  }
}

export const hex = (bytes: Uint8Array | undefined): string => toHex(bytes ?? new Uint8Array(0))
