// The desk: a ticket for somebody whose identity was checked, and the wallet that comes with it.
//
// A wallet takes the place of the keys that were in force before: hosted ones when a patient moves out,
// or those of a wallet that was lost. First the chain says so, so that whatever the old key has signed is
// dead at every holder; then the account follows. A step that was cut off is done again with the same
// ticket.

import {
  type EnrolmentRequest,
  type PatientCaller,
  type PatientHandlers,
  Refusal,
  type WalletEnrolment,
  type WalletRebinding,
} from '@mooring/api'
import { encode, equalBytes, toHex } from '@mooring/codec'
import { type KeyPair, x25519 } from '@mooring/crypto'
import { patientKeyDigest, pendingAt } from '@mooring/ledger'
import {
  DISCHARGE_RECEIPTS_MAX,
  type DischargeReceipt,
  formatTicket,
  genesisPrefixOf,
  recoveryCommit,
  signDischargeReceipts,
  signedDischargeReceiptsSchema,
  verifyRebinding,
} from '@mooring/records'
import { type Account, type Accounts, unknownPatient, type WalletKeys } from './accounts.ts'
import type { Clock } from './clock.ts'
import type { CustodianIndex } from './custodian-index.ts'
import type { FinalFacts } from './final-facts.ts'
import { patientReference } from './grant-terms.ts'
import { InTurn } from './in-turn.ts'
import { RateLimit } from './rate-limit.ts'
import type { Relay } from './relay.ts'
import type { Tickets } from './tickets.ts'

export interface EnrolmentModules {
  readonly organisation: string
  readonly genesisDigest: Uint8Array
  readonly anchorKey: KeyPair
  readonly tickets: Tickets
  readonly accounts: Accounts
  readonly index: Pick<CustodianIndex, 'listAccount'>
  readonly facts: Pick<FinalFacts, 'currentKeyOf' | 'identity' | 'time'>
  readonly relay: Relay
  readonly clock: Pick<Clock, 'wall' | 'monotonic'>
}

const PAGE = 500
/** An id as FHIR has it: under another number no record would ever find the account. */
const PATIENT_NUMBER = /^[A-Za-z0-9.-]{1,64}$/
/** Of wallets that come with no ticket that is open, and no identity that is known: strangers, all together. */
const PACE = { burst: 60, everyMs: 1_000, namesMax: 1 }
const ANY_SECRET = new Uint8Array(32).fill(8)

export type Enrolled = Awaited<ReturnType<PatientHandlers['enrol']>>

export class Enrolment {
  readonly #modules: EnrolmentModules
  readonly #pace: RateLimit
  /** Wallets of one patient do not overtake each other. */
  readonly #turns = new InTurn()

  constructor(modules: EnrolmentModules) {
    this.#modules = modules
    this.#pace = new RateLimit(PACE, () => modules.clock.monotonic())
  }

  /** @throws Refusal unknown_patient, patient_known, patient_number_unusable, too_many_tickets */
  async createTicket({ patient, endpoint, isNew = false }: EnrolmentRequest) {
    const { tickets, organisation, genesisDigest } = this.#modules
    const reference = patientReference(patient)
    this.#checkReference(reference, isNew)
    const { code, expiresAt } = await tickets.create(reference)
    const genesisPrefix = genesisPrefixOf(genesisDigest)
    const ticket = formatTicket({ organisation, endpoint, code, genesisPrefix })
    return { ticket, expiresAt: new Date(expiresAt).toISOString() }
  }

