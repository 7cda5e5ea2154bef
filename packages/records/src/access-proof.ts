// A proof that an entry of an access log is on the chain, as a file: one self-contained JSON document.
//
// With its content it shows a patient, who can open it, that this very entry is in the log; without, whoever
// knows the commitment that some entry is. The proof of the batch's transaction is carried as bytes.

import { type JsonNode, toHex } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import { ACCESS_ENTRY_BYTES_MAX, type AccessEntry } from './access-entry.ts'
import type { AdminAct } from './admin-act.ts'
import {
  members,
  parseDocument,
  readBase64url,
  readDigest,
  readHex,
  readNumber,
  readText,
  readTime,
} from './json-members.ts'
import { type Anchored, formatAnchored, PROOF_BYTES_MAX, readAnchored } from './record-proof.ts'

/** Of an entry, shown or not. */
export interface EntryProof extends Anchored {
  readonly version: 1
  readonly entry: { readonly commit: Uint8Array; readonly content: AccessEntry | null }
}

/** Of an act of administration, which stands in the same log. */
export interface ActProof extends Anchored {
  readonly version: 2
  readonly entry: { readonly commit: Uint8Array; readonly content: AdminAct }
}

export type AccessProof = EntryProof | ActProof

const SEALED_TEXT_MAX = Math.ceil((ACCESS_ENTRY_BYTES_MAX * 4) / 3)

export function formatAccessProof(proof: AccessProof): string {
  const content = proof.version === 1 ? formatEntry(proof.entry.content) : formatAct(proof)
  return formatAnchored(proof, { entry: { commit: toHex(proof.entry.commit), content } })
}

function formatEntry(entry: AccessEntry | null): object | null {
  return (
    entry && {
      nonce: toHex(entry.nonce),
      custodian: entry.custodian,
      sealed: encodeBase64url(entry.sealed),
    }
  )
}

function formatAct({ entry: { content } }: ActProof): object {
  const { nonce, time, parameters } = content
  const written = { nonce: toHex(nonce), parameters: toHex(parameters) }
  return { ...content, ...written, time: new Date(time).toISOString() }
}

/** The proof in a document, or a RecordsError with the path of the member that is wrong. */
export function parseAccessProof(document: string | Uint8Array): AccessProof {
  const limits = { bytesMax: PROOF_BYTES_MAX, itemsMax: 100 }
  const { root, version } = parseDocument(document, [1, 2], limits)
  const top = members(root, '', ['version', 'network', 'entry', 'batch', 'anchor'])
  const entry = members(top('entry'), 'entry', ['commit', 'content'])
  const anchored = readAnchored(top)
  const commit = readDigest(entry('commit'), 'entry.commit')
  const content = entry('content')
  return version === 1
    ? { version, ...anchored, entry: { commit, content: readContent(content) } }
    : { version, ...anchored, entry: { commit, content: readAct(content) } }
}

function readAct(node: JsonNode): AdminAct {
  const path = 'entry.content'
  const names = ['nonce', 'time', 'organisation', 'caller', 'act', 'parameters', 'status'] as const
  const member = members(node, path, names)
  return {
    nonce: readHex(member('nonce'), `${path}.nonce`, 16),
    time: readTime(member('time'), `${path}.time`),
    organisation: readText(member('organisation'), `${path}.organisation`),
    caller: readText(member('caller'), `${path}.caller`),
    act: readText(member('act'), `${path}.act`),
    parameters: readDigest(member('parameters'), `${path}.parameters`),
    status: readNumber(member('status'), `${path}.status`, { min: 0, max: 999 }),
  }
}

function readContent(node: JsonNode): AccessEntry | null {
  if (node.kind === 'null') return null
  const path = 'entry.content'
  const member = members(node, path, ['nonce', 'custodian', 'sealed'])
  return {
    nonce: readHex(member('nonce'), `${path}.nonce`, 16),
    custodian: readText(member('custodian'), `${path}.custodian`),
    sealed: readBase64url(member('sealed'), `${path}.sealed`, SEALED_TEXT_MAX),
  }
}
