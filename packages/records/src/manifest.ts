// The secret half of a sealed record: the keys that open it, and what it is.
//
// It travels, sealed under the patient's class key, beside every shard, so that losing the custodian
// loses nothing: whoever holds the class key finds the record at any of its holders. Beside what a reader
// needs there is all from which a custodian makes its own index again.

import { aeadOpen, aeadSeal, AEAD_NONCE_BYTES, AEAD_TAG_BYTES, hkdfSha256 } from '@mooring/crypto'
import {
  bytes,
  concatBytes,
  decode,
  encode,
  type Infer,
  nullable,
  oneOf,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { EVENT_TIME_BYTES_MAX } from './event-time.ts'
import { factsSchema } from './facts.ts'
import { padded, unpadded } from './padding.ts'
import { FULL_URL_BYTES_MAX, ID_BYTES_MAX } from './resource.ts'

const digest = bytes(32)

export const manifestSchema = versioned(2, {
  recordCommit: digest,
  rec: bytes(32),
  /** The data key: seals the segments of this record and nothing else. */
  dek: bytes(32),
  fieldRoot: digest,
  rawCommit: digest,
  /** As submitted. */
  rawBytes: uint(),
  /** As sealed, before padding; differs from the raw bytes only by compression. */
  payloadBytes: uint(),
  encoding: oneOf('identity', 'deflate'),
  mediaType: text(255),
  /** Null for bytes that are no FHIR resource. */
  resourceType: nullable(text(64)),
  resourceId: nullable(text(ID_BYTES_MAX)),
  versionId: nullable(text(ID_BYTES_MAX)),
  fullUrl: nullable(text(FULL_URL_BYTES_MAX)),
  receivedAt: uint(),
  /** The version before it, of the same resource. */
  supersedes: nullable(digest),
  /** Counts the records of this patient at this custodian, from 1, without a gap. */
  sequence: uint(),
  /** When what it tells of happened, as the resource writes it; empty where it does not. */
  eventAt: text(EVENT_TIME_BYTES_MAX),
  /** 1: it says of itself that it was entered in error. */
  isMistake: uint(1),
  facts: factsSchema,
  /** The custodian's own reference to the patient; empty for the institution's own records. */
  patient: text(ID_BYTES_MAX),
  /** Names the submission it came with. */
  submission: digest,
  /** Keyed hash of the raw bytes: finds the record when they are submitted again. */
  dedupe: digest,
})

export type Manifest = Infer<typeof manifestSchema>

/** Nearly every manifest has this many bytes or fewer, and then all have one size. */
const PADDED_STEP = 832
const PADDED_BYTES_MAX = 6 * PADDED_STEP
export const SEALED_MANIFEST_BYTES_MAX = PADDED_BYTES_MAX + AEAD_TAG_BYTES

const INFO = new TextEncoder().encode('manifest/v1')
const EMPTY = new Uint8Array(0)
// The key is derived for this set alone and seals one manifest.
const NONCE = new Uint8Array(AEAD_NONCE_BYTES)

export function sealManifest(
  manifest: Manifest,
  classKey: Uint8Array,
  setId: Uint8Array,
): Uint8Array {
  const plaintext = padded(encode(manifestSchema, manifest), PADDED_STEP)
  return aeadSeal(manifestKeyOf(classKey, setId), NONCE, setId, plaintext)
}

/** Undefined when it is not sealed under this class key for this set. @throws CodecError */
export function openManifest(
  sealed: Uint8Array,
  classKey: Uint8Array,
  setId: Uint8Array,
): Manifest | undefined {
  return openOneManifest(sealed, manifestKeyOf(classKey, setId), setId)
}

/** With the key of this manifest alone. @throws CodecError */
export function openOneManifest(
  sealed: Uint8Array,
  manifestKey: Uint8Array,
  setId: Uint8Array,
): Manifest | undefined {
  if (sealed.length > SEALED_MANIFEST_BYTES_MAX) return undefined
  const plaintext = aeadOpen(manifestKey, NONCE, setId, sealed)
  if (plaintext === undefined) return undefined
  return decode(manifestSchema, unpadded(plaintext), PADDED_BYTES_MAX)
}

/** Opens this manifest and no other, and does not lead back to the class key. */
export function manifestKeyOf(classKey: Uint8Array, setId: Uint8Array): Uint8Array {
  return hkdfSha256(classKey, EMPTY, concatBytes(INFO, setId), 32)
}
