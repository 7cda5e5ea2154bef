// Every key of the state, on one screen. Organisation ids have no slash, so prefixes never overlap.

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

/** A batch root on the chain: who anchored it, with which sequence. */
export function anchorKey(batchRoot: Uint8Array): Uint8Array {
  const key = new Uint8Array(ANCHOR_PREFIX.length + batchRoot.length)
  key.set(ANCHOR_PREFIX)
  key.set(batchRoot, ANCHOR_PREFIX.length)
  return key
}
