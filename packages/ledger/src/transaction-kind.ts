// What a kind of transaction is made of, and the reasons why a transaction is refused.
//
// Every kind has one file that exports a `TransactionKind`. The rules common to all of them (size,
// expiry, replay, quota, signature) are in `apply.ts`; a kind adds its own and its effect.

import type { Schema } from '@mooring/codec'
import type { Organisation } from './organisation.ts'
import type { UnixMs } from './parameters.ts'
import type { QuotaExceeded } from './quota.ts'
import type { StateDraft } from './state.ts'

export type InvalidTransaction =
  | { code: 'malformed'; detail: string }
  | { code: 'unknown_kind'; detail: string }
  | { code: 'too_large'; bytes: number; limit: number }
  | { code: 'expired'; expiresAt: UnixMs; time: UnixMs }
  | { code: 'expires_too_late'; expiresAt: UnixMs; latest: UnixMs }
  | { code: 'already_included' }
  | { code: 'unknown_organisation'; organisation: string }
  | { code: 'wrong_signer'; organisation: string; expected: Uint8Array; got: Uint8Array }
  | { code: 'wrong_sequence'; organisation: string; expected: number; got: number }
  | { code: 'root_seen'; root: Uint8Array }
  | QuotaExceeded
  /** Also what a transaction signed for another network shows. */
  | { code: 'bad_signature' }

/** What a kind is given to judge by; `organisation` is the one that pays. */
export type Facts = {
  draft: StateDraft
  organisation: Organisation
  signer: Uint8Array
  /** A mempool may hold earlier sequences that are not in a block yet: accept gaps. */
  acceptsGap: boolean
}

export type TransactionKind<Body> = {
  schema: Schema<Body>
  /** Id of the organisation whose quota pays. */
  payerOf(body: Body): string
  /** The counter by which a missing transaction of that organisation shows, if the kind has one. */
  sequenceOf(body: Body): number | null
  check(facts: Facts, body: Body): InvalidTransaction | undefined
  /** Writes the effect; called only after `check` had nothing to say. */
  apply(facts: Facts, body: Body): void
}
