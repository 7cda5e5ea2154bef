// What a kind of transaction is made of, and the reasons why a transaction is refused.
//
// Every kind has one file that exports a `TransactionKind`. The rules common to all of them (size,
// expiry, replay, quota, signature) are in `apply.ts`; a kind adds its own and its effect.

import type { Schema } from '@mooring/codec'
import type { ChangeProblem } from './change-rules.ts'
import type { IdentityProblem } from './identity.ts'
import type { Duty, Organisation } from './organisation.ts'
import type { UnixMs } from './parameters.ts'
import type { QuotaExceeded, SequenceCounter } from './quota.ts'
import type { StateDraft } from './state.ts'

/** Of grants, keys of patients and erasure. */
export type InvalidForPatients =
  | { code: 'handle_seen'; handle: Uint8Array }
  | { code: 'unknown_handle'; handle: Uint8Array }
  | { code: 'handle_revoked'; handle: Uint8Array; height: number }
  | { code: 'handle_expired'; handle: Uint8Array; expiresAt: UnixMs; time: UnixMs }
  | { code: 'handle_expires_too_late'; expiresAt: UnixMs; latest: UnixMs }
  | { code: 'key_replaced_already'; custodian: string; key: Uint8Array }
  | { code: 'key_cycle'; custodian: string; key: Uint8Array }
  | { code: 'item_erased'; item: Uint8Array }
  | { code: 'root_not_anchored'; root: Uint8Array }

/** Of emergency access. */
export type InvalidEmergency =
  | { code: 'emergency_seen'; requestId: Uint8Array }
  | { code: 'emergency_rate'; organisation: string; limit: number; resetsAt: UnixMs }
  | { code: 'unknown_emergency'; requestId: Uint8Array }
  | { code: 'not_the_opener'; organisation: string; requestId: Uint8Array }
  | { code: 'emergency_closed'; requestId: Uint8Array }
  | { code: 'emergency_overdue'; requestId: Uint8Array; latest: UnixMs }

export type InvalidTransaction =
  | { code: 'malformed'; detail: string }
  | { code: 'unknown_kind'; detail: string }
  | { code: 'too_large'; bytes: number; limit: number }
  | { code: 'expired'; expiresAt: UnixMs; time: UnixMs }
  | { code: 'expires_too_late'; expiresAt: UnixMs; latest: UnixMs }
  | { code: 'already_included' }
  | { code: 'unknown_organisation'; organisation: string }
  | {
      code: 'wrong_signer'
      organisation: string
      /** Whose key of the organisation it must be. */
      duty: Duty
      expected: Uint8Array
      got: Uint8Array
    }
  | { code: 'wrong_sequence'; organisation: string; expected: number; got: number }
  | { code: 'root_seen'; root: Uint8Array }
  | { code: 'invalid_change'; problem: ChangeProblem }
  | { code: 'too_many_changes'; limit: number; open: number }
  | { code: 'too_many_own_changes'; organisation: string; limit: number; open: number }
  | { code: 'unknown_change'; change: Uint8Array }
  | { code: 'change_passed'; change: Uint8Array; height: number }
  | { code: 'change_expired'; expiresAt: UnixMs; time: UnixMs }
  | { code: 'change_expires_too_late'; expiresAt: UnixMs; latest: UnixMs }
  | { code: 'not_an_authority'; organisation: string }
  | { code: 'already_approved'; organisation: string; change: Uint8Array }
  | { code: 'nothing_to_withdraw'; organisation: string; change: Uint8Array }
  | { code: 'no_readiness_needed'; change: Uint8Array }
  | { code: 'not_in_next_set'; organisation: string; change: Uint8Array }
  | { code: 'already_ready'; organisation: string; change: Uint8Array }
  | InvalidForPatients
  | IdentityProblem
  | InvalidEmergency
  | QuotaExceeded
  /** Also what a transaction signed for another network shows. */
  | { code: 'bad_signature' }

/** Which of the organisation's sequences, and the number in it. */
export type PlaceInSequence = { counter: SequenceCounter; sequence: number }

/** What a kind is given to judge by; `organisation` is the one that pays. */
export type Facts = {
  draft: StateDraft
  organisation: Organisation
  /** Of the transaction. */
  id: Uint8Array
  signer: Uint8Array
  genesisDigest: Uint8Array
  /** Of the block that it would enter. */
  time: UnixMs
  height: number
  /** A mempool may hold what this one builds upon and what is not in a block yet: accept gaps. */
  acceptsGap: boolean
}

export type TransactionKind<Body> = {
  schema: Schema<Body>
  /** Id of the organisation whose quota pays. */
  payerOf(body: Body): string
  /** In the sequence by which a missing transaction of that organisation shows, if the kind has one. */
  placeOf(body: Body): PlaceInSequence | null
  /**
   * Keys of the state that are its own, as far as they are easily told: they are read ahead. One that is left out
   * costs time, and nothing else.
   */
  ownKeys?(body: Body): Uint8Array[]
  /** From which of its purses. */
  quota: 'data' | 'governance'
  check(facts: Facts, body: Body): InvalidTransaction | undefined
  /**
   * What no later block makes right, for whatever state: signatures inside the body. Being the dearest
   * step it is asked after all others, the signature of the transaction included.
   */
  checkContent?(body: Body, genesisDigest: Uint8Array): InvalidTransaction | undefined
  /** Writes the effect; called only after `check` had nothing to say. */
  apply(facts: Facts, body: Body): void
}
