// Texts for grants in the hands of patients, and for offers in those of recipients.

import { type CatalogEntry, entry } from './error-entry.ts'

export type PatientGrantErrorCode =
  | 'offer_unreadable'
  | 'grant_for_another'
  | 'grant_over'
  | 'grant_not_in_wallet'
  | 'grant_ambiguous'
  | 'grant_terms_wrong'
  | 'grants_left'

export const PATIENT_GRANT_TEXTS: Record<PatientGrantErrorCode, CatalogEntry> = {
  offer_unreadable: entry(5530, 2, 422)(
    'This is no offer of a grant',
    '{detail}.',
    'An offer is one line that begins with mooring-offer:1: — scan the code again, or ask for the line.',
  ),
  grant_for_another: entry(5531, 5, 403)(
    'The grant is for another organisation',
    'It names {recipient}; this node acts for {own}. No holder serves it to anybody else.',
    'Ask the patient for a grant that names {own}.',
  ),
  grant_over: entry(5532, 7, 409)(
    'The grant has ended',
    'It held until {expiresAt}.',
    'Ask the patient for a new one.',
  ),
  grant_not_in_wallet: entry(5533, 6, 404)(
    'The wallet has no such grant',
    'No grant of it begins with {id}.',
    'See what it has:   mooring patient grant list',
  ),
  grant_ambiguous: entry(5534, 2, 422)(
    'Several grants begin so',
    '{count} grants of the wallet begin with {id}.',
    'Type more of it:   mooring patient grant list --json',
  ),
  grant_terms_wrong: entry(5535, 2, 422)(
    'A grant cannot be made like this',
    '{detail}',
    'See what can be said:   mooring patient grant create --help',
  ),
  grants_left: entry(5536, 4, 503)(
    'Some grants are not revoked yet',
    '{count} of {of} are still in force: no hospital of the wallet took the revocation.',
    'Try again; what is revoked stays so:   mooring patient grant revoke-all',
  ),
}
