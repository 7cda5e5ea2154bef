// The locator of an emergency set: sixteen bytes on a card that the patient carries.
//
// All names follow from it. The locator id is what trustees file the set under; the handle of a version is
// what the chain shows when somebody opens that version. The card is also half of the key: the trustees'
// shares give EK, and only EK with the locator opens the set. So trustees that collude have nothing, and
// neither has who reads along or answers first. A card alone opens nothing either.
//
// Text form, also as a QR code: `mooring-emergency:1:<locator>:<genesis prefix>`, base64url and hex.

import { fromHex, toHex } from '@mooring/codec'
import { domainBytes, domainHash, encodeBase64url, hkdfSha256 } from '@mooring/crypto'
import { RecordsError } from './errors.ts'
import { GENESIS_PREFIX_BYTES, readBytes } from './ticket.ts'

export const LOCATOR_BYTES = 16
export const EMERGENCY_VERSIONS_MAX = 0xffff_ffff

const PREFIX = 'mooring-emergency:1:'
const CARD_CHARACTERS_MAX = 128
const GENESIS_PREFIX = /^[0-9a-f]{16}$/

export interface EmergencyCard {
  readonly locator: Uint8Array
  /** How the genesis digest of the network begins. */
  readonly genesisPrefix: Uint8Array
}

export function locatorIdOf(locator: Uint8Array): Uint8Array {
  return domainHash('emergency-locator', locator)
}

export function setHandleOf(locator: Uint8Array, version: number): Uint8Array {
  return domainHash('emergency-set', locator, numberBytes(version))
}

/** What seals a version: the secret that trustees share, and what the card says. */
export function emergencyContentKey(secret: Uint8Array, locator: Uint8Array): Uint8Array {
  return hkdfSha256(secret, locator, domainBytes('emergency-content'), 32)
}

export function formatCard({ locator, genesisPrefix }: EmergencyCard): string {
  return `${PREFIX}${encodeBase64url(locator)}:${toHex(genesisPrefix)}`
}

/** @throws RecordsError with what is wrong. */
export function parseCard(typed: string): EmergencyCard {
  const card = typed.trim()
  if (card.length > CARD_CHARACTERS_MAX || !card.startsWith(PREFIX)) {
    throw new RecordsError('bad_encoding', '', `an emergency card begins with "${PREFIX}"`)
  }
  const [locator = '', genesisPrefix = '', ...more] = card.slice(PREFIX.length).split(':')
  if (more.length > 0 || !GENESIS_PREFIX.test(genesisPrefix)) {
    throw new RecordsError('bad_encoding', 'network', 'not the beginning of a genesis digest')
  }
  return {
    locator: readBytes(locator, 'locator', LOCATOR_BYTES),
    genesisPrefix: fromHex(genesisPrefix),
  }
}

/** The network of the card, as it stands there. */
export function genesisPrefixOf(genesisDigest: Uint8Array): Uint8Array {
  return genesisDigest.subarray(0, GENESIS_PREFIX_BYTES)
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
