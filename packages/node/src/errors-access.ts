// Texts for why a holder gives out nothing: one for every reason of a decision (records/src/decide.ts), of a
// release, and of the log itself. A reader is told the reason that most holders gave.

import type { AccessRefusal } from '@mooring/records'
import { type CatalogEntry, entry } from './error-entry.ts'
import { CONSENT_TEXTS, GRANT_STANDING_TEXTS } from './errors-grants.ts'
import type { HolderRefusal } from './holder-access.ts'

export type AccessErrorCode =
  | AccessRefusal
  | HolderRefusal
  | 'request_malformed'
  | 'practitioner_late'
  | 'practitioners_waiting'
  | 'too_many_refusals'

const refused = (mor: number) => entry(mor, 5, 403)
const unfit = (mor: number) => entry(mor, 7, 409)

const REQUEST_TEXTS = {
  unknown_reader: refused(5401)(
    'The reader is no member of the network',
    'A request for records names an organisation that this holder does not know, or no longer.',
    'See who is a member:   mooring member list',
  ),
  sender_differs: refused(5402)(
    'A request came from somebody other than its reader',
    'A request is answered only to the node of the organisation that signed it.',
    'Read through the node of the organisation that the grant names.',
  ),
  not_addressed: refused(5403)(
    'The request is for other holders',
    'A request names the organisations that may answer; this holder is not among them.',
    'Read again: the node addresses those that keep the record now.',
  ),
  not_issued_yet: refused(5404)(
    'The request is from the future',
    'Its time of issue is more than a minute ahead of the clock of the holder.',
    'Compare the clocks:   mooring status -v',
    'Let both machines keep the time by NTP.',
  ),
  request_expired: refused(5405)(
    'The request has expired',
    'A request lives ten minutes at most, by the clock of the holder.',
    'Read again. If it happens at once, compare the clocks:   mooring status -v',
  ),
  request_too_long: refused(5406)(
    'The request would live too long',
    'It expires more than ten minutes after it was issued.',
    'Let the node make the request; one that was made by hand must expire sooner.',
  ),
  block_unknown: unfit(5407)(
    'The holder does not have the block of the request yet',
    'A request shows a recent final block; this holder is a little behind, or was cut off.',
    'Try again in a moment. See who is behind:   mooring status',
  ),
  block_differs: refused(5408)(
    'The request shows a block of another chain',
    'At that height this holder has a final block with another digest.',
    'See whether both are on one network:   mooring genesis show, at both',
  ),
  block_too_old: unfit(5409)(
    'The block of the request is too old',
    'A request shows one of the last 64 final blocks; the node of the reader is behind.',
    'See how far behind it is, and let it catch up:   mooring status',
  ),
  entry_differs: refused(5410)(
    'The access entry is not that of the request',
    'A request commits to the entry that leaves its trace; another one came with it.',
    'Let the node make both. Report it if it did.',
  ),
  purpose_unknown: refused(5411)(
    'The purpose is no purpose of use',
    'It must be a code below PurposeOfUse of HL7 v3-ActReason, like TREAT.',
    'Name another one:   mooring record get <id> --purpose TREAT',
  ),
  several_patients: refused(5412)(
    'The request is for records of several patients',
    'One request, one patient: its entry is sealed to that patient alone.',
    'Read the records of each patient apart.',
  ),
  no_such_set: entry(5413, 6, 404)(
    'The holder keeps nothing of what was asked for',
    'None of the sets is here; they may have moved to other holders, or were deleted.',
    'Read again: the node asks the custodian where they are.',
  ),
  wrong_custodian: refused(5414)(
    'The records are those of another custodian',
    'The request names one custodian, and a set of it belongs to another one.',
    'Ask for the records of each custodian apart.',
  ),
  request_forged: refused(5415)(
    'The signature of the request is wrong',
    'It is not by the anchor key that the chain has for the reader.',
    'After a change of keys, wait for the new epoch:   mooring member list',
  ),
  request_malformed: entry(5416, 8, 422)(
    'The request cannot be read',
    'Its bytes are no request of this version, or exceed its limits.',
    'See whether both nodes are of one version:   mooring version, at both',
  ),
}

