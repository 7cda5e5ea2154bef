// What a node shows of itself: health, metrics and events gathered from its parts, behind the API.

import { createAccessAnswers } from './access-answers.ts'
import type { AccessLog } from './access-log.ts'
import type { AccessProofs } from './access-proofs.ts'
import { createHmac } from 'node:crypto'
import {
  type AdminSeeingHandlers,
  type ApiHandlers,
  type ApiServer,
  startApi,
  type TimelineHandlers,
} from '@mooring/api'
import { formatVerification, verifyProof } from '@mooring/api/verify'
import { runChecks } from './checks.ts'
import { checkpointAt } from './checkpoints.ts'
import { type ChainAnswers, createChainAnswers } from './chain-answers.ts'
import { systemClock } from './clock.ts'
import type { CommittedBlock } from './committer.ts'
import type { Custodian } from './custodian.ts'
import type { DataCare } from './data-care.ts'
import { DiskUsage } from './disk-usage.ts'
import { catalogEntry } from './errors.ts'
import { createEmergencyAnswers } from './emergency-answers.ts'
import type { Emergencies } from './emergency-parts.ts'
import { createAdminAccess } from './admin-access.ts'
import { createAudit } from './audit.ts'
import { answerOf, createEvidenceAnswers } from './evidence-answers.ts'
import type { EventFeed } from './event-feed.ts'
import { Finality } from './finality.ts'
import { patientReference } from './grant-terms.ts'
import type { Gate } from './gate.ts'
import { Health } from './health.ts'
import type { NodeOptions } from './load-options.ts'
import type { Logger, RootLogger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { fillMetrics, type MetricsFill } from './metrics-fill.ts'
import { memberChecks } from './member-checks.ts'
import { nodeChecks } from './node-checks.ts'
import type { NodeParts } from './node-parts.ts'
import { createSeeingAnswers } from './seeing-answers.ts'
import type { Offence } from './offences.ts'
import type { OpenedPatients } from './open-patients.ts'
import type { ProofDocuments } from './proof-documents.ts'
import { createIdentityAnswers } from './identity-answers.ts'
import { createRecordHistory } from './record-history.ts'
import type { Peering } from './open-network.ts'
import { createPeerAnswers } from './peer-answers.ts'
import type { Pruning } from './pruning.ts'
import type { Relay } from './relay.ts'
import type { Snapshots } from './snapshots.ts'
import { createStorageAnswers } from './storage-answers.ts'
import type { OpenedErasures } from './open-erasures.ts'
import type { VaultReadAnswers } from './open-vault.ts'
import type { Tracing } from './tracing.ts'
import type { VoteLog } from './vote-log.ts'
import { readWebFiles } from './web-files.ts'

export interface ServingModules {
  options: NodeOptions
  logger: Logger
  rootLogger: RootLogger
  metrics: Metrics
  tracing: Tracing
  votes: VoteLog
  custodian: Custodian
  patients: OpenedPatients
  data: DataCare
  peering: Peering
  gate: Gate
  timelines: TimelineHandlers
  vault: VaultReadAnswers
  accesses: AccessLog
  proofs: ProofDocuments & AccessProofs
  feed: EventFeed
  relay: Relay
  emergencies: Emergencies
  erasing: OpenedErasures
  snapshots: Snapshots
  pruning: Pruning
}

export interface Serving {
  /** Base address of the API. */
  readonly url: string
  noteDurable(blocks: readonly CommittedBlock[]): void
  noteOffence(offence: Offence): void
  bundle: AdminSeeingHandlers['bundle']
  /** Nothing that asks for work is taken any more; what only reads still is. */
  refuseWork(): void
  close(): Promise<void>
}

interface Observation {
  health: Health
  finality: Finality
  disk: DiskUsage
  fill: MetricsFill
  chain: ChainAnswers
}

export async function startServing(parts: NodeParts, modules: ServingModules): Promise<Serving> {
  let server: ApiServer | null = null
  const observation = observe(parts, modules, () => server?.stats() ?? null)
  const { health, finality, disk, fill, chain } = observation
  const { options, logger, metrics, gate } = modules
  const handlers = handlersOf(parts, modules, observation)
  server = await startApi(
    {
      listen: options.http.listen,
      metricsListen: options.metrics.listen,
      adminSocket: options.admin.socket,
      patientsListen: options.patients.listen,
      hostNames: [...options.http.hosts, ...options.patients.hosts],
      access: gate.callers,
      tls: gate.tls('api'),
      patientsTls: gate.tls('patients'),
      pages: options.http.explorer === 'on' ? readWebFiles : undefined,
      catalogue: catalogEntry,
      cursorKey: createHmac('sha256', options.keys.seal.seed).update('api cursors').digest(),
      log: (level, sentence, fields) => logger.log(level, sentence, fields),
      observe: (request) => fill.observeRequest(request),
      admissions: {
        limited: (role) => metrics.httpRateLimited.inc({ role }),
        refused: (reason) => metrics.httpAuthFailures.inc({ reason }),
      },
      ...(modules.tracing.requests && { trace: modules.tracing.requests }),
    },
    handlers,
  )
  const listening = server
  gate.serve(listening)
  if (listening.patientsUrl !== null)
    logger.log('info', 'wallets are answered', { address: listening.patientsUrl })
  return {
    url: listening.url,
    noteDurable: (blocks) => finality.note(blocks),
    noteOffence: (offence) => {
      fill.noteOffence(offence)
      modules.feed.tellEvidence(answerOf(offence, parts.sets))
      health.alarms()
    },
    bundle: (query) => handlers.admin.seeing.bundle(query),
    refuseWork: () => listening.refuseWork(),
    close: async () => {
      await listening.close()
      fill.close()
      chain.close()
      health.close()
      await disk.idle()
    },
  }
}

function observe(
  parts: NodeParts,
  { options, logger, metrics, votes, feed, gate }: ServingModules,
  api: () => ReturnType<ApiServer['stats']> | null,
): Observation {
  const disk = new DiskUsage(options.storage.dir, systemClock, logger)
  const health = new Health(parts, {
    votes,
    disk,
    findings: () => gate.findings(),
    onAlarm: (alarm, isActive) => feed.tellAlarm(alarm, isActive),
  })
  const finality = new Finality({
    clock: systemClock,
    mempool: parts.mempool,
    observe: (origin, seconds) => metrics.finality.observe({ origin }, seconds),
    onRevoked: (seconds) => metrics.grantRevocation.observe(seconds),
  })
  const fill = fillMetrics(parts, { metrics, health, votes, disk, api })
  const onRefused = (code: string): void => fill.noteRefused(code)
  const chain = createChainAnswers(parts, { health, finality, disk, onRefused })
  return { health, finality, disk, fill, chain }
}

function handlersOf(
  parts: NodeParts,
  {
    options,
    rootLogger,
    metrics,
    custodian,
    patients,
    peering,
    data,
    gate,
    logger,
    timelines,
    vault,
    accesses,
    proofs,
    feed,
    relay,
    emergencies,
    erasing,
    snapshots,
    pruning,
  }: ServingModules,
  { chain, health }: Observation,
): ApiHandlers {
  const { mempool, offences, sets } = parts
  const { index } = custodian
  const isKnownKey = (key: Uint8Array) => custodian.accounts.findByKey(key) !== undefined
  const logKeyOf = (patientKey: Uint8Array) => custodian.accounts.logKeyPair(patientKey)
  const history = createRecordHistory({ index, record: custodian.record, accesses, logKeyOf })
  return {
    ...chain,
    ...custodian,
    ...vault,
    ...createEvidenceAnswers(offences, sets),
    ...createAccessAnswers(accesses, { logKeyOf }),
    live: () => health.live(),
    ready: () => health.ready(),
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    proof: (id, { withOpening }) => {
      const found = proofs.record(id, withOpening) ?? proofs.access(id) ?? proofs.transaction(id)
      const isWaiting = found === undefined && mempool.get(id) !== undefined
      return Promise.resolve(isWaiting ? { kind: 'pending' } : found)
    },
    ...createStorageAnswers(snapshots, pruning),
    identities: identitiesOf(parts, options, { relay, isKnownKey }),
    timelines,
    ...patients.answers,
    emergencies: createEmergencyAnswers(emergencies, {
      self: options.name,
      genesisDigest: options.genesisDigest,
      now: () => parts.clock.wall(),
      patientOf: (reference) => custodian.accounts.find(patientReference(reference)),
      isKnownKey,
    }),
    ...unlessErased({ custodian, vault, history, disclosures: vault }, erasing),
    erasing: erasing.answers,
    verifyProof: (json) => formatVerification(verifyProof(json, { genesis: options.genesis })),
    checkpoint: (height) => checkpointAt(parts, height),
    audit: createAudit(accesses, logger),
    admin: {
      data: data.answers,
      access: createAdminAccess(gate.tokens, {
        reloading: gate.reloading,
        now: () => parts.clock.wall(),
      }),
      peers: createPeerAnswers({
        ...peering,
        options,
        members: parts.members,
        peers: chain.peers,
        now: () => systemClock.monotonic(),
      }),
      seeing: createSeeingAnswers(parts, {
        options,
        logger: rootLogger,
        metrics,
        health,
        chain,
        checks: (skip) => runChecks([...nodeChecks(health), ...memberChecks(parts)], skip),
      }),
    },
    events: feed,
  }
}

/** What is asked of a record that was here and is no more is told so. */
function unlessErased(
  {
    custodian,
    vault,
    history,
    disclosures,
  }: {
    custodian: Pick<ApiHandlers, 'record'>
    vault: Pick<ApiHandlers, 'recordContent'>
    history: Pick<ApiHandlers, 'recordHistory'>
    disclosures: Pick<ApiHandlers, 'disclose'>
  },
  { refuseErased }: OpenedErasures,
): Pick<ApiHandlers, 'record' | 'recordContent' | 'recordHistory' | 'disclose'> {
  return {
    record: async (id) => (await custodian.record(id)) ?? refuseErased(id),
    recordContent: async (request) => {
      if (request.grant === null) refuseErased(request.id)
      return await vault.recordContent(request)
    },
    recordHistory: async (id, query) =>
      (await history.recordHistory(id, query)) ?? refuseErased(id),
    disclose: async (id, fields, signal) =>
      (await disclosures.disclose(id, fields, signal)) ?? refuseErased(id),
  }
}

function identitiesOf(
  { clock, chain, execution }: NodeParts,
  { name, genesisDigest, keys }: NodeOptions,
  modules: { relay: Relay; isKnownKey: (key: Uint8Array) => boolean },
): ApiHandlers['identities'] {
  const finalState = () => execution.finalState()
  return createIdentityAnswers(
    { name, genesisDigest, anchorKey: keys.anchor },
    { clock, chain, finalState, parameters: () => execution.parameters, ...modules },
  )
}
