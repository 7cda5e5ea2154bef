// Texts for what a grant does not let its reader do, beside those that every request can meet
// (errors-access.ts): how it stands on the chain, and what its consent says of a record.

import { entry } from './error-entry.ts'

const refused = (mor: number) => entry(mor, 5, 403)
const ANOTHER = 'Read only what the grant covers, or ask the patient for one that covers this.'

export const GRANT_STANDING_TEXTS = {
  grant_malformed: entry(5480, 7, 422)(
    'The grant cannot be read',
    'Its document is no consent in the form that grants have here, or exceeds its limits.',
    'Use the file as it was given:   mooring grant show <file>',
  ),
  chain_stale: entry(5435, 5, 503)(
    'The holder has had no final block for too long',
    'Grants may have been taken back meanwhile, so it serves nobody under one. On its own records a custodian goes on.',
    'See who is missing for a quorum:   mooring status',
  ),
  grant_unknown: refused(5481)(
    'The chain has no such grant',
    'Its handle was never opened, as far as this node has final blocks; a grant counts from then on.',
    'If it is new, wait a moment and read again.',
    'Otherwise ask for another one: this one was made up, or never handed in.',
  ),
  grant_revoked: refused(5482)(
    'The grant was taken back',
    'A final block has its revocation; from that block on nobody serves it.',
    'Ask the patient. What is needed in an emergency has a way of its own:   mooring emergency open',
  ),
  key_replaced: refused(5483)(
    'The key that signed the grant was replaced',
    'The patient has another key at this custodian now; what the former one signed is over.',
    'Ask the patient for a new grant.',
  ),
  delegation_forged: refused(5484)(
    'Who signed the grant was not entitled to',
    'No chain of delegations leads from the key of the patient to the key that signed, or one is not open on the chain.',
    'Ask for a grant that the patient, or a device or representative in force, has signed.',
  ),
  delegation_revoked: refused(5485)(
    'Who signed the grant is not entitled any more',
    'The delegation of a device or representative was taken back, and what it signed with it.',
    'Ask the patient for a new grant.',
  ),
  delegation_not_valid_yet: refused(5486)(
    'Who signed the grant is not entitled yet',
    'The delegation of the device or representative begins later.',
    'Wait for it, or ask for a grant that the patient has signed.',
  ),
  delegation_expired: refused(5487)(
    'Who signed the grant is not entitled any more',
    'The delegation of the device or representative has ended.',
    'Ask the patient for a new grant.',
  ),
}

export const CONSENT_TEXTS = {
  facts_missing: refused(5488)(
    'A fact of a record was not shown',
    'The consent depends on it, and what is hidden could be what it denies.',
    'Let the node make the request; one that was made by hand must show what the consent names.',
  ),
  denied: refused(5489)(
    'The patient has denied this',
    'A provision of the consent says no.',
    ANOTHER,
  ),
  practitioner_missing: refused(5490)(
    'The grant is for a certain practitioner',
    'Nobody proved to be the one; the signature of another one does not count.',
    'Let that practitioner read:   mooring record get <id> --grant <file> --practitioner <key file>',
  ),
  practitioner_forged: refused(5491)(
    'The signature of the practitioner is wrong',
    'It is not by the key that the request names, or was made for another request.',
    'Read again, with the key file of the practitioner.',
  ),
  practitioner_late: entry(5499, 5, 409)(
    'No signature of the practitioner was waited for',
    'It must come within a minute, for the same call, and each counts once.',
    'Read again, with the key file of the practitioner.',
  ),
  practitioners_waiting: entry(5434, 4, 503)(
    'Too many practitioners are waited for',
    'The node keeps what waits for a signature, and has no room for more.',
    'Try again in a minute.',
  ),
  type_not_covered: refused(5492)(
    'The type of a record is not permitted',
    'The grant is for other types of resources.',
    ANOTHER,
  ),
  record_not_covered: refused(5493)(
    'The record is not one of those permitted',
    'The grant names single records, and this is none of them.',
    ANOTHER,
  ),
  encounter_not_covered: refused(5494)(
    'The record is of another encounter',
    'The grant is for what belongs to certain encounters.',
    ANOTHER,
  ),
  author_not_covered: refused(5495)(
    'The record is by another author',
    'The grant is for what certain authors wrote.',
    ANOTHER,
  ),
  date_not_covered: refused(5496)(
    'The record is of another time',
    'The grant is for the events of certain days; a record that does not say its day is none of them.',
    ANOTHER,
  ),
  label_not_covered: refused(5497)(
    'The record is more confidential than permitted',
    'The grant is for records with certain labels, and this one has others.',
    ANOTHER,
  ),
  field_only: refused(5498)(
    'Only fields of the record are permitted',
    'Its shards open the whole, so no holder gives them out; the custodian shows the fields.',
    'Read the fields:   mooring record fields --grant <file>',
  ),
}
