// Texts for emergency access: what the chain refuses of it, what trustees refuse, what a desk cannot do.

import type { InvalidEmergency } from '@mooring/ledger'
import type { EmergencyRefusal, PresentationRefusal, StatementRefusal } from '@mooring/records'
import { type CatalogEntry, entry } from './error-entry.ts'

export const EMERGENCY_TRANSACTION_TEXTS: Record<InvalidEmergency['code'], CatalogEntry> = {
  emergency_seen: entry(4161, 7, 409)(
    'This emergency is on the chain already',
    'Each opening has an id of its own.',
    'Go on with the one that is open:   mooring emergency list',
  ),
  emergency_rate: entry(4163, 4, 429)(
    'Your organisation opens too many emergency sets',
    'The network takes thirty within an hour from one organisation.',
    'Read the detail: it says when the next one may be opened. Until then ask the patient or the family.',
  ),
  unknown_emergency: entry(4164, 6, 404)(
    'There is no such emergency',
    'No final block has an opening with this id.',
    'See those of this hospital:   mooring emergency list',
  ),
  not_the_opener: entry(4165, 5, 422)(
    'Another organisation opened this emergency',
    'Who opened it says how it ended.',
    'Ask that organisation to give its reason.',
  ),
  emergency_closed: entry(4166, 7, 409)(
    'The written reason of this emergency is there already',
    'A reason is given once.',
    'Nothing is to be done.',
  ),
  emergency_overdue: entry(4167, 7, 422)(
    'It is too late for the written reason',
    'It was due within 72 hours of block time; this emergency stays open for everybody to see.',
    'Give the reason to the reviewers and to the patient directly.',
  ),
}

const barred = (mor: number) => entry(mor, 5, 403)
const over = (mor: number) => entry(mor, 7, 409)
const unfit = (mor: number) => entry(mor, 2, 422)

const CREDENTIAL = 'Get a fresh credential, and show it again:   mooring practitioner issue --help'

const CREDENTIAL_TEXTS: Record<PresentationRefusal, CatalogEntry> = {
  credential_malformed: unfit(5620)(
    'The credential cannot be read',
    'It is not an SD-JWT credential of a practitioner.',
    CREDENTIAL,
  ),
  credential_forged: barred(5621)(
    'No member has signed the credential',
    'Its signature is not that of the issuer key or the anchor key of the organisation that it names.',
    CREDENTIAL,
  ),
  credential_not_valid_yet: barred(5622)(
    'The credential is not valid yet',
    'It was issued in the future, by the clock of who checks it.',
    'Compare the clocks:   mooring status -v',
  ),
  credential_expired: barred(5623)(
    'The credential has expired',
    'A credential lives days, so that who has lost the right soon has none.',
    CREDENTIAL,
  ),
  credential_too_long: barred(5624)(
    'The credential would live too long',
    'A week is the most that the network takes.',
    CREDENTIAL,
  ),
  binding_malformed: unfit(5625)(
    'The credential is shown without a signature of its owner',
    'A key binding belongs behind it, made for this question.',
    'Show it with the key file of the practitioner:   mooring emergency open --help',
  ),
  binding_forged: barred(5626)(
    'The credential is shown by somebody else',
    'The key binding is not signed with the key that the credential names.',
    'Use the key file that the credential was issued for:   mooring practitioner show --help',
  ),
  binding_differs: barred(5627)(
    'The credential was shown for another question',
    'The key binding covers one request, with its reason, its set and its key; this is another.',
    'Ask again from the beginning:   mooring emergency open --help',
  ),
  binding_too_old: barred(5628)(
    'The credential was shown too long ago',
    'A key binding is good for ten minutes.',
    'Ask again, and compare the clocks if it happens at once:   mooring status -v',
  ),
}

const TRUSTEE_TEXTS: Record<
  Exclude<EmergencyRefusal, PresentationRefusal | 'sender_differs'>,
  CatalogEntry
