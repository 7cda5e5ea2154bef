// A long chain made by hand for the members of a devnet, and its snapshot: every transaction and certificate is
// signed, every block executed, nobody agreed on anything.

import { join } from 'node:path'
import { type BlockMeta, type Certificate, quorumOf, voteMessage } from '@mooring/consensus'
import { bitmapOf, domainHash, keyPairFromSeed, sign } from '@mooring/crypto'
import { createTransaction, decodeTransaction, genesisState } from '@mooring/ledger'
import {
  ChainStore,
  exportSnapshot,
  openDatabase,
  SnapshotFile,
  snapshotPath,
} from '@mooring/storage'
import { Committer } from '../src/committer.ts'
import { Execution } from '../src/execution.ts'
import type { NodeOptions } from '../src/index.ts'
import { windowMsOf } from '../src/snapshot-check.ts'
import { readHeader } from '../src/stores.ts'
import { tipOf } from '../test/made-chain.ts'

export interface LongChain {
  readonly chain: ChainStore
  readonly execution: Execution
  readonly snapshots: string
  readonly snapshotBytes: number
  close(): Promise<void>
}

export interface LongChainSize {
  readonly blocks: number
  /** Of chain time, between two blocks. */
  readonly blockMs: number
  readonly perBlock: number
  /** Blocks above the snapshot. */
  readonly above: number
}

const COMMITTED_AT_ONCE = 8

export async function growLongChain(
  folder: string,
  members: readonly NodeOptions[],
  size: LongChainSize,
): Promise<LongChain> {
  const [first = refuse()] = members
  const { genesis, genesisDigest } = first
  const database = await openDatabase(join(folder, 'chain'), { name: 'chain' })
  const state = genesisState(genesis).values()
  const chain = await ChainStore.open(database, {
    genesis: { digest: genesisDigest, time: genesis.time, state },
    decodeHeader: readHeader,
  })
  const execution = new Execution(tipOf(chain), {
    genesisDigest,
    isVerified: () => true,
    isIncluded: () => false,
  })
  const committer = new Committer({
    chain,
    execution,
    onDurable: () => Promise.resolve(),
    onFatal: (error) => {
      throw error
    },
  })
  const snapshots = join(folder, 'snapshots')
  for (let height = 1; height <= size.blocks + size.above; height += 1) {
    const now = genesis.time + height * size.blockMs
    const { meta, rejected } = execution.build(execution.tip.meta, {
      view: execution.tip.meta.view + 1,
      now,
      candidates: anchors(members, height, { ...size, now }),
      mayBeEmpty: true,
    })
    const [refused] = rejected
    if (meta === null || refused !== undefined)
      throw new Error(`the block was not built: ${JSON.stringify(refused?.reason)}`)
    committer.commit(execution.seal([meta.digest]), certificateOf(members, meta))
    if (height % COMMITTED_AT_ONCE === 0 || height === size.blocks) await committer.idle()
    if (height === size.blocks) await takeSnapshot(chain, snapshots, first)
  }
  await committer.idle()
  const file = await SnapshotFile.open(snapshotPath(snapshots, size.blocks))
  await file.close()
  return { chain, execution, snapshots, snapshotBytes: file.bytes, close: () => database.close() }
}

async function takeSnapshot(
  chain: ChainStore,
  folder: string,
  { genesis, genesisDigest }: NodeOptions,
): Promise<void> {
  const pinned = await chain.pin()
  await exportSnapshot(pinned, {
    folder,
    genesisDigest,
    windowMs: windowMsOf(pinned.state(), genesis),
    laterFinality: () => Promise.reject(new Error('the last block has its own')),
  })
  await pinned.close()
}

function anchors(
  members: readonly NodeOptions[],
  height: number,
  { perBlock, now, blockMs }: { perBlock: number; now: number; blockMs: number },
) {
  const each = Math.ceil(perBlock / members.length)
  return members.flatMap(({ name: organisation, genesisDigest, keys }) =>
    Array.from({ length: each }, (_, index) => {
      const sequence = (height - 1) * each + index + 1
      const bytes = createTransaction({
        genesisDigest,
        keyPair: keys.anchor,
        kind: 'record.anchor',
        expiresAt: now + blockMs,
        body: {
          organisation,
          sequence,
          batchRoot: domainHash('batch', new TextEncoder().encode(`${organisation} ${sequence}`)),
          sizeBucket: 64,
        },
      })
      return decodeTransaction(bytes, genesisDigest)
    }),
  )
}

function certificateOf(members: readonly NodeOptions[], meta: BlockMeta): Certificate {
  const { view, parentView, height, digest } = meta
  const subject = { epoch: 0, view, parentView, height, digest }
  const signers = [...members.keys()].slice(0, quorumOf(members.length))
  const signatures = signers.map((index) => {
    const { genesisDigest, keys } = members[index] ?? refuse()
    const { seed } = keys.consensus
    if (seed === null) throw new Error('the key is elsewhere')
    return sign(keyPairFromSeed(seed), voteMessage(genesisDigest, 'finalize', subject))
  })
  return { kind: 'finalize', subject, bitmap: bitmapOf(signers, members.length), signatures }
}

function refuse(): never {
  throw new RangeError('there is no such member')
}
