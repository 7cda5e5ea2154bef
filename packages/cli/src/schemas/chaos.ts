// Documents about single peers, and about what goes wrong in a devnet on purpose.

import {
  answer,
  answered,
  count,
  type DocumentSchema,
  document,
  flag,
  items,
  listOf,
  mapOf,
  number,
  object,
  oneOf,
  orNull,
  text,
  texts,
} from './forms.ts'

const peerRow = {
  peerId: text,
  name: text,
  state: oneOf('connected', 'away', 'banned'),
  rttMs: orNull(number),
  height: orNull(count),
  direction: orNull(oneOf('inbound', 'outbound')),
  addresses: texts,
  note: orNull(text),
  ban: orNull(answer('PeerBan')),
  lastError: orNull(text),
}

export const CHAOS_SCHEMAS = {
  'mooring/peers/v1': items('Everybody a node may speak with.', object(peerRow), {
    allow: oneOf('members', 'members+list', 'list'),
    bans: listOf(answer('PeerBan')),
  }),
  'mooring/peer/v1': document('One peer.', peerRow),
  'mooring/peer-add/v1': document('A peer that is on the local list now.', {
    peerId: text,
    addresses: texts,
    note: text,
  }),
  'mooring/peer-remove/v1': document('A peer that is off the local list.', { peerId: text }),
  'mooring/peer-ban/v1': document('Who was banned.', { bans: listOf(answer('PeerBan')) }),
  'mooring/peer-unban/v1': document('Whose ban was lifted.', { lifted: texts }),
  'mooring/peer-connect/v1': answered('A connection that stands.', 'PeerOutcome'),
  'mooring/peer-disconnect/v1': answered('A connection that was closed.', 'PeerOutcome'),
  'mooring/peer-ping/v1': answered('Round trips to a peer.', 'PeerPing'),
  'mooring/peer-probe/v1': answered('The way to a peer, step by step.', 'PeerProbe'),
  'mooring/devnet-partition/v1': document('A cut between the nodes of a devnet.', {
    sides: listOf(object({ nodes: texts, hasQuorum: flag })),
    told: texts,
    forMs: orNull(count),
  }),
  'mooring/devnet-heal/v1': document('What was healed.', { cuts: count, wasSlow: flag }),
  'mooring/devnet-latency/v1': document('Paths that take longer.', {
    paths: number,
    delayMs: count,
    jitterMs: count,
    nodes: texts,
  }),
  'mooring/devnet-pause/v1': document('Which nodes stand still.', { paused: texts }),
  'mooring/devnet-resume/v1': document('Which nodes go on.', { resumed: texts }),
  'mooring/devnet-byzantine/v1': document('How a node behaves from now on.', {
    node: text,
    behaviour: oneOf('equivocate', 'withhold', 'flood', 'lie', 'honest'),
    effect: text,
  }),
  'mooring/devnet-load/v1': document('What became of a load.', {
    submitted: count,
    final: count,
    open: count,
    refused: mapOf(count),
    heldBack: count,
    finalP50Ms: orNull(count),
    finalP95Ms: orNull(count),
  }),
  'mooring/devnet-reset/v1': document('A devnet that was made anew.', {
    name: text,
    dir: text,
    networkId: text,
  }),
  'mooring/devnet-rm/v1': document('A devnet that was thrown away.', {
    name: text,
    dir: text,
    stopped: texts,
  }),
  'mooring/devnets/v1': items(
    'The devnets of a folder.',
    object({ name: text, dir: text, nodes: count, running: count, networkId: text }),
  ),
} satisfies Record<string, DocumentSchema>
