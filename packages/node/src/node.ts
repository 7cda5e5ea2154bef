// One running member, put together in start order and closed in reverse: log, stores, network,
// agreement, custodian, serving. Nothing else in the project knows all the parts.

import { authoritySet, organisations, PROTOCOL_VERSION } from '@mooring/ledger'
import { type Member, type Network, type NetworkHandlers, startNetwork } from '@mooring/network'
import type { AccessLog } from './access-log.ts'
import { addressesOf } from './address-hints.ts'
import { Agreement } from './agreement.ts'
import { AuthoritySets } from './authority-sets.ts'
import { answerBlockRequest } from './block-server.ts'
import { systemClock } from './clock.ts'
import type { Custodian } from './custodian.ts'
import { EventFeed } from './event-feed.ts'
import { describeHalt } from './halt-text.ts'
import { createHeldAccesses } from './held-accesses.ts'
import type { VaultHandlers } from './holder.ts'
import { openTimelines } from './open-timelines.ts'
import type { NodeOptions } from './load-options.ts'
import { type Late, noParts } from './late-parts.ts'
import { createLogger, type RootLogger } from './logger.ts'
import { machineName } from './machine.ts'
import { membersOf } from './members.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { measuredJournal } from './metrics-fill.ts'
import { HaltError, NodeError } from './node-error.ts'
import type { NodeParts } from './node-parts.ts'
import { Offences } from './offences.ts'
import { openAccessLog, openCustodian, openProofs, openRelay } from './open-custodian.ts'
import { openPatients } from './open-patients.ts'
import { openEmergencies } from './open-emergencies.ts'
import { type ErasureGround, openErasures } from './open-erasures.ts'
import { openVaultKeeper } from './open-vault.ts'
import { type NextTransport, ownOptions, startStanding } from './standing.ts'
import { roleOf } from './status.ts'
import { Pruning } from './pruning.ts'
import { startServing } from './serving.ts'
import { answerSnapshotRequest } from './snapshot-exchange.ts'
import { startFromSnapshot } from './snapshot-start.ts'
import { Snapshots } from './snapshots.ts'
import { openStores, type Stores } from './stores.ts'
import { createVaultParts, type VaultParts } from './vault-parts.ts'
import { readVersion } from './version.ts'
import { VoteLog } from './vote-log.ts'

export interface RunningNode {
  height(): number
  /** As the chain has it. */
  role(): 'authority' | 'observer'
  api: string
  /**
   * Resolves with the reason when the node stopped by itself; never when it was closed. A NodeRestart
   * asks for nothing but to be started again.
   */
  failed: Promise<unknown>
  close(): Promise<void>
}

interface Ground {
  options: NodeOptions
  logger: RootLogger
  metrics: Metrics
  stores: Stores
  late: Late
}

export interface StartHow {
  /** Put the guard aside, and observe before the first vote. */
  rejoin?: boolean
  /** Be known by the next transport key, which the chain here does not name yet. */
  transport?: NextTransport
}

