// Texts for what the chain refuses of grants, of keys of patients and of erasure.

import type { InvalidForPatients } from '@mooring/ledger'
import { type CatalogEntry, entry } from './error-entry.ts'

export const PATIENT_TRANSACTION_TEXTS: Record<InvalidForPatients['code'], CatalogEntry> = {
  handle_seen: entry(4141, 7, 409)(
    'The handle of this grant is on the chain already',
    'Each grant has a key of its own that opens its handle once.',
    'Nothing is to be done for this grant; make a new one for another.',
  ),
  unknown_handle: entry(4142, 6, 422)(
    'The chain has no such handle',
    'Only what was opened can be revoked, and it may not be final yet.',
    'Wait for grant.open to be final, or check which network the grant was made for.',
  ),
  handle_revoked: entry(4143, 7, 409)(
    'The grant is revoked already',
    'Its handle was taken back in an earlier block.',
    'Nothing is to be done.',
  ),
  handle_expired: entry(4144, 7, 409)(
    'The handle has expired',
    'Its last day is over by the time of the chain; nobody serves anything for it.',
    'Nothing is to be revoked. Make a new grant where one is wanted.',
  ),
  handle_expires_too_late: entry(4145, 2, 422)(
    'The handle would live too long',
    'A handle lives 400 days at most, and a grant a year.',
    'Make a grant that expires sooner.',
  ),
  key_replaced_already: entry(4146, 7, 409)(
    'The key is replaced already',
    'At one custodian a key is replaced once, for good.',
    'Replace the key that is in force now.',
  ),
  key_cycle: entry(4147, 2, 422)(
    'A key cannot come back',
    'Following the successors of the new key leads to the one it would replace.',
    'Take a key that was never in use.',
  ),
  item_erased: entry(4148, 7, 409)(
    'The record is erased already',
    'Its tombstone is on the chain.',
    'Nothing is to be done.',
  ),
  root_not_anchored: entry(4149, 7, 422)(
    'The batch is not on the chain',
    'A tombstone names a batch root that its custodian has anchored.',
    'Wait until the record is anchored, then erase it.',
  ),
}
