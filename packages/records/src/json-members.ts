// Reads the JSON documents that people keep as files: proofs, grants.
//
// The reader is strict: every member is there once, none is unknown, bytes have one spelling. What is
// wrong is a RecordsError with the path of the member.

import { fromHex, JsonError, type JsonNode, parseJson } from '@mooring/codec'
import { CryptoError, decodeBase64url } from '@mooring/crypto'
import { RecordsError } from './errors.ts'

export interface DocumentLimits {
  readonly bytesMax: number
  readonly itemsMax: number
}

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/

const utf8 = new TextEncoder()

/** The outermost object and its version, once it has said that it is of one of these. */
export function parseDocument<V extends number>(
  document: string | Uint8Array,
  versions: readonly V[],
  { bytesMax, itemsMax }: DocumentLimits,
): { root: JsonNode; version: V } {
  const bytes = typeof document === 'string' ? utf8.encode(document) : document
  let root: JsonNode
  try {
    root = parseJson(bytes, { bytesMax, depthMax: 8, itemsMax })
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause
    const code = cause.code === 'too_large' ? 'too_large' : 'not_json'
    throw new RecordsError(code, '', cause.message, { cause })
  }
  // Only a document that is of a version has that version's members.
  return { root, version: readVersion(root, versions) }
}

function readVersion<V extends number>(root: JsonNode, expected: readonly V[]): V {
  if (root.kind !== 'object') throw wrongType('', 'an object')
  const version = root.members.find(({ key }) => key === 'version')?.value
  if (version === undefined) throw new RecordsError('missing_member', 'version', 'not there')
  if (version.kind !== 'number') throw wrongType('version', 'a number')
  const known = expected.find((each) => String(each) === version.lexeme)
  if (known === undefined) {
    throw new RecordsError('unknown_version', 'version', `not ${expected.join(' or ')}`)
  }
  return known
}

/** Looks the members of an object up after checking that it has exactly these. */
export function members<K extends string>(
  node: JsonNode,
  path: string,
  names: readonly K[],
): (name: K) => JsonNode {
  if (node.kind !== 'object') throw wrongType(path, 'an object')
  const pathOf = (name: string) => (path === '' ? name : `${path}.${name}`)
  for (const { key } of node.members) {
    if (!names.some((name) => name === key)) {
      throw new RecordsError('unknown_member', pathOf(key), 'no member of this document')
    }
  }
  return (name) => {
    const found = node.members.find(({ key }) => key === name)
    if (found === undefined) throw new RecordsError('missing_member', pathOf(name), 'not there')
    return found.value
  }
}

export function readList<T>(
  node: JsonNode,
  path: string,
  max: number,
  readItem: (item: JsonNode, path: string) => T,
): T[] {
  if (node.kind !== 'array') throw wrongType(path, 'an array')
  if (node.items.length > max) throw new RecordsError('too_large', path, `more than ${max} items`)
  return node.items.map((item, index) => readItem(item, `${path}[${index}]`))
}

export function readText(node: JsonNode, path: string): string {
  if (node.kind !== 'string') throw wrongType(path, 'a text')
  return node.value
}

export function readDigest(node: JsonNode, path: string): Uint8Array {
  return readHex(node, path, 32)
}

export function readHex(node: JsonNode, path: string, bytes: number): Uint8Array {
  const text = readText(node, path)
  if (!/^[0-9a-f]*$/.test(text)) {
    throw new RecordsError('bad_encoding', path, 'not lower-case hex')
  }
  if (text.length !== 2 * bytes) {
    throw new RecordsError('wrong_length', path, `not ${2 * bytes} digits`)
  }
  return fromHex(text)
}

export function readBase64url(node: JsonNode, path: string, charactersMax: number): Uint8Array {
  const text = readText(node, path)
  if (text.length > charactersMax) {
    throw new RecordsError('too_large', path, `more than ${charactersMax} characters`)
  }
  try {
    return decodeBase64url(text)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new RecordsError('bad_encoding', path, 'not base64url', { cause })
  }
}

export function readNumber(
  node: JsonNode,
  path: string,
  { min, max }: { min: number; max: number },
): number {
  if (node.kind !== 'number' || !/^(?:0|[1-9][0-9]{0,8})$/.test(node.lexeme)) {
    throw wrongType(path, 'a whole number')
  }
  const value = Number(node.lexeme)
  if (value < min || value > max) {
    throw new RecordsError('out_of_range', path, `${value} is not from ${min} to ${max}`)
  }
  return value
}

/** Milliseconds, of a time in RFC 3339, UTC, with three digits after the second. */
export function readTime(node: JsonNode, path: string): number {
  const text = readText(node, path)
  const time = TIME.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time) || time < 0 || new Date(time).toISOString() !== text) {
    throw new RecordsError('bad_encoding', path, 'not a time like 2026-11-20T09:31:07.000Z')
  }
  return time
}

export function wrongType(path: string, expected: string): RecordsError {
  return new RecordsError('wrong_type', path, `expected ${expected}`)
}
