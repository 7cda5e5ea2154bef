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

export type RecoveryErrorCode = 'event_malformed' | 'too_many_events' | 'rebinding_unproved'

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
  rebinding_unproved: entry(5722, 5, 403)(
    'The identity does not vouch for this key here',
    'The hospital knows no patient of this identity, or another key controls it, or a recovery of it runs.',
    'Finish the recovery first:   mooring patient recover status',
    'Or ask the desk for a ticket:   mooring patient enrol <ticket>',
  ),
}

// What commands about recovery, guardians and devices refuse before they ask anybody.
export type GuardianErrorCode =
  | 'document_unreadable'
  | 'no_identity'
  | 'identity_not_ours'
  | 'guardians_too_few'
  | 'kit_of_another'
  | 'kit_not_on_chain'
  | 'not_a_guardian'
  | 'other_network'
  | 'fingerprint_differs'
  | 'recovery_stale'
  | 'recovery_not_in_control'
  | 'no_recovery_asked'
  | 'answer_of_another'
  | 'shares_wrong'
  | 'delegate_unknown'
  | 'invite_not_known'

export const GUARDIAN_TEXTS: Record<GuardianErrorCode, CatalogEntry> = {
  document_unreadable: entry(5730, 2, 422)(
    'The document cannot be read',
    'This is no {kind}: {detail}.',
    'Paste the whole line, or name the file that has it; - for stdin.',
  ),
  no_identity: entry(5731, 6, 404)(
    'The wallet has no identity on the chain',
    'An identity is made when guardians are named.',
    'Name some:   mooring patient guardians set --guardian <key> …',
  ),
  identity_not_ours: entry(5732, 5, 403)(
    'The wallet does not control this identity',
    'No key of this wallet is the one in control: it is of somebody else, or was recovered.',
    'Compare the name of the identity with the recovery sheet.',
    'Recover it with the guardians:   mooring patient recover start --identity <name>',
  ),
  guardians_too_few: entry(5733, 2, 422)(
    'That is no set of guardians',
    '{detail}.',
    'Name more of them, or lower --threshold; at least two must agree.',
  ),
  kit_of_another: entry(5734, 5, 422)(
    'This is for another guardian',
    'The keys that it names are not of this wallet.',
    'Open it with the wallet that gave the guardian key.',
  ),
  kit_not_on_chain: entry(5735, 8, 422)(
    'The chain does not have this guardian',
    'The guardians of the identity are others: they were named anew, or the document is false.',
    'Ask the owner for the document of today.',
  ),
  not_a_guardian: entry(5736, 6, 404)(
    'This wallet is no guardian of that',
    'It has accepted no document for this identity or name.',
    'See whose guardian it is:   mooring guardian list',
    'Accept what the owner gave:   mooring guardian accept <text>',
  ),
  other_network: entry(5737, 13, 422)(
    'That is about another network',
    'The document names another genesis than the one of the node or wallet.',
    'Ask a node of the right network:   --endpoint <url>',
  ),
  fingerprint_differs: entry(5738, 5, 422)(
    'The digits are not those of this recovery',
    'The document shows {found}. Somebody may have put another one in its place.',
    'Call the person, let them read their digits, and do not sign before they are the same.',
  ),
  recovery_stale: entry(5739, 7, 409)(
    'The recovery was asked for too long ago',
    'The identity has had another event since; what is signed for this one would be worth nothing.',
    'Let the owner begin again:   mooring patient recover start',
  ),
  recovery_not_in_control: entry(5740, 5, 403)(
    'The new key is not in control yet',
    'Shares are given only after the time lock, when nobody has stopped the recovery.',
    'See how it stands:   mooring guardian list',
  ),
  no_recovery_asked: entry(5741, 6, 404)(
    'This wallet has asked for no recovery',
    'A recovery begins with a document for the guardians.',
    'Begin:   mooring patient recover start --identity <name>',
  ),
  answer_of_another: entry(5742, 2, 422)(
    'An answer belongs to another recovery',
    'What a guardian or a desk signed names another identity or another event.',
    'Let them sign the document of this recovery.',
  ),
  shares_wrong: entry(5743, 8, 422)(
    'The shares do not open the backup',
    '{detail}.',
    'Take the newest backup, and ask the guardians of the time when it was made.',
  ),
  delegate_unknown: entry(5744, 6, 404)(
    'The wallet has delegated to nobody of that name',
    'No device and no representative is called {label}.',
    'See them:   mooring patient device list',
  ),
  invite_not_known: entry(5745, 2, 422)(
    'The keys are for hospitals that the wallet does not know',
    '{organisation} is none of them.',
    'Invite again:   mooring patient device invite',
  ),
}
