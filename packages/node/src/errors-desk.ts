// Texts for what a hospital refuses to wallets and at its desk: requests, tickets, keys and deposits.

import type { DelegationRefusal, PatientRequestRefusal } from '@mooring/records'
import { type CatalogEntry, entry } from './error-entry.ts'
import type { DepositRefusal } from './grant-deposit.ts'

export type DeskRefusal =
  | PatientRequestRefusal
  | Exclude<DepositRefusal, KnownElsewhere | DelegationRefusal>
  | 'patient_request_replayed'
  | 'patient_too_often'
  | 'unknown_patient_key'
  | 'patient_key_taken'
  | 'patient_key_needed'
  | 'patient_known'
  | 'patient_number_unusable'
  | 'patient_has_wallet'
  | 'seal_key_unusable'
  | 'too_many_keys'
  | 'too_many_tickets'
  | 'ticket_unknown'
  | 'ticket_expired'
  | 'ticket_used'

/** Holders refuse with the same words. */
type KnownElsewhere =
  | 'grant_of_another_custodian'
  | 'wrong_patient'
  | 'grant_too_long'
  | 'grant_expired'
  | 'grant_forged'

const unsigned = (mor: number) => entry(mor, 5, 401)
const refused = (mor: number) => entry(mor, 5, 403)
const unfit = (mor: number) => entry(mor, 7, 409)

export const DESK_TEXTS: Record<DeskRefusal, CatalogEntry> = {
  patient_request_malformed: unsigned(5592)(
    'The request is not signed as a wallet signs',
    'What concerns a patient is answered to signed requests; this signature cannot be read.',
    'Ask with the wallet:   mooring patient hospitals',
  ),
  patient_request_forged: unsigned(5593)(
    'The signature of the request is wrong',
    'It is not by the key that the request names: the request was changed on its way, or made up.',
    'Ask again. If it stays, take the wallet from its backup:   mooring patient restore',
  ),
  patient_request_elsewhere: unsigned(5572)(
    'The request is for another hospital',
    'A wallet signs each request for one network and one hospital; this one is for others.',
    'See which hospitals the wallet knows, and where:   mooring patient hospitals',
  ),
  patient_request_other: unsigned(5573)(
    'Something else was signed than was sent',
    'The address or the body is not the one that the wallet signed; something changed it on the way.',
    'Ask the hospital without a proxy between, or let the proxy keep addresses as they are.',
  ),
  patient_request_time: unsigned(5574)(
    'The request is too old, or from the future',
    'It is worth something for a minute, by the clock of the hospital.',
    'Let this computer keep the time by NTP, and ask again.',
  ),
  patient_request_replayed: unsigned(5575)(
    'The request has come before',
    'Each signed request counts once; somebody has recorded and repeated it, or a proxy has.',
    'Ask again: the wallet signs anew.',
  ),
  patient_too_often: entry(5576, 4, 429)(
    'Too often in a short time',
    'The hospital takes so many requests of wallets at a time; the rest waits.',
    'Wait a moment, and ask again.',
  ),
  unknown_patient_key: entry(5577, 6, 404)(
    'No patient has enrolled with this key',
    'The hospital knows a wallet once it has come with a ticket from the desk.',
    'Get a ticket at the desk, and enrol:   mooring patient enrol <ticket>',
  ),
  patient_key_taken: unfit(5578)(
    'The key belongs to another patient here',
    'One wallet is one patient of a hospital; a key that was in use is not taken again.',
    'Enrol with the wallet of the patient whose ticket it is.',
  ),
  patient_key_needed: refused(5579)(
    "Only the patient's own key can do this",
    'A device or a representative acts for a patient, but does not take its place.',
    'Use the wallet with the 24 words:   mooring patient restore',
  ),
  patient_has_wallet: unfit(5580)(
    'The patient has a wallet',
    'Its keys are not here any more, so the hospital can sign nothing in the name of the patient.',
    'Ask the patient to grant:   mooring patient grant create',
  ),
  seal_key_unusable: entry(5581, 8, 422)(
    'Nothing can be sealed to this key',
    'It is no point of the curve that is safe: everybody could open what is sealed to it.',
    'Enrol with a wallet of this version:   mooring version',
  ),
  too_many_keys: unfit(5582)(
    'The patient has had too many keys here',
    'Each new wallet retires a key for good, and a patient has 64 of them at one hospital.',
    'Restore the wallet that is in force:   mooring patient restore',
  ),
  too_many_tickets: entry(5583, 4, 429)(
    'Too many tickets are open',
    'A ticket is open for a quarter of an hour, or until a wallet has come with it.',
    'Wait until some have ended.',
  ),
  ticket_unknown: entry(5584, 6, 404)(
    'There is no such ticket',
    'Its code is not one of this hospital, or it ended long ago.',
    'Compare it with the paper. Otherwise get a new one at the desk.',
  ),
  ticket_expired: refused(5585)(
    'The ticket has expired',
    'A ticket is good for a quarter of an hour, so that a lost one does no harm.',
    'Get a new one at the desk.',
  ),
  ticket_used: unfit(5586)(
    'The ticket has been used',
    'One ticket binds one wallet; another one has come with it before.',
    'Tell the desk at once if that was not you, and get a new one.',
  ),
  patient_known: unfit(5590)(
    'The patient is not new here',
    'Records of a patient of this number have come in, or a wallet has enrolled under it.',
    'See whether the number is the right one. If it is, leave out --new:   mooring enrolment create --patient <reference>',
  ),
  patient_number_unusable: entry(5591, 2, 422)(
    'No record could have this patient number',
    'Records find the account of a patient by the id of the FHIR Patient: up to 64 letters, digits, dots and hyphens.',
    'Give what will follow Patient/ in the records:   mooring enrolment create --new --patient Patient/4711',
  ),
  handle_differs: entry(5587, 8, 422)(
    'The grant and its one-time key do not belong together',
    'The handle of a grant is the digest of the key that opens it on the chain, for a grant.',
    'Let the wallet make both:   mooring patient grant create',
  ),
  handle_too_short: entry(5588, 8, 422)(
    'The handle ends before the grant does',
    'On the chain a grant lives as long as its handle, so that one must not be the shorter.',
    'Let the wallet make both:   mooring patient grant create',
  ),
  handle_forged: refused(5589)(
    'The one-time key has not signed this',
    'A handle is opened and revoked by the signature of its one-time key, for this network.',
    'Revoke with the wallet that made the grant:   mooring patient grant revoke',
  ),
}
