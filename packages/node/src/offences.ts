// Evidence that an authority has voted against itself: judged, kept, told once, and passed on.
//
// What agreement sees itself and what peers offer go the same way. Evidence is checked with the authority
// set of its own epoch; of an epoch that has not begun here it is left alone, and comes again. Who offers
// what does not convict is to blame. New evidence is durable before anybody hears of it, then goes to all
// connected members; a member that connects is offered what we have. So all who are honest end up with
// the same offences, also those who were away, and a restart forgets none.
//
// Removing an authority for it is a decision of people, made with `change propose remove`.

import { toHex } from '@mooring/codec'
import {
  checkEvidence,
  decodeEvidence,
  encodeEvidence,
  encodeMessage,
  type Evidence,
  EVIDENCE_MAX,
} from '@mooring/consensus'
import { domainHash } from '@mooring/crypto'
import type { EvidenceStore, StoredEvidence } from '@mooring/storage'
import type { AuthoritySets } from './authority-sets.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'

/** The newest of them, to who connects. */
const GREETING_MESSAGES = 4
const OFFERS_MAX = 16
const OFFERS_MS = 10_000

export interface Offence {
  id: string
  evidence: Evidence
  /** By name. */
  authority: string
  seenAt: number
  arrival: number
  bytes: Uint8Array
}

export interface OffencesModules {
  store: EvidenceStore
  sets: Pick<AuthoritySets, 'of' | 'nameOf'>
  genesisDigest: Uint8Array
  clock: Clock
  logger: Logger
  /** Ids of connected members. */
  peers: () => readonly string[]
  send: (peerId: string, frame: Uint8Array) => void
  blame: (peerId: string, reason: string) => void
  /** Once for each offence, when it is durable. */
  onNew: (offence: Offence) => void
  onFatal: (error: unknown) => void
}

export class Offences {
  readonly #modules: OffencesModules
  #idle: Promise<void> = Promise.resolve()
  readonly #offers = new Map<string, { since: number; count: number }>()

  constructor(modules: OffencesModules) {
    this.#modules = modules
  }

  /** Newest first. */
  list(): Offence[] {
    return this.#modules.store.all.map((stored) => this.#offenceOf(stored)).toReversed()
  }

  /** Agreement has seen it. */
  take(evidence: Evidence): void {
    if (this.#judge(evidence) === 'guilty') this.#keep(evidence)
  }

  /** A peer offers it. */
  offered(peerId: string, offered: readonly Evidence[]): void {
    if (this.#isTooOften(peerId)) return
    for (const evidence of offered) {
      if (this.#isKnown(evidence)) continue
      const verdict = this.#judge(evidence)
      if (verdict === 'invalid') return this.#modules.blame(peerId, 'bad_evidence')
      if (verdict === 'guilty') this.#keep(evidence)
    }
  }

  /** Resolves when all that was taken so far is durable and told. */
  idle(): Promise<void> {
    return this.#idle
  }

  greet(peerId: string): void {
    const newest = this.list().slice(0, GREETING_MESSAGES * EVIDENCE_MAX)
    for (let from = 0; from < newest.length; from += EVIDENCE_MAX) {
      const evidence = newest.slice(from, from + EVIDENCE_MAX).map((offence) => offence.evidence)
      this.#modules.send(peerId, encodeMessage({ kind: 'evidence', evidence }))
    }
  }

  #judge(evidence: Evidence): 'guilty' | 'invalid' | 'unknown' {
    const { sets, genesisDigest } = this.#modules
    const set = sets.of(evidence.first.subject.epoch)
    if (set === undefined) return 'unknown'
    const invalid = checkEvidence(evidence, { chain: genesisDigest, keys: set.keys })
    return invalid === undefined ? 'guilty' : 'invalid'
  }

  #isKnown({ kind, first }: Evidence): boolean {
    const { epoch, view } = first.subject
    return this.#modules.store.isKnown({ epoch, view, kind, signer: first.signer })
  }

  #keep(evidence: Evidence): void {
    const { store, clock, onFatal } = this.#modules
    const { kind, first } = evidence
    const { epoch, view } = first.subject
    const bytes = encodeEvidence(evidence)
    const { signer } = first
    const kept = store
      .keep({ epoch, view, kind, signer, seenAt: clock.wall(), evidence: bytes })
      .then((stored) => {
        if (stored !== null) this.#tell(this.#offenceOf(stored))
      })
      .catch(onFatal)
    this.#idle = this.#idle.then(() => kept)
  }

  #tell(offence: Offence): void {
    const { logger, peers, send, onNew } = this.#modules
    const { id, authority, evidence } = offence
    const { epoch, view } = evidence.first.subject
    logger.warn('an authority has voted against itself', {
      authority,
      kind: evidence.kind,
      epoch,
      view,
      id,
    })
    onNew(offence)
    const frame = encodeMessage({ kind: 'evidence', evidence: [evidence] })
    for (const peerId of peers()) send(peerId, frame)
  }

  #offenceOf({ evidence: bytes, seenAt, arrival, epoch, signer }: StoredEvidence): Offence {
    const id = evidenceId(bytes)
    const authority = this.#modules.sets.nameOf(epoch, signer)
    return { id, evidence: decodeEvidence(bytes), authority, seenAt, arrival, bytes }
  }

  #isTooOften(peerId: string): boolean {
    const now = this.#modules.clock.monotonic()
    const known = this.#offers.get(peerId)
    if (known === undefined || now - known.since > OFFERS_MS) {
      this.#offers.set(peerId, { since: now, count: 1 })
      return false
    }
    known.count += 1
    return known.count > OFFERS_MAX
  }
}

/** 64 hexadecimal digits that name the evidence. */
export function evidenceId(bytes: Uint8Array): string {
  return toHex(domainHash('evidence', bytes))
}

/** "riverside signed two notarize votes in view 12 of epoch 0" */
export function describeOffence({ authority, evidence }: Offence): string {
  const { epoch, view } = evidence.first.subject
  return `${authority} ${WORDS[evidence.kind]} in view ${view} of epoch ${epoch}`
}

const WORDS: Record<Evidence['kind'], string> = {
  conflicting_notarize: 'notarized two different blocks',
  conflicting_finalize: 'finalized two different blocks',
  nullify_finalize: 'both nullified and finalized',
}
