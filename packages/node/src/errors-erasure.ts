// Texts for what a custodian refuses when records are to be erased, held or amended.

import { type CatalogEntry, entry } from './error-entry.ts'

export type ErasureErrorCode =
  | 'erased'
  | 'retention_applies'
  | 'legal_hold'
  | 'not_anchored_yet'
  | 'not_restricted'
  | 'not_held'
  | 'too_many_amendments'
  | 'unknown_amendment'
  | 'amendment_answered'
  | 'correction_unfit'
  | 'device_erases_nothing'

export const ERASURE_TEXTS: Record<ErasureErrorCode, CatalogEntry> = {
  erased: entry(5801, 6, 410)(
    'The record was erased',
    'It was here and is no more, here and at its holders; the chain has a tombstone that says so.',
    'See who has signed that it is gone:   mooring record erasures <id>',
  ),
  retention_applies: entry(5802, 7, 409)(
    'The law keeps this record',
    'It is younger than [retention] of this custodian. Where its patient asked, it is restricted: no grant opens it, and it is erased when that time is over.',
    'Wait for the end of the time that is named, or withdraw the request:   mooring patient erase <record> --withdraw',
  ),
  legal_hold: entry(5803, 7, 409)(
    'A legal hold keeps this record',
    'A court or an inquiry may ask for it. Where its patient asked, it is restricted: no grant opens it.',
    'When the hold is over:   mooring record release <id>',
  ),
  not_anchored_yet: entry(5804, 7, 409)(
    'The record is not anchored so far',
    'Its tombstone names the batch that has it, which must be final first.',
    'Try again in a moment. See how far it is:   mooring record list',
  ),
  not_restricted: entry(5805, 7, 409)(
    'The record is not restricted',
    'Nobody has asked that it be erased, or the request was withdrawn already.',
    'Nothing is to be done.',
  ),
  not_held: entry(5806, 7, 409)(
    'There is no legal hold on this record',
    'It was never held, or was released already.',
    'Nothing is to be done.',
  ),
  too_many_amendments: entry(5807, 4, 429)(
    'Too many requests of this patient wait for an answer',
    'So many requests to correct records are kept open for one patient at most.',
    'Wait for the answers:   mooring patient amend --list',
  ),
  unknown_amendment: entry(5808, 6, 404)(
    'There is no such request',
    'No patient has asked for this correction here.',
    'See those there are:   mooring record amendments list',
  ),
  amendment_answered: entry(5809, 7, 409)(
    'The request is answered already',
    'An answer is given once; the patient has seen it.',
    'Correct the record by a new version, if it has to be.',
  ),
  correction_unfit: entry(5810, 2, 422)(
    'This is no correction of the record',
    'It is that record itself, one of another patient, or the request is refused.',
    'Name a record of the same patient, and accept the request.',
  ),
  device_erases_nothing: entry(5811, 5, 403)(
    'A device does not have records erased',
    'What is erased is gone for good. A telephone that is stolen and not revoked yet must not do that.',
    'Ask from the wallet that has the seed:   mooring patient erase <record>',
  ),
}
