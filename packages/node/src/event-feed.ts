// What happened, for those who follow this node: blocks and their transactions, in the order of the
// chain and readable again from any height; and news of this node alone, told once.
//
// Index 0 of a height is its block, index i + 1 its transaction i. What is told live and what is read
// later are made by the same function, so that both say the same.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ApiEvent, BlockSummary, Evidence, EventSource, Peer } from '@mooring/api'
import { toHex } from '@mooring/codec'
import {
  blockDigest,
  decodeHeader,
  decodeReceipts,
  type Header,
  type Receipt,
} from '@mooring/ledger'
import type { ChainStore } from '@mooring/storage'
import type { Alarm } from './alarms.ts'
import type { Committer } from './committer.ts'
import type { MemberChange } from './members.ts'

export interface FeedModules {
  chain: Pick<ChainStore, 'tip' | 'prunedTo' | 'getHeader' | 'getReceipts'>
  committer: Pick<Committer, 'subscribe'>
}

export class EventFeed implements EventSource {
  readonly #chain: FeedModules['chain']
  readonly #listeners = new Set<(event: ApiEvent) => void>()
  readonly #unsubscribe: () => void

  constructor({ chain, committer }: FeedModules) {
    this.#chain = chain
    this.#unsubscribe = committer.subscribe(({ header, digest, receipts }) => {
      if (this.#listeners.size === 0) return
      for (const event of eventsOf(header, digest, receipts)) this.#announce(event)
    })
  }

  oldestHeight(): number {
    return this.#chain.prunedTo + 1
  }

  async *eventsFrom(height: number): AsyncGenerator<ApiEvent> {
    for (let at = Math.max(height, this.oldestHeight()); at <= this.#chain.tip.height; at += 1) {
      const encoded = this.#chain.getHeader(at)
      const receipts = this.#chain.getReceipts(at)
      if (encoded === undefined || receipts === undefined) return
      const header = decodeHeader(encoded)
      yield* eventsOf(header, blockDigest(header), decodeReceipts(receipts))
      // A reader who wants none of them never waits by himself.
      await nextTurn()
    }
  }

  subscribe(listener: (event: ApiEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A record of this custodian moved on. Nothing in it may say what the record is about. */
  tellRecord(body: {
    id: string
    status: 'received' | 'accepted' | 'batched' | 'anchored'
    height: number | null
  }): void {
    this.#announce({ type: 'record', place: null, body })
  }

  tellPeer(peer: Pick<Peer, 'name' | 'peerId' | 'connected'>): void {
    this.#announce({ type: 'peer', place: null, body: peer })
  }

  tellMember(body: MemberChange): void {
    this.#announce({ type: 'member', place: null, body })
  }

  tellEvidence(body: Evidence): void {
    this.#announce({ type: 'evidence', place: null, body })
  }

  tellAlarm(alarm: Alarm, isActive: boolean): void {
    this.#announce({ type: 'alarm', place: null, body: { ...alarm, active: isActive } })
  }

  close(): void {
    this.#unsubscribe()
  }

  #announce(event: ApiEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

/** One block, in one line. */
export function summaryOf(header: Header, digest: Uint8Array): BlockSummary {
  const { height, epoch, view, time, proposer, transactionCount } = header
  return {
    height,
    digest: toHex(digest),
    epoch,
    view,
    time: new Date(time).toISOString(),
    proposer,
    transactionCount,
  }
}

function* eventsOf(
  header: Header,
  digest: Uint8Array,
  receipts: readonly Receipt[],
): Generator<ApiEvent> {
  const { height } = header
  yield { type: 'block', place: { height, index: 0 }, body: summaryOf(header, digest) }
  for (const { transaction, index, kind, organisation, sequence } of receipts) {
    const body = { id: toHex(transaction), height, index, kind, organisation, sequence }
    yield { type: 'transaction', place: { height, index: index + 1 }, body }
  }
}
