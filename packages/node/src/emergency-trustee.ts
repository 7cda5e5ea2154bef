// A trustee of emergency sets: keeps sealed sets and one share of each key, and gives the share when the
// chain, the credential and the patient's policy allow it.
//
// What is over is deleted, and not merely refused: once a version was opened its time runs by the final
// state, and at its end ciphertext and share leave the disk. The next version is in force from then on. A
// trustee that was away sees the same in the state when it is back. One at a time for each patient.

import { Refusal } from '@mooring/api'
import { equalBytes, fromHex, toHex } from '@mooring/codec'
import {
  EMERGENCIES_PER_HOUR,
  EMERGENCY_OPEN_MS,
  EMERGENCY_REASONS,
  emergencyOf,
  firstOpeningOf,
  type StateReader,
} from '@mooring/ledger'
import {
  type AccessEntry,
  checkDeposit,
  decideEmergency,
  emergencyAudience,
  type EmergencyAnswer,
  type EmergencyDeposit,
  type EmergencyHeader,
  type EmergencyRequest,
  openTrusteeShare,
  type RandomBytes,
  sealShareFor,
} from '@mooring/records'
import type { AccessNotes } from './access-notes.ts'
import type { Clock } from './clock.ts'
import type { EmergencyStore, HeldEmergencySet } from './emergency-store.ts'
import { GIVEN_MAX } from './emergency-store.ts'
import type { Logger } from './logger.ts'
import { NamedLocks } from './named-locks.ts'

export interface EmergencyAsked {
  readonly request: EmergencyRequest
  readonly entry: AccessEntry
}

export interface TrusteeOptions {
  readonly self: string
  readonly genesisDigest: Uint8Array
  /** X25519, the present one first: what shares are sealed to. */
  readonly sealSecrets: readonly Uint8Array[]
}

export interface TrusteeModules {
  readonly clock: Clock
  readonly logger: Logger
  readonly random: RandomBytes
  readonly store: Pick<EmergencyStore, 'held'>
  readonly finalState: () => StateReader
  readonly tipTime: () => number
  readonly groupOf: (organisation: string) => string | undefined
  readonly issuerKeys: (organisation: string) => readonly Uint8Array[]
  readonly accesses: Pick<AccessNotes, 'noteEmergency'>
  /** Why so many bytes of this hospital have no room here, if so. */
  readonly refuseRoom: (organisation: string, bytes: number) => Promise<string | undefined>
}

const HOUR_MS = 3_600_000
/** An entry about one emergency is small. */
const ENTRY_BYTES_MAX = 16 * 1024
const LOOK_EVERY_MS = 30_000
/** Sets that one hospital may deposit here. */
const SETS_PER_HOME = 200_000

export class EmergencyTrustee {
  readonly #options: TrusteeOptions
  readonly #modules: TrusteeModules
  readonly #locks = new NamedLocks()
  /** By home. */
  readonly #counts = new Map<string, number>()
  /** Name of the set that has a version, by the handle of the version. */
  readonly #byHandle = new Map<string, string>()
  /** Names of sets of which a version was opened and has not ended. */
  readonly #running = new Set<string>()
  /** Time of each share that was given lately, by organisation. */
  readonly #given = new Map<string, number[]>()
  #cancelLook: () => void = () => undefined
  #looking: Promise<void> = Promise.resolve()

  constructor(options: TrusteeOptions, modules: TrusteeModules) {
    this.#options = options
    this.#modules = modules
  }

