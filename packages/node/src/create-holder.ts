// The holder's parts, put together: shards on the disk, deposits, uploads, access.

import type { KeyPair } from '@mooring/crypto'
import { blockDigest, decodeHeader } from '@mooring/ledger'
import type { VaultRequest } from '@mooring/records'
import type { BlobStore, ChainStore, LeafStore, ShardStore } from '@mooring/storage'
import type { AccessNotes } from './access-notes.ts'
import type { Clock } from './clock.ts'
import type { FinalRoots } from './final-roots.ts'
import type { FreeSpace } from './free-space.ts'
import type { HeldAccesses } from './held-accesses.ts'
import { Holder, type HolderOutcome, type VaultHandlers } from './holder.ts'
import { HolderAccess } from './holder-access.ts'
import type { GrantReader } from './grant-reader.ts'
import type { StandingFacts } from './grant-standings.ts'
import { HolderBatches } from './holder-batches.ts'
import type { FinalFacts } from './final-facts.ts'
import { HolderDeposits } from './holder-deposits.ts'
import { HolderErasure } from './holder-erasure.ts'
import { HolderUploads } from './holder-uploads.ts'
import { type DamagedShard, KeptShards } from './kept-shards.ts'
import type { Logger } from './logger.ts'
import type { Members } from './members.ts'

export interface HolderOptions {
  readonly self: string
  readonly anchorKey: KeyPair
  readonly genesisDigest: Uint8Array
  /** Bytes for one custodian; null: as many as there is room. */
  readonly quotaBytes: number | null
  /** Bytes of the disk that deposits leave free. */
  readonly reserveBytes: number
}

export interface CreateHolderModules {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: ShardStore
  readonly leaves: LeafStore
  readonly blobs: BlobStore
  readonly space: FreeSpace
  readonly notes: AccessNotes
  readonly accesses: HeldAccesses
  readonly members: Pick<Members, 'organisations'>
  readonly chain: Pick<ChainStore, 'tip' | 'getHeader'>
  /** What was erased, as far as it is final here. */
  readonly tombstones: Pick<FinalFacts, 'tombstone' | 'height'>
  readonly facts: StandingFacts
  readonly grants: GrantReader
  /** The batches that the chain has. */
  readonly roots: FinalRoots
  readonly isConnected: (organisation: string) => boolean
  readonly handlers: () => VaultHandlers | null
  /** Found on the disk: what was kept is not what was deposited. */
  readonly onDamage: (damaged: DamagedShard) => void
  readonly observe: (kind: VaultRequest['kind'], outcome: HolderOutcome, seconds: number) => void
}

export interface CreatedHolder {
  readonly holder: Holder
  readonly shards: KeptShards
  readonly deposits: Pick<HolderDeposits, 'refuseRoom'>
  readonly batches: HolderBatches
  close(): Promise<void>
}

export function createHolder(options: HolderOptions, modules: CreateHolderModules): CreatedHolder {
  const { self, anchorKey } = options
  const { clock, logger, store, blobs, space, notes, members, chain, facts, grants } = modules
  const { isConnected, handlers, observe, onDamage, leaves, roots } = modules
  const organisationOf = (id: string) => members.organisations.find((one) => one.id === id)
  const groupOf = (id: string) => organisationOf(id)?.legalGroup
  const shards = new KeptShards({
    store,
    blobs,
    onDamage: (damaged) => {
      logger.warn('a shard is damaged and must be made again', { custodian: damaged.custodian })
      onDamage(damaged)
    },
  })
  const uploads = new HolderUploads(blobs, clock)
  const deposits = new HolderDeposits(options, { shards, uploads, space, groupOf })
  const batches = new HolderBatches({
    store: leaves,
    roots,
    refuseRoom: (custodian, bytes) => deposits.refuseRoom(custodian, bytes),
  })
  const access = new HolderAccess({
    self,
    anchorKey,
    clock,
    shards,
    notes,
    memberOf: (id) => {
      const member = organisationOf(id)
      return member && { anchorKey: member.keys.anchor, legalGroup: member.legalGroup }
    },
    facts,
    grants,
    tip: () => chain.tip.height,
    blockDigestAt: (height) => {
      const header = chain.getHeader(height)
      return header && blockDigest(decodeHeader(header))
    },
  })
  const erasure = new HolderErasure(options, {
    shards,
    facts: modules.tombstones,
    logger,
    forget: async (setId) => await handlers()?.erased(setId),
  })
  const holder = new Holder({
    clock,
    logger,
    shards,
    deposits,
    batches,
    access,
    erasure,
    accesses: modules.accesses,
    handlers,
    self,
    groupOf,
    isConnected,
    observe,
  })
  return { holder, shards, deposits, batches, close: () => uploads.close() }
}
