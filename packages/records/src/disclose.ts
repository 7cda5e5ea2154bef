// Showing chosen fields of a record and nothing else.
//
// A shown field comes with its salt and its path in the field tree; the root of the tree, the commitment to the
// bytes and the blind lead from there to the record. What stays hidden stays so: every other field has a
// salt of its own, and the salt of the bytes is not shown. A verifier learns beside the fields how many there
// are, up to a power of two, and the place of those shown in the order of their pointers.

import { checkInclusion, type InvalidMerkleProof, inclusionProof } from '@mooring/crypto'
import { fieldLeafHash, fieldTree, recordSecrets } from './commit.ts'
import { RecordsError } from './errors.ts'
import type { Field } from './fields.ts'

export interface ShownField {
  /** JSON pointer. */
  readonly pointer: string
  /** Canonical text of a string, true, false or null; a number as it was written. */
  readonly value: Uint8Array
  readonly salt: Uint8Array
  readonly index: number
  readonly path: readonly Uint8Array[]
}

/** What shows that a record has these fields, to who has nothing else of it. */
export interface FieldsOpening {
  readonly blind: Uint8Array
  readonly fieldRoot: Uint8Array
  readonly rawCommit: Uint8Array
  /** Leaves of the field tree, padding included. */
  readonly size: number
  readonly fields: readonly ShownField[]
}

export const SHOWN_FIELDS_MAX = 256

/**
 * The fields at these pointers; a pointer to an object or a list stands for all below it. `record` has all
 * fields that were committed to.
 *
 * @throws RecordsError `no_such_field`, `too_large`
 */
export function discloseFields(
  record: {
    readonly rec: Uint8Array
    readonly rawCommit: Uint8Array
    readonly fields: readonly Field[]
  },
  pointers: readonly string[],
): FieldsOpening {
  const { blind, fieldSeed } = recordSecrets(record.rec)
  const { fields, leafHashes, root } = fieldTree(record.fields, fieldSeed)
  const chosen = new Set<number>()
  for (const pointer of pointers) {
    const found = [...fields.entries()].filter(([, field]) => isAtOrBelow(field.pointer, pointer))
    if (found.length === 0) {
      throw new RecordsError('no_such_field', pointer, 'the record has no such field')
    }
    for (const [index] of found) chosen.add(index)
  }
  if (chosen.size > SHOWN_FIELDS_MAX) {
    const detail = `${chosen.size} fields to show, at most ${SHOWN_FIELDS_MAX}`
    throw new RecordsError('too_large', 'fields', detail)
  }
  const shown = [...fields.entries()].filter(([index]) => chosen.has(index))
  return {
    blind,
    fieldRoot: root,
    rawCommit: record.rawCommit,
    size: leafHashes.length,
    fields: shown.map(([index, { pointer, value, salt }]) => ({
      pointer,
      value,
      salt,
      index,
      path: inclusionProof(leafHashes, index),
    })),
  }
}

/** Why a field is not one of the record's, or nothing. */
export function checkShownField(
  { size, fieldRoot }: FieldsOpening,
  { pointer, value, salt, index, path }: ShownField,
): InvalidMerkleProof | undefined {
  const leafHash = fieldLeafHash(pointer, value, salt)
  return checkInclusion({ leafHash, index, size, path, root: fieldRoot })
}

function isAtOrBelow(pointer: string, root: string): boolean {
  return pointer === root || pointer.startsWith(`${root}/`)
}
