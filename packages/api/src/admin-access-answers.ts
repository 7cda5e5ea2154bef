/**
 * Answers about who may ask this node, and about what was done to it.
 */

import {
  count,
  countOrNull,
  digest,
  list,
  named,
  nextCursor,
  oneOf,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import { CALLER_ROLES } from './caller.ts'
import { type Static, Type } from './schema.ts'

export const Caller = named('Caller', 'Who asked.', {
  name: text('Who the node takes the caller for.'),
  role: oneOf([...CALLER_ROLES, 'none'], 'The role that this gives.'),
})
export type Caller = Static<typeof Caller>

const timeOrNull = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time', description })

const TOKEN = {
  id: text('Names it in commands and in the audit.'),
  name: text('Whose it is, for people.'),
  role: oneOf(CALLER_ROLES, 'What it permits.'),
  status: oneOf(['valid', 'expired', 'revoked'], 'Whether it is taken.'),
  createdAt: time('When it was made.'),
  expiresAt: time('When it ends by itself.'),
  revokedAt: timeOrNull('When it was taken back; null: it was not.'),
  usedAt: timeOrNull('When it was last shown, within a minute; null: not yet.'),
}

export const Token = named('Token', 'A bearer token, without its secret.', TOKEN)
export type Token = Static<typeof Token>

export const Tokens = named('Tokens', 'Tokens of this node.', { items: list(Token) })
export type Tokens = Static<typeof Tokens>

export const CreatedToken = named('CreatedToken', 'A new token, with its secret.', {
  ...TOKEN,
  token: text('To be sent as `Authorization: Bearer`; shown this once.'),
})
export type CreatedToken = Static<typeof CreatedToken>

export const AdminAct = named('AdminAct', 'One act of administration.', {
  id: digest('What stands in the batch: the commitment of the act.'),
  time: time('When it was done.'),
  caller: text('Who did it: socket, loopback, or the name of a token or a certificate.'),
  act: text('What was done: the operation of this contract.'),
  parameters: digest('Of what came with it, with the nonce of the act.'),
  answer: count('HTTP status of the answer.'),
  status: oneOf(['waiting', 'batched', 'anchored'], 'On its way to the chain.'),
  batch: countOrNull('Number of its batch at this node.'),
  height: countOrNull('Height of the block that anchors the batch.'),
})
export type AdminAct = Static<typeof AdminAct>

export const AdminActPage = named('AdminActPage', 'Acts of administration, newest first.', {
  items: list(AdminAct),
  nextCursor,
})
export type AdminActPage = Static<typeof AdminActPage>

export const Reloaded = named('Reloaded', 'One part that was read again.', {
  part: text('What it is.'),
  outcome: oneOf(['changed', 'same', 'refused'], 'Refused: it goes on as it was.'),
  code: textOrNull('Why it was refused.'),
  detail: textOrNull('What has changed, or what is wrong.'),
})
export type Reloaded = Static<typeof Reloaded>

export const Reload = named('Reload', 'What was read again.', { items: list(Reloaded) })
export type Reload = Static<typeof Reload>
