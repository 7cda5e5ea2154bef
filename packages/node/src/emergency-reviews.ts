// The emergencies that this member reviews: those of other owners, as the rule for reviewers has it. It judges
// the written reason, or that there is none, and tells the patient's hospital and the one that opened.

import { Refusal } from '@mooring/api'
import { emergencyOf, type StateReader } from '@mooring/ledger'
import type { EmergencyVerdict, WrittenReason } from '@mooring/records'
import type { Clock } from './clock.ts'
import { reviewerOf } from './emergency-terms.ts'
import type { EmergencyReview, EmergencyStore } from './emergency-store.ts'
import { orSilence, type VaultPeers } from './vault-peers.ts'

export interface ReviewsModules {
  readonly self: string
  readonly clock: Pick<Clock, 'wall'>
  readonly store: Pick<EmergencyStore, 'reviews'>
  readonly finalState: () => StateReader
  readonly organisations: () => readonly { id: string; legalGroup: string }[]
  readonly peers: VaultPeers
}

const TELL_MS = 10_000

export class EmergencyReviews {
  readonly #modules: ReviewsModules

  constructor(modules: ReviewsModules) {
    this.#modules = modules
  }

  isOurs(requestId: Uint8Array): boolean {
    const { self, organisations, finalState } = this.#modules
    const opening = emergencyOf(finalState(), requestId)
    if (opening === undefined) return false
    return reviewerOf(requestId, opening, organisations()) === self
  }

  async noteOpened(requestId: Uint8Array): Promise<void> {
    const { store, finalState } = this.#modules
    const opening = emergencyOf(finalState(), requestId)
    if (opening === undefined || !this.isOurs(requestId)) return
    if (store.reviews.get(requestId) !== undefined) return
    const { organisation, reason, openedAt } = opening
    const { time } = openedAt
    const review = { requestId, organisation, reason, time, home: null }
    await store.reviews.put(requestId, { ...review, written: null, verdict: null })
  }

  /** The words were compared with the chain before. */
  async noteReason({ requestId, text: written }: WrittenReason, home: string): Promise<void> {
    await this.noteOpened(requestId)
    const { reviews } = this.#modules.store
    const found = reviews.get(requestId)
    if (found !== undefined) await reviews.put(requestId, { ...found, written, home })
  }

  async list(after: Uint8Array | null, limit: number): Promise<EmergencyReview[]> {
    const found = await this.#modules.store.reviews.list(after, limit)
    return found.map(({ value }) => value)
  }

  /** @throws Refusal unknown_emergency, review_done */
  async judge(
    requestId: Uint8Array,
    { verdict, note }: { verdict: EmergencyVerdict; note: string },
  ): Promise<EmergencyReview> {
    const { store, clock, peers, organisations, self } = this.#modules
    const found = store.reviews.get(requestId)
    if (found === undefined) {
      throw new Refusal('unknown_emergency', 'This member does not review an emergency of that id.')
    }
    if (found.verdict !== null) throw new Refusal('review_done', 'It is reviewed already.')
    const judged = { ...found, verdict: { verdict, note, time: clock.wall() } }
    await store.reviews.put(requestId, judged)
    // Who the patient's hospital is says the opener with its reason. Where there is none, all are told the
    // verdict and nothing else: the one that is it takes note.
    const isKnown = found.home !== null
    const told = isKnown
      ? [found.home ?? self, found.organisation]
      : organisations().map(({ id }) => id)
    const body = {
      kind: 'review' as const,
      body: { requestId, verdict, note: isKnown ? note : '' },
    }
    await Promise.all(
      [...new Set(told)].map((id) =>
        orSilence(peers.request(id, { kind: 'emergency', body }, { timeoutMs: TELL_MS })),
      ),
    )
    return judged
  }
}
