// The hospital that opens an emergency set: trace first, key after.
//
//   locate     every member is asked who keeps the set; k trustees that agree say which version is in force
//   open       emergency.open is final before any share leaves a trustee
//   shares     all trustees of the version at once; k of them are enough, and who is slow is not waited for
//   reason     within three days, on the chain as a commitment, in words to reviewer and patient
//
// What opens the set (the card and the request's one-time secret) stays with the practitioner: this node
// passes sealed shares on. A request may be repeated: what is on the chain is not put there twice.

import { Refusal } from '@mooring/api'
import { equalBytes, toHex } from '@mooring/codec'
import {
  EMERGENCY_OPEN_MS,
  EMERGENCY_OUTCOMES,
  EMERGENCY_REASON_MS,
  EMERGENCY_REASONS,
  type EmergencyOutcome,
  emergencyOf,
  type EmergencyReason,
  type StateReader,
} from '@mooring/ledger'
import {
  type Access,
  type AccessEntry,
  checkPresentation,
  claimedOrganisation,
  credentialCommit,
  emergencyAudience,
  type EmergencyAnswer,
  type EmergencyHeader,
  emergencyHeaderDigest,
  type EmergencyMessage,
  emergencyNonce,
  type EmergencyRequest,
  type EmergencyShare,
  type Practitioner,
  type RandomBytes,
  reasonCommit,
  sealAccessEntry,
} from '@mooring/records'
import type { AccessNotes } from './access-notes.ts'
import type { Clock } from './clock.ts'
import { locateEmergency } from './emergency-location.ts'
import type { EmergencyStore, OpenedByUs } from './emergency-store.ts'
import { reviewerOf } from './emergency-terms.ts'
import type { EmergencyAsked } from './emergency-trustee.ts'
import type { Logger } from './logger.ts'
import type { Relay } from './relay.ts'
import { orSilence, VaultPeerError, type VaultPeers } from './vault-peers.ts'

export interface DeskOptions {
  readonly self: string
  readonly genesisDigest: Uint8Array
}

export interface DeskModules {
  readonly clock: Clock
  readonly logger: Logger
  readonly random: RandomBytes
  readonly store: Pick<EmergencyStore, 'opened'>
  readonly relay: Relay
  readonly accesses: Pick<AccessNotes, 'noteEmergency'>
  readonly peers: VaultPeers
  readonly organisations: () => readonly { id: string; legalGroup: string }[]
  readonly finalState: () => StateReader
  readonly issuerKeys: (organisation: string) => readonly Uint8Array[]
  /** Whether a credential of ours is taken back. */
  readonly isRevoked: (statusIndex: number) => boolean
  /** A set was opened, which took so long from the request. */
  readonly onOpened?: (ms: number) => void
}

export interface OpenedShares {
  readonly requestId: Uint8Array
  readonly openedAt: OpenedByUs['openedAt']
  readonly shares: readonly EmergencyShare[]
  /** Trustees that gave none, and why. */
  readonly refused: readonly { organisation: string; code: string }[]
}

const SHARE_MS = 5_000
const TELL_MS = 10_000
const GRACE_MS = 100

export class EmergencyDesk {
  readonly #options: DeskOptions
  readonly #modules: DeskModules
  /** Requests that are being opened, by id. */
  readonly #running = new Map<string, Promise<OpenedShares>>()

  constructor(options: DeskOptions, modules: DeskModules) {
    this.#options = options
    this.#modules = modules
  }

  /** @throws Refusal */
  async open(request: EmergencyRequest, signal: AbortSignal): Promise<OpenedShares> {
    const name = toHex(request.requestId)
    const running = this.#running.get(name) ?? this.#timed(request, signal)
    this.#running.set(name, running)
    try {
      return await running
    } finally {
      this.#running.delete(name)
    }
  }

