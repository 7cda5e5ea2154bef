// One running member, put together in start order and closed in reverse: log, stores, network,
// agreement, custodian, serving. Nothing else in the project knows all the parts.

import type { BundleQuery, Reloaded } from '@mooring/api'
import type { Network, startNetwork } from '@mooring/network'
import type { AccessLog } from './access-log.ts'
import { Agreement } from './agreement.ts'
import { AuthoritySets } from './authority-sets.ts'
import { followCandidates } from './candidates.ts'
import { systemClock } from './clock.ts'
import { ClockOffsets } from './clock-offsets.ts'
import type { Custodian } from './custodian.ts'
import { drain, type DrainModules } from './drain.ts'
import { type DataCare, openDataCare } from './data-care.ts'
import { EventFeed } from './event-feed.ts'
import { Gate } from './gate.ts'
import { describeHalt } from './halt-text.ts'
import { createHeldAccesses } from './held-accesses.ts'
import type { VaultHandlers } from './holder.ts'
import { openTimelines } from './open-timelines.ts'
import type { NodeOptions } from './load-options.ts'
import type { Ground } from './ground.ts'
import { noParts } from './late-parts.ts'
import { collectAll, collectWhenQuiet, eventLoopShare } from './idle-memory.ts'
import { openLog } from './open-log.ts'
import { machineName } from './machine.ts'
import { measuresOf } from './measures.ts'
import { createMetrics } from './metrics.ts'
import { measuredJournal } from './metrics-fill.ts'
import { HaltError } from './node-error.ts'
import type { NodeParts } from './node-parts.ts'
import type { Offences } from './offences.ts'
import { createOffences, openNetwork } from './open-network.ts'
import { openAccessLog, openCustodian, openProofs, openRelay } from './open-custodian.ts'
import { openPatients } from './open-patients.ts'
import { openEmergencies } from './open-emergencies.ts'
import { type ErasureGround, openErasures } from './open-erasures.ts'
import { openTracing } from './open-tracing.ts'
import { openVaultKeeper } from './open-vault.ts'
import { type NextTransport, ownOptions, startStanding } from './standing.ts'
import { roleOf } from './status.ts'
import { Pruning } from './pruning.ts'
import { SignerConnection } from './remote-signer.ts'
import { checkAtStart, tellOfMigration } from './start-check.ts'
import { startServing } from './serving.ts'
import { startFromSnapshot } from './snapshot-start.ts'
import { DoorSignatures } from './door-signatures.ts'
import { SignatureThreads } from './signature-threads.ts'
import { Snapshots } from './snapshots.ts'
import { measureDatabases } from './storage-metrics.ts'
import { openStores } from './stores.ts'
import { createVaultParts, type VaultParts } from './vault-parts.ts'
import { readVersion } from './version.ts'
import { VoteLog } from './vote-log.ts'

