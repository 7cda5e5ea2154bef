// What a reader sends to every holder: which shard sets, of which custodian, what for, by whose grant.
//
// The same bytes go to all of them, and name them all, so one signature serves and a holder that is not
// addressed refuses. A recent block digest binds the network and the time; the commitment of the access
// entry binds the trace; the tag of each set, and as many of its facts as the grant needs, open its gate.

import {
  bytes,
  CodecError,
  concatBytes,
  decode,
  encode,
  equalBytes,
  type Infer,
  list,
  nullable,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { domainBytes, domainHash, type KeyPair, sign, verify } from '@mooring/crypto'
import { factsOpeningSchema } from './facts.ts'
import { signedGrantSchema } from './grant.ts'

export const ACCESS_SETS_MAX = 64
export const ACCESS_LIFETIME_MS_MAX = 600_000
const AUDIENCE_MAX = 64

export const accessRequestSchema = versioned(2, {
  id: bytes(16),
  /** Organisation whose node reads. */
  reader: text(64),
  /** Organisation whose records they are: all sets have the same. */
  custodian: text(64),
  /** A code of v3-ActReason. */
  purpose: text(32),
  /** Null for the custodian itself, which reads by its own policy. */
  grant: nullable(signedGrantSchema),
  /** Who reads at the reader, and says so; null for nobody in particular. */
  practitioner: nullable(struct({ key: bytes(32), signature: bytes(64) })),
  /** Of one patient. */
  sets: list(
    struct({ setId: bytes(32), gateTag: bytes(32), facts: factsOpeningSchema }),
    ACCESS_SETS_MAX,
  ),
  /** Commitment of the access entry. */
  entry: bytes(32),
  /** A final block of the last minutes. */
  block: struct({ height: uint(), digest: bytes(32) }),
  issuedAt: uint(),
  expiresAt: uint(),
  /** Organisations that may answer. */
  audience: list(text(64), AUDIENCE_MAX),
})

export type AccessRequest = Infer<typeof accessRequestSchema>

/** A request with the signature by the reader's anchor key. */
export const signedRequestSchema = struct({ request: accessRequestSchema, signature: bytes(64) })

export type SignedAccessRequest = Infer<typeof signedRequestSchema>

export function signAccessRequest(anchorKey: KeyPair, request: AccessRequest): SignedAccessRequest {
  return { request, signature: sign(anchorKey, messageOf(request)) }
}

export function verifyAccessRequest(
  { request, signature }: SignedAccessRequest,
  anchorKey: Uint8Array,
): boolean {
  return verify(anchorKey, messageOf(request), signature)
}

/** Names the request: what witnesses sign. */
export function accessRequestDigest(request: AccessRequest): Uint8Array {
  return domainHash('access-request', encode(accessRequestSchema, request))
}

/** What the practitioner signs: the request as it is, before any signature is in it. */
export function practitionerMessage(request: AccessRequest): Uint8Array {
  const unsigned = encode(accessRequestSchema, { ...request, practitioner: null })
  return concatBytes(domainBytes('practitioner-request'), unsigned)
}

/** The request in such bytes, for whoever is to sign them; undefined when they are something else. */
export function readPractitionerMessage(message: Uint8Array): AccessRequest | undefined {
  const domain = domainBytes('practitioner-request')
  if (!equalBytes(message.subarray(0, domain.length), domain)) return undefined
  try {
    return decode(accessRequestSchema, message.slice(domain.length))
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

export function signAsPractitioner(key: KeyPair, request: AccessRequest): AccessRequest {
  const signature = sign(key, practitionerMessage(request))
  return { ...request, practitioner: { key: key.publicKey, signature } }
}

/** True as well where no practitioner is named. */
export function verifyPractitioner(request: AccessRequest): boolean {
  const { practitioner } = request
  if (practitioner === null) return true
  return verify(practitioner.key, practitionerMessage(request), practitioner.signature)
}

function messageOf(request: AccessRequest): Uint8Array {
  return concatBytes(domainBytes('access-request'), encode(accessRequestSchema, request))
}
