// What an access log says that is no entry of a reader: that somebody was refused, or that shards were made
// again. It stands in a batch beside the entries, in the holder's own words.

import { bytes, encode, type Infer, nullable, oneOf, text, uint, versioned } from '@mooring/codec'
import { domainHash } from '@mooring/crypto'

export const accessNoteSchema = versioned(1, {
  /** Hides what the note says from who sees its commitment. */
  nonce: bytes(16),
  time: uint(),
  kind: oneOf('refusal', 'repair'),
  /** Organisation that asked, or made shards again. */
  organisation: text(64),
  /** Whose records; null when that could not be read. */
  custodian: nullable(text(64)),
  /** Why it was refused; null for a repair. */
  code: nullable(text(64)),
  /** More than one when there were too many refusals to tell them apart; of a repair, sets. */
  count: uint(),
  /** Commitment of the access entry that came with the request. */
  entry: nullable(bytes(32)),
})

export type AccessNote = Infer<typeof accessNoteSchema>

export function accessNoteCommit(note: AccessNote): Uint8Array {
  return domainHash('access-note', encode(accessNoteSchema, note))
}
