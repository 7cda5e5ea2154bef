// What this node keeps of one access, sealed at rest: the entry itself, which only the patient can read, and
// beside it what the request said in clear, for the operator's own log.

import {
  bytes,
  CodecError,
  decode,
  encode,
  type Infer,
  list,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import {
  ACCESS_SETS_MAX,
  accessEntryCommit,
  accessEntrySchema,
  accessNoteCommit,
  accessNoteSchema,
  type AccessEntry,
  type AccessNote,
  type AccessRequest,
  accessRequestDigest,
  type AdminAct,
  adminActCommit,
  adminActSchema,
  type Grant,
} from '@mooring/records'
import type { NotedEmergency } from './access-notes.ts'

/** Of a request, as far as it is none of the patient's secrets that a holder does not know. */
const askedSchema = struct({
  /** Of the whole request: an entry stands for one, and for no other. */
  digest: bytes(32),
  id: bytes(16),
  reader: text(64),
  custodian: text(64),
  purpose: text(32),
  grant: nullable(bytes(16)),
  patientKey: nullable(bytes(32)),
  sets: list(bytes(32), ACCESS_SETS_MAX),
})

const ITEM = {
  time: uint(),
  /** How it came here: as our own request, or of somebody else. A note has none of both. */
  role: oneOf('reader', 'holder', 'custodian', 'none'),
  asked: nullable(askedSchema),
  entry: nullable(accessEntrySchema),
  note: nullable(accessNoteSchema),
  /** How many sets were given out so far. */
  served: uint(),
}

/** As nodes kept it that audited nothing. */
const firstItemSchema = versioned(1, ITEM)

const itemSchema = versioned(2, {
  ...ITEM,
  /** Of an act of administration; then there is nothing else. */
  act: nullable(adminActSchema),
})

export type AccessItem = Infer<typeof itemSchema>

export function encodeItem(item: AccessItem): Uint8Array {
  return encode(itemSchema, item)
}

export function decodeItem(bytesOfItem: Uint8Array): AccessItem {
  try {
    return decode(itemSchema, bytesOfItem)
  } catch (error) {
    if (!(error instanceof CodecError && error.code === 'unknown_version')) throw error
    return { ...decode(firstItemSchema, bytesOfItem), act: null }
  }
}

/** What stands in the batch: the note's commitment, or else the entry's, or the act's. */
export function leafOf({
  entry,
  note,
  act = null,
}: Pick<AccessItem, 'entry' | 'note'> & { act?: AccessItem['act'] }): Uint8Array {
  if (act !== null) return adminActCommit(act)
  if (note !== null) return accessNoteCommit(note)
  if (entry !== null) return accessEntryCommit(entry)
  throw new Error('an access has an entry or a note')
}

/** A share of an emergency set instead of a shard of a record. */
export function emergencyItem(
  { role, requestId, reader, home, patientKey, entry }: NotedEmergency,
  { time, note }: { time: number; note: AccessNote | null },
): AccessItem {
  const asked = {
    digest: domainHash('emergency-access', requestId, accessEntryCommit(entry)),
    id: requestId.slice(0, 16),
    reader,
    custodian: home,
    purpose: 'BTG',
    grant: null,
    patientKey,
    sets: [],
  }
  return { time, role, asked, entry, note, act: null, served: note === null ? 1 : 0 }
}

export function itemOf(
  role: AccessItem['role'],
  time: number,
  parts: {
    request: AccessRequest | null
    /** Of the request, when it has one that can be read. */
    grant: Grant | undefined
    entry: AccessEntry | null
    note: AccessNote | null
  },
): AccessItem {
  const { request, grant, entry, note } = parts
  const asked = request && {
    digest: accessRequestDigest(request),
    id: request.id,
    reader: request.reader,
    custodian: request.custodian,
    purpose: request.purpose,
    grant: grant?.id ?? null,
    patientKey: grant?.patientKey ?? request.sets[0]?.facts.patientKey ?? null,
    sets: request.sets.map(({ setId }) => setId),
  }
  return { time, role, asked, entry, note, act: null, served: 0 }
}

export function itemOfAct(act: AdminAct): AccessItem {
  return { time: act.time, role: 'none', asked: null, entry: null, note: null, act, served: 0 }
}
