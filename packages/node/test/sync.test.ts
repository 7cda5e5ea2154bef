import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { decodeCertificate, encodeCertificate } from '@mooring/consensus'
import { decodeBlock, encodeBlock } from '@mooring/ledger'
import { NetworkError } from '@mooring/network'
import type { StartTurns } from '@mooring/storage'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'uvu'
import {
  decodeBlockAnswer,
  encodeBlockAnswer,
  type Later,
  type SentBlock,
} from '../src/block-exchange.ts'
import { systemClock } from '../src/clock.ts'
import { createLogger } from '../src/logger.ts'
import { LongWork } from '../src/long-work.ts'
import { Sync } from '../src/sync.ts'
import { inRealSlices } from '../src/time-slices.ts'
import { certificateOf } from './chain-members.ts'
import { MadeChain } from './made-chain.ts'

type Answer = (payload: Uint8Array) => Uint8Array | Promise<Uint8Array>

interface Laggard {
  made: MadeChain
  sync: Sync
  blamed: Map<string, string[]>
  asked: Map<string, number>
  synced: number[]
  diverged: string[]
  arrive(): Promise<void>
}

const silent = createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' })

/** A node with nothing but genesis, and peers that answer as they are told to. */
async function laggardOf(
  long: MadeChain,
  peers: Record<string, Answer>,
  options: { isFollower?: () => boolean; turns?: StartTurns } = {},
): Promise<Laggard> {
  const { isFollower = () => true, turns = inRealSlices } = options
  const made = await MadeChain.open()
  const blamed = new Map<string, string[]>()
  const asked = new Map<string, number>()
  const synced: number[] = []
  const diverged: string[] = []
  const { execution, committer } = made
  const sync = new Sync({
    clock: systemClock,
    turn: () => nextTurn(),
    work: new LongWork({ clock: systemClock, turns }),
    execution,
    authorities: () => ({ chain: made.digest, keys: execution.authorities.keys }),
    isFollower,
    bestKnownHeight: () => long.height,
    peers: () =>
      Object.keys(peers)
        .filter((name) => !blamed.has(name))
        .map((name, index) => ({ peerId: name, name, index, height: long.height })),
    request: async (peerId, payload) => {
      asked.set(peerId, (asked.get(peerId) ?? 0) + 1)
      await nextTurn()
      return (await peers[peerId]?.(payload)) ?? new Uint8Array(0)
    },
    blame: (peerId, reason) => blamed.set(peerId, [...(blamed.get(peerId) ?? []), reason]),
    commit: (blocks, finalization) => committer.commit(blocks, finalization),
    settled: () => committer.idle(),
    feed: (event) => {
      if (event.type === 'synced') synced.push(event.block.height)
      if (event.type === 'diverged') diverged.push(event.digest)
    },
    onFatal: (error) => {
      throw error
    },
    signatures: null,
    logger: silent,
  })
  const arrive = async (): Promise<void> => {
    const until = Date.now() + 50_000
    sync.follow()
    while (made.height < long.height) {
      if (Date.now() > until) throw new Error(`still at ${made.height} of ${long.height}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  return { made, sync, blamed, asked, synced, diverged, arrive }
}

async function withLong(
  work: (long: MadeChain) => Promise<void>,
  grow: (long: MadeChain) => Promise<void>,
): Promise<void> {
  const long = await MadeChain.open()
  try {
    await grow(long)
    await work(long)
  } finally {
    await long.remove()
  }
}

async function catchUp(
  long: MadeChain,
  peers: Record<string, Answer>,
  look: (laggard: Laggard) => void | Promise<void>,
): Promise<void> {
  const laggard = await laggardOf(long, peers)
  try {
    await laggard.arrive()
    assert.equal(toHex(laggard.made.chain.tip.digest), toHex(long.chain.tip.digest))
    await look(laggard)
  } finally {
    laggard.sync.close()
    await laggard.made.remove()
  }
}

const honest =
  (long: MadeChain): Answer =>
  (payload) =>
    long.answer(payload)

function altered(long: MadeChain, change: (blocks: SentBlock[]) => SentBlock[]): Answer {
  return (payload) => encodeBlockAnswer(change(decodeBlockAnswer(long.answer(payload))))
}

function forged(certificate: Uint8Array | null): Uint8Array | null {
  if (certificate === null) return null
  const { signatures, ...rest } = decodeCertificate(certificate)
  const [first, ...others] = signatures.map((signature) => signature.slice())
  if (first !== undefined) first[7] = (first[7] ?? 0) ^ 1
  return encodeCertificate({
    ...rest,
    signatures: first === undefined ? others : [first, ...others],
  })
}

const LIES: Record<string, { reason: string; change: (blocks: SentBlock[]) => SentBlock[] }> = {
  'a forged certificate': {
    reason: 'bad_finalization',
    change: (blocks) =>
      blocks.map((each) => ({ ...each, finalization: forged(each.finalization) })),
  },
  'certificates of other blocks': {
    reason: 'finalization_of_another_block',
    change: (blocks) => {
      const [first] = blocks
      return blocks.map((each) => ({ ...each, finalization: first?.finalization ?? null }))
    },
  },
  'no certificate at all': {
    reason: 'no_finalization',
    change: (blocks) => blocks.map((each) => ({ ...each, finalization: null })),
  },
  'a range with a hole': {
    reason: 'other_blocks',
    change: (blocks) => blocks.filter((_, index) => index !== 1),
  },
  'blocks from elsewhere': {
    reason: 'other_blocks',
    change: (blocks) => blocks.slice(3),
  },
  'bytes that are no block': {
    reason: 'undecodable_block',
    change: (blocks) => blocks.map((each) => ({ ...each, block: each.block.subarray(1) })),
  },
}

test('a laggard of thousands of blocks catches up from several peers, over ends of epochs', async () => {
  await withLong(
    (long) =>
      catchUp(
        long,
        { a: honest(long), b: honest(long), c: honest(long) },
        ({ made, asked, blamed, synced, sync }) => {
          assert.equal(blamed.size, 0)
          for (const name of ['a', 'b', 'c']) assert.ok((asked.get(name) ?? 0) > 2, name)
          assert.deepEqual(
            made.chain.epochs().map(({ height }) => height),
            long.chain.epochs().map(({ height }) => height),
          )
          assert.ok(long.chain.epochs().every(({ height }) => synced.includes(height)))
          assert.equal(sync.progress().target, long.height)
          assert.ok(sync.progress().transactionsPerSecond > 0)
        },
      ),
    async (long) => {
      await long.grow(1_000, { finalizedEvery: 3 })
      await long.endEpoch({ quotaPerMinute: 900_000 })
      await long.endEpoch({ quotaPerMinute: 800_000 })
      await long.grow(1_500)
      await long.endEpoch({ quotaPerMinute: 700_000 })
      await long.grow(500, { finalizedEvery: 50 })
    },
  )
})

test('every lie is found, its teller named and dropped, and the others carry on', async () => {
  await withLong(
    async (long) => {
      for (const [lie, { reason, change }] of Object.entries(LIES)) {
        await catchUp(
          long,
          { liar: altered(long, change), b: honest(long), c: honest(long) },
          ({ blamed, sync }) => {
            assert.deepEqual([...blamed.keys()], ['liar'], lie)
            assert.equal(blamed.get('liar')?.[0], reason, lie)
            assert.equal(sync.progress().bad[0]?.name, 'liar')
          },
        )
      }
    },
    async (long) => {
      await long.grow(300)
      await long.endEpoch({ quotaPerMinute: 900_000 })
      await long.grow(300)
    },
  )
})

test('a lie about a later epoch, whose authorities are not known yet, is still the liar’s', async () => {
  await withLong(
    (long) =>
      catchUp(
        long,
        {
          liar: altered(long, (blocks) =>
            blocks.map((each) => ({ ...each, finalization: forged(each.finalization) })),
          ),
          b: honest(long),
        },
        ({ blamed }) => assert.deepEqual([...blamed.keys()], ['liar']),
      ),
    async (long) => {
      for (let epoch = 1; epoch <= 8; epoch += 1) {
        await long.grow(150)
        await long.endEpoch({ quotaPerMinute: 900_000 + epoch })
      }
    },
  )
})

test('truncated ranges, silence, errors and slowness hold nobody up and accuse nobody', async () => {
  await withLong(
    (long) =>
      catchUp(
        long,
        {
          short: altered(long, (blocks) => blocks.slice(0, 1)),
          empty: () => encodeBlockAnswer([]),
          silent: () => new Promise(() => undefined),
          failing: () => Promise.reject(new NetworkError('closed', 'gone')),
          pruned: () => Promise.reject(new NetworkError('refused', 'no', { reason: 'pruned' })),
          good: honest(long),
        },
        ({ blamed, asked }) => {
          assert.equal(blamed.size, 0)
          assert.ok((asked.get('pruned') ?? 0) <= 16, 'who keeps nothing is not asked for ever')
        },
      ),
    (long) => long.grow(2_000),
  )
})

test('a peer that has pruned answers so, and whoever keeps more is asked', async () => {
  await withLong(
    async (long) => {
      await catchUp(long, { whole: honest(long) }, async ({ made }) => {
        await made.chain.prune(400)
        const keepsLittle: Answer = (payload) => {
          try {
            return made.answer(payload)
          } catch (error) {
            const reason = error instanceof Error && 'code' in error ? String(error.code) : ''
            throw new NetworkError('refused', reason, { reason })
          }
        }
        await catchUp(long, { keepsLittle, whole: honest(long) }, ({ blamed, asked }) => {
          assert.equal(blamed.size, 0)
          assert.ok((asked.get('whole') ?? 0) > 0)
        })
      })
    },
    (long) => long.grow(600),
  )
})

test('a thousand blocks of which only the last has a finalization are no obstacle', async () => {
  await withLong(
    async (long) => {
      const other = long.chain.getHeader(long.height - 2)
      assert.ok(other !== undefined)
      const liars = {
        path: altered(long, (blocks) => alterLater(blocks, (later) => void later.path.pop())),
        header: altered(long, (blocks) => alterLater(blocks, (later) => (later.header = other))),
      }
      for (const [lie, liar] of Object.entries(liars))
        await catchUp(long, { liar, good: honest(long) }, ({ blamed }) => {
          assert.equal(blamed.get('liar')?.[0], 'finalization_of_another_block', lie)
          assert.equal(blamed.size, 1)
        })
    },
    async (long) => {
      await long.grow(1_100, { finalizedEvery: 1_100 })
      await long.endEpoch({ quotaPerMinute: 900_000 })
    },
  )
})

function alterLater(blocks: SentBlock[], change: (later: Later) => void): SentBlock[] {
  for (const { later } of blocks) if (later != null) change(later)
  return blocks
}

test('whoever asks to catch up may still be under construction', async () => {
  await withLong(
    async (long) => {
      let isBuilt = false
      const asked: boolean[] = []
      const isFollower = (): boolean => {
        asked.push(isBuilt)
        return true
      }
      const { sync, made } = await laggardOf(long, { a: honest(long) }, { isFollower })
      try {
        const finalization = long.chain.getFinalization(long.height)
        assert.ok(finalization !== undefined)
        sync.syncTo(decodeCertificate(finalization))
        isBuilt = true
        assert.equal(sync.isActive, true)
        while (made.height < long.height) await new Promise((resolve) => setTimeout(resolve, 10))
        assert.ok(asked.every(Boolean))
      } finally {
        sync.close()
        await made.remove()
      }
    },
    (long) => long.grow(2),
  )
})

test('a final block that does not execute here stops the node, and nobody is blamed', async () => {
  await withLong(
    async (long) => {
      const other = otherEnd(long)
      const served = altered(long, (blocks) => [...blocks.slice(0, -1), other])
      const { made, sync, blamed, asked, diverged } = await laggardOf(long, { a: served })
      try {
        sync.follow()
        while (diverged.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
        assert.deepEqual(diverged, [toHex(decodeBlock(other.block).digest)])
        assert.equal(made.height, 0)
        const asks = asked.get('a')
        await new Promise((resolve) => setTimeout(resolve, 700))
        assert.equal(sync.isActive, false)
        assert.deepEqual([asked.get('a'), blamed.size, diverged.length], [asks, 0, 1])
      } finally {
        await made.remove()
      }
    },
    (long) => long.grow(20, { finalizedEvery: 20 }),
  )
})

test('it is the same chain when every step of a block has a turn of its own', async () => {
  await withLong(
    async (long) => {
      let turns = 0
      const stepwise = () => () => {
        turns += 1
        return nextTurn()
      }
      const laggard = await laggardOf(long, { a: honest(long) }, { turns: stepwise })
      const { made, sync } = laggard
      try {
        await laggard.arrive()
        assert.ok(turns > 2 * 30 * long.height)
        assert.equal(toHex(made.chain.tip.digest), toHex(long.chain.tip.digest))
        assert.equal(toHex(made.chain.state().root), toHex(long.chain.state().root))
      } finally {
        sync.close()
        await made.remove()
      }
    },
    (long) => long.grow(12, { transactionsPerBlock: 30, finalizedEvery: 3 }),
  )
})

/** A last block that claims another state, and that a quorum has finalized all the same. */
function otherEnd(long: MadeChain): SentBlock {
  const { header, transactions } = decodeBlock(
    long.chain.getBlock(long.height) ?? new Uint8Array(0),
  )
  const block = { header: { ...header, stateRoot: new Uint8Array(32) }, transactions }
  const encoded = encodeBlock(block)
  const { epoch, view, parentView, height } = header
  const subject = { epoch, view, parentView, height, digest: toHex(decodeBlock(encoded).digest) }
  const certificate = certificateOf(long.digest, 'finalize', subject)
  return { block: encoded, finalization: encodeCertificate(certificate) }
}

test.run()