  async #timed(request: EmergencyRequest, signal: AbortSignal): Promise<OpenedShares> {
    const { clock, onOpened } = this.#modules
    const began = clock.monotonic()
    const opened = await this.#open(request, signal)
    onOpened?.(clock.monotonic() - began)
    return opened
  }

  async #open(request: EmergencyRequest, signal: AbortSignal): Promise<OpenedShares> {
    const practitioner = this.#checkPractitioner(request)
    const known = this.#modules.store.opened.get(request.requestId)
    if (known !== undefined && !equalBytes(known.request.locatorId, request.locatorId)) {
      throw new Refusal('emergency_seen', 'This id belongs to another request.')
    }
    const header = await locateEmergency(request.locatorId, this.#modules)
    if (typeof header === 'string') return refuse(header)
    if (known !== undefined && !equalBytes(known.setHandle, header.setHandle)) {
      throw new Refusal('emergency_ended', 'The version that this request opened is over.')
    }
    const opened = known ?? (await this.#trace(request, { header, practitioner, signal }))
    return { ...(await this.#collect(opened, header)), openedAt: opened.openedAt }
  }

  /** What every trustee would refuse does not go on the chain. */
  #checkPractitioner(request: EmergencyRequest): Practitioner {
    const { self, genesisDigest } = this.#options
    const { clock, issuerKeys, isRevoked } = this.#modules
    if (request.organisation !== self) refuse('credential_of_another')
    if (!isReason(request.reason)) refuse('emergency_reason_missing')
    // The key binding names the hospital that asks: with another one it would merely differ.
    const claimed = claimedOrganisation(request.presentation) ?? self
    if (claimed !== self) refuse('credential_of_another')
    const shown = checkPresentation({
      presentation: request.presentation,
      audience: emergencyAudience(genesisDigest),
      nonce: emergencyNonce(request),
      now: clock.wall(),
      issuerKeys,
    })
    if (typeof shown === 'string') return refuse(shown)
    if (shown.organisation !== self) refuse('credential_of_another')
    if (!shown.btg) refuse('credential_without_right')
    if (isRevoked(shown.statusIndex)) refuse('credential_revoked')
    return shown
  }

  async #trace(
    request: EmergencyRequest,
    {
      header,
      practitioner,
      signal,
    }: { header: EmergencyHeader; practitioner: Practitioner; signal: AbortSignal },
  ): Promise<OpenedByUs> {
    const { self } = this.#options
    const { relay, store, logger, accesses } = this.#modules
    const { requestId, reason, presentation } = request
    if (!isReason(reason)) return refuse('emergency_reason_missing')
    const { setHandle, home, patientKey } = header
    const entry = this.#entryOf(request, header, practitioner)
    const body = {
      organisation: self,
      requestId,
      credentialCommit: credentialCommit(presentation),
      reason,
      setHandle,
    }
    const { id, height, time } = await relay.submit({ kind: 'emergency.open', body }, signal)
    const opened: OpenedByUs = {
      request,
      role: practitioner.role,
      practitioner: practitioner.key,
      setHandle,
      home,
      entry,
      openedAt: { height, time, transaction: id },
      closed: null,
      told: [],
    }
    await store.opened.put(requestId, opened)
    const asked = { role: 'reader', requestId, reader: self, home, patientKey } as const
    await accesses.noteEmergency({ ...asked, entry, code: null })
    logger.warn('an emergency set is opened', { request: toHex(requestId), reason })
    return opened
  }

  #entryOf(
    { requestId }: EmergencyRequest,
    { home, patientKey, logKey }: EmergencyHeader,
    { key, name }: Practitioner,
  ): AccessEntry {
    const { clock, random } = this.#modules
    const access: Access = {
      kind: 'read',
      id: requestId.slice(0, 16),
      time: clock.wall(),
      reader: this.#options.self,
      custodian: home,
      purpose: 'BTG',
      patientKey,
      grant: null,
      records: [],
      query: null,
      by: { kind: 'person', name, key, role: null },
      sequence: null,
      emergency: requestId,
    }
    return sealAccessEntry(access, logKey, random)
  }

  /**
   * Ends a moment after k have given a share: who is slow or away costs no more than that. What a share is
   * worth only the reader can tell, so those that come meanwhile go along: one may be a lie.
   */
  async #collect(
    { request, entry }: OpenedByUs,
    header: EmergencyHeader,
  ): Promise<Omit<OpenedShares, 'openedAt'>> {
    const { peers, clock } = this.#modules
    if (entry === null) return refuse('emergency_ended')
    const shares: EmergencyShare[] = []
    const refused: { organisation: string; code: string }[] = []
    const enough = Promise.withResolvers<void>()
    const graces: (() => void)[] = []
    const digest = emergencyHeaderDigest(header)
    const ask = async (organisation: string): Promise<void> => {
      try {
        const answer = await this.#askUntilFinal(organisation, { request, entry })
        if (answer.kind !== 'share') throw new VaultPeerError('malformed', organisation)
        shares.push({ organisation, ...answer.body })
        const alike = shares.filter((each) =>
          equalBytes(emergencyHeaderDigest(each.header), digest),
        )
        if (alike.length === header.k) graces.push(clock.after(GRACE_MS, () => enough.resolve()))
      } catch (error) {
        if (!(error instanceof VaultPeerError)) throw error
        refused.push({ organisation, code: error.refusal ?? error.code })
      }
    }
    const asked = header.trustees.map(({ organisation }) => organisation)
    const connected = asked.filter((organisation) => peers.isConnected(organisation))
    const all = Promise.all(connected.map(ask))
    all.then(() => enough.resolve(), enough.reject)
    await enough.promise
    for (const cancel of graces) cancel()
    for (const organisation of asked) {
      if (!connected.includes(organisation)) refused.push({ organisation, code: 'unreachable' })
    }
    if (shares.length < header.k) {
      const [first] = refused.filter(({ code }) => code !== 'unreachable' && code !== 'timeout')
      const said = refused.map(({ organisation, code }) => `${organisation}: ${code}`).join(', ')
      throw new Refusal(
        first?.code ?? 'trustees_unreachable',
        `${shares.length} of ${header.k}: ${said}`,
      )
    }
    return { requestId: request.requestId, shares: [...shares], refused: [...refused] }
  }

  /** A trustee may see the block a moment after us. */
  async #askUntilFinal(organisation: string, asked: EmergencyAsked): Promise<EmergencyAnswer> {
    const { peers, clock } = this.#modules
    const until = clock.monotonic() + SHARE_MS
    for (let pause = 5; ; pause *= 2) {
      try {
        const body: EmergencyMessage = { kind: 'open', body: asked }
        const { body: answer } = await peers.request(
          organisation,
          { kind: 'emergency', body },
          { timeoutMs: SHARE_MS },
        )
        return answer
      } catch (error) {
        const isEarly = error instanceof VaultPeerError && error.refusal === 'emergency_not_final'
        if (!isEarly || clock.monotonic() + pause > until) throw error
        await new Promise<void>((resolve) => clock.after(pause, resolve))
      }
    }
  }

  /** @throws Refusal */
  async close(
    requestId: Uint8Array,
    { outcome, text }: { outcome: string; text: string },
  ): Promise<OpenedByUs> {
    const { store, random, clock } = this.#modules
    const found = store.opened.get(requestId)
    if (found === undefined) return refuse('unknown_emergency')
    if (found.closed !== null && isFinal(this.#modules.finalState(), requestId)) {
      return refuse('emergency_closed')
    }
    if (!isOutcome(outcome)) return refuse('emergency_outcome_unknown')
    if (text.trim() === '') return refuse('written_reason_missing')
    const kept = found.closed
    if (kept !== null && (kept.outcome !== outcome || kept.text !== text)) {
      return refuse('emergency_reason_kept')
    }
    // Kept first, and once: a commitment may reach the chain after an answer that said it had not.
    const words = kept ?? { time: clock.wall(), outcome, salt: random(16), text }
    const closed = { ...found, closed: words }
    await store.opened.put(requestId, closed)
    await this.anchorReason(closed)
    await this.tellReason(closed)
    return closed
  }

  /** Puts a reason that was kept on the chain. @throws Refusal */
  async anchorReason({ request: { requestId }, closed }: OpenedByUs): Promise<void> {
    if (closed === null || !isOutcome(closed.outcome)) return
    const { outcome, salt, text } = closed
    const commit = reasonCommit({ requestId, salt, text })
    const body = { organisation: this.#options.self, requestId, outcome, reasonCommit: commit }
    await this.#modules.relay.submit({ kind: 'emergency.close', body })
  }

  /** Whether the reason is on the chain. */
  isClosed({ request: { requestId } }: OpenedByUs): boolean {
    return isFinal(this.#modules.finalState(), requestId)
  }

  /** To the patient's hospital and to the reviewer; who is away is told later. */
  async tellReason(opened: OpenedByUs): Promise<void> {
    const { closed, request, setHandle, home } = opened
    if (closed === null) return
    const { requestId } = request
    const { peers, store } = this.#modules
    const reason = { requestId, salt: closed.salt, text: closed.text }
    const told = [...opened.told]
    for (const organisation of new Set([home, this.reviewerOf(requestId) ?? home])) {
      if (told.includes(organisation)) continue
      const body: EmergencyMessage = { kind: 'reason', body: { reason, setHandle, home } }
      const answer = await orSilence(
        peers.request(organisation, { kind: 'emergency', body }, { timeoutMs: TELL_MS }),
      )
      if (answer !== undefined) told.push(organisation)
    }
    if (told.length > opened.told.length) await store.opened.put(requestId, { ...opened, told })
  }

  reviewerOf(requestId: Uint8Array): string | undefined {
    const { finalState, organisations } = this.#modules
    const opening = emergencyOf(finalState(), requestId)
    return opening && reviewerOf(requestId, opening, organisations())
  }

  /** Whether the written reason is late. */
  isOverdue(opened: OpenedByUs): boolean {
    const latest = opened.openedAt.time + EMERGENCY_REASON_MS
    return this.#modules.clock.wall() > latest && !this.isClosed(opened)
  }

  endsAt({ openedAt }: OpenedByUs): number {
    return openedAt.time + EMERGENCY_OPEN_MS
  }
}

function isFinal(state: StateReader, requestId: Uint8Array): boolean {
  return (emergencyOf(state, requestId)?.closed ?? null) !== null
}

function isReason(reason: string): reason is EmergencyReason {
  return EMERGENCY_REASONS.some((each) => each === reason)
}

function isOutcome(outcome: string): outcome is EmergencyOutcome {
  return EMERGENCY_OUTCOMES.some((each) => each === outcome)
}

const TEXTS: Record<string, string> = {
  emergency_set_unknown: 'No member that can be reached keeps an emergency set of this card.',
  emergency_ended: 'All versions of the set are used up; the patient must deposit new ones.',
  emergency_opted_out: 'The patient has decided that nobody opens an emergency set.',
  trustees_unreachable: 'Too few trustees of the set can be reached.',
  unknown_emergency: 'This hospital has opened no emergency of that id.',
  written_reason_missing: 'The reason is empty.',
  emergency_reason_kept: 'Other words were given before, and are on their way to the chain.',
}

function refuse(code: string): never {
  throw new Refusal(code, TEXTS[code] ?? `The emergency set is not opened: ${code}.`)
}
