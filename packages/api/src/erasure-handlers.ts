/** The part of `handlers.ts` that is about erasing, holding and amending records. */

import type { Amendment, Erasure, LegalHold, Released } from './erasure-answers.ts'
import type { PatientCaller } from './patient-handlers.ts'

export type ErasureReason = Erasure['reason']

export interface ErasureHandlers {
  /** Resolves when the tombstone is final and everybody who can be reached has been told. */
  erase(record: string, reason: ErasureReason): Promise<Erasure>
  /** The patient wants it kept after all, says the desk. */
  withdraw(record: string): Promise<Erasure>
  erasure(record: string): Erasure | undefined
  erasures(query: {
    after: string | null
    limit: number
  }): Promise<{ items: Erasure[]; next: string | null }>
  hold(record: string, reason: string): Promise<LegalHold>
  release(record: string): Promise<Released>

  /** Of a record of the patient that asks; any other is one that does not exist. */
  requestErasure(caller: PatientCaller, record: string): Promise<Erasure>
  ownErasures(caller: PatientCaller): Promise<Erasure[]>
  liftRestriction(caller: PatientCaller, record: string): Promise<Erasure>

  requestAmendment(
    caller: PatientCaller,
    amendment: { record: string; request: string },
  ): Promise<Amendment>
  ownAmendments(caller: PatientCaller): Promise<Amendment[]>
  /** Oldest first. */
  amendments(query: { all: boolean }): Promise<Amendment[]>
  answerAmendment(
    id: string,
    answer: { outcome: 'accepted' | 'refused'; reason: string; correction: string | null },
  ): Promise<Amendment>
}
