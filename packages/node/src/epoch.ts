// The part of agreement that lives as long as one epoch: the positions and keys of its authorities, and
// the driver that votes with them.
//
// It begins when the block that ended the epoch before is durable, with that block as its view 0. What
// the journal remembers of it counts also when the chain was behind the journal at first: a node votes in
// no epoch older than its marks, for that epoch is over and nobody knows any more what it signed there.

import { equalBytes } from '@mooring/codec'
import {
  type AuthorityKeys,
  type BlockMeta,
  type ConsensusConfig,
  decodeCertificate,
  type Recovered,
} from '@mooring/consensus'
import type { ChainStore, Journal, JournalRecord } from '@mooring/storage'
import type { Amnesia } from './amnesia.ts'
import { Driver, type DriverModules } from './driver.ts'
import type { Execution } from './execution.ts'
import { marksOf, remember } from './journalling.ts'
import type { ConsensusKey } from './load-options.ts'
import type { RemoteSigner } from './remote-signer.ts'
import { voterOf } from './voter.ts'

const SKIP_MS = 4_000
const STATUS_MS = 3_000

export interface EpochOptions {
  genesisDigest: Uint8Array
  /** Signs votes where the set names it; null for one that must never vote. */
  consensusKey: ConsensusKey | null
}

export interface EpochModules extends Omit<DriverModules, 'authorities' | 'voter' | 'journal'> {
  /** Holds the keys that have no seed here. */
  signer?: Pick<RemoteSigner, 'vote'>
  chain: Pick<ChainStore, 'tip' | 'epochs' | 'getFinalization'>
  journal: Pick<Journal, 'append' | 'advance' | 'sync' | 'marks'>
  amnesia: Pick<Amnesia, 'rejoinIn'>
  /** What the journal held at the start, of whatever epoch. */
  remembered: readonly JournalRecord[]
}

export interface Epoch {
  readonly number: number
  readonly keys: AuthorityKeys
  readonly driver: Driver
}

/** The epoch of the tip of the chain, from where the journal left it. */
export function beginEpoch(options: EpochOptions, modules: EpochModules): Epoch {
  const { execution, journal } = modules
  const { consensusKey } = options
  const number = execution.epoch
  const keys = { chain: options.genesisDigest, keys: execution.authorities.keys }
  const me = journal.marks.epoch > number ? null : positionOf(consensusKey, keys)
  const driver = new Driver(configOf(execution, me), recoveredOf(modules, me), {
    ...modules,
    authorities: keys,
    voter: voterOf(options, modules.signer),
  })
  return { number, keys, driver }
}

function configOf({ epoch, authorities, parameters }: Execution, me: number | null) {
  const { deltaMs, minBlockIntervalMs, precisionMs } = parameters
  const config: ConsensusConfig = {
    epoch,
    authorities: authorities.keys.length,
    me,
    deltaMs,
    skipMs: Math.max(SKIP_MS, 7 * deltaMs),
    statusMs: STATUS_MS,
    minBlockIntervalMs,
    precisionMs,
  }
  return config
}

function recoveredOf(
  { execution, chain, journal, amnesia, remembered }: EpochModules,
  me: number | null,
): Recovered {
  const { epoch, meta } = execution.tip
  const { votes, certificates, blocks } = remember(remembered, epoch)
  return {
    committed: meta,
    finalization: finalizationIn(epoch, chain),
    certificates,
    votes,
    blocks: holdOpen(execution, blocks, meta),
    marks: marksOf(journal.marks, epoch),
    rejoin: me === null ? null : amnesia.rejoinIn(epoch),
  }
}

/** Of the tip; none when the tip is genesis, or ended the epoch before. */
function finalizationIn(epoch: number, chain: EpochModules['chain']): Recovered['finalization'] {
  const encoded = chain.getFinalization(chain.tip.height)
  const finalization = encoded === undefined ? null : decodeCertificate(encoded)
  return finalization?.subject.epoch === epoch ? finalization : null
}

function holdOpen(
  execution: Execution,
  blocks: readonly Uint8Array[],
  tip: BlockMeta,
): BlockMeta[] {
  return blocks
    .map((encoded) => execution.hold(encoded))
    .filter(({ height }) => height > tip.height)
}

function positionOf(key: ConsensusKey | null, { keys }: AuthorityKeys): number | null {
  if (key === null) return null
  const index = keys.findIndex((known) => equalBytes(known, key.publicKey))
  return index < 0 ? null : index
}
