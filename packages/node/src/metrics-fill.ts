// Fills the metrics from the parts of a node: with each final block, with each of our votes, and, for
// what is cheaper to read than to follow, right before a scrape.

import type { ApiStats, ObservedRequest } from '@mooring/api'
import { quorumOf } from '@mooring/consensus'
import { openChanges, PROTOCOL_VERSION } from '@mooring/ledger'
import { type Journal, StorageError, type StorageErrorCode } from '@mooring/storage'
import type { Clock } from './clock.ts'
import type { CommittedBlock } from './committer.ts'
import { ConsensusTally } from './consensus-tally.ts'
import type { DiskUsage } from './disk-usage.ts'
import type { Health } from './health.ts'
import type { Metrics } from './metrics.ts'
import { fillNetwork, fillPeers, Totals } from './metrics-fill-network.ts'
import type { Offence } from './offences.ts'
import type { NodeParts } from './node-parts.ts'
import { liveCount, presenceOf } from './presence.ts'
import { roleOf } from './status.ts'
import { readCommit } from './version.ts'
import type { VoteEntry, VoteLog } from './vote-log.ts'

export interface FillModules {
  metrics: Metrics
  health: Pick<Health, 'ready' | 'alarms' | 'waitingMs'>
  votes: VoteLog
  disk: Pick<DiskUsage, 'current'>
  /** Null while the API does not listen. */
  api: () => ApiStats | null
}

export interface MetricsFill {
  observeRequest(request: ObservedRequest): void
  noteRefused(code: string): void
  noteOffence(offence: Pick<Offence, 'authority'>): void
  close(): void
}

export function fillMetrics(parts: NodeParts, modules: FillModules): MetricsFill {
  const { metrics, votes } = modules
  const { driver, members, committer, chain } = parts
  const tally = new ConsensusTally(driver(), {
    view: (result) => metrics.consensusViews.inc({ result }),
    proposal: (index, result) =>
      metrics.consensusProposals.inc({ authority: members.nameOfIndex(index), result }),
    vote: (index, vote, result) =>
      metrics.consensusVotes.inc({ authority: members.nameOfIndex(index), vote, result }),
  })
  const blocks = new BlockMetrics(metrics, votes, chain.tip)
  const counters = new Totals()
  fillConstants(metrics, parts)
  const ends = [
    committer.subscribe((block) => {
      blocks.note(block)
      tally.follow(driver())
    }),
    votes.subscribe((entry) => noteVote(metrics, entry)),
  ]
  metrics.beforeScrape(() => {
    tally.follow(driver())
    fillConsensus(parts, modules, tally)
    fillHealth(modules)
    fillChain(parts, modules)
    fillPeers(parts, metrics)
    fillNetwork(parts.network.stats(), metrics, counters)
    fillChanges(parts, metrics)
    fillApi(modules, counters)
  })
  return {
    observeRequest: ({ route, method, status, seconds }) => {
      metrics.httpRequests.inc({ route, method, status: String(status) })
      metrics.httpRequest.observe({ route }, seconds)
    },
    noteRefused: (code) => metrics.mempoolRejected.inc({ reason: refusalOf(code) }),
    noteOffence: ({ authority }) => metrics.consensusEquivocations.inc({ authority }),
    close: () => {
      for (const end of ends) end()
    },
  }
}

type GuardJournal = Pick<Journal, 'append' | 'advance' | 'sync' | 'prune' | 'marks'>

/** The same journal, with its syncs timed and its refusals counted. */
export function measuredJournal(
  journal: GuardJournal,
  metrics: Pick<Metrics, 'guardFsync' | 'guardRefusals'>,
  clock: Clock,
): GuardJournal {
  const counted = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      if (error instanceof StorageError) metrics.guardRefusals.inc({ reason: error.code })
      throw error
    }
  }
  return {
    get marks() {
      return journal.marks
    },
    append: (records) => counted(() => journal.append(records)),
    advance: (marks) => counted(() => journal.advance(marks)),
    prune: (epoch, belowView) => journal.prune(epoch, belowView),
    sync: async () => {
      const began = clock.monotonic()
      await journal.sync()
      metrics.guardFsync.observe((clock.monotonic() - began) / 1_000)
    },
  }
}

class BlockMetrics {
  readonly #metrics: Metrics
  readonly #votes: VoteLog
  #previous: { height: number; time: number }

  constructor(metrics: Metrics, votes: VoteLog, tip: { height: number; time: number }) {
    this.#metrics = metrics
    this.#votes = votes
    this.#previous = tip
  }

