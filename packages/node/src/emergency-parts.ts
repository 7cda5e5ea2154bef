// All that a node does about emergencies, put together: trustee, desk, home of patients, reviewer, issuer of
// credentials; and who of them is spoken to by other members and by blocks.

import { Refusal } from '@mooring/api'
import { equalBytes, toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import {
  decodeTransaction,
  emergencyOf,
  type EmergencyOpen,
  type Organisation,
  type StateReader,
} from '@mooring/ledger'
import type { EmergencyAnswer, EmergencyMessage, RandomBytes } from '@mooring/records'
import type { PrivateValues } from '@mooring/storage'
import type { AccessNotes } from './access-notes.ts'
import type { Finding } from './alarms.ts'
import type { AtRest } from './at-rest.ts'
import type { Clock } from './clock.ts'
import type { CommittedBlock, Committer } from './committer.ts'
import { EmergencyDesk } from './emergency-desk.ts'
import { reviewerOf } from './emergency-terms.ts'
import { EmergencyHome, type HomeModules } from './emergency-home.ts'
import { EmergencyNotices } from './emergency-notices.ts'
import { EmergencyReviews } from './emergency-reviews.ts'
import { OfflineEmergencies } from './emergency-offline.ts'
import {
  type EmergencyNotice,
  type EmergencyStore,
  openEmergencyStore,
  type OpenedByUs,
} from './emergency-store.ts'
import { EmergencyTrustee } from './emergency-trustee.ts'
import type { Logger } from './logger.ts'
import { PractitionerIssuer } from './practitioner-issuer.ts'
import type { Relay } from './relay.ts'
import type { VaultPeers } from './vault-peers.ts'

export interface EmergencyOptions {
  readonly self: string
  readonly genesisDigest: Uint8Array
  readonly sealSecrets: readonly Uint8Array[]
  readonly anchorKey: KeyPair
}

export interface EmergencyModules {
  readonly clock: Clock
  readonly logger: Logger
  readonly random: RandomBytes
  readonly values: PrivateValues
  readonly atRest: AtRest
  readonly relay: Relay
  readonly peers: VaultPeers
  readonly accesses: Pick<AccessNotes, 'noteEmergency'>
  readonly refuseRoom: (organisation: string, bytes: number) => Promise<string | undefined>
  readonly committer: Pick<Committer, 'subscribe'>
  readonly chain: EmergencyChain
  readonly organisations: () => readonly Organisation[]
  readonly finalState: () => StateReader
  readonly tipTime: () => number
  /** Whether somebody has an account here under this key. */
  readonly isKnownKey: (key: Uint8Array) => boolean
  readonly patientOf: HomeModules['patientOf']
  readonly formerKeys: HomeModules['formerKeys']
  readonly summary: HomeModules['summary']
  /** Too few members can be reached for a block to become final. */
  readonly isCutOff: () => boolean
  readonly onOpened?: (ms: number) => void
}

/** What became final while this part of the node was not there. */
export interface EmergencyChain {
  readonly height: () => number
  /** What is older than this is gone. */
  readonly prunedTo: () => number
  readonly openingsAt: (height: number) => readonly EmergencyOpen[]
}

const CARE_EVERY_MS = 60_000

export class Emergencies {
  readonly trustee: EmergencyTrustee
  readonly desk: EmergencyDesk
  readonly home: EmergencyHome
  readonly notices: EmergencyNotices
  readonly reviews: EmergencyReviews
  readonly issuer: PractitionerIssuer
  readonly store: EmergencyStore
  readonly offline: OfflineEmergencies
  readonly #options: EmergencyOptions
  readonly #modules: EmergencyModules
  #unsubscribe: () => void = () => undefined
  #cancelCare: () => void = () => undefined
  #working: Promise<void> = Promise.resolve()
  /** Of the last block that was looked at. */
  #height = 0
  /** Requests of ours whose reason is late. */
  #overdue: readonly string[] = []

  constructor(options: EmergencyOptions, modules: EmergencyModules) {
    this.#options = options
    this.#modules = modules
    const { self, anchorKey: issuerKey } = options
    const { values, atRest, clock, random } = modules
    const store = openEmergencyStore(values, atRest)
    this.store = store
    const shared = { ...modules, store }
    const issuerKeys = (organisation: string) => keysOf(modules.organisations(), organisation)
    this.issuer = new PractitionerIssuer({
      organisation: self,
      issuerKey,
      values,
      atRest,
      clock,
      random,
    })
    const groupOf = (id: string) =>
      modules.organisations().find((each) => each.id === id)?.legalGroup
    this.trustee = new EmergencyTrustee(options, { ...shared, groupOf, issuerKeys })
    const isRevoked = (index: number) => this.issuer.isRevoked(index)
    this.desk = new EmergencyDesk(options, { ...shared, issuerKeys, isRevoked })
    this.notices = new EmergencyNotices(shared)
    const summary: HomeModules['summary'] = (key, sensitive) => this.summary(key, sensitive)
    this.home = new EmergencyHome(options, { ...shared, notices: this.notices, summary })
    const isOptedOut = (key: Uint8Array) => this.home.find(key)?.isOptedOut ?? false
    const { notices } = this
    const rights = { issuerKeys, isRevoked, isOptedOut }
    this.offline = new OfflineEmergencies(options, { ...shared, ...rights, notices })
    this.reviews = new EmergencyReviews({ ...shared, self })
  }

  async start(): Promise<void> {
    await this.trustee.start()
    await this.home.start()
    const { committer, chain } = this.#modules
    this.#height = chain.height()
    this.#unsubscribe = committer.subscribe((block) => this.#onBlock(block))
    await this.#catchUp(this.#height)
    this.#arm()
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    this.#cancelCare()
    await this.#working
    await this.home.close()
    await this.trustee.close()
  }

  /** Made of the records here, and kept for the time when the network is not there. */
  async summary(patientKey: Uint8Array, withSensitive: boolean): Promise<Uint8Array> {
    const bundle = await this.#modules.summary(patientKey, withSensitive)
    await this.offline.remember(patientKey, bundle)
    return bundle
  }

  /** Also of keys that the patient had here before. */
  noticesOf(patientKey: Uint8Array): readonly EmergencyNotice[] {
    const keys = [patientKey, ...this.#modules.formerKeys(patientKey)]
    return keys.flatMap((key) => this.notices.of(key)).toSorted((a, b) => b.time - a.time)
  }

  /** @throws Refusal */
  async answer(sender: string, message: EmergencyMessage): Promise<EmergencyAnswer> {
    switch (message.kind) {
      case 'deposit':
        return await this.trustee.deposit(sender, message.body)
      case 'locate':
        return await this.trustee.locate(message.body.locatorId)
      case 'open':
        return await this.trustee.open(sender, message.body)
      case 'notice':
        await this.#takeNotice(message.body)
        return DONE
      case 'reason':
        await this.#takeReason(sender, message.body)
        return DONE
      case 'review':
        await this.#takeReview(sender, message.body)
        return DONE
    }
  }

  async #takeNotice({ requestId, key }: BodyOf<'notice'>): Promise<void> {
    if (!this.#modules.isKnownKey(key)) throw new Refusal('unknown_patient', 'Nobody here.')
    await this.notices.add(key, requestId, 'guardian')
  }

  async #takeReason(sender: string, { reason, setHandle, home }: BodyOf<'reason'>): Promise<void> {
    const opening = emergencyOf(this.#modules.finalState(), reason.requestId)
    if (opening?.organisation !== sender) throw new Refusal('not_the_opener', 'Not its emergency.')
    const isOfSet = equalBytes(opening.setHandle, setHandle)
    if (!isOfSet || !this.notices.isReasonOf(reason)) {
      throw new Refusal('reason_differs', 'The chain has a commitment to other words.')
    }
    if (this.reviews.isOurs(reason.requestId)) await this.reviews.noteReason(reason, home)
    for (const { patientKey } of this.home.handed(setHandle)) {
      await this.notices.noteReason(patientKey, reason)
    }
  }

  async #takeReview(
    reviewer: string,
    { requestId, verdict, note }: BodyOf<'review'>,
  ): Promise<void> {
    const { finalState, organisations } = this.#modules
    const opening = emergencyOf(finalState(), requestId)
    const expected = opening && reviewerOf(requestId, opening, organisations())
    if (opening === undefined || expected !== reviewer) {
      throw new Refusal('not_the_reviewer', 'Another member reviews this emergency.')
    }
    for (const { patientKey } of this.home.handed(opening.setHandle)) {
      await this.notices.noteVerdict(patientKey, requestId, { reviewer, verdict, note })
    }
  }

  /** A block that became final before, or while this node was down, is not told again by anybody. */
  async #catchUp(height: number): Promise<void> {
    const { chain } = this.#modules
    const seen = this.store.seen.get(SEEN)?.height ?? height
    for (let at = Math.max(seen, chain.prunedTo()) + 1; at <= height; at += 1)
      this.#take(chain.openingsAt(at))
    await this.#working
    await this.store.seen.put(SEEN, { height })
  }

  #onBlock({ height, receipts, transactions }: CommittedBlock): void {
    this.#take(openingsIn({ receipts, transactions }, this.#options.genesisDigest))
    this.#height = height
  }

  #take(opened: readonly EmergencyOpen[]): void {
    if (opened.length === 0) return
    this.trustee.noteOpened(opened.map(({ setHandle }) => setHandle))
    this.#work(async () => {
      for (const opening of opened) {
        await this.home.noteOpened(opening)
        await this.reviews.noteOpened(opening.requestId)
      }
    })
  }

  /** What is late: the hospital owes a reason. */
  finding(): Finding | null {
    const [first, ...others] = this.#overdue
    if (first === undefined) return null
    const more = others.length === 0 ? '' : `, and ${others.length} more`
    const detail = `No written reason was given in three days for ${first}${more}.`
    return { code: 'emergency_reason_overdue', severity: 'ticket', detail }
  }

  /** Reasons that somebody has not been told, and what was opened without the network. */
  async care(): Promise<void> {
    // What came up to here was queued before this.
    await this.store.seen.put(SEEN, { height: this.#height })
    await this.offline.anchor()
    const overdue: string[] = []
    for await (const { value } of this.store.opened.all()) {
      if (this.desk.isOverdue(value)) overdue.push(toHex(value.request.requestId))
      if (value.closed === null) continue
      if (!this.desk.isClosed(value)) await this.#anchorReason(value)
      if (value.told.length < 2) await this.desk.tellReason(value)
    }
    this.#overdue = overdue
  }

  /** A crash, or a chain that stood still, came between the words and their commitment. */
  async #anchorReason(opened: OpenedByUs): Promise<void> {
    if (this.#modules.isCutOff()) return
    await this.desk.anchorReason(opened).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error
      this.#modules.logger.warn('a written reason is not on the chain', { code: error.code })
    })
  }

  #arm(): void {
    this.#cancelCare = this.#modules.clock.after(CARE_EVERY_MS, () => {
      this.#work(() => this.care())
      this.#arm()
    })
  }

  #work(work: () => Promise<void>): void {
    this.#working = this.#working.then(work).catch((error: unknown) => {
      this.#modules.logger.error('an emergency was not taken note of', { error })
    })
  }
}

type BodyOf<K extends EmergencyMessage['kind']> = Extract<EmergencyMessage, { kind: K }>['body']

const SEEN = Uint8Array.of(0)

/** The openings of emergency sets that a block has. */
export function openingsIn(
  { receipts, transactions }: Pick<CommittedBlock, 'receipts' | 'transactions'>,
  genesisDigest: Uint8Array,
): EmergencyOpen[] {
  return receipts.flatMap(({ kind, index }) => {
    const bytes = kind === 'emergency.open' ? transactions[index] : undefined
    if (bytes === undefined) return []
    const { payload } = decodeTransaction(bytes, genesisDigest)
    return payload.kind === 'emergency.open' ? [payload.body] : []
  })
}

const DONE: EmergencyAnswer = { kind: 'done', body: {} }

function keysOf(organisations: readonly Organisation[], id: string): readonly Uint8Array[] {
  const keys = organisations.find((each) => each.id === id)?.keys
  if (keys === undefined) return []
  return keys.issuer === null ? [keys.anchor] : [keys.issuer, keys.anchor]
}
