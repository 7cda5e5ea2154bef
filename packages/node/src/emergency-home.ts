// The hospital of a patient, for the patient's emergency set: hands deposits to trustees, makes the set of a
// patient whose wallet it hosts, and tells the patient and the guardians of every opening.
//
// It learns of an opening from the chain, as everybody: by the handles of the versions that went through here.
// No trustee and no opener has to tell it, and none can keep it from being told.

import { Refusal } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { keyPairFromSeed } from '@mooring/crypto'
import {
  EMERGENCY_OPEN_MS,
  emergencyOf,
  type EmergencyOpen,
  firstOpeningOf,
  type StateReader,
} from '@mooring/ledger'
import {
  type AddressedDeposit,
  EMERGENCY_THRESHOLD,
  type EmergencyStatement,
  LOCATOR_BYTES,
  locatorIdOf,
  type RandomBytes,
  sealEmergencySet,
  SPARE_VERSIONS_MAX,
  withdrawEmergencySet,
} from '@mooring/records'
import { TokenBucket } from '@mooring/network'
import type { Clock } from './clock.ts'
import type { HandedVersion } from './emergency-handed.ts'
import type { EmergencyStore, HomeSet } from './emergency-store.ts'
import type { EmergencyNotices } from './emergency-notices.ts'
import {
  addressedOf,
  chooseTrustees,
  nextVersion,
  type PossibleTrustee,
  type TrusteeChoice,
  type SealedHosted,
  trusteesOf,
} from './emergency-terms.ts'
import type { Logger } from './logger.ts'
import { VaultPeerError, type VaultPeers } from './vault-peers.ts'

export interface EmergencyPatient {
  readonly patientKey: Uint8Array
  readonly logKey: Uint8Array
  /** Whether the hospital has the keys, or the patient's own wallet. */
  readonly custody: 'hosted' | 'own'
}

export interface HomeOptions {
  readonly self: string
}

export interface HomeModules {
  readonly clock: Clock
  readonly logger: Logger
  readonly random: RandomBytes
  readonly store: Pick<EmergencyStore, 'homes' | 'handed' | 'outbox'>
  readonly notices: EmergencyNotices
  readonly peers: VaultPeers
  readonly organisations: () => readonly PossibleTrustee[]
  readonly finalState: () => StateReader
  /** Keys by which this hospital knew the patient before. */
  readonly formerKeys: (patientKey: Uint8Array) => readonly Uint8Array[]
  /** The account of a patient here. */
  readonly patientOf: (reference: string) => EmergencyPatient | undefined
  /** The bundle for an ambulance, of the records here. */
  readonly summary: (patientKey: Uint8Array, withSensitive: boolean) => Promise<Uint8Array>
}

export interface DepositOutcome {
  readonly taken: readonly string[]
  /** Are given theirs when they are back. */
  readonly waiting: readonly string[]
}

const DEPOSIT_MS = 10_000
const CARE_EVERY_MS = 60_000
/** Below so many versions in hand a hosted set is made anew. */
const SPARE_LEAST = 2
/** Deposits of one wallet: each goes to every trustee. */
const DEPOSITS_AT_ONCE = 8
const DEPOSITS_PER_SECOND = 1 / 600
const BUDGETS_MAX = 100_000

export class EmergencyHome {
  readonly #options: HomeOptions
  readonly #modules: HomeModules
  /** Deposits of wallets, by key of the patient. */
  readonly #budgets = new Map<string, TokenBucket>()
  #cancelCare: () => void = () => undefined
  #caring: Promise<void> = Promise.resolve()

  constructor(options: HomeOptions, modules: HomeModules) {
    this.#options = options
    this.#modules = modules
  }

  async start(): Promise<void> {
    const { finalState, store } = this.#modules
    const { homes, handed } = store
    await handed.start()
    for await (const { value } of homes.all()) {
      const unknown = value.versions.filter(({ setHandle }) => handed.of(setHandle).length === 0)
      await handed.add(value.patientKey, unknown)
    }
    // Some may have been opened in a block of which this node had no time to take note.
    const state = finalState()
    for (const version of handed.all()) {
      const first = firstOpeningOf(state, version.setHandle)
      if (first !== undefined) await this.#tell(version, first.requestId)
    }
    this.#arm()
  }

