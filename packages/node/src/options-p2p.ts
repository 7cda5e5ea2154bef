// Connections to the other members.

import { choice, integer, list } from './option-kinds.ts'

const MULTIADDR = { pattern: '^/(ip4|ip6|dns|dns4|dns6)/[^/]+/tcp/\\d{1,5}(/p2p/[A-Za-z0-9]+)?$' }

const PEER_IDS = [
  '12D3KooWQbLf4sTqKGqXqVvJfZ5wqz1aA2DxLZy7n1hV1o8cQy6f',
  '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp',
] as const

export const P2P_OPTIONS = {
  listen: list(
    {
      default: ['/ip4/0.0.0.0/tcp/7420'],
      description: 'Multiaddresses to listen on.',
      profiles: { devnet: ['/ip4/127.0.0.1/tcp/7420'], test: ['/ip4/127.0.0.1/tcp/0'] },
    },
    {
      ...MULTIADDR,
      hint: 'expected a multiaddress such as "/ip4/0.0.0.0/tcp/7420"',
      examples: ['/ip4/10.0.0.7/tcp/7420', '/ip6/::1/tcp/7420'],
    },
  ),
  announce: list(
    { default: [], description: 'Multiaddresses that the others should dial instead.' },
    {
      ...MULTIADDR,
      hint: 'expected a multiaddress such as "/dns4/st-mary.example/tcp/7420"',
      examples: ['/dns4/st-mary.example/tcp/7420', '/ip4/192.0.2.7/tcp/7420'],
    },
  ),
  peers: list(
    { default: [], description: 'Addresses of members, each ending in /p2p/<peer id>.' },
    {
      pattern: '^/(ip4|ip6|dns|dns4|dns6)/[^/]+/tcp/\\d{1,5}/p2p/[A-Za-z0-9]+$',
      hint: 'expected an address that ends in /p2p/<peer id>',
      examples: [
        `/dns4/st-mary.example/tcp/7420/p2p/${PEER_IDS[0]}`,
        `/ip4/192.0.2.7/tcp/7420/p2p/${PEER_IDS[1]}`,
      ],
    },
  ),
  max_peers: integer([1, 1000], { default: 64, description: 'Most connections at one time.' }),
  allow: choice(['members', 'members+list', 'list'], {
    default: 'members',
    description: 'Who may connect: the members on the chain, the local list, or both.',
  }),
  allow_list: list(
    { default: [], description: 'Peer ids admitted besides, or instead of, the members.' },
    {
      pattern: '^[A-Za-z0-9]{40,64}$',
      hint: 'expected a peer id such as "12D3KooW…"',
      examples: PEER_IDS,
    },
  ),
}
