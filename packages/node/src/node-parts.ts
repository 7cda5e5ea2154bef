// What the answers, the health and the metrics of a node read: its parts, as far as they are looked at.

import type { ConsensusState, HaltReason } from '@mooring/consensus'
import type { UnixMs } from '@mooring/ledger'
import type { Network } from '@mooring/network'
import type { ChainStore } from '@mooring/storage'
import type { Finding } from './alarms.ts'
import type { AuthoritySets } from './authority-sets.ts'
import type { Observing } from './amnesia.ts'
import type { Clock } from './clock.ts'
import type { ClockOffsets } from './clock-offsets.ts'
import type { Committer } from './committer.ts'
import type { Execution } from './execution.ts'
import type { NodeOptions } from './load-options.ts'
import type { HolderUsage } from './kept-shards.ts'
import type { Hold } from './holds.ts'
import type { Members } from './members.ts'
import type { Mempool } from './mempool.ts'
import type { Retention } from './option-values.ts'
import type { SyncProgress } from './sync-pace.ts'
import type { Offences } from './offences.ts'

export interface NodeParts {
  options: Pick<
    NodeOptions,
    'name' | 'role' | 'profile' | 'genesis' | 'genesisDigest' | 'networkId'
  > & { storage: Pick<NodeOptions['storage'], 'minFreeBytes'> }
  version: string
  startedAt: UnixMs
  clock: Clock
  members: Members
  /** Of every epoch so far. */
  sets: AuthoritySets
  driver: () => ConsensusState
  execution: Pick<Execution, 'tip' | 'parameters' | 'authorities' | 'finalState'>
  mempool: Pick<
    Mempool,
    'size' | 'bytes' | 'oldestMs' | 'get' | 'take' | 'receivedAt' | 'submitAll' | 'maxCount'
  >
  committer: Pick<Committer, 'subscribe'>
  chain: Pick<
    ChainStore,
    | 'base'
    | 'prunedTo'
    | 'tip'
    | 'state'
    | 'getBlock'
    | 'getHeader'
    | 'getReceipts'
    | 'finalizationAtOrAfter'
    | 'getTransaction'
    | 'epochs'
  >
  network: Pick<Network, 'peerId' | 'peers' | 'stats' | 'request'>
  /** How the clocks of others differ from ours. */
  clocks: Pick<ClockOffsets, 'skewMs' | 'offsetMs'>
  /** The greatest final height that any peer has told of. */
  bestKnownHeight: () => number
  /** The final height that this peer last told of, in its hello or since. */
  heightOfPeer: (peerId: string) => number | null
  sync: { readonly isActive: boolean; progress: () => SyncProgress }
  keeping: { readonly retention: Retention; holds: () => readonly Hold[] }
  /** What is kept for custodians. */
  holder: () => HolderUsage
  records: { counts(): { accepted: number; anchored: number; pending: number } }
  halted: () => HaltReason | null
  /** Not null while this node does not vote because it may have forgotten votes. */
  observing: () => Observing | null
  /** What is unusual about this node's place in the network. */
  membership: () => Finding | null
  /** What is wrong with the shards of records that this node knows of. */
  shards: () => Finding | null
  /** What a holder was caught at. */
  vault: () => Finding | null
  /** Emergencies of ours that lack their reason. */
  emergencies: () => Finding | null
  /** What is wrong with its databases or its backups. */
  data: () => readonly Finding[]
  /** Of the signer that holds the consensus key; null also where there is none. */
  signer: () => Finding | null
  /** Evidence against authorities, newest first. */
  offences: Pick<Offences, 'list'>
  isDraining: () => boolean
}
