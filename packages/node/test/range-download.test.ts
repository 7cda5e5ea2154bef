// Whose answers are called short: those of a peer that could have sent more, and of no other, who has the rest.

import assert from 'node:assert/strict'
import { createBlock, decodeBlock, encodeBlock, parentOf, type ParentBlock } from '@mooring/ledger'
import { test } from 'uvu'
import { decodeBlockRequest, encodeBlockAnswer } from '../src/block-exchange.ts'
import { createLogger } from '../src/logger.ts'
import { RANGE_BYTES, RangeDownload } from '../src/range-download.ts'
import { type SyncPeer, SyncPeers } from '../src/sync-peers.ts'
import { TestClock } from './test-clock.ts'

const ZERO = new Uint8Array(32)
const FINALIZATION = new Uint8Array([1])
const silent = createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' })

/** Encoded, from height 1 on. */
function chainOf(sizes: readonly number[]): Uint8Array[] {
  let parent: ParentBlock = { epoch: 0, view: 0, height: 0, time: 0, digest: ZERO }
  return sizes.map((bytes, at) => {
    const block = createBlock(parent, {
      genesisDigest: ZERO,
      view: at + 1,
      time: at + 1,
      proposer: 'a',
      stateRoot: ZERO,
      historyRoot: ZERO,
      authoritySetDigest: ZERO,
      nextAuthoritySetDigest: null,
      transactions: [new Uint8Array(bytes)],
    })
    const encoded = encodeBlock(block)
    parent = parentOf(block.header, decodeBlock(encoded).digest)
    return encoded
  })
}

type Serve = (chain: readonly Uint8Array[], from: number, to: number) => Uint8Array[]

const whatFits: Serve = (chain, from, to) => {
  let bytes = 0
  return chain.slice(from - 1, to).filter((block, at) => {
    bytes += block.length
    return at === 0 || bytes <= RANGE_BYTES
  })
}

const oneBlock: Serve = (chain, from) => chain.slice(from - 1, from)

/** How often one of two peers was put aside while all of the chain was fetched from them. */
async function pausesOf(chain: readonly Uint8Array[], serve: Serve): Promise<number> {
  const clock = new TestClock()
  const both = ['a', 'b'].map((name, index): SyncPeer => {
    return { peerId: name, name, index, height: chain.length }
  })
  const peers = new SyncPeers(clock, () => both)
  const download = new RangeDownload({
    clock,
    peers,
    turn: () => Promise.resolve(),
    request: (_peer, payload) => {
      const request = decodeBlockRequest(payload)
      if (request.kind !== 'range') throw new Error('a range was expected')
      const blocks = serve(chain, request.body.from, request.body.to)
      return Promise.resolve(
        encodeBlockAnswer(blocks.map((block) => ({ block, finalization: FINALIZATION }))),
      )
    },
    checkEarly: () => null,
    checkSignatures: () => Promise.resolve(new Set()),
    blame: (_peer, reason) => assert.fail(reason),
    logger: silent,
  })
  let tip = 0
  let pauses = 0
  while (tip < chain.length) {
    download.fill(tip, chain.length)
    await new Promise((resolve) => setImmediate(resolve))
    tip += download.take(tip)?.blocks.length ?? 0
    if (download.isAsking) continue
    const aside = both.filter((peer) => peers.pick(1, (other) => other !== peer) === null)
    if (aside.length > 0) clock.advance(60_000)
    pauses += aside.length
  }
  download.close()
  return pauses
}

test('a peer that stops before a block that does not fit is asked on', async () => {
  const sizes = Array.from({ length: 24 }, (_, at) => (at % 2 === 0 ? 400_000 : 700_000))
  assert.equal(await pausesOf(chainOf(sizes), whatFits), 0)
})

test('a peer that stops where there was room is put aside after the fourth time', async () => {
  const pauses = await pausesOf(chainOf(Array.from({ length: 24 }, () => 1_000)), oneBlock)
  assert.ok(pauses >= 3 && pauses <= 6, String(pauses))
})

test.run()