const GRANT_TEXTS = {
  grant_missing: refused(5420)(
    'Nobody but the custodian reads without a grant',
    'The reader is not the custodian of the records and showed no grant.',
    'Ask the custodian for one:   mooring grant create',
    'Read with it:   mooring record get <id> --grant <file>',
  ),
  grant_of_another_custodian: refused(5421)(
    'The grant is for the records of another custodian',
    'A grant opens the records of the one custodian that it names.',
    'Read with the grant of the custodian that keeps this record.',
  ),
  not_the_recipient: refused(5422)(
    'The grant is for another reader',
    'A grant names one organisation; only its node may read with it.',
    'Read at the node of the recipient, or ask for a grant of your own.',
  ),
  grant_too_long: refused(5423)(
    'The grant would be valid too long',
    'A grant lives a year at most.',
    'Ask for one that expires sooner:   mooring grant create',
  ),
  grant_not_valid_yet: refused(5424)(
    'The grant is not valid yet',
    'Its first moment lies in the future, by the clock of the holder.',
    'Wait for it, or ask for one that is valid now.',
  ),
  grant_expired: refused(5425)(
    'The grant has expired',
    'Its last moment is over, by the clock of the holder.',
    'Ask the custodian for a new one:   mooring grant create',
  ),
  purpose_not_covered: refused(5426)(
    'The purpose is not permitted',
    'What was permitted does not cover it. Breaking the glass (BTG), marketing (HMARKT) and legal use (HLEGAL) are covered only where they are named.',
    'Name the purpose that the grant permits:   mooring record get <id> --purpose TREAT',
    'Or ask for a grant that permits this one.',
  ),
  class_not_covered: refused(5427)(
    'The class of a record is not permitted',
    'A grant names classes, like general or emergency; a record that was asked for is of another.',
    'Read only what it covers, or ask for a grant with the class.',
  ),
  wrong_patient: refused(5428)(
    'A record is of another patient',
    'The grant is signed by one patient, and a record that was asked for belongs to another.',
    'Read with the grant of the patient whose record it is.',
  ),
  gate_differs: refused(5429)(
    'What was said of a record is not so',
    'The patient and the class that were shown do not fit the set that the holder keeps.',
    'Ask the custodian for its list of records again; report it if it stays.',
  ),
  grant_forged: refused(5430)(
    'The signature of the grant is wrong',
    'It is not by the key of the patient that the grant names: the file was changed, or made up.',
    'Use the file as the custodian gave it.',
  ),
}

const RELEASE_TEXTS = {
  too_few_witnesses: refused(5440)(
    'Too few holders have written the access down',
    'A holder gives out a shard only when enough others, of different owners, keep the trace.',
    'Read again. See which holders do not answer:   mooring vault status',
  ),
  witness_forged: refused(5441)(
    'A witness is not by the holder that it names',
    'The signature is not by the anchor key that the chain has for that holder.',
    'After a change of keys, read again. Otherwise report the holder.',
  ),
  set_not_requested: refused(5442)(
    'A shard is not part of what was requested',
    'Only shards of the sets in the signed request are given out.',
    'Let the node make both. Report it if it did.',
  ),
  restricted: refused(5478)(
    'The record is restricted',
    'Its patient asked that it be erased, and the law keeps it: no grant opens it meanwhile.',
    'Ask the custodian; only the patient or the end of the retention lifts it.',
  ),
  entry_reused: refused(5444)(
    'One access entry for two requests',
    'The entry stands in the log for another request already, and each request leaves its own.',
    'Let the node make both. Report it if it did.',
  ),
  too_many_refusals: entry(5443, 5, 429)(
    'Refused so often that it is only counted',
    'One line of the access log stands for many refusals of one member in a short time.',
    'See who it was:   mooring access list --outcome refused',
    'Call its operator: a node of its own does not ask like that.',
  ),
}

export const ACCESS_TEXTS: Record<AccessErrorCode, CatalogEntry> = {
  ...REQUEST_TEXTS,
  ...GRANT_TEXTS,
  ...GRANT_STANDING_TEXTS,
  ...CONSENT_TEXTS,
  ...RELEASE_TEXTS,
}
