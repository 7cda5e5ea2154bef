// The custodian of a node, the proofs of its records and the access log beside it, put together from
// what the node has.

import { randomBytes } from 'node:crypto'
import { encodeGenesis } from '@mooring/ledger'
import { AccessLog } from './access-log.ts'
import { accessProof, type AccessProofs } from './access-proofs.ts'
import type { Agreement } from './agreement.ts'
import { systemClock } from './clock.ts'
import { createCustodian, type Custodian } from './custodian.ts'
import type { EventFeed } from './event-feed.ts'
import { FreeSpace } from './free-space.ts'
import type { NodeOptions } from './load-options.ts'
import { loadRecordsSecret } from './local-secret.ts'
import type { RootLogger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { createProofDocuments, type ProofDocuments } from './proof-documents.ts'
import { createRelay, type Relay } from './relay.ts'
import type { Stores } from './stores.ts'
import type { Tracing } from './tracing.ts'
import type { VaultPeers } from './vault-peers.ts'

/** What submissions leave free: a database that cannot write ends the node. */
const DATABASES_RESERVE_BYTES = 64 * 1024 * 1024

export interface CustodyGround {
  readonly options: NodeOptions
  readonly logger: RootLogger
  readonly metrics: Metrics
  readonly stores: Stores
  readonly late: { readonly fail: (error: unknown) => void }
}

export async function openCustodian(
  {
    options,
    logger,
    metrics,
    stores,
    late,
    tracing,
  }: CustodyGround & { readonly tracing: Tracing },
  { agreement, feed, peers }: { agreement: Agreement; feed: EventFeed; peers: VaultPeers },
): Promise<Custodian> {
  const { members } = agreement
  const space = new FreeSpace(options.storage.dir, systemClock)
  const least = Math.min(options.vault.reserveBytes, DATABASES_RESERVE_BYTES)
  const reserve = Math.max(least, options.storage.minFreeBytes)
  const custodian = createCustodian(
    { ...(await batchOptions(options)), sealKey: options.keys.seal.publicKey },
    {
      ...batchModules(stores, agreement),
      store: stores.records,
      accounts: stores.accounts,
      uploads: stores.uploads,
      takeRoom: (bytes) => space.take(bytes, reserve),
      peers,
      organisations: () => members.organisations,
      random: (length) => new Uint8Array(randomBytes(length)),
      logger: logger.module('records'),
      metrics,
      within: (...work) => tracing.within(...work),
      onRecords: ({ status, records, height }) => {
        if (status === 'received') tracing.received(records)
        for (const id of records) feed.tellRecord({ id, status, height })
      },
      onFatal: late.fail,
    },
  )
  metrics.beforeScrape(() => {
    const { waiting, bytes, oldestMs } = custodian.placing.status()
    metrics.queueRecords.set(waiting)
    metrics.queueBytes.set(bytes)
    metrics.queueOldest.set(oldestMs / 1_000)
  })
  return custodian
}

export async function openAccessLog(
  { options, logger, metrics, stores, late }: CustodyGround,
  agreement: Agreement,
): Promise<AccessLog> {
  const log = new AccessLog(await batchOptions(options), {
    ...batchModules(stores, agreement),
    store: stores.accesses,
    logger: logger.module('access'),
    metrics,
    onFatal: late.fail,
  })
  metrics.beforeScrape(() => metrics.accessPending.set(log.counts().pending))
  return log
}

export function openProofs(
  options: NodeOptions,
  { chain, records: store }: Stores,
  { custodian, accesses }: { custodian: Custodian; accesses: AccessLog },
): ProofDocuments & AccessProofs {
  const { genesisDigest } = options
  const common = { chain, genesis: encodeGenesis(options.genesis), genesisDigest }
  return {
    ...createProofDocuments({ ...common, store, index: custodian.index }),
    access: (id) => accessProof({ ...common, log: accesses }, id),
  }
}

async function batchOptions({ name, genesisDigest, keys, home, lock }: NodeOptions) {
  const secret = await loadRecordsSecret({ home, lock })
  return { organisation: name, genesisDigest, anchorKey: keys.anchor, secret }
}

/** The way of the node to its own chain. */
export function openRelay(
  { genesisDigest, keys }: NodeOptions,
  stores: Pick<Stores, 'chain'>,
  agreement: Agreement,
): Relay {
  return createRelay({ genesisDigest, anchorKey: keys.anchor }, batchModules(stores, agreement))
}

function batchModules(
  { chain }: Pick<Stores, 'chain'>,
  { execution, mempool, committer }: Agreement,
) {
  return { clock: systemClock, chain, execution, mempool, committer }
}
