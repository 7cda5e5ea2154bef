// A proof that a record was anchored, as a file a patient can keep: one self-contained JSON document.
//
// Without an opening it is a receipt: it shows that some record is in a batch and tells nothing about
// it. With one, whoever also has the file can check that it is this file. In version 2 the opening shows
// chosen fields instead, to who has no more than this document. The proof of the anchor's transaction is
// carried as bytes; the ledger's rules read it.

import { type JsonNode, toHex } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import type { RecordOpening } from './commit.ts'
import { type FieldsOpening, SHOWN_FIELDS_MAX, type ShownField } from './disclose.ts'
import { RecordsError } from './errors.ts'
import {
  members,
  parseDocument,
  readBase64url,
  readDigest,
  readHex,
  readList,
  readNumber,
  readText,
} from './json-members.ts'

export interface Anchored {
  /** Digest of the genesis of the network it is anchored on. */
  readonly network: Uint8Array
  readonly batch: {
    readonly index: number
    readonly size: number
    readonly path: readonly Uint8Array[]
    readonly root: Uint8Array
  }
  /** An encoded TransactionProof of the anchor. */
  readonly anchor: Uint8Array
}

/** A receipt, or a proof about a file. */
export interface WholeRecordProof extends Anchored {
  readonly version: 1
  readonly record: { readonly commit: Uint8Array; readonly opening: RecordOpening | null }
}

/** A proof about some fields. */
export interface FieldsRecordProof extends Anchored {
  readonly version: 2
  readonly record: { readonly commit: Uint8Array; readonly opening: FieldsOpening }
}

export type RecordProof = WholeRecordProof | FieldsRecordProof

export const PROOF_BYTES_MAX = 4 * 1024 * 1024

const ANCHOR_TEXT_MAX = 4_000_000
const BATCH_SIZE_MAX = 0x1_0000
const PATH_MAX = 16
const ITEMS_MAX = 20_000
const FIELDS_MAX = 0x2_0000
const POINTER_MAX = 1024
const VALUE_MAX = 1024 * 1024
const SALT_BYTES = 16

const utf8 = new TextEncoder()
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function formatRecordProof(proof: RecordProof): string {
  const { commit, opening } = proof.record
  const record = { commit: toHex(commit), opening: formatOpening(opening) }
  return formatAnchored(proof, { record })
}

/** A document about something anchored: `what` stands between the network and the batch. */
export function formatAnchored(
  { version, network, batch, anchor }: Anchored & { readonly version: number },
  what: object,
): string {
  const { index, size, path, root } = batch
  const document = {
    version,
    network: toHex(network),
    ...what,
    batch: { index, size, path: path.map(toHex), root: toHex(root) },
    anchor: encodeBase64url(anchor),
  }
  // Readable line by line, and with four authorities the whole of it still fits into a page of 4,096 bytes.
  return `${JSON.stringify(document, null, 1)}\n`
}

function formatOpening(opening: RecordOpening | FieldsOpening | null): object | null {
  if (opening === null) return null
  const { blind, fieldRoot, rawCommit } = opening
  const roots = { blind: toHex(blind), fieldRoot: toHex(fieldRoot) }
  if (!('fields' in opening)) {
    return { ...roots, rawSalt: toHex(opening.rawSalt), rawCommit: toHex(rawCommit) }
  }
  const fields = opening.fields.map(({ pointer, value, salt, index, path }) => ({
    pointer,
    value: text.decode(value),
    salt: toHex(salt),
    index,
    path: path.map(toHex),
  }))
  return { ...roots, rawCommit: toHex(rawCommit), size: opening.size, fields }
}

/** The proof in a document, or a RecordsError with the path of the member that is wrong. */
export function parseRecordProof(document: string | Uint8Array): RecordProof {
  const limits = { bytesMax: PROOF_BYTES_MAX, itemsMax: ITEMS_MAX }
  const { root, version } = parseDocument(document, [1, 2], limits)
  const top = members(root, '', ['version', 'network', 'record', 'batch', 'anchor'])
  const record = members(top('record'), 'record', ['commit', 'opening'])
  const anchored = readAnchored(top)
  const commit = readDigest(record('commit'), 'record.commit')
  const opening = record('opening')
  return version === 1
    ? { version, ...anchored, record: { commit, opening: readOpening(opening) } }
    : { version, ...anchored, record: { commit, opening: readFieldsOpening(opening) } }
}

/** `top` looks up the members of the document. */
export function readAnchored(top: (name: keyof Anchored) => JsonNode): Anchored {
  return {
    network: readDigest(top('network'), 'network'),
    batch: readBatch(top('batch')),
    anchor: readBase64url(top('anchor'), 'anchor', ANCHOR_TEXT_MAX),
  }
}

function readBatch(node: JsonNode): Anchored['batch'] {
  const batch = members(node, 'batch', ['index', 'size', 'path', 'root'])
  const size = readNumber(batch('size'), 'batch.size', { min: 1, max: BATCH_SIZE_MAX })
  return {
    index: readNumber(batch('index'), 'batch.index', { min: 0, max: size - 1 }),
    size,
    path: readList(batch('path'), 'batch.path', PATH_MAX, readDigest),
    root: readDigest(batch('root'), 'batch.root'),
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

function readFieldsOpening(node: JsonNode): FieldsOpening {
  const path = 'record.opening'
  const member = members(node, path, ['blind', 'fieldRoot', 'rawCommit', 'size', 'fields'])
  const size = readNumber(member('size'), `${path}.size`, { min: 1, max: FIELDS_MAX })
  const read = (item: JsonNode, at: string) => readShownField(item, at, size)
  return {
    blind: readDigest(member('blind'), `${path}.blind`),
    fieldRoot: readDigest(member('fieldRoot'), `${path}.fieldRoot`),
    rawCommit: readDigest(member('rawCommit'), `${path}.rawCommit`),
    size,
    fields: readList(member('fields'), `${path}.fields`, SHOWN_FIELDS_MAX, read),
  }
}

function readShownField(node: JsonNode, path: string, size: number): ShownField {
  const member = members(node, path, ['pointer', 'value', 'salt', 'index', 'path'])
  const pointer = readText(member('pointer'), `${path}.pointer`)
  if (pointer.length > POINTER_MAX || !/^(?:\/|$)/.test(pointer)) {
    throw new RecordsError('bad_encoding', `${path}.pointer`, 'not a JSON pointer')
  }
  const value = readText(member('value'), `${path}.value`)
  if (value.length > VALUE_MAX) {
    throw new RecordsError('too_large', `${path}.value`, `more than ${VALUE_MAX} characters`)
  }
  return {
    pointer,
    value: utf8.encode(value),
    salt: readHex(member('salt'), `${path}.salt`, SALT_BYTES),
    index: readNumber(member('index'), `${path}.index`, { min: 0, max: size - 1 }),
    path: readList(member('path'), `${path}.path`, PATH_MAX + 1, readDigest),
  }
}