> = {
  emergency_reason_missing: unfit(5630)(
    'There is no reason for the emergency',
    'A set is opened for a reason, as a code: unconscious, life-threatening, cannot-consent or disaster.',
    'Say why:   mooring emergency open --reason <code>',
  ),
  emergency_set_unknown: entry(5631, 6, 404)(
    'Nobody keeps an emergency set of this card',
    'No member that can be reached has deposited shares under this locator.',
    'Check that the whole card was read, and that it belongs to this network.',
  ),
  emergency_opted_out: barred(5632)(
    'The patient does not want emergency access',
    'The patient has decided that nobody opens a set, and trustees have none.',
    'Ask the patient, or the family.',
  ),
  emergency_not_final: over(5633)(
    'The emergency is not on the chain so far',
    'A trustee gives its share when it has the block with the opening.',
    'Try again in a moment; see whether the network moves:   mooring status',
  ),
  emergency_of_another: barred(5634)(
    'The emergency is that of another organisation',
    'The chain has this request, and another organisation has opened it.',
    'Open one of your own:   mooring emergency open --help',
  ),
  emergency_set_differs: over(5635)(
    'The emergency opened another version of the set',
    'What it opened is over and deleted, or is not yet in force.',
    'Open the version that is in force now:   mooring emergency open --help',
  ),
  emergency_reason_differs: barred(5636)(
    'The chain has another reason',
    'What is said to trustees must be what is on the chain.',
    'Open one with the right reason:   mooring emergency open --help',
  ),
  emergency_ended: over(5637)(
    'The emergency is over',
    'Access ends by itself after four hours, or when the reason is given; that version of the set is deleted.',
    'If it is still needed and a version is left, open it again:   mooring emergency open --help',
    'If none is left, the patient or the hospital deposits new ones:   mooring patient emergency set',
  ),
  emergency_too_many: entry(5638, 4, 429)(
    'A trustee has given your organisation many shares within the hour',
    'It gives thirty within an hour to one organisation.',
    'Wait, or ask the patient or the family.',
  ),
  credential_differs: barred(5639)(
    'The chain has another credential',
    'The opening commits to one presentation of a credential, and this is another.',
    'Ask again from the beginning:   mooring emergency open --help',
  ),
  credential_of_another: barred(5640)(
    'The credential is that of another organisation',
    'A practitioner opens sets through the organisation that issued the credential.',
    'Ask your own hospital for a credential:   mooring practitioner issue --help',
  ),
  credential_without_right: barred(5641)(
    'The practitioner has no right to emergency access',
    'The credential does not say so (btg).',
    'Let somebody with the right open the set, or have the right given:   mooring practitioner issue --btg',
  ),
}

const STATEMENT_TEXTS: Record<StatementRefusal, CatalogEntry> = {
  statement_forged: barred(5645)(
    'The deposit is not signed by its owner',
    'The key that deposited first signs what comes later.',
    'Deposit from the wallet that holds the set:   mooring patient emergency set',
  ),
  statement_of_another: barred(5646)(
    'The emergency set belongs to somebody else',
    'Another key has deposited under this locator, or another patient asks.',
    'Deposit from the wallet that holds the set:   mooring patient emergency set',
  ),
  statement_old: over(5647)(
    'A later deposit is there already',
    'Deposits are numbered, and an earlier one does not replace a later one.',
    'Deposit again; the wallet counts on:   mooring patient emergency set',
  ),
  statement_incomplete: unfit(5648)(
    'The deposit is not whole',
    'Its versions, their parts and what is signed do not belong together.',
    'Deposit again:   mooring patient emergency set',
  ),
  trustees_too_few: over(5649)(
    'There are too few trustees',
    'A set is split over three trustees at least, each of another owner.',
    'See who is a member:   mooring member list',
  ),
  trustees_of_one_group: over(5650)(
    'Two trustees have one owner',
    'Who owns two trustees would have two shares.',
    'Deposit again; trustees are chosen of different owners:   mooring patient emergency set',
  ),
}

export type EmergencyErrorCode =
  | keyof typeof TRUSTEE_TEXTS
  | PresentationRefusal
  | StatementRefusal
  | 'share_not_for_us'
  | 'trustees_unreachable'
  | 'credential_revoked'
  | 'credential_unfit'
  | 'unknown_credential'
  | 'emergency_outcome_unknown'
  | 'written_reason_missing'
  | 'emergency_reason_kept'
  | 'reason_differs'
  | 'not_the_reviewer'
  | 'review_done'
  | 'verdict_unknown'
  | 'emergency_of_wallet'
  | 'deposit_malformed'
  | 'network_is_there'
  | 'second_practitioner_missing'
  | 'emergency_reason_overdue'
  | 'too_many_deposits'

