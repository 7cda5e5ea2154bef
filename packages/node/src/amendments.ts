// Requests of patients to correct their records, as the custodian keeps and answers them.
//
// An answer is given once. A correction is a record of the same patient that was submitted like any other.

import { Refusal } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { type Amendment, OPEN_AMENDMENTS_MAX, type RandomBytes } from '@mooring/records'
import type { Clock } from './clock.ts'
import { InTurn } from './in-turn.ts'
import type { SealedValues } from './sealed-values.ts'

export interface AmendmentsModules {
  readonly values: SealedValues<Amendment>
  readonly clock: Pick<Clock, 'wall'>
  readonly random: RandomBytes
  /** The account that a record belongs to; undefined where there is no such record. */
  readonly accountOf: (record: Uint8Array) => Uint8Array | undefined
  readonly referenceOf: (patientKey: Uint8Array) => string | undefined
}

export interface AmendmentReply {
  readonly outcome: 'accepted' | 'refused'
  readonly reason: string
  /** Id of the record that corrects it. */
  readonly correction: Uint8Array | null
}

const ID_BYTES = 16

export class Amendments {
  readonly #modules: AmendmentsModules
  /** One after the other, so that limits hold. */
  readonly #turns = new InTurn()

  constructor(modules: AmendmentsModules) {
    this.#modules = modules
  }

  /** @throws Refusal unknown_record, too_many_amendments */
  request(patientKey: Uint8Array, record: Uint8Array, request: string): Promise<Amendment> {
    return this.#turns.run(async () => {
      const { values, clock, random, accountOf, referenceOf } = this.#modules
      const account = accountOf(record)
      const isOwn = account !== undefined && referenceOf(account) === referenceOf(patientKey)
      if (!isOwn) throw new Refusal('unknown_record', 'This patient has no such record here.')
      const open = (await this.of(patientKey)).filter(({ answer }) => answer === null)
      if (open.length >= OPEN_AMENDMENTS_MAX) {
        const detail = `${open.length} requests of this patient wait for an answer.`
        throw new Refusal('too_many_amendments', detail)
      }
      const id = random(ID_BYTES)
      const requestedAt = clock.wall()
      const amendment = { id, record, patientKey, request, requestedAt, answer: null }
      await values.put(id, amendment)
      return amendment
    })
  }

  /** @throws Refusal unknown_amendment, amendment_answered, unknown_record, correction_unfit */
  answer(id: Uint8Array, { outcome, reason, correction }: AmendmentReply): Promise<Amendment> {
    return this.#turns.run(async () => {
      const { values, clock } = this.#modules
      const known = values.get(id)
      if (known === undefined)
        throw new Refusal('unknown_amendment', 'No patient has made this request.')
      if (known.answer !== null) {
        const detail = `It was ${known.answer.outcome} already.`
        throw new Refusal('amendment_answered', detail)
      }
      if (correction !== null) this.#checkCorrection(known, outcome, correction)
      const answer = { outcome, reason, correction, answeredAt: clock.wall() }
      const answered = { ...known, answer }
      await values.put(id, answered)
      return answered
    })
  }

  /** Of one patient, whichever of their keys asked; oldest first. */
  async of(patientKey: Uint8Array): Promise<Amendment[]> {
    const { referenceOf } = this.#modules
    const reference = referenceOf(patientKey)
    if (reference === undefined) return []
    return await this.#all((each) => referenceOf(each.patientKey) === reference)
  }

  /** Oldest first. */
  list({ all }: { all: boolean }): Promise<Amendment[]> {
    return this.#all(({ answer }) => all || answer === null)
  }

  async #all(isWanted: (amendment: Amendment) => boolean): Promise<Amendment[]> {
    const found: Amendment[] = []
    for await (const { value } of this.#modules.values.all()) if (isWanted(value)) found.push(value)
    return found.toSorted((a, b) => a.requestedAt - b.requestedAt)
  }

  #checkCorrection(
    { record, patientKey }: Amendment,
    outcome: AmendmentReply['outcome'],
    correction: Uint8Array,
  ): void {
    const { accountOf, referenceOf } = this.#modules
    const account = accountOf(correction)
    if (account === undefined)
      throw new Refusal('unknown_record', `There is no record ${toHex(correction)} here.`)
    const isSame = referenceOf(account) === referenceOf(patientKey)
    const isOther = toHex(record) !== toHex(correction)
    if (isSame && isOther && outcome === 'accepted') return
    const detail = 'A correction is another record of the same patient, and of an accepted request.'
    throw new Refusal('correction_unfit', detail)
  }
}
