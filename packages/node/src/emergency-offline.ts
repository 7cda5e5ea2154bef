// Without the network a hospital can open what it made for its own patients, and nothing else: with two
// practitioners, and a line in a local log that is chained by hashes and anchored on reconnection.
//
// Anchoring is an ordinary `emergency.open`: what would name a version names the line of the log. Its time is
// that of the block, so everybody sees that it came late; the patient is told, and the written reason is
// due as after any other.

import { Refusal } from '@mooring/api'
import {
  bytes,
  bytesMax,
  encode,
  equalBytes,
  type Infer,
  list,
  nullable,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import { EMERGENCY_REASONS, emergencyOf, type StateReader } from '@mooring/ledger'
import {
  checkPresentation,
  credentialCommit,
  EMERGENCY_CONTENT_BYTES_MAX,
  emergencyAudience,
  emergencyNonce,
  offlineQuestion,
  type Practitioner,
} from '@mooring/records'
import type { PrivateValues } from '@mooring/storage'
import type { AtRest } from './at-rest.ts'
import type { Clock } from './clock.ts'
import type { EmergencyNotices } from './emergency-notices.ts'
import type { EmergencyStore, OpenedByUs } from './emergency-store.ts'
import { InTurn } from './in-turn.ts'
import type { Logger } from './logger.ts'
import type { Relay } from './relay.ts'
import { SealedValues } from './sealed-values.ts'

const lineSchema = versioned(1, {
  number: uint(),
  /** Hash of the line before; zeros before the first. */
  previous: bytes(32),
  requestId: bytes(32),
  patientKey: bytes(32),
  reason: text(32),
  time: uint(),
  /** Commitments to what the practitioners have shown, and their keys. */
  practitioners: list(struct({ key: bytes(32), role: text(128), commit: bytes(32) }), 2),
})

const keptSchema = struct({ line: lineSchema, anchoredAt: nullable(uint()) })
const cachedSchema = struct({ bundle: bytesMax(EMERGENCY_CONTENT_BYTES_MAX), madeAt: uint() })

type Line = Infer<typeof lineSchema>

export interface OfflineOptions {
  readonly self: string
  readonly genesisDigest: Uint8Array
}

export interface OfflineModules {
  readonly clock: Clock
  readonly logger: Logger
  readonly values: PrivateValues
  readonly atRest: AtRest
  readonly store: Pick<EmergencyStore, 'opened'>
  readonly notices: EmergencyNotices
  readonly relay: Relay
  readonly finalState: () => StateReader
  /** Too few members can be reached for a block to become final. */
  readonly isCutOff: () => boolean
  readonly patientOf: (reference: string) => { patientKey: Uint8Array } | undefined
  readonly isOptedOut: (patientKey: Uint8Array) => boolean
  readonly issuerKeys: (organisation: string) => readonly Uint8Array[]
  readonly isRevoked: (statusIndex: number) => boolean
}

export interface OfflineRequest {
  readonly requestId: Uint8Array
  readonly patient: string
  readonly reason: string
  readonly presentations: readonly string[]
}

const START = new Uint8Array(32)

export class OfflineEmergencies {
  readonly #options: OfflineOptions
  readonly #modules: OfflineModules
  readonly #lines: SealedValues<Infer<typeof keptSchema>>
  readonly #cache: SealedValues<Infer<typeof cachedSchema>>
  readonly #turns = new InTurn()

  constructor(options: OfflineOptions, modules: OfflineModules) {
    this.#options = options
    this.#modules = modules
    const { values, atRest } = modules
    this.#lines = new SealedValues(values, atRest, 'emergency-offline', keptSchema)
    this.#cache = new SealedValues(values, atRest, 'emergency-cache', cachedSchema)
  }

  /** What this hospital last made for an ambulance, of its own records. */
  async remember(patientKey: Uint8Array, bundle: Uint8Array): Promise<void> {
    if (bundle.length > EMERGENCY_CONTENT_BYTES_MAX) return
    const value = { bundle, madeAt: this.#modules.clock.wall() }
    await this.#cache.put(this.#cache.name(patientKey), value)
  }

  /** What was made under any key of a patient, out of the files too: a record in it was erased. */
  async forget(patientKeys: readonly Uint8Array[]): Promise<void> {
    await this.#cache.purge(patientKeys.map((key) => this.#cache.name(key)))
  }

  /** The line is on the disk before anything is shown. @throws Refusal */
  open(request: OfflineRequest): Promise<{ summary: Uint8Array; number: number }> {
    return this.#turns.run(async () => {
      const { isCutOff, patientOf, isOptedOut, clock, logger } = this.#modules
      if (!isCutOff()) refuse('network_is_there')
      if (!EMERGENCY_REASONS.some((each) => each === request.reason)) {
        refuse('emergency_reason_missing')
      }
      const practitioners = this.#checkPractitioners(request)
      const account = patientOf(request.patient)
      if (account === undefined) return refuse('unknown_patient')
      const { patientKey } = account
      if (isOptedOut(patientKey)) refuse('emergency_opted_out')
      const cached = this.#cache.get(this.#cache.name(patientKey))
      if (cached === undefined) return refuse('emergency_set_unknown')
      const last = await this.#last()
      const { requestId, reason } = request
      const line: Line = {
        number: (last?.number ?? 0) + 1,
        previous: last === undefined ? START : lineHash(last),
        requestId,
        patientKey,
        reason,
        time: clock.wall(),
        practitioners,
      }
      await this.#lines.put(keyOf(line.number), { line, anchoredAt: null })
      logger.warn('an emergency set was opened without the network', { number: line.number })
      return { summary: cached.bundle, number: line.number }
    })
  }

  /** Puts what is not on the chain there, oldest first. */
  anchor(): Promise<number> {
    return this.#turns.run(async () => {
      let anchored = 0
      if (this.#modules.isCutOff()) return anchored
      for await (const { key, value } of this.#lines.all()) {
        if (value.anchoredAt !== null) continue
        await this.#anchor(value.line)
        await this.#lines.put(key, { ...value, anchoredAt: this.#modules.clock.wall() })
        anchored += 1
      }
      return anchored
    })
  }

  /** All lines, and whether each follows from the one before. */
  async check(): Promise<{ lines: number; waiting: number; isWhole: boolean }> {
    let previous: Uint8Array = START
    let lines = 0
    let waiting = 0
    let isWhole = true
    for await (const { value } of this.#lines.all()) {
      lines += 1
      if (value.anchoredAt === null) waiting += 1
      isWhole &&= value.line.number === lines && equalBytes(value.line.previous, previous)
      previous = lineHash(value.line)
    }
    return { lines, waiting, isWhole }
  }

  async #anchor(line: Line): Promise<void> {
    const { requestId, reason, practitioners, patientKey, time } = line
    const { store, notices, relay, finalState } = this.#modules
    const { self } = this.#options
    const known = EMERGENCY_REASONS.find((each) => each === reason)
    if (known === undefined) throw new Error('a line of the offline log has no reason')
    const setHandle = lineHash(line)
    const commits = practitioners.map(({ commit }) => commit)
    const body = {
      organisation: self,
      requestId,
      credentialCommit: domainHash('emergency-credentials', ...commits),
      reason: known,
      setHandle,
    }
    const isThere = emergencyOf(finalState(), requestId) !== undefined
    const final = isThere ? undefined : await relay.submit({ kind: 'emergency.open', body })
    const opening = emergencyOf(finalState(), requestId)
    if (opening === undefined) throw new Error('what is final is not in the state')
    const [first] = practitioners
    const opened: OpenedByUs = {
      request: {
        ...offlineQuestion({ requestId, organisation: self, reason, patient: '' }),
        issuedAt: time,
        presentation: '',
      },
      role: first?.role ?? '',
      practitioner: first?.key ?? START,
      setHandle,
      home: self,
      entry: null,
      openedAt: { ...opening.openedAt, transaction: final?.id ?? START },
      closed: null,
      told: [],
    }
    if (store.opened.get(requestId) === undefined) await store.opened.put(requestId, opened)
    await notices.addLate(patientKey, { requestId, organisation: self, reason, time })
  }

  #checkPractitioners({ requestId, patient, reason, presentations }: OfflineRequest) {
    const { self, genesisDigest } = this.#options
    const { clock, issuerKeys, isRevoked } = this.#modules
    const nonce = emergencyNonce(
      offlineQuestion({ requestId, organisation: self, reason, patient }),
    )
    const shown = presentations.map((presentation): Practitioner & { commit: Uint8Array } => {
      const audience = emergencyAudience(genesisDigest)
      const now = clock.wall()
      const found = checkPresentation({ presentation, audience, nonce, now, issuerKeys })
      if (typeof found === 'string') return refuse(found)
      if (found.organisation !== self) return refuse('credential_of_another')
      if (!found.btg) return refuse('credential_without_right')
      if (isRevoked(found.statusIndex)) return refuse('credential_revoked')
      return { ...found, commit: credentialCommit(presentation) }
    })
    const [first, second] = shown
    if (first === undefined || second === undefined || equalBytes(first.key, second.key)) {
      return refuse('second_practitioner_missing')
    }
    return [first, second].map(({ key, role, commit }) => ({ key, role, commit }))
  }

  async #last(): Promise<Line | undefined> {
    let last: Line | undefined
    for await (const { value } of this.#lines.all()) last = value.line
    return last
  }
}

function lineHash(line: Line): Uint8Array {
  return domainHash('emergency-offline', encode(lineSchema, line))
}

function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(8)
  new DataView(key.buffer).setBigUint64(0, BigInt(number))
  return key
}

const TEXTS: Record<string, string> = {
  network_is_there: 'Enough members can be reached: open the set with the card.',
  second_practitioner_missing: 'Two different practitioners must show their credentials.',
  emergency_set_unknown: 'This hospital has made no emergency summary of the patient.',
}

function refuse(code: string): never {
  throw new Refusal(code, TEXTS[code] ?? `The summary is not shown: ${code}.`)
}
