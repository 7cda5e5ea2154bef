// The small things that a consent in JSON is made of: codes, codings, keys and organisations.

import type { JsonNode } from '@mooring/codec'
import { CryptoError, parseDidKey } from '@mooring/crypto'
import { RecordsError } from './errors.ts'
import { organisationDid } from './patient-keys.ts'
import { members, readList, readText, wrongType } from './json-members.ts'

const ORGANISATION = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/

/** A text of visible ASCII, as references, codes and pointers are. */
export function readVisible(node: JsonNode, path: string, max: number): string {
  const value = readText(node, path)
  if (!/^[\x21-\x7e]+$/.test(value)) throw wrongType(path, 'a text of ASCII letters and signs')
  if (value.length > max) throw new RecordsError('too_large', path, `more than ${max} characters`)
  return value
}

export function readCode(
  node: JsonNode,
  path: string,
  isKnown: (code: string) => boolean,
  expected: string,
): string {
  const code = readText(node, path)
  if (!isKnown(code)) throw new RecordsError('out_of_range', path, `expected ${expected}`)
  return code
}

/** The code of a Coding whose system is this one. */
export function readCoding(
  node: JsonNode,
  path: string,
  system: string,
  isKnown: (code: string) => boolean,
): string {
  const member = members(node, path, ['system', 'code'])
  readCode(member('system'), `${path}.system`, (value) => value === system, system)
  return readCode(member('code'), `${path}.code`, isKnown, 'a code of this system')
}

/** Of a CodeableConcept with one coding, which is one of these. */
export function readCodeable(
  node: JsonNode,
  path: string,
  system: string,
  codes: readonly string[],
): string {
  const coding = members(node, path, ['coding'])('coding')
  const [code] = readList(coding, `${path}.coding`, 1, (item, itemPath) =>
    readCoding(item, itemPath, system, (value) => codes.includes(value)),
  )
  if (code === undefined) throw new RecordsError('missing_member', `${path}.coding`, 'not one')
  return code
}

export function readDid(node: JsonNode, path: string): Uint8Array {
  const did = readText(node, path)
  try {
    return parseDidKey(did)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new RecordsError('bad_encoding', path, 'not a did:key of an Ed25519 key', { cause })
  }
}

export function readOrganisation(node: JsonNode, path: string): string {
  const did = readText(node, path)
  const prefix = organisationDid('')
  const id = did.slice(prefix.length)
  if (!did.startsWith(prefix) || !ORGANISATION.test(id)) {
    throw new RecordsError('bad_encoding', path, `not ${prefix}<id of an organisation>`)
  }
  return id
}
