// A grant as a file, which people keep, send and read: JSON around the signed text.

import { CodecError, decode, encode, type JsonNode } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import { DELEGATIONS_MAX, type SignedDelegation, signedDelegationSchema } from './delegation.ts'
import { RecordsError } from './errors.ts'
import { GRANT_JWS_BYTES_MAX, readGrant, type SignedGrant } from './grant.ts'
import { members, parseDocument, readBase64url, readList, readText } from './json-members.ts'

const VERSION = 2
const DOCUMENT_BYTES_MAX = 32 * 1024
const DELEGATION_CHARACTERS_MAX = 1_024

export function formatGrant({ jws, delegations }: SignedGrant): string {
  const file = {
    version: VERSION,
    jws,
    delegations: delegations.map((each) => encodeBase64url(encode(signedDelegationSchema, each))),
  }
  return `${JSON.stringify(file, null, 2)}\n`
}

/** Reads and does not judge. @throws RecordsError with the path of the member that is wrong. */
export function parseGrant(file: string | Uint8Array): SignedGrant {
  const limits = { bytesMax: DOCUMENT_BYTES_MAX, itemsMax: 20 }
  const { root } = parseDocument(file, [VERSION], limits)
  const member = members(root, '', ['version', 'jws', 'delegations'])
  const jws = readText(member('jws'), 'jws')
  if (jws.length > GRANT_JWS_BYTES_MAX) {
    throw new RecordsError('too_large', 'jws', `more than ${GRANT_JWS_BYTES_MAX} characters`)
  }
  const signed = {
    jws,
    delegations: readList(member('delegations'), 'delegations', DELEGATIONS_MAX, readDelegation),
  }
  readGrant(signed)
  return signed
}

function readDelegation(node: JsonNode, path: string): SignedDelegation {
  const encoded = readBase64url(node, path, DELEGATION_CHARACTERS_MAX)
  try {
    return decode(signedDelegationSchema, encoded)
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause
    throw new RecordsError('bad_encoding', path, 'no delegation', { cause })
  }
}
