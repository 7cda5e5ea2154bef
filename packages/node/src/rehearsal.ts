// What a hospital does whose machine somebody else has: everything that its real node does, but for what
// it says to the others. Each behaviour puts itself between that node and its network, so that keys,
// connections and timing are real, and the node in the middle goes on in good faith.
//
//   equivocate  votes for another block as well, and one half of the others hears that first; both votes
//               are signed
//   withhold    hears everything; votes and proposals never leave, and nobody gets an answer
//   flood       does its part, and sends nonsense besides, as fast as a member may
//   lie         claims a chain that it does not have, and answers with what nobody asked for

import { randomBytes } from 'node:crypto'
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type Vote,
  voteMessage,
} from '@mooring/consensus'
import { sign } from '@mooring/crypto'
import { type Network, type NetworkHandlers, startNetwork } from '@mooring/network'
import type { Behaviour } from './behaviours.ts'
import type { ConsensusKey, NodeOptions } from './load-options.ts'
import { NodeError } from './node-error.ts'

type Start = typeof startNetwork

type Signing = Pick<NodeOptions, 'genesisDigest'> & { keys: { consensus: ConsensusKey } }

const FLOOD_EVERY_MS = 20
const FRAMES_AT_ONCE = 20
const NONSENSE_BYTES = 200
const BULK_BYTES = 50_000
const CLAIMED_HEIGHTS = 1_000_000
const ANSWER_BYTES = 1_000

/**
 * What a node starts in the place of its network.
 *
 * @throws NodeError rehearsal_refused outside a devnet
 */
export function misbehave(
  behaviour: Behaviour,
  node: Signing & Pick<NodeOptions, 'profile' | 'name'>,
): Start {
  const { name, profile } = node
  if (profile === 'prod') throw new NodeError('rehearsal_refused', { name, profile })
  switch (behaviour) {
    case 'equivocate':
      return async (options, handlers) =>
        equivocating(await startNetwork(options, deaf(handlers)), node)
    case 'withhold':
      return async (options, handlers) => withholding(await startNetwork(options, silent(handlers)))
    case 'flood':
      return async (options, handlers) => flooding(await startNetwork(options, handlers))
    case 'lie':
      return (options, handlers) => startNetwork(options, lying(handlers))
  }
}

/** The node in the middle would stop over a vote of its own that it does not know. */
function deaf(handlers: NetworkHandlers): NetworkHandlers {
  return {
    ...handlers,
    onMessage(peerId, channel, frame) {
      if (read(frame)?.kind !== 'evidence') handlers.onMessage(peerId, channel, frame)
    },
  }
}

function equivocating(network: Network, node: Signing): Network {
  return {
    ...network,
    send(peerId, channel, frame) {
      const places = network.peers().map((peer) => peer.peerId)
      const isOtherHalf = places.indexOf(peerId) % 2 === 1
      const twin = isOtherHalf ? twinOf(read(frame), node) : undefined
      if (twin !== undefined) network.send(peerId, channel, twin)
      return network.send(peerId, channel, frame)
    },
  }
}

/** The same votes for other blocks; undefined for what votes for none. */
function twinOf(
  message: Message | undefined,
  { keys, genesisDigest }: Signing,
): Uint8Array | undefined {
  const votes = votesIn(message).filter(({ kind }) => kind === 'notarize')
  const { seed, publicKey } = keys.consensus
  // A signer would refuse to.
  if (votes.length === 0 || seed === null) return undefined
  const others = votes.map((vote): Vote => {
    const subject = { ...vote.subject, digest: randomBytes(32).toString('hex') }
    const signature = sign({ seed, publicKey }, voteMessage(genesisDigest, vote.kind, subject))
    return { ...vote, subject, signature }
  })
  return encodeMessage({ kind: 'votes', votes: others })
}

function votesIn(message: Message | undefined): readonly Vote[] {
  if (message?.kind === 'votes') return message.votes
  const isProposal = message?.kind === 'proposal' || message?.kind === 'compact'
  return isProposal ? [message.proposal.vote] : []
}

function silent(handlers: NetworkHandlers): NetworkHandlers {
  return {
    ...handlers,
    onRequest: () => Promise.reject(new Error('it answers nobody')),
  }
}

function withholding(network: Network): Network {
  return {
    ...network,
    send: (peerId, channel, frame) =>
      votesIn(read(frame)).length > 0 || network.send(peerId, channel, frame),
    publishTransactions: () => Promise.resolve(0),
  }
}

function flooding(network: Network): Network {
  const timer = setInterval(() => {
    for (const { peerId, connected } of network.peers()) {
      if (!connected) continue
      for (let count = 0; count < FRAMES_AT_ONCE; count += 1)
        network.send(peerId, 'urgent', new Uint8Array(randomBytes(NONSENSE_BYTES)))
      network.send(peerId, 'bulk', new Uint8Array(randomBytes(BULK_BYTES)))
    }
    // Whoever stops listening is no reason to stop.
    network.publishTransactions(new Uint8Array(randomBytes(NONSENSE_BYTES))).catch(() => undefined)
  }, FLOOD_EVERY_MS)
  return {
    ...network,
    close() {
      clearInterval(timer)
      return network.close()
    },
  }
}

function lying(handlers: NetworkHandlers): NetworkHandlers {
  return {
    ...handlers,
    status: () => ({ height: handlers.status().height + CLAIMED_HEIGHTS }),
    onRequest: () => Promise.resolve(new Uint8Array(randomBytes(ANSWER_BYTES))),
  }
}

function read(frame: Uint8Array): Message | undefined {
  try {
    return decodeMessage(frame)
  } catch {
    // Not every frame is for the authorities.
    return undefined
  }
}
