// A proof that an entry of an access log is on the chain, as a file: one self-contained JSON document.
//
// With its content it shows a patient, who can open it, that this very entry is in the log; without, whoever
// knows the commitment that some entry is. The proof of the batch's transaction is carried as bytes.

import { type JsonNode, toHex } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import { ACCESS_ENTRY_BYTES_MAX, type AccessEntry } from './access-entry.ts'
import {
  members,
  parseDocument,
  readBase64url,
  readDigest,
  readHex,
  readText,
} from './json-members.ts'
import { type Anchored, formatAnchored, PROOF_BYTES_MAX, readAnchored } from './record-proof.ts'

export interface AccessProof extends Anchored {
  readonly version: 1
  readonly entry: { readonly commit: Uint8Array; readonly content: AccessEntry | null }
}

const VERSION = 1
const SEALED_TEXT_MAX = Math.ceil((ACCESS_ENTRY_BYTES_MAX * 4) / 3)

export function formatAccessProof(proof: AccessProof): string {
  const { entry } = proof
  const content = entry.content && {
    nonce: toHex(entry.content.nonce),
    custodian: entry.content.custodian,
    sealed: encodeBase64url(entry.content.sealed),
  }
  return formatAnchored(proof, { entry: { commit: toHex(entry.commit), content } })
}

/** The proof in a document, or a RecordsError with the path of the member that is wrong. */
export function parseAccessProof(document: string | Uint8Array): AccessProof {
  const limits = { bytesMax: PROOF_BYTES_MAX, itemsMax: 100 }
  const { root, version } = parseDocument(document, [VERSION], limits)
  const top = members(root, '', ['version', 'network', 'entry', 'batch', 'anchor'])
  const entry = members(top('entry'), 'entry', ['commit', 'content'])
  return {
    version,
    ...readAnchored(top),
    entry: {
      commit: readDigest(entry('commit'), 'entry.commit'),
      content: readContent(entry('content')),
    },
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
