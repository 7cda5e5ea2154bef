// Texts for what an operator decides about single peers: who may connect, who may not, where they are.

import { type CatalogEntry, entry } from './error-entry.ts'

export type PeerBookErrorCode =
  | 'peers_unreadable'
  | 'peer_invalid'
  | 'peer_unknown'
  | 'peer_is_self'
  | 'peer_list_off'
  | 'peer_list_full'
  | 'peer_is_banned'
  | 'ban_unknown'
  | 'peer_not_reached'
  | 'rehearsal_refused'

export const PEER_BOOK_TEXTS: Record<PeerBookErrorCode, CatalogEntry> = {
  peers_unreadable: entry(1280, 3)(
    'The list of peers in the home cannot be read',
    '{path}: {detail}. Whom this node has banned is not known, so it does not start.',
    'Take the file from a backup, or begin with an empty list:   mv {path} {path}.broken',
  ),
  peer_invalid: entry(1281, 2, 422)(
    'That names no peer',
    '{detail}',
    'A peer id begins with 12D3KooW; an address looks like /ip4/203.0.113.7/tcp/7420.',
    'See those of the members:   mooring peer list',
  ),
  peer_unknown: entry(1282, 6, 404)(
    'The peer is not known here',
    '{peer} is no member, and the local list does not name it.',
    'See who is known:   mooring peer list',
  ),
  peer_is_self: entry(1283, 2, 422)(
    'That is this node itself',
    '{peer} is the peer id of the node that was asked.',
    'Name another one:   mooring peer list',
  ),
  peer_list_off: entry(1284, 7, 409)(
    'This node admits members only',
    '{peer} is no member, and [p2p] allow = "members" leaves no room for others.',
    'Set [p2p] allow = "members+list" and start the node again, or have the members admit it:   mooring change propose admit',
  ),
  peer_list_full: entry(1285, 7, 409)(
    'The local list of peers is full',
    'It holds {most} entries at most.',
    'Remove some:   mooring peer remove <peer id>   or   mooring peer unban <peer id>',
  ),
  peer_is_banned: entry(1286, 7, 409)(
    'This node has banned the peer',
    '{peer} may not connect until {until}: {reason}',
    'Let it in again:   mooring peer unban {peer}',
  ),
  ban_unknown: entry(1287, 6, 404)(
    'There is no such ban',
    '{peer} is not banned here.',
    'See the bans:   mooring peer list',
  ),
  peer_not_reached: entry(1289, 4, 502)(
    'There is no connection with the peer',
    '{peer}: {detail}',
    'Go the way step by step:   mooring peer probe {peer}',
    'The node dials again by itself, for ever.',
  ),
  rehearsal_refused: entry(1288, 2)(
    'Only a devnet rehearses misbehaviour',
    'The node "{name}" has the profile {profile}: what it would sign falsely counts against it for good.',
    'Use a devnet:   mooring devnet up   then   mooring devnet byzantine 3 equivocate',
  ),
}
