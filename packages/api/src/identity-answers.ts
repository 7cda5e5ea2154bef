/** The shape of the answers about lasting identities. */

import { count, digest, flag, named, nullOr, text, time } from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

const Pending = named('PendingRecovery', 'A recovery that runs.', {
  controlKey: digest('The key that shall be in control, hex.'),
  openedAt: time('When it began, by the chain.'),
  unlocksAt: time('When it may be finished.'),
  attested: flag('Whether a member has seen the person; then only guardians may stop it.'),
})

const Policy = named('RecoveryPolicy', 'Who may recover an identity.', {
  guardians: digest('The root of its guardians.'),
  threshold: count('So many recover it.'),
  vetoes: count('So many stop a recovery.'),
  lockMs: count('How long everybody else has to object.'),
  deskLockMs: count('The same where a member has seen the person.'),
})

export const Identity = named('Identity', 'A lasting identity, as the chain has it.', {
  id: digest('Its name.'),
  sequence: count('Of its last event.'),
  controlKey: digest('The key in control, hex.'),
  nextKeyDigest: digest('Of the key after it.'),
  recovery: nullOr(Policy),
  devices: Type.Array(text('Digest of a key with which a device may veto, once.')),
  pending: nullOr(Pending),
  time: time('Of the chain.'),
})
export type Identity = Static<typeof Identity>

export const RelayedEvent = named('RelayedEvent', 'An event that is final.', {
  transactionId: digest('The transaction.'),
  height: count('Of the block that has it.'),
})
export type RelayedEvent = Static<typeof RelayedEvent>

export const RecoverySignature = named('RecoverySignature', 'What a member says of a recovery.', {
  organisation: text('The member.'),
  key: digest('Its anchor key, hex.'),
  signature: text('Hex.'),
})
export type RecoverySignature = Static<typeof RecoverySignature>