  /** The desk says that somebody is new, so that a mistyped number gives nobody another patient's records. */
  #checkReference(reference: string, isNew: boolean): void {
    if (reference === '')
      throw new Refusal('unknown_patient', 'Records of no patient have no wallet.')
    const isKnown = this.#modules.accounts.find(reference) !== undefined
    if (!isNew && !isKnown) throw unknownPatient()
    if (isNew && isKnown)
      throw new Refusal('patient_known', 'This number is that of a patient who is known here.')
    if (isNew && !PATIENT_NUMBER.test(reference))
      throw new Refusal('patient_number_unusable', `${reference} is no id of a Patient.`)
  }

  /** @throws Refusal of the ticket, the keys, or the chain */
  enrol(caller: PatientCaller, wallet: WalletEnrolment): Promise<Enrolled> {
    if (!this.#modules.tickets.isOpen(wallet.code) && !this.#pace.take('')) {
      const detail = 'Too many wallets come with a ticket at once; wait a moment.'
      return Promise.reject(new Refusal('patient_too_often', detail))
    }
    return this.#turns.run(() => this.#enrol(caller, wallet))
  }

  /** @throws Refusal of the proof, the keys, or the chain */
  rebind(caller: PatientCaller, rebinding: WalletRebinding): Promise<Enrolled> {
    if (!this.#isOfIdentity(rebinding) && !this.#pace.take('')) {
      const detail = 'Too many wallets come at once; wait a moment.'
      return Promise.reject(new Refusal('patient_too_often', detail))
    }
    return this.#turns.run(() => this.#rebind(caller, rebinding))
  }

  /** Which part of the proof is wrong, nobody is told: it would say whose identity is known here. */
  async #rebind(caller: PatientCaller, rebinding: WalletRebinding): Promise<Enrolled> {
    const { accounts, organisation, genesisDigest, facts } = this.#modules
    const { patientKey } = caller
    const { former, sealKey, identity, signature, recoveryCommit: next } = rebinding
    this.#refuseUnusable(caller, sealKey)
    const account = accounts.findByKey(former)
    // It came before, and its answer was lost.
    if (account !== undefined && equalBytes(account.patientKey, patientKey))
      return { receipts: await this.#receipts(account), replaced: null }
    const chain = facts.identity(identity)
    const words = { organisation, identity, former, patientKey, sealKey }
    const isProved =
      account !== undefined &&
      this.#isOfIdentity(rebinding) &&
      chain !== undefined &&
      pendingAt(chain, facts.time) === undefined &&
      verifyRebinding(genesisDigest, words, { controlKey: chain.controlKey, signature })
    if (!isProved) {
      const detail = 'The identity does not vouch for this key, or is none that is known here.'
      throw new Refusal('rebinding_unproved', detail)
    }
    return this.#adopt(account, { patientKey, logKey: sealKey, recoveryCommit: next })
  }

  /** Of the commitment that the former wallet left: nobody else knows the salt. */
  #isOfIdentity({ former, identity, salt }: WalletRebinding): boolean {
    const commit = this.#modules.accounts.findByKey(former)?.recoveryCommit ?? null
    return commit !== null && equalBytes(commit, recoveryCommit(salt, identity))
  }

  #refuseUnusable({ delegation }: PatientCaller, sealKey: Uint8Array): void {
    if (delegation !== null)
      throw new Refusal('patient_key_needed', 'A device or a representative cannot enrol.')
    if (x25519(ANY_SECRET, sealKey) === undefined)
      throw new Refusal('seal_key_unusable', 'Nothing can be sealed to this key.')
  }

  async #adopt(account: Account, keys: WalletKeys): Promise<Enrolled> {
    const { accounts } = this.#modules
    const { reference } = account
    const { patientKey } = keys
    const owner = accounts.findByKey(patientKey)
    const isItself = owner?.reference === reference && equalBytes(owner.patientKey, patientKey)
    if (owner !== undefined && !isItself)
      throw new Refusal('patient_key_taken', 'This key is, or was, of an account here already.')
    const replaced = await this.#replace(account, patientKey)
    const adopted = await accounts.adopt(reference, keys)
    return { receipts: await this.#receipts(adopted), replaced }
  }

  async #enrol(
    caller: PatientCaller,
    { code, sealKey, recoveryCommit: commit }: WalletEnrolment,
  ): Promise<Enrolled> {
    const { accounts, tickets } = this.#modules
    const { patientKey } = caller
    this.#refuseUnusable(caller, sealKey)
    const reference = await tickets.claim(code, { patientKey, sealKey })
    // A ticket for somebody new: the account begins with the wallet, so that one nobody used leaves none.
    const account = accounts.find(reference) ?? (await accounts.create(reference))
    return this.#adopt(account, { patientKey, logKey: sealKey, recoveryCommit: commit })
  }

  /** Null when the key is in force already. */
  async #replace(account: Account, patientKey: Uint8Array): Promise<Enrolled['replaced']> {
    const { organisation, facts, relay } = this.#modules
    // As the chain has it: the account may have been restored without its last keys.
    const retired = facts.currentKeyOf(organisation, account.patientKey)
    const successor = patientKeyDigest(organisation, patientKey)
    if (equalBytes(retired, successor)) return null
    const body = { organisation, retired, successor }
    const { id, height } = await relay.submit({ kind: 'key.replace', body })
    return { transactionId: toHex(id), height }
  }

  async #receipts({ patientKey }: Account): Promise<Uint8Array> {
    const { organisation, index, anchorKey, clock } = this.#modules
    const records: DischargeReceipt[] = []
    let before: number | null = null
    while (records.length < DISCHARGE_RECEIPTS_MAX) {
      const page = await index.listAccount(patientKey, before, PAGE)
      for (const { metadata } of page) {
        const { recordCommit, facts } = metadata
        records.push({ record: recordCommit, type: facts.type, date: facts.date })
      }
      before = page.at(-1)?.arrival ?? null
      if (page.length < PAGE) break
    }
    const kept = records.slice(0, DISCHARGE_RECEIPTS_MAX)
    const receipts = { organisation, patientKey, issuedAt: clock.wall(), records: kept }
    return encode(signedDischargeReceiptsSchema, signDischargeReceipts(anchorKey, receipts))
  }
}