  note({ height, time, header, bytes, receipts }: CommittedBlock): void {
    const metrics = this.#metrics
    // The certificate came a moment earlier; the block is durable now.
    const ageMs = this.#votes.ageOf(header.view)
    if (ageMs !== null)
      metrics.consensusQuorumDelay.observe({ certificate: 'finalization' }, ageMs / 1_000)
    // Genesis is made long before its network starts.
    if (this.#previous.height > 0)
      metrics.chainBlockInterval.observe((time - this.#previous.time) / 1_000)
    this.#previous = { height, time }
    metrics.chainBlockSize.observe(bytes)
    metrics.chainBlockTransactions.observe(receipts.length)
    for (const { kind } of receipts) metrics.transactions.inc({ kind, result: 'final' })
  }
}

const GUARD_REASONS: readonly StorageErrorCode[] = [
  'guard_regression',
  'guard_stopped',
  'guard_corrupt',
  'io',
  'full',
  'read_only',
]

function fillConstants(metrics: Metrics, { options, version, mempool }: NodeParts): void {
  const node = process.versions.node
  const commit = readCommit()
  metrics.buildInfo.set({ version, commit, node, protocol: String(PROTOCOL_VERSION) }, 1)
  metrics.networkInfo.set({ network_id: options.networkId }, 1)
  metrics.mempoolLimit.set(mempool.maxCount)
  // A counter that begins with its first event shows no increase: what alerts wait for begins at 0.
  for (const reason of GUARD_REASONS) metrics.guardRefusals.inc({ reason }, 0)
  for (const outcome of ['whole', 'lacking']) metrics.consensusCompact.inc({ outcome }, 0)
}

function noteVote(metrics: Metrics, { kind, view, reason, afterMs }: VoteEntry): void {
  metrics.guardLastSignedView.set(view)
  if (reason !== null) metrics.consensusNullify.inc({ reason })
  // We finalize in the very step in which the notarization arrives.
  if (kind === 'finalize' && afterMs !== null)
    metrics.consensusQuorumDelay.observe({ certificate: 'notarization' }, afterMs / 1_000)
}

function fillChanges({ execution }: NodeParts, metrics: Metrics): void {
  const open = openChanges(execution.finalState())
  const next = Math.min(...open.map(({ expiresAt }) => expiresAt))
  metrics.changesOpen.set(open.length)
  metrics.changesExpire.set(open.length === 0 ? 0 : next / 1_000)
}

function fillConsensus(parts: NodeParts, { metrics, health }: FillModules, tally: ConsensusTally) {
  const authorities = presenceOf(parts)
  const live = liveCount(authorities)
  const quorum = quorumOf(authorities.length)
  metrics.nodeRole.reset()
  metrics.nodeRole.set({ role: roleOf(parts.driver()) }, 1)
  metrics.consensusEpoch.set(parts.driver().config.epoch)
  metrics.consensusView.set(parts.driver().view)
  metrics.consensusWork.set(health.waitingMs() / 1_000)
  metrics.consensusAuthorities.set(authorities.length)
  metrics.consensusLive.set(live)
  metrics.consensusQuorum.set(quorum)
  metrics.consensusFaultToleranceLeft.set(live - quorum)
  metrics.consensusAuthorityLastVoteView.reset()
  for (const { name, index } of authorities) {
    metrics.consensusAuthorityLastVoteView.set({ authority: name }, tally.lastVoteView(index))
    metrics.consensusEquivocations.inc({ authority: name }, 0)
  }
}

function fillHealth({ metrics, health }: FillModules): void {
  const conditions = health.ready()
  metrics.ready.set(conditions.every(({ ok }) => ok) ? 1 : 0)
  for (const { name, ok } of conditions) metrics.readyCondition.set({ condition: name }, ok ? 1 : 0)
  metrics.alarmActive.reset()
  for (const { code, severity } of health.alarms()) metrics.alarmActive.set({ code, severity }, 1)
}

function fillChain(parts: NodeParts, { metrics, disk }: FillModules): void {
  const { execution, chain, mempool, bestKnownHeight } = parts
  const { height } = execution.tip.meta
  metrics.chainHeight.set(height)
  metrics.chainFinalHeight.set(chain.tip.height)
  metrics.chainPrunedHeight.set(chain.prunedTo)
  const { blocksPerSecond, bad } = parts.sync.progress()
  metrics.syncBlocksPerSecond.set(blocksPerSecond)
  metrics.syncActive.set(parts.sync.isActive ? 1 : 0)
  metrics.syncBlocksBehind.set(Math.max(0, bestKnownHeight() - height))
  metrics.chainHeartbeat.set(execution.parameters.heartbeatMs / 1_000)
  for (const { name, count } of bad)
    if (parts.members.list.some((member) => member.name === name))
      metrics.syncBadAnswers.set({ peer: name }, count)
  metrics.chainBestKnownHeight.set(Math.max(height, bestKnownHeight()))
  metrics.chainLastBlockTimestamp.set(chain.tip.time / 1_000)
  metrics.mempoolTransactions.set(mempool.size)
  metrics.mempoolBytes.set(mempool.bytes)
  metrics.mempoolOldest.set(mempool.oldestMs() / 1_000)
  const { bytes, freeBytes } = disk.current()
  metrics.dbFreeMin.set(parts.options.storage.minFreeBytes)
  if (bytes !== null) metrics.dbSize.set(bytes)
  if (freeBytes !== null) metrics.dbFree.set(freeBytes)
}

function fillApi({ metrics, api }: FillModules, totals: Totals): void {
  const stats = api()
  if (stats === null) return
  metrics.httpInFlight.set(stats.inFlight)
  metrics.sseClients.set(stats.streams)
  const { slow_consumer: slow, failed } = stats.streamsEnded
  for (const [reason, total] of Object.entries({ slow_consumer: slow, failed }))
    totals.add(`sse ${reason}`, total, (by) => metrics.sseDropped.inc({ reason }, by))
}

/** Few words, however many codes there are. */
function refusalOf(code: string): string {
  switch (code) {
    case 'mempool_full':
      return 'full'
    case 'quota_exceeded':
      return 'rate'
    case 'already_included':
    case 'root_seen':
      return 'duplicate'
    case 'too_large':
      return 'too_large'
    default:
      return 'invalid'
  }
}
