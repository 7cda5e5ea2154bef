// A proof that a record was anchored, as a file a patient can keep: one self-contained JSON document.
//
// Without an opening it is a receipt: it shows that some record is in a batch and tells nothing about
// it. With one, whoever also has the file can check that it is this file. The proof of the anchor's
// transaction is carried as bytes; the ledger's rules read it.
//
// The reader is strict: every member is there once, none is unknown, bytes have one spelling.

import { fromHex, JsonError, type JsonNode, parseJson, toHex } from '@mooring/codec'
import { CryptoError, decodeBase64url, encodeBase64url } from '@mooring/crypto'
import type { RecordOpening } from './commit.ts'
import { RecordsError } from './errors.ts'

export interface RecordProof {
  readonly version: 1
  /** Digest of the genesis of the network it is anchored on. */
  readonly network: Uint8Array
  readonly record: { readonly commit: Uint8Array; readonly opening: RecordOpening | null }
  readonly batch: {
    readonly index: number
    readonly size: number
    readonly path: readonly Uint8Array[]
    readonly root: Uint8Array
  }
  /** An encoded TransactionProof of the anchor. */
  readonly anchor: Uint8Array
}

const VERSION = 1
const DIGEST_BYTES = 32
const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024
const ANCHOR_TEXT_MAX = 4_000_000
const BATCH_SIZE_MAX = 0x1_0000
const PATH_MAX = 16

const utf8 = new TextEncoder()

export function formatRecordProof({ network, record, batch, anchor }: RecordProof): string {
  const opening = record.opening && {
    blind: toHex(record.opening.blind),
    fieldRoot: toHex(record.opening.fieldRoot),
    rawSalt: toHex(record.opening.rawSalt),
    rawCommit: toHex(record.opening.rawCommit),
  }
  const document = {
    version: VERSION,
    network: toHex(network),
    record: { commit: toHex(record.commit), opening },
    batch: {
      index: batch.index,
      size: batch.size,
      path: batch.path.map(toHex),
      root: toHex(batch.root),
    },
    anchor: encodeBase64url(anchor),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

/** The proof in a document, or a RecordsError with the path of the member that is wrong. */
export function parseRecordProof(document: string | Uint8Array): RecordProof {
  const bytes = typeof document === 'string' ? utf8.encode(document) : document
  const root = parseDocument(bytes)
  // Only a document that is of this version has this version's members.
  readVersion(root)
  const top = members(root, '', ['version', 'network', 'record', 'batch', 'anchor'])
  const record = members(top('record'), 'record', ['commit', 'opening'])
  const batch = members(top('batch'), 'batch', ['index', 'size', 'path', 'root'])
  const size = readNumber(batch('size'), 'batch.size', { min: 1, max: BATCH_SIZE_MAX })
  return {
    version: VERSION,
    network: readDigest(top('network'), 'network'),
    record: {
      commit: readDigest(record('commit'), 'record.commit'),
      opening: readOpening(record('opening')),
    },
    batch: {
      index: readNumber(batch('index'), 'batch.index', { min: 0, max: size - 1 }),
      size,
      path: readPath(batch('path')),
      root: readDigest(batch('root'), 'batch.root'),
    },
    anchor: readAnchor(top('anchor')),
  }
}

function parseDocument(bytes: Uint8Array): JsonNode {
  try {
    return parseJson(bytes, { bytesMax: DOCUMENT_BYTES_MAX, depthMax: 8, itemsMax: 100 })
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause
    const code = cause.code === 'too_large' ? 'too_large' : 'not_json'
    throw new RecordsError(code, '', cause.message, { cause })
  }
}

function readVersion(root: JsonNode): void {
  if (root.kind !== 'object') throw wrongType('', 'an object')
  const version = root.members.find(({ key }) => key === 'version')?.value
  if (version === undefined) throw new RecordsError('missing_member', 'version', 'not there')
  if (version.kind !== 'number') throw wrongType('version', 'a number')
  if (version.lexeme !== String(VERSION)) {
    throw new RecordsError('unknown_version', 'version', `not ${VERSION}`)
  }
}

/** Looks the members of an object up after checking that it has exactly these. */
function members<K extends string>(
  node: JsonNode,
  path: string,
  names: readonly K[],
): (name: K) => JsonNode {
  if (node.kind !== 'object') throw wrongType(path, 'an object')
  const pathOf = (name: string) => (path === '' ? name : `${path}.${name}`)
  for (const { key } of node.members) {
    if (!names.some((name) => name === key)) {
      throw new RecordsError('unknown_member', pathOf(key), 'no member of a record proof')
    }
  }
  return (name) => {
    const found = node.members.find(({ key }) => key === name)
    if (found === undefined) throw new RecordsError('missing_member', pathOf(name), 'not there')
    return found.value
  }
}

function readOpening(node: JsonNode): RecordOpening | null {
  if (node.kind === 'null') return null
  const path = 'record.opening'
  const member = members(node, path, ['blind', 'fieldRoot', 'rawSalt', 'rawCommit'])
  return {
    blind: readDigest(member('blind'), `${path}.blind`),
    fieldRoot: readDigest(member('fieldRoot'), `${path}.fieldRoot`),
    rawSalt: readDigest(member('rawSalt'), `${path}.rawSalt`),
    rawCommit: readDigest(member('rawCommit'), `${path}.rawCommit`),
  }
}

function readPath(node: JsonNode): Uint8Array[] {
  if (node.kind !== 'array') throw wrongType('batch.path', 'an array')
  if (node.items.length > PATH_MAX) {
    throw new RecordsError('too_large', 'batch.path', `more than ${PATH_MAX} digests`)
  }
  return node.items.map((item, index) => readDigest(item, `batch.path[${index}]`))
}

function readDigest(node: JsonNode, path: string): Uint8Array {
  if (node.kind !== 'string') throw wrongType(path, 'a text')
  if (!/^[0-9a-f]*$/.test(node.value)) {
    throw new RecordsError('bad_encoding', path, 'not lower-case hex')
  }
  if (node.value.length !== 2 * DIGEST_BYTES) {
    throw new RecordsError('wrong_length', path, `not ${2 * DIGEST_BYTES} digits`)
  }
  return fromHex(node.value)
}

function readNumber(
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

function readAnchor(node: JsonNode): Uint8Array {
  if (node.kind !== 'string') throw wrongType('anchor', 'a text')
  if (node.value.length > ANCHOR_TEXT_MAX) {
    throw new RecordsError('too_large', 'anchor', `more than ${ANCHOR_TEXT_MAX} characters`)
  }
  try {
    return decodeBase64url(node.value)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new RecordsError('bad_encoding', 'anchor', 'not base64url', { cause })
  }
}

function wrongType(path: string, expected: string): RecordsError {
  return new RecordsError('wrong_type', path, `expected ${expected}`)
}
