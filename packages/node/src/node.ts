// One running member, put together in start order and closed in reverse: log, stores, network,
// agreement, custodian, observation, API. Nothing else in the project knows all the parts.

import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { type ApiHandlers, type ApiServer, startApi } from '@mooring/api'
import { formatVerification, verifyProof } from '@mooring/api/verify'
import type { HaltReason } from '@mooring/consensus'
import { formatPeerId } from '@mooring/crypto'
import { encodeGenesis, PROTOCOL_VERSION } from '@mooring/ledger'
import { type Network, type NetworkHandlers, startNetwork } from '@mooring/network'
import { Agreement } from './agreement.ts'
import { answerBlockRequest } from './block-server.ts'
import { createChainAnswers } from './chain-answers.ts'
import { systemClock } from './clock.ts'
import type { CommittedBlock } from './committer.ts'
import { createCustodian, type Custodian } from './custodian.ts'
import { DiskUsage } from './disk-usage.ts'
import { catalogEntry } from './errors.ts'
import { EventFeed } from './event-feed.ts'
import { Finality } from './finality.ts'
import { Health } from './health.ts'
import { homePaths } from './home.ts'
import type { NodeOptions } from './load-options.ts'
import { loadLocalSecret } from './local-secret.ts'
import { createLogger, type RootLogger } from './logger.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { fillMetrics, measuredJournal } from './metrics-fill.ts'
import type { NodeParts } from './node-parts.ts'
import { NodeError } from './node-error.ts'
import { createProofDocuments, type ProofDocuments } from './proof-documents.ts'
import { openStores, type Stores } from './stores.ts'
import { readVersion } from './version.ts'
import { VoteLog } from './vote-log.ts'

export interface RunningNode {
  height(): number
  api: string
  /** Resolves with the reason when the node stopped by itself; never when it was closed. */
  failed: Promise<unknown>
  close(): Promise<void>
}

/** What the parts tell the outside about before all of them exist. */
interface Late {
  agreement: Agreement | null
  halted: HaltReason | null
  isDraining: boolean
  onDurable: (blocks: readonly CommittedBlock[]) => void
  onPeer: (peer: Parameters<EventFeed['tellPeer']>[0]) => void
  onEvidence: (evidence: Parameters<ReturnType<typeof fillMetrics>['noteEvidence']>[0]) => void
}