  async start(): Promise<void> {
    for await (const { value } of this.#modules.store.held.all()) {
      this.#counts.set(value.home, (this.#counts.get(value.home) ?? 0) + 1)
      this.#remember(value)
      this.#index(value)
      if (this.#isRunning(value)) this.#running.add(toHex(value.locatorId))
    }
    this.#arm()
  }

  async close(): Promise<void> {
    this.#cancelLook()
    await this.#looking
    await this.#locks.idle()
  }

  /** @throws Refusal with the reason why it is not taken */
  deposit(sender: string, deposit: EmergencyDeposit): Promise<EmergencyAnswer> {
    const { statement } = deposit.signed
    const { locatorId } = statement
    return this.#alone(locatorId, async () => {
      const known = this.#find(locatorId)
      if (sender !== statement.home) throw new Refusal('sender_differs', TEXT.home)
      const { self } = this.#options
      const { groupOf } = this.#modules
      const code = checkDeposit(deposit, { self, known, groupOf })
      if (code !== undefined && !isRepeated(code, known, deposit)) throw new Refusal(code, TEXT.set)
      const count = this.#counts.get(statement.home) ?? 0
      if (known === undefined && count >= SETS_PER_HOME) throw new Refusal('holder_full', TEXT.full)
      if (code !== undefined) return DONE
      const bytes = deposit.parts.reduce((sum, { ciphertext }) => sum + ciphertext.length, 0)
      // What takes something back needs no room, and must not wait for any.
      const full = bytes === 0 ? undefined : await this.#modules.refuseRoom(statement.home, bytes)
      if (full !== undefined) throw new Refusal(full, TEXT.full)
      await this.#keep(deposit, known)
      return DONE
    })
  }

  locate(locatorId: Uint8Array): Promise<EmergencyAnswer> {
    return this.#alone(locatorId, async () => {
      const held = await this.#current(locatorId)
      if (held === undefined) throw new Refusal('emergency_set_unknown', TEXT.unknown)
      const header = held.versions[0]?.header ?? null
      return { kind: 'located', body: { header, isOptedOut: held.isOptedOut ? 1 : 0 } }
    })
  }

  /** @throws Refusal with the reason why no share is given */
  open(sender: string, { request, entry }: EmergencyAsked): Promise<EmergencyAnswer> {
    return this.#alone(request.locatorId, async () => {
      const held = await this.#current(request.locatorId)
      const [version] = held?.versions ?? []
      const decision = this.#decide(sender, request, held)
      if (!decision.permit) {
        const { code } = decision
        const header = version?.header
        if (header !== undefined) await this.#trace(header, { request, sender, entry, code })
        this.#modules.logger.warn('a share of an emergency set was refused', { sender, code })
        throw new Refusal(code, `No share is given: ${code}.`)
      }
      if (held === undefined || version === undefined) throw new Error('permitted what is not here')
      await this.#note(held, request)
      await this.#trace(version.header, { request, sender, entry, code: null })
      const { header, ciphertext, shareIndex, share } = version
      const sealed = sealShareFor(
        { index: shareIndex, bytes: share },
        { ...request, setHandle: header.setHandle, random: this.#modules.random },
      )
      this.#modules.logger.info('a share of an emergency set was given', { sender })
      return { kind: 'share', body: { header, ciphertext, share: sealed } }
    })
  }

  /** What is over leaves the disk. */
  async endWhatIsOver(): Promise<void> {
    for (const name of this.#running) {
      const locatorId = fromHex(name)
      await this.#alone(locatorId, async () => {
        const held = await this.#current(locatorId)
        if (held === undefined || !this.#isRunning(held)) this.#running.delete(name)
      })
    }
  }

  /** These versions were opened, by anybody, in a block that is final now. */
  noteOpened(setHandles: readonly Uint8Array[]): void {
    for (const setHandle of setHandles) {
      const name = this.#byHandle.get(toHex(setHandle))
      if (name !== undefined) this.#running.add(name)
    }
  }

  /** A line of the patient's access log. */
  async #trace(
    { home, patientKey }: EmergencyHeader,
    { request, sender, entry, code }: EmergencyAsked & { sender: string; code: string | null },
  ): Promise<void> {
    const isFit = entry.custodian === home && entry.sealed.length <= ENTRY_BYTES_MAX
    if (!isFit) throw new Refusal('entry_differs', TEXT.entry)
    const { requestId } = request
    const asked = { role: 'holder', requestId, reader: sender, home, patientKey } as const
    await this.#modules.accesses.noteEmergency({ ...asked, entry, code })
  }

  #decide(sender: string, request: EmergencyRequest, held: HeldEmergencySet | undefined) {
    const { finalState, issuerKeys } = this.#modules
    const state = finalState()
    const header = held?.versions[0]?.header
    const found = emergencyOf(state, request.requestId)
    return decideEmergency({
      request,
      sender,
      audience: emergencyAudience(this.#options.genesisDigest),
      now: this.#now(),
      reasons: EMERGENCY_REASONS,
      held: held && { isOptedOut: held.isOptedOut, header },
      opening: found && { ...found, isClosed: found.closed !== null },
      firstOpenedAt: header && firstOpeningOf(state, header.setHandle)?.time,
      openMs: EMERGENCY_OPEN_MS,
      recentlyGiven: this.#recentlyGiven(request),
      givenMax: EMERGENCIES_PER_HOUR,
      issuerKeys,
    })
  }

  /** The clock, or that of the chain where ours is behind. */
  #now(): number {
    return Math.max(this.#modules.clock.wall(), this.#modules.tipTime())
  }

  /** With what is over taken out, on the disk too. */
  async #current(locatorId: Uint8Array): Promise<HeldEmergencySet | undefined> {
    const held = this.#find(locatorId)
    if (held === undefined) return undefined
    const versions = held.versions.filter(({ header }) => !this.#isOver(header, held.given))
    if (versions.length === held.versions.length) return held
    const next = { ...held, versions }
    await this.#modules.store.held.replace(this.#name(locatorId), next)
    for (const { header } of held.versions.filter((each) => !versions.includes(each))) {
      this.#byHandle.delete(toHex(header.setHandle))
    }
    this.#modules.logger.info('a version of an emergency set has ended and is deleted', {
      left: versions.length,
    })
    return next
  }

  /**
   * A reason ends an emergency early only where a share was given for it: whoever has an anchor key can open
   * and close by the handle alone, and would take the version from those who need it.
   */
  #isOver({ setHandle }: EmergencyHeader, given: HeldEmergencySet['given']): boolean {
    const state = this.#modules.finalState()
    const first = firstOpeningOf(state, setHandle)
    if (first === undefined) return false
    if (this.#now() >= first.time + EMERGENCY_OPEN_MS) return true
    const served = given.flatMap(({ requestId }) => {
      const opening = emergencyOf(state, requestId)
      return opening !== undefined && equalBytes(opening.setHandle, setHandle) ? [opening] : []
    })
    return served.length > 0 && served.every(({ closed }) => closed !== null)
  }

  #isRunning({ versions }: HeldEmergencySet): boolean {
    const state = this.#modules.finalState()
    return versions.some(({ header }) => firstOpeningOf(state, header.setHandle) !== undefined)
  }

  async #keep({ signed, parts }: EmergencyDeposit, known: HeldEmergencySet | undefined) {
    const { statement } = signed
    const { self, sealSecrets: secrets } = this.#options
    const versions: HeldEmergencySet['versions'] = []
    const given = known?.given ?? []
    for (const [at, header] of statement.versions.entries()) {
      const part = parts[at]
      const share = part && openTrusteeShare(header, part.share, { self, secrets })
      if (part === undefined || share === undefined) {
        throw new Refusal('share_not_for_us', TEXT.share)
      }
      if (this.#isOver(header, given)) continue
      const { index: shareIndex, bytes } = share
      versions.push({ header, ciphertext: part.ciphertext, shareIndex, share: bytes })
    }
    const { locatorId, ownerKey, sequence, home, isOptedOut } = statement
    const held = { locatorId, ownerKey, sequence, home, isOptedOut, versions, given }
    const { held: sets } = this.#modules.store
    if (known === undefined) await sets.put(this.#name(locatorId), held)
    else await sets.replace(this.#name(locatorId), held)
    for (const { header } of known?.versions ?? []) this.#byHandle.delete(toHex(header.setHandle))
    this.#index(held)
    if (known === undefined) this.#counts.set(home, (this.#counts.get(home) ?? 0) + 1)
  }

  #index({ locatorId, versions }: Pick<HeldEmergencySet, 'locatorId' | 'versions'>): void {
    for (const { header } of versions) this.#byHandle.set(toHex(header.setHandle), toHex(locatorId))
  }

  /** On the disk before the share leaves. */
  async #note(held: HeldEmergencySet, { organisation, requestId }: EmergencyRequest) {
    this.#running.add(toHex(held.locatorId))
    if (held.given.some((each) => equalBytes(each.requestId, requestId))) return
    const entry = { organisation, requestId, time: this.#now() }
    const given = [...held.given, entry].slice(-GIVEN_MAX)
    await this.#modules.store.held.put(this.#name(held.locatorId), { ...held, given })
    this.#remember({ given: [entry] })
  }

  #remember({ given }: Pick<HeldEmergencySet, 'given'>): void {
    const since = this.#now() - HOUR_MS
    for (const { organisation, time } of given) {
      const times = (this.#given.get(organisation) ?? []).filter((each) => each > since)
      if (time > since) this.#given.set(organisation, [...times, time])
    }
  }

  /** A request that has had its share is not counted against itself. */
  #recentlyGiven({ organisation, requestId, locatorId }: EmergencyRequest): number {
    const held = this.#find(locatorId)
    if (held?.given.some((each) => equalBytes(each.requestId, requestId)) === true) return 0
    const since = this.#now() - HOUR_MS
    return (this.#given.get(organisation) ?? []).filter((time) => time > since).length
  }

  #find(locatorId: Uint8Array): HeldEmergencySet | undefined {
    return this.#modules.store.held.get(this.#name(locatorId))
  }

  #name(locatorId: Uint8Array): Uint8Array {
    return this.#modules.store.held.name(locatorId)
  }

  #arm(): void {
    this.#cancelLook = this.#modules.clock.after(LOOK_EVERY_MS, () => {
      this.#looking = this.#looking
        .then(() => this.endWhatIsOver())
        .catch((error: unknown) => {
          this.#modules.logger.error('emergency sets were not looked through', { error })
        })
      this.#arm()
    })
  }

  #alone<T>(locatorId: Uint8Array, work: () => Promise<T>): Promise<T> {
    return this.#locks.hold([toHex(locatorId)], work)
  }
}

const DONE: EmergencyAnswer = { kind: 'done', body: {} }
const TEXT = {
  entry: 'The entry is for another hospital than that of the set, or too large.',
  home: 'A deposit comes from the hospital that it names.',
  set: 'The deposit is not one that this trustee can take.',
  full: 'This trustee keeps as many sets of that hospital as it will.',
  unknown: 'This member keeps no emergency set of that name.',
  share: 'The share in the deposit does not open here.',
}

/** The same statement again, after an answer that was lost. */
function isRepeated(
  code: string,
  known: HeldEmergencySet | undefined,
  { signed: { statement } }: EmergencyDeposit,
): boolean {
  return code === 'statement_old' && known?.sequence === statement.sequence
}
