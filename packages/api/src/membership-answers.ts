/**
 * The shape of what is told of the network as a whole: who belongs to it, and how that changes.
 */

import { digest, list, named, text, count } from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

export const Network = named('Network', 'What every member agrees on.', {
  name: text('Name in the genesis.'),
  networkId: text('`moor-` and the first eight digits of the genesis digest.'),
  genesisDigest: digest('The identity of the network.'),
  protocolVersion: count('Protocol version in force.'),
  parameters: Type.Unsafe<Record<string, number>>({
    type: 'object',
    additionalProperties: { type: 'integer', minimum: 0 },
    description: 'Chain parameters in force.',
  }),
  authorities: Type.Array(text('Organisation.'), { description: 'The authority set, in order.' }),
  quorum: count('Votes needed.'),
})
export type Network = Static<typeof Network>

export const Member = named('Member', 'An organisation of the network.', {
  id: text('Identifier of the organisation.'),
  name: text('Display name.'),
  legalGroup: text('Organisations under one owner share it.'),
  roles: Type.Array(text('Role.')),
  peerId: text('Peer id of its transport key.'),
  keys: Type.Unsafe<Record<string, string | null>>({
    type: 'object',
    additionalProperties: { type: ['string', 'null'] },
    description: 'Public keys by duty, hex.',
  }),
})
export type Member = Static<typeof Member>

export const Members = named('Members', 'All organisations.', { items: list(Member) })
export type Members = Static<typeof Members>