/** @throws an error whose code is in the catalogue; then nothing is left open. */
export async function startNode(options: NodeOptions, how: StartHow = {}): Promise<RunningNode> {
  const closers: (() => Promise<void> | void)[] = []
  const close = async (): Promise<void> => {
    for (const closeOne of closers.splice(0).toReversed()) await closeOne()
  }
  try {
    return { ...(await assemble(options, how, closers)), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function assemble(
  given: NodeOptions,
  { rejoin = false, transport }: StartHow,
  closers: (() => Promise<void> | void)[],
): Promise<Omit<RunningNode, 'close'>> {
  const failure = Promise.withResolvers<unknown>()
  const keep = <T extends { close(): Promise<void> | void }>(part: T): T => {
    closers.push(() => part.close())
    return part
  }
  const logger = keep(openLog(given))
  const metrics = keep(createMetrics())
  await startFromSnapshot(given, logger)
  const { dir: dataDir, guardDir } = given.storage
  const { marksPath } = given.consensus
  const guard = { guardDir, marksPath, machine: machineName(), rejoin }
  const stores = keep(await openStores({ ...given, ...guard, dataDir }))
  const options = await ownOptions(given, { stores, logger, transport })
  const late = noParts(failure.resolve)
  const ground: Ground = { options, logger, metrics, stores, late }

  const snapshots = keep(openSnapshots(ground))
  late.snapshots = snapshots
  const network = keep(await openNetwork(ground))
  const offences = createOffences(ground, network)
  late.offences = offences
  closers.push(() => offences.idle())
  const votes = new VoteLog(systemClock, () => late.agreement?.driver.state ?? null)
  const agreement = keep(await startAgreement(ground, network, votes))
  late.agreement = agreement
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
  const parts = partsOf(ground, { agreement, network, vault, custodian, offences, pruning })
  opened.start()
  const answering = {
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
  const modules = { options, metrics, votes, ...answering }
  const serving = keep(await startServing(parts, { ...modules, logger: logger.module('api') }))
  late.serving = serving
  closers.push(() => {
    late.isDraining = true
  })
  const standing = keep(startStanding(options, { agreement, network, logger, fail: late.fail }))
  late.watch = standing.watch
  // An epoch may have begun while the node was being put together; from here on the watch is told.
  await standing.watch.onEpoch()
  return {
    height: () => stores.chain.tip.height,
    role: () => roleOf(agreement.driver.state),
    api: serving.url,
    failed: failure.promise,
  }
}

function startAgreement(
  { options, logger, metrics, stores, late }: Ground,
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
      ...(late.snapshots && { snapshots: late.snapshots }),
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

function openLog({ log, name }: NodeOptions): RootLogger {
  const isTerminal = process.stdout.isTTY
  const isPretty = log.format === 'pretty' || (log.format === 'auto' && isTerminal)
  const logger = createLogger({
    levels: log.levels,
    format: isPretty ? 'pretty' : 'json',
    ...(log.file === null ? {} : { destination: log.file }),
    colour: isTerminal && process.env['NO_COLOR'] === undefined,
  })
  logger.debug('node is starting', { name })
  return logger
}

function openNetwork({ options, late, stores, logger }: Ground): Promise<Network> {
  const { p2p } = options
  const p2pLogger = logger.module('p2p')
  const { chain } = stores
  const members = membersOf(organisations(chain.state()), authoritySet(chain.state()))
  const membersNow = (): readonly Member[] => late.agreement?.members.list ?? members
  const handlers: NetworkHandlers = {
    onMessage: (peerId, _lane, frame) => late.agreement?.onFrame(peerId, frame),
    onTransactions: (peerId, batch) => late.agreement?.onTransactions(peerId, batch) ?? 'ignore',
    onRequest: (peerId, protocol, payload) => {
      if (protocol === 'snapshot') return answerSnapshotRequest(payload, options.snapshotsDir)
      const execution = late.agreement?.execution
      if (execution === undefined || late.vault === null)
        return Promise.reject(new NodeError('not_ready', {}))
      if (protocol === 'records') return late.vault.onRequest(peerId, payload)
      return Promise.resolve(answerBlockRequest(payload, { chain, execution }))
    },
    onPeer: (peerId, event) => {
      late.agreement?.onPeers()
      if (event === 'connected') late.offences?.greet(peerId)
      const name = membersNow().find((member) => member.peerId === peerId)?.name ?? ''
      if (event === 'connected') late.custodian?.placing.wake(name)
      if (event === 'connected') late.erasures?.wake(name)
      late.feed?.tellPeer({ peerId, name, connected: event === 'connected' })
    },
    onHello: (peerId, { height }) => late.agreement?.noteHeight(peerId, height),
    status: () => ({ height: chain.tip.height }),
  }
  return startNetwork(
    {
      listen: [...p2p.listen],
      announce: [...p2p.announce],
      transportSeed: options.keys.transport.seed,
      networkId: options.networkId,
      genesisDigest: options.genesisDigest,
      protocolVersion: PROTOCOL_VERSION,
      members: () => (p2p.allow === 'list' ? [] : [...membersNow()]),
      addresses: (peerId) =>
        addressesOf(peerId, p2p.peers, late.agreement?.execution.tip.view ?? chain.state()),
      allowList: p2p.allow === 'members' ? [] : [...p2p.allowList],
      limits: { connectionsMax: p2p.maxPeers },
      log: (level, sentence, fields) => p2pLogger.log(level, sentence, fields),
    },
    handlers,
  )
}

function createOffences({ options, stores, late, logger }: Ground, network: Network): Offences {
  return new Offences({
    store: stores.evidence,
    sets: new AuthoritySets(options.genesis, stores.chain),
    genesisDigest: options.genesisDigest,
    clock: systemClock,
    logger: logger.module('agreement'),
    peers: () => network.peers().flatMap(({ peerId, connected }) => (connected ? [peerId] : [])),
    send: (peerId, frame) => network.send(peerId, 'urgent', frame),
    blame: (peerId, reason) => network.disconnect(peerId, reason),
    onNew: (offence) => late.serving?.noteOffence(offence),
    onFatal: late.fail,
  })
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
  }: {
    agreement: Agreement
    network: Network
    vault: VaultParts
    custodian: Custodian
    offences: Offences
    pruning: Pruning
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
    isDraining: () => late.isDraining,
  }
}
