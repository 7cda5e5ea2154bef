// The ticket that a hospital's desk hands a patient, on paper or on a screen, once it has checked who
// that is: where the hospital answers, a code that binds one wallet to one patient number, once and
// for minutes, and how the genesis of the network begins, so that the wallet joins that network only.
//
// Text form: `mooring-ticket:1:<organisation>:<endpoint>:<code>:<genesis prefix>`; the endpoint as
// base64url of its URL, the code as base64url, the prefix as hex.

import { encode, fromHex, toHex } from '@mooring/codec'
import { CryptoError, decodeBase64url, encodeBase64url } from '@mooring/crypto'
import { RecordsError } from './errors.ts'
import { organisationIdSchema } from './placement.ts'

export const TICKET_CODE_BYTES = 16
export const GENESIS_PREFIX_BYTES = 8
export const ENDPOINT_CHARACTERS_MAX = 256

const TICKET_CHARACTERS_MAX = 640
const PREFIX = 'mooring-ticket:1:'

export interface EnrolmentTicket {
  readonly organisation: string
  /** Base address of the hospital's interface for patients. */
  readonly endpoint: string
  readonly code: Uint8Array
  readonly genesisPrefix: Uint8Array
}

const utf8 = new TextEncoder()

export function formatTicket({
  organisation,
  endpoint,
  code,
  genesisPrefix,
}: EnrolmentTicket): string {
  const place = encodeBase64url(utf8.encode(endpoint))
  return `${PREFIX}${organisation}:${place}:${encodeBase64url(code)}:${toHex(genesisPrefix)}`
}

/** @throws RecordsError with what is wrong. */
export function parseTicket(typed: string): EnrolmentTicket {
  const ticket = typed.trim()
  if (ticket.length > TICKET_CHARACTERS_MAX) {
    throw new RecordsError('too_large', '', `more than ${TICKET_CHARACTERS_MAX} characters`)
  }
  if (!ticket.startsWith(PREFIX)) {
    throw new RecordsError('bad_encoding', '', `a ticket begins with "${PREFIX}"`)
  }
  const parts = ticket.slice(PREFIX.length).split(':')
  const [organisation = '', place = '', code = '', prefix = ''] = parts
  if (parts.length !== 4) throw new RecordsError('wrong_length', '', 'a ticket has six parts')
  return {
    organisation: readOrganisation(organisation),
    endpoint: readEndpoint(place),
    code: readBytes(code, 'code', TICKET_CODE_BYTES),
    genesisPrefix: readPrefix(prefix),
  }
}

function readOrganisation(id: string): string {
  try {
    encode(organisationIdSchema, id)
    return id
  } catch (cause) {
    throw new RecordsError('bad_encoding', 'organisation', 'not the id of a member', { cause })
  }
}

function readEndpoint(place: string): string {
  const endpoint = new TextDecoder().decode(readBytes(place, 'endpoint'))
  const isUrl = /^https?:\/\/[\x21-\x7e]+$/.test(endpoint) && URL.canParse(endpoint)
  if (!isUrl || endpoint.length > ENDPOINT_CHARACTERS_MAX) {
    throw new RecordsError('bad_encoding', 'endpoint', 'not the address of a web server')
  }
  return endpoint
}

/** A part of a line that people type. @throws RecordsError */
export function readBytes(part: string, path: string, length?: number): Uint8Array {
  let found: Uint8Array
  try {
    found = decodeBase64url(part)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new RecordsError('bad_encoding', path, 'not base64url', { cause })
  }
  if (length === undefined || found.length === length) return found
  throw new RecordsError('wrong_length', path, `${found.length} bytes, expected ${length}`)
}

function readPrefix(prefix: string): Uint8Array {
  if (/^[0-9a-f]{16}$/.test(prefix)) return fromHex(prefix)
  throw new RecordsError('bad_encoding', 'genesis', 'not 16 lower-case hex digits')
}
