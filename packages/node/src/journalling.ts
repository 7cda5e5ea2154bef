// What agreement remembers across a crash: its records in the vote journal, and back.
//
// A notarize is preceded by the block it is for, so that who voted for a block can serve and execute
// it after a restart. The payload of a vote is the signed vote: sent again, it is the same bytes.

import { CodecError } from '@mooring/codec'
import {
  type BlockMeta,
  type Certificate,
  decodeCertificate,
  decodeVote,
  encodeCertificate,
  encodeVote,
  type Recovered,
  type UnsignedVote,
  type Vote,
} from '@mooring/consensus'
import { type JournalRecord, type Marks, StorageError } from '@mooring/storage'

export function voteRecord(vote: Vote): JournalRecord {
  const { epoch, view } = vote.subject
  return { epoch, view, type: 'vote', payload: encodeVote(vote) }
}

export function certificateRecord(certificate: Certificate): JournalRecord {
  const { epoch, view } = certificate.subject
  return { epoch, view, type: 'certificate', payload: encodeCertificate(certificate) }
}

export function blockRecord(epoch: number, block: BlockMeta, payload: Uint8Array): JournalRecord {
  return { epoch, view: block.view, type: 'block', payload }
}

/** The marks that cover a vote. */
export function raised(marks: Marks, vote: UnsignedVote): Marks {
  const { epoch, view } = vote.subject
  const base = epoch > marks.epoch ? { epoch, notarized: 0, nullified: 0, finalized: 0 } : marks
  switch (vote.kind) {
    case 'notarize':
      return { ...base, notarized: Math.max(base.notarized, view) }
    case 'nullify':
      return { ...base, nullified: Math.max(base.nullified, view) }
    case 'finalize':
      return { ...base, finalized: Math.max(base.finalized, view) }
  }
}

export interface Remembered {
  votes: Vote[]
  certificates: Certificate[]
  blocks: Uint8Array[]
}

/** @throws StorageError guard_corrupt when a record that checked does not decode. */
export function remember(records: readonly JournalRecord[], epoch: number): Remembered {
  const remembered: Remembered = { votes: [], certificates: [], blocks: [] }
  try {
    for (const { type, payload, ...record } of records) {
      if (record.epoch !== epoch) continue
      if (type === 'vote') remembered.votes.push(decodeVote(payload))
      else if (type === 'block') remembered.blocks.push(payload)
      else if (type === 'certificate') remembered.certificates.push(decodeCertificate(payload))
    }
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    const message = 'the vote journal holds a record that cannot be read'
    throw new StorageError('guard_corrupt', message, {}, { cause: error })
  }
  return remembered
}

export function marksOf(marks: Marks, epoch: number): Recovered['marks'] {
  if (marks.epoch !== epoch) return { notarize: 0, nullify: 0, finalize: 0 }
  return { notarize: marks.notarized, nullify: marks.nullified, finalize: marks.finalized }
}
