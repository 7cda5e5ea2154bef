// What patients and guardians of this hospital are told of emergencies: who, when, why, and what a reviewer said.

import { equalBytes } from '@mooring/codec'
import { emergencyOf, type StateReader } from '@mooring/ledger'
import { type EmergencyVerdict, reasonCommit, type WrittenReason } from '@mooring/records'
import type { EmergencyNotice, EmergencyStore } from './emergency-store.ts'
import { NOTICES_MAX } from './emergency-store.ts'
import { InTurn } from './in-turn.ts'

export interface NoticesModules {
  readonly store: Pick<EmergencyStore, 'notices'>
  readonly finalState: () => StateReader
}

export class EmergencyNotices {
  readonly #modules: NoticesModules
  readonly #turns = new InTurn()

  constructor(modules: NoticesModules) {
    this.#modules = modules
  }

  /** Newest first. */
  of(key: Uint8Array): readonly EmergencyNotice[] {
    return this.#find(key).toReversed()
  }

  /** False when it was known; an emergency that is in no final block is none. */
  add(key: Uint8Array, requestId: Uint8Array, as: EmergencyNotice['as']): Promise<boolean> {
    return this.#turns.run(async () => {
      const opening = emergencyOf(this.#modules.finalState(), requestId)
      const items = this.#find(key)
      const known = items.find((each) => equalBytes(each.requestId, requestId))
      // Any member may say that somebody is a guardian; that it is the patient, the own books say.
      const isPromoted = known?.as === 'guardian' && as === 'patient'
      if (opening === undefined || (known !== undefined && !isPromoted)) return false
      const { organisation, reason, openedAt } = opening
      const { time } = openedAt
      const notice = { requestId, organisation, reason, time, as, isLate: false }
      const { written, verdict } = known ?? { written: null, verdict: null }
      const others = items.filter((each) => each !== known)
      await this.#put(key, [...others, { ...notice, written, verdict }])
      return true
    })
  }

  /** Of an emergency that was opened without the network. */
  addLate(
    key: Uint8Array,
    notice: Pick<EmergencyNotice, 'requestId' | 'organisation' | 'reason' | 'time'>,
  ): Promise<void> {
    return this.#turns.run(async () => {
      const items = this.#find(key)
      if (items.some((each) => equalBytes(each.requestId, notice.requestId))) return
      const late = { ...notice, as: 'patient' as const, isLate: true, written: null, verdict: null }
      await this.#put(key, [...items, late])
    })
  }

  /** Whether the words are those that the chain has a commitment to. */
  isReasonOf(reason: WrittenReason): boolean {
    const closed = emergencyOf(this.#modules.finalState(), reason.requestId)?.closed
    return (
      closed !== null &&
      closed !== undefined &&
      equalBytes(closed.reasonCommit, reasonCommit(reason))
    )
  }

  noteReason(key: Uint8Array, { requestId, text: written }: WrittenReason): Promise<void> {
    return this.#change(key, requestId, (notice) => ({ ...notice, written }))
  }

  noteVerdict(
    key: Uint8Array,
    requestId: Uint8Array,
    verdict: { reviewer: string; verdict: EmergencyVerdict; note: string },
  ): Promise<void> {
    return this.#change(key, requestId, (notice) => ({ ...notice, verdict }))
  }

  #change(
    key: Uint8Array,
    requestId: Uint8Array,
    change: (notice: EmergencyNotice) => EmergencyNotice,
  ): Promise<void> {
    return this.#turns.run(async () => {
      const items = this.#find(key)
      const changed = items.map((each) =>
        equalBytes(each.requestId, requestId) ? change(each) : each,
      )
      await this.#put(key, changed)
    })
  }

  #find(key: Uint8Array): readonly EmergencyNotice[] {
    const { notices } = this.#modules.store
    return notices.get(notices.name(key))?.items ?? []
  }

  async #put(key: Uint8Array, items: readonly EmergencyNotice[]): Promise<void> {
    const { notices } = this.#modules.store
    const newest = items.toSorted((a, b) => a.time - b.time).slice(-NOTICES_MAX)
    await notices.put(notices.name(key), { items: newest })
  }
}
