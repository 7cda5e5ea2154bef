// What a holder tells a custodian about one access to the custodian's records: the line of its own log.
//
// The entry is sealed to the patient; beside it stands what the request said to the holder, which the holder
// vouches for: who asked, what for, and whose records. So an entry that says something else than its
// request, or that does not open, is seen to be so. Once its batch is final the line has a place that leads
// to the chain.

import {
  bytes,
  encode,
  equalBytes,
  type Infer,
  list,
  nullable,
  struct,
  text,
  uint,
} from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import { accessEntryCommit, accessEntrySchema } from './access-entry.ts'
import { accessNoteCommit, accessNoteSchema } from './access-note.ts'
import { ACCESS_SETS_MAX } from './access-request.ts'
import { leafPlaceSchema } from './batch-leaves.ts'

export const HELD_ACCESSES_MAX = 500

/** Of a request, as far as a holder keeps it. */
const askedSchema = struct({
  id: bytes(16),
  /** Organisation. */
  reader: text(64),
  purpose: text(32),
  /** Id of the grant. */
  grant: nullable(bytes(16)),
  patientKey: nullable(bytes(32)),
  /** Of the sets that were asked for; of a query none. */
  sets: list(bytes(32), ACCESS_SETS_MAX),
})

export const heldAccessSchema = struct({
  /** Counts the lines of this holder's log. */
  arrival: uint(),
  /** When the holder heard of it. */
  time: uint(),
  /** What stands in the batch: the commitment of the note, or else of the entry. */
  leaf: bytes(32),
  asked: nullable(askedSchema),
  entry: nullable(accessEntrySchema),
  /** Of a refusal. */
  note: nullable(accessNoteSchema),
  /** Sets that were given out so far. */
  served: uint(),
  place: nullable(leafPlaceSchema),
})

export type HeldAccess = Infer<typeof heldAccessSchema>

/** Of what a holder says it was asked: two that were asked the same say the same. */
export function heldRequestDigest(asked: NonNullable<HeldAccess['asked']>): Uint8Array {
  return domainHash('held-request', encode(askedSchema, asked))
}

/** Whether the line shows what its leaf commits to; of a refusal the entry may be left out. */
export function isHeldAccessWhole({
  leaf,
  entry,
  note,
}: Pick<HeldAccess, 'leaf' | 'entry' | 'note'>): boolean {
  const commit = entry && accessEntryCommit(entry)
  if (note === null) return commit !== null && equalBytes(commit, leaf)
  const isOfNote = commit === null || (note.entry !== null && equalBytes(commit, note.entry))
  return isOfNote && equalBytes(accessNoteCommit(note), leaf)
}
