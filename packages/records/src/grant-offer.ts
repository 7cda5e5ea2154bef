// The offer of a grant: what a patient shows as a QR code or sends as a line, and a recipient accepts.
//
// It is the whole grant, so nobody has to be asked for it. The consent is deflated against the words that
// all consents have: what is left are names, keys and the signature, which a code holds that fits a
// terminal. Whoever else reads the line has the grant and can do nothing with it: it names the one
// organisation that may use it.

import {
  bytes,
  bytesMax,
  CodecError,
  decode,
  deflate,
  encode,
  inflate,
  list,
  versioned,
} from '@mooring/codec'
import { CryptoError, decodeBase64url, encodeBase64url } from '@mooring/crypto'
import { CONSENT_BYTES_MAX } from './consent-json.ts'
import { DELEGATIONS_MAX, signedDelegationSchema } from './delegation.ts'
import { RecordsError } from './errors.ts'
import {
  type Grant,
  readGrant,
  type SignedGrant,
  type SignedParts,
  signedPartsOf,
  signedOfParts,
} from './grant.ts'
import { OFFER_DICTIONARY } from './grant-offer-dictionary.ts'

export const OFFER_CHARACTERS_MAX = 24 * 1024

const PREFIX = 'mooring-offer:1:'

const offerSchema = versioned(1, {
  /** Deflated. */
  consent: bytesMax(CONSENT_BYTES_MAX),
  signature: bytes(64),
  delegations: list(signedDelegationSchema, DELEGATIONS_MAX),
})

export function formatOffer(signed: SignedGrant): string {
  const { consent, ...parts } = signedPartsOf(signed)
  const offer = { ...parts, consent: deflate(consent, OFFER_DICTIONARY) }
  return PREFIX + encodeBase64url(encode(offerSchema, offer))
}

/** Reads and does not judge. @throws RecordsError with what is wrong. */
export function parseOffer(typed: string): Grant {
  const offer = typed.replaceAll(/\s/g, '')
  if (offer.length > OFFER_CHARACTERS_MAX) {
    throw new RecordsError('too_large', '', `more than ${OFFER_CHARACTERS_MAX} characters`)
  }
  if (!offer.startsWith(PREFIX)) {
    throw new RecordsError('bad_encoding', '', `an offer begins with "${PREFIX}"`)
  }
  return readGrant(signedOfParts(decodeOffer(offer.slice(PREFIX.length))))
}

function decodeOffer(text: string): SignedParts {
  try {
    const { consent, ...parts } = decode(offerSchema, decodeBase64url(text))
    return { ...parts, consent: inflate(consent, CONSENT_BYTES_MAX, OFFER_DICTIONARY) }
  } catch (cause) {
    if (!(cause instanceof CodecError || cause instanceof CryptoError)) throw cause
    throw new RecordsError('bad_encoding', '', 'the offer was cut or mistyped', { cause })
  }
}
