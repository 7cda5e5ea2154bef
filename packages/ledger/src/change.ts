// What members may change about their network, and how the state remembers each proposal of it.
//
// A change is proposed, approved and taken back with governance keys, the cold ones. Whoever gains
// something by a change has signed for it beforehand: a newcomer signs its own entry with its governance
// key, and every new key signs that it belongs to this organisation and duty. So nobody can bring in
// keys that they do not hold, and no signature serves in another network. Only a seal key cannot
// sign, being no key for signatures.

import {
  bytes,
  bytesMax,
  concatBytes,
  encode,
  type Infer,
  list,
  nullable,
  oneOf,
  refine,
  struct,
  text,
  uint,
  variant,
  versioned,
} from '@mooring/codec'
import { domainBytes, type KeyPair, sign } from '@mooring/crypto'
import { AUTHORITIES_MAX } from './authority-set.ts'
import {
  type Duty,
  DUTIES,
  identifierSchema,
  isPrintable,
  type Organisation,
  organisationSchema,
} from './organisation.ts'
import { parametersSchema, timeSchema } from './parameters.ts'

const EVIDENCE_MAX = 8
const EVIDENCE_BYTES_MAX = 4 * 1024

const newKeySchema = struct({
  duty: oneOf(...DUTIES),
  key: bytes(32),
  /** By the new key, over what `signNewKey` says; null for seal alone. */
  signature: nullable(bytes(64)),
})

const newKeysSchema = refine(
  list(newKeySchema, DUTIES.length),
  (keys) =>
    keys.length > 0 &&
    new Set(keys.map(({ duty }) => duty)).size === keys.length &&
    keys.every(({ duty, signature }) => (signature === null) === (duty === 'seal')),
  'at least one key, none twice for a duty, each but seal with its signature',
)

export const admissionSchema = struct({
  organisation: organisationSchema,
  /** By its governance key, over what `signAdmission` says. */
  signature: bytes(64),
})

export const changeSchema = variant({
  admit: admissionSchema,
  role: struct({ organisation: identifierSchema, role: oneOf('authority', 'observer') }),
  remove: struct({
    organisation: identifierSchema,
    /** Opaque here: what convinced the proposer, for those who approve and for later readers. */
    evidence: list(bytesMax(EVIDENCE_BYTES_MAX), EVIDENCE_MAX),
  }),
  rekey: struct({ organisation: identifierSchema, keys: newKeysSchema }),
  parameters: parametersSchema,
  protocol: struct({ version: uint(65_535), height: uint() }),
})

export const reasonSchema = refine(
  text(256),
  (reason) => reason.trim() !== '' && isPrintable(reason),
  'not empty, no control characters',
)

const readinessSchema = struct({
  organisation: identifierSchema,
  /** The consensus key that signed it: another one of the same organisation is not ready by it. */
  key: bytes(32),
})

const recordFields = {
  proposer: identifierSchema,
  reason: reasonSchema,
  proposedAt: struct({ height: uint(), time: timeSchema }),
  expiresAt: timeSchema,
  change: changeSchema,
  /** Authorities in force, in the order of their approvals. */
  approvals: list(identifierSchema, AUTHORITIES_MAX),
  ready: list(readinessSchema, AUTHORITIES_MAX),
  /** Null while it is open. The epoch is the one that it ended. */
  passedAt: nullable(struct({ epoch: uint(), height: uint() })),
}

export const changeRecordSchema = versioned(1, recordFields)

export const recordedChangeSchema = struct({ id: bytes(32), ...recordFields })

export type Admission = Infer<typeof admissionSchema>
export type Change = Infer<typeof changeSchema>
export type ChangeOf<K extends Change['kind']> = Extract<Change, { kind: K }>['body']
export type NewKey = Infer<typeof newKeySchema>
export type ChangeRecord = Infer<typeof changeRecordSchema>
/** A change under the id of the transaction that proposed it. */
export type RecordedChange = ChangeRecord & { id: Uint8Array }

/** A newcomer's own signature of its entry, for one network. */
export function signAdmission(
  genesisDigest: Uint8Array,
  organisation: Organisation,
  governanceKey: KeyPair,
): Admission {
  const signature = sign(governanceKey, admissionBytes(genesisDigest, organisation))
  return { organisation, signature }
}

/** A new key with its own word that it belongs to the organisation, for this duty. */
export function signNewKey(
  genesisDigest: Uint8Array,
  place: { organisation: string; duty: Duty },
  keyPair: KeyPair,
): NewKey {
  const key = keyPair.publicKey
  const signature = sign(keyPair, newKeyBytes(genesisDigest, { ...place, key }))
  return { duty: place.duty, key, signature }
}

export function admissionBytes(genesisDigest: Uint8Array, organisation: Organisation): Uint8Array {
  const entry = encode(organisationSchema, organisation)
  return concatBytes(domainBytes('admission'), genesisDigest, entry)
}

const newKeyPlaceSchema = struct({
  organisation: identifierSchema,
  duty: oneOf(...DUTIES),
  key: bytes(32),
})

export function newKeyBytes(
  genesisDigest: Uint8Array,
  place: Infer<typeof newKeyPlaceSchema>,
): Uint8Array {
  return concatBytes(domainBytes('new-key'), genesisDigest, encode(newKeyPlaceSchema, place))
}
