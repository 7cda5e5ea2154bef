// A proof that a record was anchored, as a file a patient can keep: one self-contained JSON document.
//
// Without an opening it is a receipt: it shows that some record is in a batch and tells nothing about
// it. With one, whoever also has the file can check that it is this file. The proof of the anchor's
// transaction is carried as bytes; the ledger's rules read it.

import { type JsonNode, toHex } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import type { RecordOpening } from './commit.ts'
import {
  members,
  parseDocument,
  readBase64url,
  readDigest,
  readList,
  readNumber,
} from './json-members.ts'

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
const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024
const ANCHOR_TEXT_MAX = 4_000_000
const BATCH_SIZE_MAX = 0x1_0000
const PATH_MAX = 16

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
  const root = parseDocument(document, VERSION, { bytesMax: DOCUMENT_BYTES_MAX, itemsMax: 100 })
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
      path: readList(batch('path'), 'batch.path', PATH_MAX, readDigest),
      root: readDigest(batch('root'), 'batch.root'),
    },
    anchor: readBase64url(top('anchor'), 'anchor', ANCHOR_TEXT_MAX),
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
