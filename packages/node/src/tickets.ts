// Tickets of the desk: each binds one wallet to one patient, once, and for a quarter of an hour.
//
// The code of a ticket is random and stands nowhere but on it: here it is kept under a keyed name. A
// ticket is claimed for the keys of a wallet before anything happens on the chain; so the same wallet may
// come again when it heard no answer, and no other one may.

import {
  bytes,
  equalBytes,
  type Infer,
  nullable,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { Refusal } from '@mooring/api'
import { type RandomBytes, TICKET_CODE_BYTES } from '@mooring/records'
import type { PrivateValues } from '@mooring/storage'
import { REFERENCE_BYTES_MAX } from './account-record.ts'
import type { AtRest } from './at-rest.ts'
import { SealedValues } from './sealed-values.ts'

export const TICKET_LIFETIME_MS = 15 * 60_000
/** At one time: more than all desks of a hospital hand out in a quarter of an hour. */
const OPEN_MAX = 1_024

const ticketSchema = versioned(1, {
  reference: text(REFERENCE_BYTES_MAX),
  expiresAt: uint(),
  claim: nullable(struct({ patientKey: bytes(32), sealKey: bytes(32) })),
})

export interface TicketsModules {
  readonly store: PrivateValues
  readonly atRest: AtRest
  readonly now: () => number
  readonly random: RandomBytes
}

export class Tickets {
  readonly #modules: TicketsModules
  readonly #values: SealedValues<Infer<typeof ticketSchema>>

  constructor(modules: TicketsModules) {
    this.#modules = modules
    this.#values = new SealedValues(modules.store, modules.atRest, 'tickets', ticketSchema)
  }

  /** @throws Refusal too_many_tickets */
  async create(reference: string): Promise<{ code: Uint8Array; expiresAt: number }> {
    const { now, random } = this.#modules
    let open = 0
    for await (const { key, value } of this.#values.all()) {
      if (value.expiresAt <= now()) await this.#values.delete(key)
      else open += 1
    }
    if (open >= OPEN_MAX)
      throw new Refusal('too_many_tickets', `${OPEN_MAX} tickets are open; they end by themselves.`)
    const code = random(TICKET_CODE_BYTES)
    const expiresAt = now() + TICKET_LIFETIME_MS
    await this.#values.put(this.#values.name(code), { reference, expiresAt, claim: null })
    return { code, expiresAt }
  }

  /** Whether the code is on a ticket that can be used, or was by somebody a moment ago. */
  isOpen(code: Uint8Array): boolean {
    const ticket = this.#values.get(this.#values.name(code))
    return ticket !== undefined && ticket.expiresAt > this.#modules.now()
  }

  /**
   * Whose ticket it is; from now on it is good for these keys alone.
   * @throws Refusal ticket_unknown, ticket_expired, ticket_used
   */
  async claim(
    code: Uint8Array,
    claim: { patientKey: Uint8Array; sealKey: Uint8Array },
  ): Promise<string> {
    const key = this.#values.name(code)
    const ticket = this.#values.get(key)
    if (ticket === undefined) throw new Refusal('ticket_unknown', 'There is no such ticket.')
    if (ticket.expiresAt <= this.#modules.now())
      throw new Refusal('ticket_expired', 'The ticket was good for a quarter of an hour.')
    if (ticket.claim === null) {
      await this.#values.put(key, { ...ticket, claim })
      return ticket.reference
    }
    const { patientKey, sealKey } = ticket.claim
    if (equalBytes(patientKey, claim.patientKey) && equalBytes(sealKey, claim.sealKey))
      return ticket.reference
    throw new Refusal('ticket_used', 'The ticket has been used by another wallet.')
  }
}
