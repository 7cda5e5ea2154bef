// Every key of the state, on one screen. Organisation ids have no slash, so prefixes never overlap.

import { concatBytes } from '@mooring/codec'

const utf8 = new TextEncoder()
const ANCHOR_PREFIX = utf8.encode('anchor/')

/** Parameters in force. */
export const parametersKey = utf8.encode('parameters')

/** The authority set in force, in its order. */
export const authoritySetKey = utf8.encode('authorities')

/** An organisation and its keys. */
export function organisationKey(id: string): Uint8Array {
  return utf8.encode(`organisation/${id}`)
}

/** What changes with every transaction of an organisation: sequences and quota, in one value. */
export function countersKey(id: string): Uint8Array {
  return utf8.encode(`counters/${id}`)
}

/**
 * A batch root that an organisation has put on the chain, and with which sequence. The organisation is
 * part of the key: a root seen in gossip and anchored by somebody else takes nothing from its owner.
 */
export function anchorKey(organisation: string, batchRoot: Uint8Array): Uint8Array {
  const owner = utf8.encode(`${organisation}/`)
  return concatBytes(ANCHOR_PREFIX, owner, batchRoot)
}