  async close(): Promise<void> {
    this.#cancelCare()
    await this.#caring
  }

  trustees(locatorId: Uint8Array): TrusteeChoice {
    return chooseTrustees(locatorId, this.#modules.organisations())
  }

  /** What a wallet has sealed. @throws Refusal */
  async deposit(
    patientKey: Uint8Array,
    deposits: readonly AddressedDeposit[],
  ): Promise<DepositOutcome> {
    const addressed = addressedOf(deposits, { patientKey, self: this.#options.self })
    if (!this.#takeBudget(patientKey)) {
      throw new Refusal(
        'too_many_deposits',
        'The same patient has deposited often within the hour.',
      )
    }
    const outcome = await this.#hand(patientKey, addressed.statement, {
      ...addressed,
      hosted: null,
    })
    for (const key of this.#modules.formerKeys(patientKey)) await this.#giveUp(key)
    return outcome
  }

  /** For a patient whose keys are hosted here. @throws Refusal */
  async depositHosted(
    reference: string,
    { withSensitive, isOptedOut }: { withSensitive: boolean; isOptedOut: boolean },
  ): Promise<DepositOutcome & { locator: Uint8Array }> {
    const account = this.#modules.patientOf(reference)
    if (account === undefined)
      throw new Refusal('unknown_patient', 'No patient has this reference.')
    const { random } = this.#modules
    const known = this.find(account.patientKey)
    if (account.custody === 'own' || (known !== undefined && known.hosted === null)) {
      throw new Refusal('emergency_of_wallet', 'The patient keeps the emergency set in a wallet.')
    }
    const hosted = {
      locator: known?.hosted?.locator ?? random(LOCATOR_BYTES),
      ownerSeed: known?.hosted?.ownerSeed ?? random(32),
      withSensitive,
    }
    const sealed = await this.#sealHosted(account, hosted, { known, isOptedOut })
    const outcome = await this.#hand(account.patientKey, sealed.statement, { ...sealed, hosted })
    return { ...outcome, locator: hosted.locator }
  }

  /** What the hospital kept for the patient before there was a wallet: the card of then opens nothing now. */
  async #giveUp(formerKey: Uint8Array): Promise<void> {
    const known = this.find(formerKey)
    if (known?.hosted === null || known === undefined) return
    const { locator, ownerSeed } = known.hosted
    const deposit = withdrawEmergencySet(
      {
        locator,
        owner: keyPairFromSeed(ownerSeed),
        sequence: Math.max(known.sequence + 1, this.#modules.clock.wall()),
        home: this.#options.self,
      },
      false,
    )
    const deposits = trusteesOf(known).map((trustee) => ({ trustee, deposit }))
    await this.#hand(formerKey, deposit.signed.statement, { deposits, hosted: null })
  }

  #takeBudget(patientKey: Uint8Array): boolean {
    const now = this.#modules.clock.monotonic()
    const name = toHex(patientKey)
    if (this.#budgets.size >= BUDGETS_MAX) this.#budgets.clear()
    const known = this.#budgets.get(name)
    const budget = known ?? new TokenBucket(DEPOSITS_AT_ONCE, DEPOSITS_PER_SECOND, now)
    this.#budgets.set(name, budget)
    return budget.take(1, now)
  }

  find(patientKey: Uint8Array): HomeSet | undefined {
    const { homes } = this.#modules.store
    return homes.get(homes.name(patientKey))
  }

  /** Versions that nobody has opened so far. */
  spare({ versions }: HomeSet): number {
    const state = this.#modules.finalState()
    return versions.filter(({ setHandle }) => firstOpeningOf(state, setHandle) === undefined).length
  }

  /** Somebody has opened a set, by a final block. */
  async noteOpened({ setHandle, requestId }: EmergencyOpen): Promise<void> {
    for (const version of this.handed(setHandle)) await this.#tell(version, requestId)
  }

  /** Whose version that is, of what went through here; none for sets of other hospitals. */
  handed(setHandle: Uint8Array): readonly HandedVersion[] {
    return this.#modules.store.handed.of(setHandle)
  }

  async #tell({ patientKey, notified }: HandedVersion, requestId: Uint8Array): Promise<void> {
    const { notices, peers, finalState } = this.#modules
    const opening = emergencyOf(finalState(), requestId)
    if (opening === undefined) return
    const isNew = await notices.add(patientKey, requestId, 'patient')
    if (!isNew) return
    this.#modules.logger.warn('an emergency set of a patient of this hospital was opened', {
      request: toHex(requestId),
      organisation: opening.organisation,
    })
    for (const { organisation, key } of notified) {
      const body = { kind: 'notice' as const, body: { requestId, key } }
      peers
        .request(organisation, { kind: 'emergency', body }, { timeoutMs: DEPOSIT_MS })
        .catch((error: unknown) => {
          this.#modules.logger.warn('a guardian was not told of an emergency', {
            organisation,
            error,
          })
        })
    }
  }

  async #sealHosted(
    account: { patientKey: Uint8Array; logKey: Uint8Array },
    hosted: NonNullable<HomeSet['hosted']>,
    { known, isOptedOut }: { known: HomeSet | undefined; isOptedOut: boolean },
  ): Promise<SealedHosted> {
    const { locator, ownerSeed, withSensitive } = hosted
    const { clock, random } = this.#modules
    const { k, trustees } = this.trustees(locatorIdOf(locator))
    const common = {
      locator,
      owner: keyPairFromSeed(ownerSeed),
      // By the clock: what some trustees took of a deposit that failed must not pass for the next one.
      sequence: Math.max((known?.sequence ?? 0) + 1, clock.wall()),
      home: this.#options.self,
    }
    if (isOptedOut) {
      const deposit = withdrawEmergencySet(common, true)
      const present = trustees.map(({ organisation }) => organisation)
      const all = [...new Set([...present, ...trusteesOf(known)])]
      const deposits = all.map((trustee) => ({ trustee, deposit }))
      return { statement: deposit.signed.statement, deposits, withdrawn: [] }
    }
    const content = await this.#modules.summary(account.patientKey, withSensitive)
    const sealed = sealEmergencySet(content, {
      ...common,
      ...account,
      trustees,
      k,
      firstVersion: nextVersion(known),
      count: SPARE_VERSIONS_MAX,
      madeAt: clock.wall(),
      notified: [],
      random,
    })
    const deposits = sealed.flatMap((deposit, at) => {
      const trustee = trustees[at]?.organisation
      return trustee === undefined ? [] : [{ trustee, deposit }]
    })
    const [first] = sealed
    if (first === undefined) throw new Error('a set without trustees')
    // The network has other members now, and others of them are chosen: who was one keeps nothing.
    const chosen = new Set(trustees.map(({ organisation }) => organisation))
    const former = trusteesOf(known).filter((organisation) => !chosen.has(organisation))
    const deposit = withdrawEmergencySet(common, false)
    const withdrawn = former.map((trustee) => ({ trustee, deposit }))
    return { statement: first.signed.statement, deposits, withdrawn }
  }

  async #hand(
    patientKey: Uint8Array,
    statement: EmergencyStatement,
    {
      deposits,
      withdrawn = [],
      hosted,
    }: {
      deposits: readonly AddressedDeposit[]
      withdrawn?: readonly AddressedDeposit[]
      hosted: HomeSet['hosted']
    },
  ): Promise<DepositOutcome> {
    // Known before anybody has it: what some take of a deposit that fails can be opened as well.
    await this.#modules.store.handed.add(patientKey, statement.versions)
    const outcomes = await Promise.all(deposits.map((each) => this.#send(each)))
    const taken = deposits.filter((_, at) => outcomes[at] === 'taken')
    const refused = outcomes.find((each) => each !== 'taken' && each !== 'away')
    if (refused !== undefined) throw new Refusal(refused, 'A trustee does not take the deposit.')
    // Losing one trustee must not lose the set. What is taken back waits for whoever is away.
    const isWithdrawn = statement.versions.length === 0
    const least = isWithdrawn ? 0 : Math.min(deposits.length, EMERGENCY_THRESHOLD + 1)
    if (taken.length < least) {
      throw new Refusal('trustees_unreachable', `${taken.length} of ${deposits.length} took it.`)
    }
    const waiting = deposits.filter((each) => !taken.includes(each))
    const { homes, outbox } = this.#modules.store
    const { locatorId, sequence, isOptedOut, versions } = statement
    const home = { patientKey, locatorId, sequence, isOptedOut, versions, hosted }
    const key = homes.name(patientKey)
    const gone = await Promise.all(withdrawn.map((each) => this.#send(each)))
    const toWithdraw = withdrawn.filter((_, at) => gone[at] === 'away')
    for (const { trustee, deposit } of [...waiting, ...toWithdraw]) {
      await outbox.put(outbox.name(new TextEncoder().encode(trustee), locatorId), {
        trustee,
        deposit,
      })
    }
    await homes.put(key, home)
    return { taken: taken.map(namesOf), waiting: waiting.map(namesOf) }
  }

  async #send({ trustee, deposit }: AddressedDeposit): Promise<string> {
    const { peers } = this.#modules
    const body = { kind: 'deposit' as const, body: deposit }
    try {
      await peers.request(trustee, { kind: 'emergency', body }, { timeoutMs: DEPOSIT_MS })
      return 'taken'
    } catch (error) {
      if (!(error instanceof VaultPeerError)) throw error
      return error.refusal === null ? 'away' : error.refusal
    }
  }

  /** What waits for a trustee, and hosted sets that run out of versions. */
  async care(): Promise<void> {
    const { outbox, homes } = this.#modules.store
    const away = new Set<string>()
    // What waits for one that stays away holds up nobody else's.
    for await (const { key, value } of outbox.all()) {
      if (away.has(value.trustee)) continue
      const outcome = await this.#send(value)
      if (outcome === 'away') away.add(value.trustee)
      else await outbox.delete(key)
      if (outcome !== 'away' && outcome !== 'taken' && outcome !== 'statement_old') {
        this.#modules.logger.warn('a trustee did not take an emergency set', {
          trustee: value.trustee,
          code: outcome,
        })
      }
    }
    for await (const { value } of homes.all()) {
      if (value.hosted === null || value.isOptedOut || this.spare(value) >= SPARE_LEAST) continue
      if (this.#isRunning(value)) continue
      await this.#renew(value, value.hosted)
    }
  }

  async #renew(value: HomeSet, hosted: NonNullable<HomeSet['hosted']>): Promise<void> {
    const [header] = value.versions
    if (header === undefined) return
    const { patientKey, logKey } = header
    const how = { known: value, isOptedOut: false }
    const sealed = await this.#sealHosted({ patientKey, logKey }, hosted, how)
    await this.#hand(patientKey, sealed.statement, { ...sealed, hosted })
  }

  /** A new statement would end an emergency that is going on. */
  #isRunning({ versions }: HomeSet): boolean {
    const state = this.#modules.finalState()
    const now = this.#modules.clock.wall()
    return versions.some(({ setHandle }) => {
      const first = firstOpeningOf(state, setHandle)
      return first !== undefined && now < first.time + EMERGENCY_OPEN_MS
    })
  }

  #arm(): void {
    this.#cancelCare = this.#modules.clock.after(CARE_EVERY_MS, () => {
      this.#caring = this.care().catch((error: unknown) => {
        this.#modules.logger.warn('emergency sets were not looked after', { error })
      })
      this.#arm()
    })
  }
}

function namesOf({ trustee }: AddressedDeposit): string {
  return trustee
}
