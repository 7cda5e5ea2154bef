// What a node has of the vault, put together: the holder that answers the others, and the way to ask them.

import type { Network } from '@mooring/network'
import type { VaultRequest } from '@mooring/records'
import type { AccessNotes } from './access-notes.ts'
import type { Agreement } from './agreement.ts'
import { systemClock } from './clock.ts'
import { type CreatedHolder, createHolder } from './create-holder.ts'
import { createFinalRoots, type FinalRoots } from './final-roots.ts'
import { FreeSpace } from './free-space.ts'
import { GrantReader } from './grant-reader.ts'
import type { HeldAccesses } from './held-accesses.ts'
import type { VaultHandlers } from './holder.ts'
import { answerVaultRequest } from './holder-wire.ts'
import type { DamagedShard, KeptShards } from './kept-shards.ts'
import type { NodeOptions } from './load-options.ts'
import type { Logger, RootLogger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { NodeError } from './node-error.ts'
import type { Stores } from './stores.ts'
import { createVaultPeers, type VaultPeers } from './vault-peers.ts'

export interface VaultPartsModules {
  options: NodeOptions
  logger: RootLogger
  metrics: Metrics
  stores: Stores
  agreement: Agreement
  network: Network
  notes: AccessNotes
  accesses: HeldAccesses
  /** Null until the parts behind them are there. */
  handlers: () => VaultHandlers | null
}

export interface VaultParts {
  readonly peers: VaultPeers
  readonly shards: KeptShards
  readonly deposits: CreatedHolder['deposits']
  readonly roots: FinalRoots
  readonly grants: GrantReader
  /** The bytes of an answer to the bytes of a request. */
  onRequest(peerId: string, payload: Uint8Array): Promise<Uint8Array>
  close(): Promise<void>
}

const REPORT_TIMEOUT_MS = 5_000
const TIDY_AFTER_MS = 10 * 60_000

export function createVaultParts(modules: VaultPartsModules): VaultParts {
  const { options, logger, metrics, stores, agreement, network, handlers } = modules
  const { notes, accesses } = modules
  const grants = new GrantReader()
  const self = options.name
  const ownLogger = logger.module('holder')
  const { members } = agreement
  const roots = createFinalRoots(stores.chain, options.genesisDigest)
  const created = createHolder(
    {
      self,
      anchorKey: options.keys.anchor,
      genesisDigest: options.genesisDigest,
      ...options.vault,
    },
    {
      clock: systemClock,
      logger: ownLogger,
      store: stores.shards,
      leaves: stores.leaves,
      roots,
      tombstones: agreement.facts,
      blobs: stores.blobs,
      space: new FreeSpace(options.storage.dir, systemClock),
      notes,
      accesses,
      members,
      chain: stores.chain,
      facts: agreement.facts,
      grants,
      isConnected: (organisation) => peers.isConnected(organisation),
      handlers,
      onDamage: (damaged) => {
        metrics.dbIntegrityErrors.inc()
        tell(damaged).catch((error: unknown) => {
          ownLogger.debug('a custodian was not told of a damaged shard', { error })
        })
      },
      observe: (kind, outcome, seconds) => {
        metrics.holderRequests.inc({ kind, outcome })
        metrics.holderRequest.observe({ kind }, seconds)
      },
    },
  )
  const { holder, shards } = created
  const answer = (sender: string, request: VaultRequest) => holder.answer(sender, request)
  const peers = createVaultPeers(self, { network, members, answer })
  const tell = async ({ setId, index, custodian }: DamagedShard): Promise<void> => {
    const body = { shard: { setId, index }, holder: self, code: 'shard_damaged' }
    if (custodian === self) await handlers()?.reported(self, body)
    else await peers.request(custodian, { kind: 'report', body }, { timeoutMs: REPORT_TIMEOUT_MS })
  }
  metrics.beforeScrape(() => fillHolder(metrics, shards))
  const stopTidying = tidyBlobs(shards, ownLogger)
  const answering = new Set<Promise<Uint8Array>>()
  let isClosed = false
  return {
    peers,
    shards,
    deposits: created.deposits,
    roots,
    grants,
    onRequest: (peerId, payload) => {
      if (isClosed) return Promise.reject(new NodeError('not_ready'))
      const answered = answerVaultRequest(peerId, payload, { members, notes, answer })
      answering.add(answered)
      return answered.finally(() => answering.delete(answered))
    },
    /** What was begun is finished: the stores behind it close next. */
    async close() {
      isClosed = true
      await stopTidying()
      await Promise.allSettled(answering)
      await created.close()
    },
  }
}

/**
 * What a crash has left without a shard goes some minutes after the start: by then, what looked like it
 * because it was on its way has arrived.
 */
function tidyBlobs(shards: KeptShards, logger: Logger): () => Promise<void> {
  let isClosed = false
  let running: Promise<void> = Promise.resolve()
  const run = (work: () => Promise<void>): void => {
    running = work().catch((error: unknown) => {
      logger.warn('blobs were not tidied', { error })
    })
  }
  let cancel: (() => void) | null = null
  run(async () => {
    const orphans = await shards.orphans()
    if (orphans.length === 0 || isClosed) return
    cancel = systemClock.after(TIDY_AFTER_MS, () =>
      run(async () => {
        const removed = await shards.removeOrphans(orphans)
        logger.info('blobs that belong to no shard were removed', { blobs: removed })
      }),
    )
  })
  return async () => {
    isClosed = true
    cancel?.()
    await running
  }
}

function fillHolder(metrics: Metrics, kept: KeptShards): void {
  const { shards, bytes, damaged } = kept.usage()
  metrics.shardsHeld.set(shards)
  metrics.holderBytes.set(bytes)
  metrics.holderDamagedShards.set(damaged)
}
