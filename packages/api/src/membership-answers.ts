/**
 * The shape of what is told of the network as a whole: who belongs to it, how that has changed, and what
 * is proposed to change next.
 */

import {
  count,
  countOrNull,
  digest,
  flag,
  list,
  named,
  nullOr,
  oneOf,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

const organisations = (description: string) => Type.Array(text('Organisation.'), { description })

export const ScheduledProtocol = named('ScheduledProtocol', 'A protocol version that is to come.', {
  version: count('The version.'),
  height: count('The first block that follows it.'),
  change: digest('The change that scheduled it.'),
})
export type ScheduledProtocol = Static<typeof ScheduledProtocol>

export const Network = named('Network', 'What every member agrees on.', {
  name: text('Name in the genesis.'),
  networkId: text('`moor-` and the first eight digits of the genesis digest.'),
  genesisDigest: digest('The identity of the network.'),
  epoch: count('Epoch; every change of the network ends one.'),
  protocolVersion: count('Protocol version in force.'),
  scheduledProtocol: nullOr(ScheduledProtocol),
  softwareProtocol: count('The highest protocol version that this node speaks.'),
  parameters: Type.Unsafe<Record<string, number>>({
    type: 'object',
    additionalProperties: { type: 'integer', minimum: 0 },
    description: 'Chain parameters in force.',
  }),
  authorities: organisations('The authority set, in order.'),
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
  authority: countOrNull('Its place in the authority set; null when it does not vote.'),
  sinceEpoch: count('The first epoch in which it was a member.'),
  connected: flag('Whether this node is connected to it; true for this node itself.'),
  height: countOrNull('Final height its node last reported.'),
})
export type Member = Static<typeof Member>

export const Members = named('Members', 'All organisations.', { items: list(Member) })
export type Members = Static<typeof Members>

export const ChangeEffect = named('ChangeEffect', 'What a change does to the quorum.', {
  authorities: organisations('The authority set after it.'),
  authoritiesBefore: count('Authorities now, or when it passed.'),
  authoritiesAfter: count('Authorities after it.'),
  quorumBefore: count('Votes needed now, or when it passed.'),
  quorumAfter: count('Votes needed after it.'),
  toleratesAfter: count('Authorities that may fail after it.'),
})
export type ChangeEffect = Static<typeof ChangeEffect>

const CHANGE_KINDS = ['admit', 'role', 'remove', 'rekey', 'parameters', 'protocol'] as const
const CHANGE_STATUSES = ['open', 'passed', 'closed'] as const

const changeFields = {
  kind: oneOf(CHANGE_KINDS, 'What is to change.'),
  organisation: textOrNull('The organisation it is about.'),
  summary: text('The change in one sentence.'),
  details: Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    additionalProperties: true,
    description: 'The change itself, by kind.',
  }),
  effect: nullOr(ChangeEffect),
}

export const Change = named('Change', 'A proposed change of the network and what became of it.', {
  id: digest('Id of the transaction that proposed it.'),
  status: oneOf(
    CHANGE_STATUSES,
    'Open: it waits for approvals. Closed: withdrawn, expired, or overtaken.',
  ),
  proposer: text('Organisation that proposed it.'),
  reason: text('Why, in the words of the proposer.'),
  expiresAt: time('When it closes unless it has passed.'),
  height: countOrNull('The block in which it passed; it ended an epoch.'),
  approvals: organisations('Who approved.'),
  approvalsNeeded: count('Approvals of authorities needed.'),
  acks: organisations('Whose node has said that it is ready.'),
  acksNeeded: count('Nodes that must be ready, 0 when it needs none.'),
  acksRequired: organisations('Nodes that must be among them.'),
  ...changeFields,
})
export type Change = Static<typeof Change>

export const Changes = named('Changes', 'Changes of the network.', { items: list(Change) })
export type Changes = Static<typeof Changes>

export const ChangePreview = named(
  'ChangePreview',
  'What a transaction would do, if submitted now.',
  {
    id: digest('Digest of what was signed; as a proposal, the name of the change.'),
    problem: Type.Unsafe<{ code: string; mor: string | null; detail: string } | null>({
      type: ['object', 'null'],
      required: ['code', 'mor', 'detail'],
      properties: {
        code: { type: 'string' },
        mor: { type: ['string', 'null'] },
        detail: { type: 'string' },
      },
      description: 'Why it would be refused.',
    }),
    ...changeFields,
  },
)
export type ChangePreview = Static<typeof ChangePreview>

export const Epoch = named('Epoch', 'A time in which members, keys and parameters stood still.', {
  epoch: count('Epoch, from 0.'),
  firstHeight: count('Its first block.'),
  lastHeight: countOrNull('The block that ended it; null for the epoch of now.'),
  authorities: organisations('The authority set, in order.'),
  quorum: count('Votes needed.'),
  endedBy: nullOr(Change),
})
export type Epoch = Static<typeof Epoch>

export const Epochs = named('Epochs', 'All epochs, newest first.', { items: list(Epoch) })
export type Epochs = Static<typeof Epochs>
