// Texts for a node that cannot start or go on where it stands: in another network, under other keys,
// removed or refused, before a protocol that it does not speak.

import { type CatalogEntry, entry } from './error-entry.ts'

export type PlaceErrorCode =
  | 'key_not_in_genesis'
  | 'network_mismatch'
  | 'removed'
  | 'refused_by_all'
  | 'restart_failed'
  | 'protocol_unsupported'

export const PLACE_TEXTS: Record<PlaceErrorCode, CatalogEntry> = {
  key_not_in_genesis: entry(1015, 3)(
    'This node is no authority of the network',
    'The genesis lists no authority "{name}" with the keys of this home ({detail}).',
    'Follow the network without voting:   [node] role = "observer"',
    'Compare:   mooring genesis show',
  ),
  network_mismatch: entry(1018, 13)(
    'Configuration and genesis name different networks',
    'The configuration says {configured}, the genesis file is that of {actual}.',
    'Check which file is the wrong one:   mooring genesis show --file {path}',
  ),
  removed: entry(1060, 14)(
    'This node was removed from the network',
    'The members have removed "{name}"; the chain that this node holds, up to block {height}, says so.',
    'Keep the home: what it holds stays provable. Starting it again changes nothing.',
    'Ask the other members for the reason that they recorded with the change.',
    'An organisation that returns does so under another id and with new keys:   mooring init --help',
  ),
  refused_by_all: entry(1061, 14)(
    'The members refuse this node',
    'No member is connected, and those that answer close the connections of "{name}" at once; they have probably removed it after block {height}, while it was away.',
    'Ask one of them:   mooring member list',
    'If it is a member still, its transport key may be another one than they know:   mooring keys list',
    'If the key is right, another process is connected with it: find the second copy of this home, and stop it for good.',
  ),
  restart_failed: entry(1063, 1)(
    'The node has new keys and did not stop in time to take them',
    'The chain names new keys; the parts that use the old ones were still closing when the time was over.',
    'Start the node again: it takes the keys that the chain names.',
  ),
  protocol_unsupported: entry(1062, 13)(
    'The network goes on with a protocol that this software does not speak',
    'From block {height} on the members use protocol version {version}; this software speaks {spoken}. The node has stopped before that block, and nothing is lost.',
    'Install a version of Mooring that speaks it, and start the node again: it goes on from there.',
    'See what the members agreed on:   mooring upgrade status',
  ),
}
