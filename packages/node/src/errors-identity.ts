// Texts for identities and their recovery: why the chain refuses an event of one.

import type { IdentityProblem } from '@mooring/ledger'
import { type CatalogEntry, entry } from './error-entry.ts'

const STATUS = 'See how it stands:   mooring patient recover status'

export const IDENTITY_TEXTS: Record<IdentityProblem['code'], CatalogEntry> = {
  identity_exists: entry(5701, 7, 409)(
    'This identity is on the chain already',
    'An identity is named by its first control key, and begins once.',
    'Change its guardians instead:   mooring patient guardians set',
  ),
  identity_unknown: entry(5702, 6, 404)(
    'There is no such identity on the chain',
    'No identity of this name was ever created on this network.',
    'Compare the name with that on the recovery sheet, and the network with its genesis.',
  ),
  identity_sequence: entry(5703, 7, 409)(
    'The event is not the next one of its identity',
    'Events of an identity are numbered; what was signed for another number is worth nothing.',
    STATUS,
    'Make it again: guardians sign anew for a new recovery.',
  ),
  identity_key_invalid: entry(5704, 2, 422)(
    'The control key is none that an honest owner may have',
    'It is no canonical point of the curve, or one of small order.',
    'Make a new key.',
  ),
  identity_key_not_announced: entry(5705, 5, 422)(
    'The control key is not the one announced',
    'The digest of each control key is on the chain before the key is used.',
    'Use the wallet with the latest state; restored from words, it derives the same keys.',
  ),
  identity_forged: entry(5706, 5, 422)(
    'The event of the identity is not signed by its key',
    'The signature was made by another key, for another content, or for another network.',
    'Sign it with the wallet that the identity belongs to.',
  ),
  no_guardians: entry(5707, 7, 409)(
    'The identity has no guardians',
    'Without guardians nobody can recover it but the 24 words.',
    'Name some while the wallet is there:   mooring patient guardians set',
  ),
  guardian_unknown: entry(5708, 5, 422)(
    'Somebody who is no guardian has signed',
    'The identity commits to its guardians; the proof of this one does not lead there.',
    'Ask those who are guardians now; who was replaced has no say any more.',
  ),
  guardian_repeated: entry(5709, 2, 422)(
    'A guardian is named twice',
    'Each guardian signs once.',
    'Leave one of the two out.',
  ),
  guardian_forged: entry(5710, 5, 422)(
    'The signature of a guardian does not hold',
    'It was made for another recovery, by another key, or for another network.',
    'Let the guardian sign this recovery:   mooring guardian approve',
  ),
  guardian_key_differs: entry(5711, 5, 422)(
    'A member that is guardian signed with another key',
    'It signs with the anchor key that it has on the chain now.',
    'Let the member sign again with its key of today.',
  ),
  too_few_guardians: entry(5712, 5, 422)(
    'Too few guardians agree',
    'Each person counts once, and all members of one legal group count once; a desk that attests does not count.',
    'Ask more of the guardians.',
  ),
  desk_unknown: entry(5713, 5, 422)(
    'The desk is no member, or has another key',
    'A recovery is attested by a member, with the anchor key that it has on the chain now.',
    'Let a desk of a member attest it:   mooring recovery attest',
  ),
  desk_forged: entry(5714, 5, 422)(
    'The attestation of the desk does not hold',
    'It was made for another recovery, by another key, or for another network.',
    'Let the desk attest this recovery:   mooring recovery attest',
  ),
  recovery_pending: entry(5715, 7, 409)(
    'A recovery of this identity is running',
    'Until it is finished, stopped or lapsed, nothing else happens to the identity.',
    'If it is not yours, stop it:   mooring patient veto',
    STATUS,
  ),
  no_recovery_pending: entry(5716, 7, 409)(
    'No recovery of this identity is running',
    'It was finished or stopped, it lapsed 30 days after its time lock, or never began.',
    STATUS,
  ),
  recovery_locked: entry(5717, 7, 409)(
    'The time lock of the recovery is not over',
    'Until then the owner, a device or other guardians may stop it.',
    'Wait, and finish it then:   mooring patient recover finish',
  ),
  veto_key_unknown: entry(5718, 5, 422)(
    'The key may not stop this recovery',
    'Only the control key, and a device whose key was announced and is not spent, may do it alone.',
    'Let guardians stop it:   mooring guardian veto',
  ),
  veto_needs_guardians: entry(5719, 5, 422)(
    'Only guardians may stop this recovery',
    'A member attests that it has seen the person: keys that may be stolen have no say any more.',
    'Ask the guardians at once, if it is not yours:   mooring guardian veto',
  ),
}

export type RecoveryErrorCode = 'event_malformed' | 'too_many_events'

export const RECOVERY_TEXTS: Record<RecoveryErrorCode, CatalogEntry> = {
  event_malformed: entry(5720, 2, 422)(
    'The event of an identity cannot be read',
    'Its bytes are not the canonical encoding of an event.',
    'Check the versions of wallet and node:   mooring version',
  ),
  too_many_events: entry(5721, 4, 429)(
    'This node relays no more events of identities for now',
    'Anybody may bring them, and its quota pays: so it takes a bounded number a minute.',
    'Try again in a minute, or at another member:   --endpoint <url>',
  ),
}