export interface RunningNode {
  height(): number
  /** As the chain has it. */
  role(): 'authority' | 'observer'
  api: string
  /** Certificates, tokens, who may connect and the log level are read again. */
  reload(): Promise<Reloaded[]>
  /**
   * Resolves with the reason when the node stopped by itself; never when it was closed. A NodeRestart
   * asks for nothing but to be started again.
   */
  failed: Promise<unknown>
  /** The last lines of its log, as JSON, oldest first. */
  recentLog(): string[]
  /** What somebody who helps from afar needs to see, as an archive in pieces. */
  bundle(query: BundleQuery): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

export interface StartHow {
  /** Put the guard aside, and observe before the first vote. */
  rejoin?: boolean
  /** Be known by the next transport key, which the chain here does not name yet. */
  transport?: NextTransport
  /** For a rehearsal of misbehaviour, which speaks in the place of the node. */
  network?: typeof startNetwork
}

/** @throws an error whose code is in the catalogue; then nothing is left open. */
export async function startNode(options: NodeOptions, how: StartHow = {}): Promise<RunningNode> {
  const closers: (() => Promise<void> | void)[] = []
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => (closed ??= closeAll(closers.toReversed()))
  try {
    return { ...(await assemble(options, how, closers)), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Everything is closed, also behind something that cannot be; the first failure is told. */
async function closeAll(closers: readonly (() => Promise<void> | void)[]): Promise<void> {
  const failures: unknown[] = []
  for (const closeOne of closers) {
    try {
      await closeOne()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

async function assemble(
  given: NodeOptions,
  { rejoin = false, transport, network: start }: StartHow,
  closers: (() => Promise<void> | void)[],
): Promise<Omit<RunningNode, 'close'>> {
  const failure = Promise.withResolvers<unknown>()
  const keep = <T extends { close(): Promise<void> | void }>(part: T): T => {
    closers.push(() => part.close())
    return part
  }
  const logger = keep(openLog(given))
  const metrics = keep(createMetrics())
  const tracing = keep(await openTracing(given.tracing, { ...given, version: readVersion() }))
  await startFromSnapshot(given, logger)
  const { dir: dataDir, guardDir } = given.storage
  const { marksPath } = given.consensus
  const guard = { guardDir, marksPath, machine: machineName(), rejoin }
  const stores = keep(await openStores({ ...given, ...guard, dataDir }))
  measureDatabases(stores.databases, metrics)
  tellOfMigration(stores, logger.module('storage'))
  await checkAtStart(given, stores, logger.module('storage'))
  const options = await ownOptions(given, { stores, logger, transport })
  const late = noParts(failure.resolve)
  const ground: Ground = { options, logger, metrics, tracing, stores, late }

  const snapshots = keep(openSnapshots(ground))
  late.snapshots = snapshots
  const peering = await openNetwork(ground, start)
  const { book, network } = peering
  closers.push(() => book.close())
  keep(network)
  const gate = keep(await Gate.open(options, { clock: systemClock, logger, book, metrics }))
  const offences = createOffences(ground, network)
  const clocks = keep(
    new ClockOffsets({
      clock: systemClock,
      isMember: (peerId) => late.agreement?.members.hasPeer(peerId) ?? false,
      peers: () => network.peers(),
      request: (...asked) => network.request(...asked),
    }),
  )
  late.offences = offences
  closers.push(() => offences.idle())
  late.signer = openRemoteSigner(ground)
  closers.push(() => late.signer?.close())
  const votes = new VoteLog(systemClock, () => late.agreement?.driver.state ?? null)
  const agreement = keep(await startAgreement(ground, network, votes))
  late.agreement = agreement
  closers.push(agreement.committer.subscribe((block) => tracing.final(block)))
  closers.push(
    followCandidates(agreement.committer, {
      finalState: () => agreement.execution.finalState(),
      changed: () => network.refresh(),
    }),
  )
  const accesses = keep(await openAccessLog(ground, agreement))
  const vault = keep(openVault(ground, network, agreement, accesses))
  late.vault = vault
  const feed = keep(new EventFeed({ chain: stores.chain, committer: agreement.committer }))
  late.feed = feed
  const { peers } = vault
  const custodian = keep(await openCustodian(ground, { agreement, feed, peers }))
  late.custodian = custodian
  const proofs = openProofs(options, stores, { custodian, accesses })
  const isRestricted = (id: Uint8Array): boolean => late.erasures?.isRestricted(id) ?? false
  const asked = { proofs, isRestricted }
  const opened = keep(
    await openVaultKeeper(ground, { agreement, custodian, vault, notes: accesses, ...asked }),
  )
  const relay = openRelay(options, stores, agreement)
  const reader = () => opened.keeper.reader
  const emergencies = keep(
    await openEmergencies(ground, { agreement, custodian, vault, relay, accesses, reader }),
  )
  late.vaultHandlers = {
    ...opened.keeper.handlers,
    emergency: (sender, message) => emergencies.answer(sender, message),
  }
  late.keeper = opened.keeper
  late.vaultFinding = () => opened.finding()
  late.emergencyFinding = () => emergencies.finding()
  await custodian.start()
  await accesses.start()
  const patients = keep(await openPatients(ground, { agreement, custodian, relay }))
  await patients.start()
  await emergencies.start()
  const forgetSummaries: ErasureGround['forgetSummaries'] = (keys) =>
    emergencies.offline.forget(keys)
  const erasing = keep(
    await openErasures(ground, { agreement, custodian, peers, relay, forgetSummaries }),
  )
  late.erasures = erasing.erasures
  const timelines = await openTimelines(ground, { agreement, custodian, vault, opened })
  const pruning = keep(openPruning(ground, [custodian, accesses]))
  const data = keep(await openDataCare(ground))
  const parts = partsOf(ground, {
    agreement,
    network,
    vault,
    custodian,
    offences,
    pruning,
    clocks,
    data,
  })
  opened.start()
  const answering = {
    peering,
    data,
    gate,
    custodian,
    patients,
    vault: opened.answers,
    accesses,
    proofs,
    feed,
    relay,
    emergencies,
    erasing,
    snapshots,
    pruning,
    timelines,
  }
  const modules = { options, metrics, tracing, votes, ...answering }
  const serving = await startServing(parts, {
    ...modules,
    rootLogger: logger,
    logger: logger.module('api'),
  })
  late.serving = serving
  closers.push(() => drainNode(ground, { serving, agreement, network }))
  const { signer, fail } = late
  const standing = keep(startStanding(options, { agreement, network, logger, signer, fail }))
  late.watch = standing.watch
  // An epoch may have begun while the node was being put together; from here on the watch is told.
  await standing.watch.onEpoch()
  const busyShare = eventLoopShare()
  keep(collectWhenQuiet({ clock: systemClock, busyShare, collect: collectAll }))
  return {
    height: () => stores.chain.tip.height,
    role: () => roleOf(agreement.driver.state),
    api: serving.url,
    reload: () => gate.reloading.run(),
    failed: failure.promise,
    recentLog: () => logger.recent(),
    bundle: (query) => serving.bundle(query),
  }
}

function drainNode(
  { options, logger, late }: Ground,
  parts: Pick<DrainModules, 'serving' | 'agreement' | 'network'>,
): Promise<void> {
  const announce = (): void => {
    late.isDraining = true
  }
  const { graceMs } = options.shutdown
  return drain({ ...parts, clock: systemClock, logger, graceMs, announce })
}

function startAgreement(
  { options, logger, metrics, tracing, stores, late }: Ground,
  network: Network,
  votes: VoteLog,
): Promise<Agreement> {
  const { genesisDigest, mempool, keys } = options
  return Agreement.start(
    { genesisDigest, consensusKey: keys.consensus, mempool },
    {
      clock: systemClock,
      logger: logger.module('agreement'),
      chain: stores.chain,
      journal: measuredJournal(stores.journal, metrics, systemClock),
      remembered: stores.remembered,
      amnesia: stores.amnesia,
      pending: stores.pending,
      network,
      ...(late.signer && { signer: late.signer }),
      measures: measuresOf(metrics),
      waiting: (transaction) => tracing.waiting(transaction),
      ...(late.snapshots && { snapshots: late.snapshots }),
      signatures: new SignatureThreads(genesisDigest),
      doorSignatures: new DoorSignatures(genesisDigest, systemClock),
      onEvidence: (evidence) => late.offences?.take(evidence),
      onOffered: (peerId, evidence) => late.offences?.offered(peerId, evidence),
      onHalt: (reason) => {
        late.halted = reason
        const error = new HaltError(reason, describeHalt(reason))
        logger.error('voting has stopped', { code: reason.code, detail: error.message })
        if (options.shutdown.onFatal === 'exit') late.fail(error)
      },
      onVoted: (vote) => votes.note(vote),
      onDurable: (blocks) => late.serving?.noteDurable(blocks),
      onEpoch: (changes) => {
        for (const change of changes) late.feed?.tellMember(change)
        late.watch?.onEpoch().catch(late.fail)
      },
      onFatal: late.fail,
    },
  )
}

function openVault(
  { options, logger, metrics, stores, late }: Ground,
  network: Network,
  agreement: Agreement,
  notes: AccessLog,
): VaultParts {
  const handlers = (): VaultHandlers | null => late.vaultHandlers
  const parts = { options, logger, metrics, stores, network, agreement }
  return createVaultParts({ ...parts, notes, accesses: createHeldAccesses(notes), handlers })
}

/** Null where the node has its consensus key itself. */
function openRemoteSigner({ options, logger, metrics }: Ground): SignerConnection | null {
  const { signer: address, genesisDigest } = options
  if (address === null) return null
  return new SignerConnection(
    { address, genesisDigest },
    {
      clock: systemClock,
      logger: logger.module('signer'),
      onRefused: (reason) => metrics.guardRefusals.inc({ reason }),
    },
  )
}

function openSnapshots({ options, logger, stores, late }: Ground): Snapshots {
  const { genesis, genesisDigest, snapshotsDir } = options
  return new Snapshots(
    { folder: snapshotsDir, genesis, genesisDigest },
    {
      chain: stores.chain,
      clock: systemClock,
      logger: logger.module('snapshots'),
      isBehind: (height, interval) => {
        const target = late.agreement?.sync.targetHeight ?? 0
        return Math.max(target, late.agreement?.bestKnownHeight() ?? 0) > height + interval
      },
    },
  )
}

function openPruning(
  { options, logger, stores }: Ground,
  searching: readonly { needsBlocks(): boolean }[],
): Pruning {
  const { home, snapshotsDir, storage, genesis } = options
  return new Pruning(
    { home, snapshotsFolder: snapshotsDir, retention: storage.retention, genesis },
    {
      chain: stores.chain,
      now: () => systemClock.wall(),
      needsBlocks: () => searching.some((each) => each.needsBlocks()),
      clock: systemClock,
      logger: logger.module('pruning'),
    },
  )
}

function partsOf(
  { options, stores, late }: Ground,
  {
    agreement,
    network,
    vault,
    custodian,
    offences,
    pruning,
    clocks,
    data,
  }: {
    agreement: Agreement
    network: Network
    vault: VaultParts
    custodian: Custodian
    offences: Offences
    pruning: Pruning
    clocks: ClockOffsets
    data: DataCare
  },
): NodeParts {
  return {
    options,
    version: readVersion(),
    startedAt: Date.now(),
    clock: systemClock,
    members: agreement.members,
    sets: new AuthoritySets(options.genesis, stores.chain),
    driver: () => agreement.driver.state,
    execution: agreement.execution,
    mempool: agreement.mempool,
    committer: agreement.committer,
    chain: stores.chain,
    network,
    clocks,
    bestKnownHeight: () => agreement.bestKnownHeight(),
    heightOfPeer: (peerId) => agreement.heightOfPeer(peerId),
    sync: agreement.sync,
    keeping: pruning,
    holder: () => vault.shards.usage(),
    records: custodian,
    halted: () => late.halted,
    offences,
    observing: () => stores.amnesia.observing(agreement.driver.state),
    membership: () => late.watch?.finding() ?? null,
    shards: () => late.keeper?.finding() ?? null,
    vault: () => late.vaultFinding(),
    emergencies: () => late.emergencyFinding(),
    data: () => [...data.findings(), custodian.placing.finding()].filter((each) => each !== null),
    signer: () => late.signer?.finding() ?? null,
    isDraining: () => late.isDraining,
  }
}
