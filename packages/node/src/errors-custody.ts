// Texts for what a custodian refuses: records it has no room or no holders for, and grants.

import { type CatalogEntry, entry } from './error-entry.ts'

export type CustodyRefusal =
  | 'vault_busy'
  | 'too_few_holders'
  | 'unknown_patient'
  | 'unknown_recipient'
  | 'invalid_grant'
  | 'relay_timeout'

export const CUSTODY_TEXTS: Record<CustodyRefusal, CatalogEntry> = {
  vault_busy: entry(5040, 4, 503)(
    'Too many records wait for their holders',
    'The queue of this node is full: its records are kept, and no more are taken until holders have taken some.',
    'Send the same again in a moment.',
    'See which holder takes nothing:   mooring vault status',
  ),
  too_few_holders: entry(5041, 4, 503)(
    'There are too few holders',
    'A record is split over at least three legal groups, so that no single one can open or lose it. The authorities of this network belong to fewer.',
    'See the members:   mooring member list',
  ),
  unknown_patient: entry(5042, 6, 404)(
    'There is no such patient here',
    'This custodian has no record of a patient of that reference.',
    'Check the reference: what follows Patient/ in the records that were submitted. For somebody who is new here:   mooring enrolment create --new --patient <reference>',
  ),
  unknown_recipient: entry(5043, 6, 422)(
    'The recipient is no member',
    'A grant names the organisation that may read, as the network knows it.',
    'See the members:   mooring member list',
  ),
  invalid_grant: entry(5044, 2, 422)(
    'The grant cannot be made',
    'Its classes, its purposes or its time are not those of a grant.',
    'Read the detail. Classes are emergency, general, imaging, stream, research and sensitive:<kind>; purposes are codes of v3-ActReason; a grant lasts a year at most.',
  ),
  relay_timeout: entry(5045, 4, 504)(
    'The transaction is not final so far',
    'It was handed in and no final block has it: too few members are there, or this node is cut off.',
    'See whether the network moves:   mooring status',
    'Look for what came of it before it is sent again:   mooring transaction get <id>',
  ),
}
