// Compact proposals that could not be put together from what waits here: the leader is asked for the rest.
//
// First for the transactions that are missing, then, where no good block comes of its answer, for the whole block;
// after that, and where it does not answer, it is left. Agreement waits for neither: the view ends by its timers, and
// a block that a quorum has notarized is fetched from its signers.

import { CodecError, fromHex } from '@mooring/codec'
import type { ProposalMessage } from '@mooring/consensus'
import { decodeBlock } from '@mooring/ledger'
import {
  decodeBlockAnswer,
  decodeTransactionsAnswer,
  encodeBlockRequest,
} from './block-exchange.ts'
import { fillIn, missingIn, putTogether } from './compact-proposals.ts'
import type { Lacking } from './intake.ts'
import type { Logger } from './logger.ts'

const TIMEOUT_MS = 2_000
/** At once: as many as there are views of which proposals are kept, and one lap more of a large network. */
const OPEN_MAX = 64

export interface CompletionModules {
  /** A question about blocks. */
  request: (peerId: string, payload: Uint8Array, timeoutMs: number) => Promise<Uint8Array>
  /** The proposal as if it had come whole from that peer. */
  take: (peerId: string, proposal: ProposalMessage) => void
  blame: (peerId: string, reason: string) => void
  onFatal: (error: unknown) => void
  logger: Logger
}

export class ProposalCompletion {
  readonly #modules: CompletionModules
  readonly #open = new Set<string>()

  constructor(modules: CompletionModules) {
    this.#modules = modules
  }

  complete(peerId: string, lacking: Lacking): void {
    const { epoch, view } = lacking.proposal.vote.subject
    const name = `${epoch} ${view}`
    if (this.#open.has(name) || this.#open.size >= OPEN_MAX) return
    this.#open.add(name)
    this.#complete(peerId, lacking)
      .finally(() => this.#open.delete(name))
      .catch(this.#modules.onFatal)
  }

  async #complete(peerId: string, lacking: Lacking): Promise<void> {
    const { vote, justification } = lacking.proposal
    const block = await this.#blockOf(peerId, lacking)
    if (block !== null) this.#modules.take(peerId, { vote, justification, block })
  }

  /** Null when it does not come. */
  async #blockOf(peerId: string, lacking: Lacking): Promise<Uint8Array | null> {
    try {
      return (await this.#rest(peerId, lacking)) ?? (await this.#whole(peerId, lacking))
    } catch (error) {
      const { view } = lacking.proposal.vote.subject
      if (error instanceof CodecError) this.#modules.blame(peerId, 'undecodable')
      this.#modules.logger.debug('a compact proposal was not completed', { view, error })
      return null
    }
  }

  /** Null when all is here already, or what is here is not what the leader meant. */
  async #rest(peerId: string, { proposal, found }: Lacking): Promise<Uint8Array | null> {
    if (!found.includes(undefined)) return null
    const digest = fromHex(proposal.vote.subject.digest)
    const body = { digest, places: missingIn(found) }
    const answer = await this.#ask(peerId, encodeBlockRequest({ kind: 'transactions', body }))
    try {
      const filled = fillIn(found, decodeTransactionsAnswer(answer))
      const block = filled === null ? null : putTogether(proposal.header, filled)
      if (block !== null) decodeBlock(block)
      return block
    } catch (error) {
      if (error instanceof CodecError) return null
      throw error
    }
  }

  async #whole(peerId: string, { proposal }: Lacking): Promise<Uint8Array | null> {
    const body = fromHex(proposal.vote.subject.digest)
    const answer = await this.#ask(peerId, encodeBlockRequest({ kind: 'digest', body }))
    return decodeBlockAnswer(answer)[0]?.block ?? null
  }

  #ask(peerId: string, payload: Uint8Array): Promise<Uint8Array> {
    return this.#modules.request(peerId, payload, TIMEOUT_MS)
  }
}
