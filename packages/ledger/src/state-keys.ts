// Every key of the state, on one screen. Organisation ids have no slash, so prefixes never overlap.

import { concatBytes } from '@mooring/codec'

const utf8 = new TextEncoder()
const ANCHOR_PREFIX = utf8.encode('anchor/')
const ACCESS_PREFIX = utf8.encode('access/')
const CHANGE_PREFIX = utf8.encode('change/')
const EMERGENCY_PREFIX = utf8.encode('emergency/')
const EMERGENCY_SET_PREFIX = utf8.encode('emergency-set/')
const KEY_PREFIX = utf8.encode('key/')
const GRANT_PREFIX = utf8.encode('grant/')
const PATIENT_KEY_PREFIX = utf8.encode('patient-key/')
const TOMBSTONE_PREFIX = utf8.encode('tombstone/')
const IDENTITY_PREFIX = utf8.encode('identity/')

/** Parameters in force. */
export const parametersKey = utf8.encode('parameters')

/** The authority set in force, in its order. */
export const authoritySetKey = utf8.encode('authorities')

/** The epoch of the next block, and the protocol version in force and to come. */
export const epochKey = utf8.encode('epoch')

/** The ids of all organisations, in the order in which they came. */
export const organisationsKey = utf8.encode('organisations')

/** The changes that wait, oldest first; absent when there is none. */
export const openChangesKey = utf8.encode('changes')

/** An organisation and its keys. */
export function organisationKey(id: string): Uint8Array {
  return utf8.encode(`organisation/${id}`)
}

/** An organisation that was removed: its id is never given again. */
export function formerKey(id: string): Uint8Array {
  return utf8.encode(`former/${id}`)
}

/** What changes with every transaction of an organisation: sequences and quota, in one value. */
export function countersKey(id: string): Uint8Array {
  return utf8.encode(`counters/${id}`)
}

/** What an organisation used up of governance. */
export function governanceKey(id: string): Uint8Array {
  return utf8.encode(`governance/${id}`)
}

/** An open or a passed change, by its id. */
export function changeKey(id: Uint8Array): Uint8Array {
  return concatBytes(CHANGE_PREFIX, id)
}

/** The change that ended an epoch. */
export function sealKey(epoch: number): Uint8Array {
  return utf8.encode(`seal/${epoch}`)
}

/** A key that an organisation has or once had: no key comes twice. */
export function registeredKey(key: Uint8Array): Uint8Array {
  return concatBytes(KEY_PREFIX, key)
}

/** The lasting identity of a patient, which is there to be recovered. */
export function identityKey(id: Uint8Array): Uint8Array {
  return concatBytes(IDENTITY_PREFIX, id)
}

/**
 * A batch root that an organisation has put on the chain, and with which sequence. The organisation is
 * part of the key: a root seen in gossip and anchored by somebody else takes nothing from its owner.
 */
export function anchorKey(organisation: string, batchRoot: Uint8Array): Uint8Array {
  return ownKey(ANCHOR_PREFIX, organisation, batchRoot)
}

/** The same for a batch of access entries. */
export function accessKey(organisation: string, batchRoot: Uint8Array): Uint8Array {
  return ownKey(ACCESS_PREFIX, organisation, batchRoot)
}

/** The handle of a grant or of a delegation. */
export function grantKey(handle: Uint8Array): Uint8Array {
  return concatBytes(GRANT_PREFIX, handle)
}

/** A key of a patient that another one has replaced at a custodian, by its digest. */
export function patientKeyKey(custodian: string, digest: Uint8Array): Uint8Array {
  return ownKey(PATIENT_KEY_PREFIX, custodian, digest)
}

/** What a custodian has erased. It is part of the key: nobody else takes an item before it. */
export function tombstoneKey(custodian: string, item: Uint8Array): Uint8Array {
  return ownKey(TOMBSTONE_PREFIX, custodian, item)
}

/** An opening of an emergency set, by the id of its request. */
export function emergencyKey(requestId: Uint8Array): Uint8Array {
  return concatBytes(EMERGENCY_PREFIX, requestId)
}

/** The first opening of a version of an emergency set, by its handle. */
export function emergencySetKey(setHandle: Uint8Array): Uint8Array {
  return concatBytes(EMERGENCY_SET_PREFIX, setHandle)
}

/** When an organisation has opened emergency sets lately. */
export function emergencyRateKey(organisation: string): Uint8Array {
  return utf8.encode(`emergency-rate/${organisation}`)
}

/** The bytes of the names that came last: a handful of organisations write nearly all keys. */
const names = new Map<string, Uint8Array>()
const NAMES_MAX = 1_024

function ownKey(prefix: Uint8Array, organisation: string, digest: Uint8Array): Uint8Array {
  let name = names.get(organisation)
  if (name === undefined) {
    name = utf8.encode(`${organisation}/`)
    if (names.size >= NAMES_MAX) names.clear()
    names.set(organisation, name)
  }
  return concatBytes(prefix, name, digest)
}
