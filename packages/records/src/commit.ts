// A record's commitment: 32 bytes that fix it and tell nothing about it.
//
// Everything hidden is derived from `rec`, 32 random bytes that live with the record and die with
// it. The salt of a field comes from another branch than the value that blinds the whole, so that
// showing one field does not let its reader guess the others. Leaves that only pad the field tree
// come from the same seed under names that are no JSON pointer: the commitment is a function of the
// bytes and of `rec` alone, and can be computed again wherever both are.
//
// The labels are fixed by a published vector and carry no domain prefix of the chain.

import { compareBytes, utf8Bytes } from '@mooring/codec'
import {
  createSha256,
  type IncrementalHash,
  merkleRootOfHashes,
  sha256,
  hmacSha256,
  type KeyedHash,
} from '@mooring/crypto'
import { RecordsError } from './errors.ts'
import type { Field } from './fields.ts'

export interface RecordSecrets {
  readonly fieldSeed: Uint8Array
  readonly rawSalt: Uint8Array
  readonly blind: Uint8Array
}

export interface Commitment {
  readonly recordCommit: Uint8Array
  readonly rawCommit: Uint8Array
  readonly fieldRoot: Uint8Array
}

/** What shows that a commitment was made to a file, apart from the file. */
export interface RecordOpening {
  readonly blind: Uint8Array
  readonly fieldRoot: Uint8Array
  readonly rawSalt: Uint8Array
  readonly rawCommit: Uint8Array
}

export interface SaltedField extends Field {
  readonly salt: Uint8Array
  readonly leafHash: Uint8Array
}

/** The tree under `fieldRoot`: the fields by pointer, then padding up to a power of two. */
export interface FieldTree {
  readonly fields: readonly SaltedField[]
  readonly leafHashes: readonly Uint8Array[]
  readonly root: Uint8Array
}

const REC_BYTES = 32
const SALT_BYTES = 16

const EMPTY = new Uint8Array(0)
const LEAF_PREFIX = Uint8Array.of(0)
const FIRST_BLOCK = Uint8Array.of(1)
const FIELDS_INFO = utf8Bytes('fields/v1')
const RAW_INFO = utf8Bytes('raw/v1')
const BLIND_INFO = utf8Bytes('blind/v1')
const RAW_LABEL = utf8Bytes('raw/v1\0')
const RECORD_LABEL = utf8Bytes('rec/v1\0')

export function recordSecrets(rec: Uint8Array): RecordSecrets {
  if (rec.length !== REC_BYTES) {
    throw new RecordsError('wrong_length', 'rec', `${rec.length} bytes, expected ${REC_BYTES}`)
  }
  const expand = expander(rec)
  return {
    fieldSeed: expand(FIELDS_INFO, FIRST_BLOCK),
    rawSalt: expand(RAW_INFO, FIRST_BLOCK),
    blind: expand(BLIND_INFO, FIRST_BLOCK),
  }
}

/** Bytes that are no FHIR resource have no fields: pass an empty list. */
export function commitRecord(
  fields: readonly Field[],
  raw: Uint8Array,
  secrets: RecordSecrets,
): Commitment {
  const fieldRoot = fieldTree(fields, secrets.fieldSeed).root
  const rawCommit = rawCommitment(secrets.rawSalt, raw)
  return {
    recordCommit: recordCommitment(secrets.blind, fieldRoot, rawCommit),
    rawCommit,
    fieldRoot,
  }
}

export function rawCommitment(rawSalt: Uint8Array, raw: Uint8Array): Uint8Array {
  return sha256(RAW_LABEL, rawSalt, raw)
}

/** The same for bytes that come in parts. */
export function rawCommitmentHash(rawSalt: Uint8Array): IncrementalHash {
  const hash = createSha256()
  hash.update(RAW_LABEL)
  hash.update(rawSalt)
  return hash
}

export function recordCommitment(
  blind: Uint8Array,
  fieldRoot: Uint8Array,
  rawCommit: Uint8Array,
): Uint8Array {
  return sha256(RECORD_LABEL, blind, fieldRoot, rawCommit)
}

/** Whoever has this and the file can check the commitment; it opens no field by itself. */
export function openingOf(record: {
  readonly rec: Uint8Array
  readonly fieldRoot: Uint8Array
  readonly rawCommit: Uint8Array
}): RecordOpening {
  const { blind, rawSalt } = recordSecrets(record.rec)
  return { blind, fieldRoot: record.fieldRoot, rawSalt, rawCommit: record.rawCommit }
}

export function fieldTree(fields: readonly Field[], fieldSeed: Uint8Array): FieldTree {
  const expand = expander(fieldSeed)
  const salted = fields
    .map((field) => ({ field, name: utf8Bytes(field.pointer) }))
    .toSorted((a, b) => compareBytes(a.name, b.name))
    .map(({ field, name }) => {
      const salt = expand(name, FIRST_BLOCK).slice(0, SALT_BYTES)
      return { ...field, salt, leafHash: fieldLeaf(salt, name, field.value) }
    })
  const leafHashes = salted.map((each) => each.leafHash)
  const size = powerOfTwoFrom(leafHashes.length)
  for (let index = leafHashes.length; index < size; index += 1) {
    leafHashes.push(expand(utf8Bytes(`padding/v1/${index}`), FIRST_BLOCK))
  }
  return { fields: salted, leafHashes, root: merkleRootOfHashes(leafHashes) }
}

/** The leaf of a field as anyone computes it who was shown pointer, value and salt. */
export function fieldLeafHash(pointer: string, value: Uint8Array, salt: Uint8Array): Uint8Array {
  return fieldLeaf(salt, utf8Bytes(pointer), value)
}

function fieldLeaf(salt: Uint8Array, name: Uint8Array, value: Uint8Array): Uint8Array {
  return sha256(LEAF_PREFIX, salt, uint32(name.length), name, uint32(value.length), value)
}

// HKDF-SHA256 (RFC 5869) without salt, for one block of output: extracted once, expanded per name.
function expander(secret: Uint8Array): KeyedHash {
  return hmacSha256(hmacSha256(EMPTY)(secret))
}

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

function powerOfTwoFrom(count: number): number {
  let size = 1
  while (size < count) size *= 2
  return size
}
