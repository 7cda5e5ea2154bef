// A grant: what a patient permits one organisation to read of one custodian, and until when.
//
// It is signed by the patient's pairwise key at that custodian, stays off the chain, and travels in
// every request, so that each holder judges it for itself. As a file it is JSON; signed is the CBOR.

import {
  bytes,
  concatBytes,
  encode,
  equalBytes,
  type Infer,
  type JsonNode,
  list,
  nullable,
  struct,
  text,
  toHex,
  uint,
  versioned,
} from '@mooring/codec'
import {
  CryptoError,
  domainBytes,
  formatDidKey,
  type KeyPair,
  parseDidKey,
  sign,
  verify,
} from '@mooring/crypto'
import { RecordsError } from './errors.ts'
import {
  members,
  parseDocument,
  readHex,
  readList,
  readText,
  readTime,
  wrongType,
} from './json-members.ts'

/** A year and a day, so that "one year from now" never depends on the calendar. */
export const GRANT_LIFETIME_MS_MAX = 366 * 86_400_000

const CLASSES_MAX = 32
const PURPOSES_MAX = 16
const DOCUMENT_BYTES_MAX = 64 * 1024
const VERSION = 1

export const grantSchema = versioned(VERSION, {
  id: bytes(16),
  /** The patient's pairwise signing key at the custodian; signs this. */
  patientKey: bytes(32),
  /** The patient's pairwise sealing key there: access entries are sealed to it. */
  logKey: bytes(32),
  /** Organisation whose records may be read. */
  custodian: text(64),
  /** Organisation that may read. */
  recipient: text(64),
  classes: list(text(64), CLASSES_MAX),
  /** Codes of v3-ActReason; each permits what stands below it, but for those that must be named. */
  purposes: list(text(32), PURPOSES_MAX),
  notBefore: uint(),
  /** Exclusive. */
  expiresAt: uint(),
  /** Its one-time name on the chain, by which it can be revoked; null for none. */
  handle: nullable(bytes(32)),
})

export type GrantDocument = Infer<typeof grantSchema>

export const signedGrantSchema = struct({ document: grantSchema, signature: bytes(64) })

export type SignedGrant = Infer<typeof signedGrantSchema>

/** With the pairwise key that the document names. */
export function signGrant(patientKey: KeyPair, document: GrantDocument): SignedGrant {
  if (!equalBytes(patientKey.publicKey, document.patientKey)) {
    throw new RecordsError('out_of_range', 'patientKey', 'a grant is signed by the key it names')
  }
  return { document, signature: sign(patientKey, messageOf(document)) }
}

export function verifyGrant({ document, signature }: SignedGrant): boolean {
  return verify(document.patientKey, messageOf(document), signature)
}

export function formatGrant({ document, signature }: SignedGrant): string {
  const { id, patientKey, logKey, notBefore, expiresAt, handle } = document
  const { custodian, recipient, classes, purposes } = document
  const file = {
    version: VERSION,
    id: toHex(id),
    patient: formatDidKey(patientKey),
    logKey: toHex(logKey),
    custodian,
    recipient,
    classes,
    purposes,
    notBefore: new Date(notBefore).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    handle: handle && toHex(handle),
    signature: toHex(signature),
  }
  return `${JSON.stringify(file, null, 2)}\n`
}

/** Reads and does not judge. @throws RecordsError with the path of the member that is wrong. */
export function parseGrant(file: string | Uint8Array): SignedGrant {
  const limits = { bytesMax: DOCUMENT_BYTES_MAX, itemsMax: 200 }
  const member = members(parseDocument(file, [VERSION], limits).root, '', [
    ...(['version', 'id', 'patient', 'logKey', 'custodian', 'recipient', 'classes'] as const),
    ...(['purposes', 'notBefore', 'expiresAt', 'handle', 'signature'] as const),
  ])
  const handle = member('handle')
  const shortText = (max: number) => (node: JsonNode, path: string) => readShort(node, path, max)
  return {
    document: {
      id: readHex(member('id'), 'id', 16),
      patientKey: readDid(member('patient'), 'patient'),
      logKey: readHex(member('logKey'), 'logKey', 32),
      custodian: readShort(member('custodian'), 'custodian', 64),
      recipient: readShort(member('recipient'), 'recipient', 64),
      classes: readList(member('classes'), 'classes', CLASSES_MAX, shortText(64)),
      purposes: readList(member('purposes'), 'purposes', PURPOSES_MAX, shortText(32)),
      notBefore: readTime(member('notBefore'), 'notBefore'),
      expiresAt: readTime(member('expiresAt'), 'expiresAt'),
      handle: handle.kind === 'null' ? null : readHex(handle, 'handle', 32),
    },
    signature: readHex(member('signature'), 'signature', 64),
  }
}

function readShort(node: JsonNode, path: string, max: number): string {
  const value = readText(node, path)
  if (!/^[\x21-\x7e]+$/.test(value)) throw wrongType(path, 'a text of ASCII letters and signs')
  if (value.length > max) throw new RecordsError('too_large', path, `more than ${max} characters`)
  return value
}

function readDid(node: JsonNode, path: string): Uint8Array {
  const did = readText(node, path)
  try {
    return parseDidKey(did)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new RecordsError('bad_encoding', path, 'not a did:key of an Ed25519 key', { cause })
  }
}

function messageOf(document: GrantDocument): Uint8Array {
  return concatBytes(domainBytes('grant-document'), encode(grantSchema, document))
}
