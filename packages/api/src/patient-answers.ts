/** The shape of the answers about patients and what they permit. */

import {
  countOrNull,
  count,
  digest,
  flag,
  list,
  named,
  nextCursor,
  nullOr,
  oneOf,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

export const Enrolment = named('Enrolment', 'A ticket for one wallet, once.', {
  ticket: text('What the wallet is given, on paper, as a QR code or typed.'),
  expiresAt: time('When it is worth nothing any more.'),
})
export type Enrolment = Static<typeof Enrolment>

export const Replacement = named('Replacement', 'The end of an earlier key, on the chain.', {
  transactionId: digest('The transaction.'),
  height: count('Of the block that has it.'),
})

export const Enrolled = named('Enrolled', 'A wallet that is known here now.', {
  receipts: text(
    'What is kept here of the patient so far, signed by this organisation; CBOR as base64url.',
  ),
  replaced: nullOr(Replacement),
})
export type Enrolled = Static<typeof Enrolled>

const relayed = {
  handle: digest('The one-time name of the grant on the chain.'),
  transactionId: textOrNull('The transaction that says so; null when somebody else brought it.'),
  height: count('Of the block that has it.'),
}

export const RelayedHandle = named('RelayedHandle', 'What the chain says of a handle now.', relayed)
export type RelayedHandle = Static<typeof RelayedHandle>

export const GrantDeposit = named('GrantDeposit', 'A grant that is in force.', {
  id: text('The grant.'),
  ...relayed,
})
export type GrantDeposit = Static<typeof GrantDeposit>

export const KnownGrant = named('KnownGrant', 'A grant that this custodian keeps.', {
  id: text('The grant.'),
  handle: digest('Its one-time name on the chain.'),
  recipient: text('Who may read.'),
  classes: Type.Array(text('A class of records.')),
  purposes: Type.Array(text('A code of v3-ActReason.')),
  notBefore: time('Since when.'),
  expiresAt: time('Until when.'),
  status: oneOf(['live', 'not_yet', 'expired', 'revoked'], 'Whether it opens anything now.'),
  revokedHeight: countOrNull('Of the block that revoked it.'),
  hosted: flag('Whether this node has the key that revokes it.'),
  document: text('The grant itself, as a file.'),
})
export type KnownGrant = Static<typeof KnownGrant>

export const KnownGrants = named('KnownGrants', 'A page of grants, newest first.', {
  items: list(KnownGrant),
  nextCursor,
})
export type KnownGrants = Static<typeof KnownGrants>
