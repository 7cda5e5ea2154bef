// A patient's lasting identity on the chain. It exists for recovery alone and signs nothing else: no
// record, grant or access names it, so that it links to a person's care in nothing but time.
//
// The control key is pre-rotated (KERI): the chain has the digest of the next key long before it is
// used, so that who steals the key in use cannot rotate. Every event carries the sequence after the last
// one and is signed together with it; what guardians signed for a recovery that was vetoed is worth
// nothing for the next one. Whatever member relays an event pays for it and has no say in it.

import {
  bool,
  bytes,
  concatBytes,
  decode,
  encode,
  type Infer,
  list,
  nullable,
  refine,
  type Schema,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { checkPublicKey, domainBytes, domainHash, verify } from '@mooring/crypto'
import { timeSchema, type UnixMs } from './parameters.ts'
import type { StateDraft, StateReader } from './state.ts'
import { identityKey } from './state-keys.ts'

const HOUR_MS = 3_600_000
export const TIME_LOCK_MS_MIN = 1_000
export const TIME_LOCK_MS_MAX = 30 * 24 * HOUR_MS
/** What an identity gets that does not choose. */
export const TIME_LOCK_MS = 72 * HOUR_MS
export const DESK_LOCK_MS = 24 * HOUR_MS
/** A recovery that nobody finishes this long after its time lock is over, and never was. */
export const RECOVERY_LAPSES_MS = 30 * 24 * HOUR_MS
/** Guardians and the digests of devices that one identity has at most. */
export const GUARDIANS_MAX = 15
export const DEVICES_MAX = 8

const lockSchema = refine(
  uint(TIME_LOCK_MS_MAX),
  (value) => value >= TIME_LOCK_MS_MIN,
  `at least ${TIME_LOCK_MS_MIN} ms`,
)
const countSchema = (least: number) =>
  refine(uint(GUARDIANS_MAX), (value) => value >= least, `at least ${least}`)

/** Who may recover the identity, and how long everybody else has to object. */
export const recoveryPolicySchema = refine(
  struct({
    /** Of the tree of guardians, salted and padded: it tells neither who nor how many. */
    guardians: bytes(32),
    threshold: countSchema(2),
    /** So many guardians stop a recovery. */
    vetoes: countSchema(1),
    lockMs: lockSchema,
    /** Where a member has seen the person and attests it. */
    deskLockMs: lockSchema,
  }),
  ({ lockMs, deskLockMs }) => deskLockMs <= lockMs,
  'the lock with a desk is no longer than that without',
)

export type RecoveryPolicy = Infer<typeof recoveryPolicySchema>

const settings = {
  controlKey: bytes(32),
  nextKeyDigest: bytes(32),
  recovery: nullable(recoveryPolicySchema),
  /** Digests of the keys with which devices may veto, each once. */
  devices: list(bytes(32), DEVICES_MAX),
}

export const settingsSchema = struct(settings)

/** What its owner decides: keys, guardians, devices. */
export type IdentitySettings = Infer<typeof settingsSchema>

const pendingSchema = struct({
  controlKey: bytes(32),
  nextKeyDigest: bytes(32),
  openedAt: timeSchema,
  unlocksAt: timeSchema,
  /** By a member, which saw the person. Keys that may be stolen cannot stop such a recovery. */
  isAttested: bool(),
})

export type PendingRecovery = Infer<typeof pendingSchema>

export const identitySchema = versioned(1, {
  ...settings,
  /** Of its last event. */
  sequence: uint(),
  pending: nullable(pendingSchema),
})

export type Identity = Infer<typeof identitySchema>

export type IdentityProblem =
  | { code: 'identity_exists'; identity: Uint8Array }
  | { code: 'identity_unknown'; identity: Uint8Array }
  | { code: 'identity_sequence'; identity: Uint8Array; expected: number; got: number }
  | { code: 'identity_key_invalid'; detail: string }
  | { code: 'identity_key_not_announced'; identity: Uint8Array }
  | { code: 'identity_forged'; detail: string }
  | { code: 'no_guardians'; identity: Uint8Array }
  | { code: 'guardian_unknown'; index: number }
  | { code: 'guardian_repeated'; index: number }
  | { code: 'guardian_forged'; index: number }
  | { code: 'guardian_key_differs'; organisation: string }
  | { code: 'too_few_guardians'; needed: number; given: number }
  | { code: 'desk_unknown'; organisation: string }
  | { code: 'desk_forged'; organisation: string }
  | { code: 'recovery_pending'; unlocksAt: UnixMs }
  | { code: 'no_recovery_pending'; identity: Uint8Array }
  | { code: 'recovery_locked'; unlocksAt: UnixMs; time: UnixMs }
  | { code: 'veto_key_unknown'; identity: Uint8Array }
  | { code: 'veto_needs_guardians'; identity: Uint8Array }

/** Of an event that follows others. */
export const placeFields = { identity: bytes(32), sequence: uint() }

export type IdentityPlace = { identity: Uint8Array; sequence: number }

/** The name of an identity: its first control key says it. */
export function identityIdOf(firstControlKey: Uint8Array): Uint8Array {
  return domainHash('identity', firstControlKey)
}

/** What the chain has of a control key before it is used. */
export function controlKeyDigest(key: Uint8Array): Uint8Array {
  return domainHash('identity-next-key', key)
}

/** What the chain has of the key of a device that may veto. */
export function deviceKeyDigest(key: Uint8Array): Uint8Array {
  return domainHash('identity-device', key)
}

/** What is signed of an event: for one network, and this content alone. */
export function identityMessage<T>(
  what: 'create' | 'rotate' | 'recover' | 'desk' | 'veto' | 'finalize',
  genesisDigest: Uint8Array,
  { schema, content }: { schema: Schema<T>; content: T },
): Uint8Array {
  return concatBytes(domainBytes(`identity-${what}`), genesisDigest, encode(schema, content))
}

/** As the chain has it; undefined for an id that it does not have. */
export function identityOf(state: StateReader, id: Uint8Array): Identity | undefined {
  const value = state.get(identityKey(id))
  return value === undefined ? undefined : decode(identitySchema, value)
}

export function setIdentity(draft: StateDraft, id: Uint8Array, identity: Identity): void {
  draft.set(identityKey(id), encode(identitySchema, identity))
}

/** The recovery that runs at a time; one that lapsed is none. */
export function pendingAt({ pending }: Identity, time: UnixMs): PendingRecovery | undefined {
  if (pending === null) return undefined
  return time >= pending.unlocksAt + RECOVERY_LAPSES_MS ? undefined : pending
}

/** The identity, if the event is the next one of it. */
export function findIdentity(
  state: StateReader,
  { identity, sequence }: IdentityPlace,
): Identity | IdentityProblem {
  const found = identityOf(state, identity)
  if (found === undefined) return { code: 'identity_unknown', identity }
  const expected = found.sequence + 1
  return sequence === expected
    ? found
    : { code: 'identity_sequence', identity, expected, got: sequence }
}

const KEY_FAULTS = {
  not_canonical: 'the control key is no canonical encoding of a point',
  small_order: 'the control key is a point of small order',
  mixed_order: 'the control key has a torsion component',
}

/** A key that an honest owner may have, and that signed. */
export function checkControlKey(
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): IdentityProblem | undefined {
  const fault = checkPublicKey(key)
  if (fault !== undefined) return { code: 'identity_key_invalid', detail: KEY_FAULTS[fault] }
  return verify(key, message, signature)
    ? undefined
    : { code: 'identity_forged', detail: 'the control key did not sign this' }
}