export const EMERGENCY_TEXTS: Record<EmergencyErrorCode, CatalogEntry> = {
  ...CREDENTIAL_TEXTS,
  ...TRUSTEE_TEXTS,
  ...STATEMENT_TEXTS,
  share_not_for_us: over(5651)(
    'A share does not open at its trustee',
    'It was sealed to a key that this trustee does not have.',
    'Deposit again, with the keys that the chain has now:   mooring patient emergency set',
  ),
  trustees_unreachable: entry(5652, 4, 503)(
    'Too few trustees can be reached',
    'It takes two of the trustees of a set to open it, and three to deposit one.',
    'See who answers:   mooring status',
    'For a patient of this hospital, without the network:   mooring emergency open --offline',
  ),
  credential_revoked: barred(5653)(
    'The credential was taken back',
    'The organisation that issued it has revoked it, or does not know it any more.',
    'Get a new one, if the right is still there:   mooring practitioner issue --help',
  ),
  credential_unfit: unfit(5654)(
    'No credential can say that',
    'Role, name and licence are texts of 1 to 128 bytes, and a credential lives a week at most.',
    'Read the detail, and issue it again.',
  ),
  unknown_credential: entry(5655, 6, 404)(
    'There is no such credential',
    'This organisation has issued none with this number.',
    'The number is in what the practitioner has:   mooring practitioner show <file>',
  ),
  emergency_outcome_unknown: unfit(5656)(
    'How the emergency ended is a code',
    'Known are treated, transferred, died and not-needed.',
    'Say it with one of them:   mooring emergency close <id> --outcome treated',
  ),
  written_reason_missing: unfit(5657)(
    'The written reason is missing',
    'An emergency is closed with the reason in words, which the patient and a reviewer read.',
    'Write it down:   mooring emergency close <id> --why "…"',
  ),
  emergency_reason_kept: entry(5676, 7, 409)(
    'Other words were given for this emergency before',
    'Their commitment is on its way to the chain, and may be there any moment: a reason is given once.',
    'Close it with the same outcome and the same words, or wait until it is closed.',
  ),
  reason_differs: barred(5658)(
    'The written reason is not the one on the chain',
    'The chain has a commitment to other words, or to none.',
    'Send the words that the emergency was closed with.',
  ),
  not_the_reviewer: barred(5659)(
    'Another member reviews this emergency',
    'Who reviews an emergency follows from its id, and is never of the owner that opened it.',
    'Nothing is to be done here.',
  ),
  review_done: over(5660)(
    'The emergency is reviewed already',
    'A verdict is given once.',
    'Nothing is to be done.',
  ),
  verdict_unknown: unfit(5661)(
    'That is no verdict',
    'Known are justified, questionable and unjustified.',
    'Judge with one of them:   mooring emergency reviews --judge <id> --verdict justified',
  ),
  emergency_of_wallet: over(5662)(
    'The patient keeps the emergency set',
    'It was deposited from a wallet of the patient, which alone can renew it.',
    'Ask the patient:   mooring patient emergency set',
  ),
  deposit_malformed: unfit(5663)(
    'The deposit cannot be read',
    'It is not a list of deposits for trustees.',
    'Let the wallet make it:   mooring patient emergency set',
  ),
  network_is_there: over(5664)(
    'The network is there',
    'Without it a hospital opens what it has of its own patients; now the ordinary way is open.',
    'Open the set with the card:   mooring emergency open --help',
  ),
  too_many_deposits: entry(5667, 4, 429)(
    'The set was deposited often within the hour',
    'Each deposit goes to every trustee, so a hospital takes eight at once and then one in ten minutes.',
    'Wait, and deposit again:   mooring patient emergency set',
  ),
  emergency_reason_overdue: entry(5666, 1, 503)(
    'An emergency lacks its written reason',
    '{detail}',
    'See which ones:   mooring emergency list --overdue',
    'It can be given to the reviewer and to the patient only, now that it is late.',
  ),
  second_practitioner_missing: barred(5665)(
    'A second practitioner is missing',
    'Without the network two different practitioners with the right show their credentials.',
    'Give both:   mooring emergency open --offline --credential <file> --credential <file>',
  ),
}

export type EmergencyCommandErrorCode =
  | 'card_unreadable'
  | 'card_other_network'
  | 'card_missing'
  | 'practitioner_file_unreadable'
  | 'emergency_set_unopened'

/** What the commands refuse by themselves. */
export const EMERGENCY_COMMAND_TEXTS: Record<EmergencyCommandErrorCode, CatalogEntry> = {
  card_unreadable: unfit(5670)(
    'That is no emergency card',
    '{detail}.',
    'Scan the code again, or type the line under it: it begins with mooring-emergency:1:',
  ),
  card_other_network: entry(5671, 13, 409)(
    'The card is of another network',
    'It names the network {other}, and {url} belongs to {own}.',
    'Ask a node of that network:   --endpoint <url>',
  ),
  card_missing: entry(5672, 6, 404)(
    'The wallet has no emergency set',
    'A card is good for something when there is a set that it opens.',
    'Deposit one:   mooring patient emergency set',
  ),
  practitioner_file_unreadable: unfit(5673)(
    'That is no file of a practitioner',
    '{path}: {detail}.',
    'Make a key:   mooring practitioner new <file>',
    'Have a credential issued for it:   mooring practitioner issue --help',
  ),
  emergency_set_unopened: entry(5674, 8, 422)(
    'What the trustees gave does not open the set',
    '{detail}.',
    'Check that the whole card was read. If it was, report the trustees: {liars}.',
  ),
}