/** @throws an error whose code is in the catalogue; then nothing is left open. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const closers: (() => Promise<void> | void)[] = []
  const close = async (): Promise<void> => {
    for (const closeOne of closers.splice(0).toReversed()) await closeOne()
  }
  try {
    return await assemble(options, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function assemble(
  options: NodeOptions,
  closers: (() => Promise<void> | void)[],
  close: () => Promise<void>,
): Promise<RunningNode> {
  const logger = openLog(options)
  closers.push(() => logger.close())
  const metrics = createMetrics()
  closers.push(() => metrics.close())
  const stores = await openStores({
    ...options,
    dataDir: options.storage.dir,
    guardDir: options.storage.guardDir,
  })
  closers.push(() => stores.close())

  const failure = Promise.withResolvers<unknown>()
  const late: Late = {
    agreement: null,
    halted: null,
    isDraining: false,
    onDurable: () => undefined,
    onPeer: () => undefined,
    onEvidence: () => undefined,
  }
  const network = await openNetwork(options, { late, stores, logger })
  closers.push(() => network.close())
  const votes = new VoteLog(systemClock, () => late.agreement?.driver.state ?? null)
  const agreement = await Agreement.start(
    {
      genesis: options.genesis,
      genesisDigest: options.genesisDigest,
      consensusKey: options.role === 'authority' ? options.keys.consensus : null,
      mempool: options.mempool,
    },
    {
      clock: systemClock,
      logger: logger.module('agreement'),
      chain: stores.chain,
      journal: measuredJournal(stores.journal, metrics, systemClock),
      remembered: stores.remembered,
      pending: stores.pending,
      network,
      onEvidence: (evidence) => late.onEvidence(evidence),
      onHalt: (reason) => {
        late.halted = reason
        logger.error('voting has stopped', { code: reason.code })
      },
      onVoted: (vote) => votes.note(vote),
      onDurable: (blocks) => late.onDurable(blocks),
      onFatal: failure.resolve,
    },
  )
  late.agreement = agreement
  closers.push(() => agreement.close())

  const proofs = createProofDocuments({
    chain: stores.chain,
    store: stores.records,
    genesis: encodeGenesis(options.genesis),
    genesisDigest: options.genesisDigest,
  })
  const feed = new EventFeed({ chain: stores.chain, committer: agreement.committer })
  late.onPeer = (peer) => feed.tellPeer(peer)
  closers.push(() => feed.close())
  const custodian = createCustodian(
    {
      organisation: options.organisation?.id ?? options.name,
      genesisDigest: options.genesisDigest,
      anchorKey: options.keys.anchor,
      secret: await loadLocalSecret(join(homePaths(options.home).keys, 'records.secret')),
    },
    {
      clock: systemClock,
      store: stores.records,
      chain: stores.chain,
      execution: agreement.execution,
      mempool: agreement.mempool,
      committer: agreement.committer,
      logger: logger.module('records'),
      metrics,
      onRecords: ({ status, records, height }) => {
        for (const id of records) feed.tellRecord({ id, status, height })
      },
      onFatal: failure.resolve,
    },
  )
  closers.push(() => custodian.close())
  const parts = partsOf(options, { agreement, stores, network, custodian, late })
  const server = await openApi(parts, {
    options,
    logger,
    metrics,
    votes,
    late,
    custodian,
    proofs,
    feed,
  })
  closers.push(() => server.close())
  await custodian.start()
  closers.push(() => {
    late.isDraining = true
  })
  return {
    height: () => stores.chain.tip.height,
    api: server.url,
    failed: failure.promise,
    close,
  }
}

function openLog({ log, name }: NodeOptions): RootLogger {
  const isTerminal = process.stdout.isTTY === true
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

function openNetwork(
  options: NodeOptions,
  { late, stores, logger }: { late: Late; stores: Stores; logger: RootLogger },
): Promise<Network> {
  const { p2p, genesis } = options
  const p2pLogger = logger.module('p2p')
  const members = genesis.organisations.map(({ organisation }) => ({
    peerId: formatPeerId(organisation.keys.transport),
    name: organisation.id,
    authority: organisation.roles.includes('authority'),
  }))
  const handlers: NetworkHandlers = {
    onMessage: (peerId, _lane, frame) => late.agreement?.onFrame(peerId, frame),
    onTransactions: (peerId, batch) => late.agreement?.onTransactions(peerId, batch) ?? 'ignore',
    onRequest: (_peerId, _protocol, payload) => {
      const execution = late.agreement?.execution
      if (execution === undefined) return Promise.reject(new NodeError('not_ready', {}))
      return Promise.resolve(answerBlockRequest(payload, { chain: stores.chain, execution }))
    },
    onPeer: (peerId, event) => {
      late.agreement?.onPeers()
      const name = members.find((member) => member.peerId === peerId)?.name ?? ''
      late.onPeer({ peerId, name, connected: event === 'connected' })
    },
    onHello: (peerId, { height }) => late.agreement?.noteHeight(peerId, height),
    status: () => ({ height: stores.chain.tip.height }),
  }
  return startNetwork(
    {
      listen: [...p2p.listen],
      announce: [...p2p.announce],
      transportSeed: options.keys.transport.seed,
      networkId: options.networkId,
      genesisDigest: options.genesisDigest,
      protocolVersion: PROTOCOL_VERSION,
      members: () => (p2p.allow === 'list' ? [] : members),
      addresses: (peerId) => p2p.peers.filter((address) => address.endsWith(`/p2p/${peerId}`)),
      allowList: p2p.allow === 'members' ? [] : [...p2p.allowList],
      limits: { connectionsMax: p2p.maxPeers },
      log: (level, sentence, fields) => p2pLogger.log(level, sentence, fields),
    },
    handlers,
  )
}

function partsOf(
  options: NodeOptions,
  modules: {
    agreement: Agreement
    stores: Stores
    network: Network
    custodian: Custodian
    late: Late
  },
): NodeParts {
  const { agreement, stores, network, custodian, late } = modules
  return {
    options,
    version: readVersion(),
    startedAt: Date.now(),
    clock: systemClock,
    members: agreement.members,
    driver: () => agreement.driver.state,
    execution: agreement.execution,
    mempool: agreement.mempool,
    committer: agreement.committer,
    chain: stores.chain,
    network,
    bestKnownHeight: () => agreement.bestKnownHeight(),
    heightOfPeer: (peerId) => agreement.heightOfPeer(peerId),
    records: custodian,
    halted: () => late.halted,
    isDraining: () => late.isDraining,
  }
}

async function openApi(
  parts: NodeParts,
  modules: {
    options: NodeOptions
    logger: RootLogger
    metrics: Metrics
    votes: VoteLog
    late: Late
    custodian: Custodian
    proofs: ProofDocuments
    feed: EventFeed
  },
): Promise<ApiServer> {
  const { options, logger, metrics, votes, late, custodian, proofs, feed } = modules
  const log = logger.module('api')
  const disk = new DiskUsage(options.storage.dir, systemClock, log)
  const health = new Health(parts, {
    votes,
    disk,
    onAlarm: (alarm, isActive) => feed.tellAlarm(alarm, isActive),
  })
  const finality = new Finality({
    clock: systemClock,
    mempool: parts.mempool,
    observe: (origin, seconds) => metrics.finality.observe({ origin }, seconds),
  })
  late.onDurable = (blocks) => finality.note(blocks)
  let server: ApiServer | null = null
  const fill = fillMetrics(parts, {
    metrics,
    health,
    votes,
    disk,
    api: () => server?.stats() ?? null,
  })
  late.onEvidence = (evidence) => fill.noteEvidence(evidence)
  const chain = createChainAnswers(parts, {
    health,
    finality,
    disk,
    onRefused: (code) => fill.noteRefused(code),
  })
  const handlers: ApiHandlers = {
    ...chain,
    ...custodian,
    live: () => health.live(),
    ready: () => health.ready(),
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    proof: async (id, { withOpening }) =>
      (await proofs.record(id, withOpening)) ?? proofs.transaction(id),
    verifyProof: (json) => formatVerification(verifyProof(json, { genesis: options.genesis })),
    events: feed,
  }
  server = await startApi(
    {
      listen: options.http.listen,
      metricsListen: options.metrics.listen,
      hostNames: [],
      catalogue: catalogEntry,
      cursorKey: createHmac('sha256', options.keys.seal.seed).update('api cursors').digest(),
      log: (level, sentence, fields) => log.log(level, sentence, fields),
      observe: (request) => fill.observeRequest(request),
    },
    handlers,
  )
  const { close, ...rest } = server
  return {
    ...rest,
    close: async () => {
      await close()
      fill.close()
      chain.close()
      health.close()
      await disk.idle()
    },
  }
}
