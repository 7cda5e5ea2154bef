// The API of a node over the home of one that does not run, or cannot: what is on the disk is read, nothing is
// voted, taken or sent. Each database is opened by itself, so that what is broken keeps nothing else from being
// read; what cannot be answered is refused with the reason. Opening takes the home, as a node does.

import { randomBytes } from 'node:crypto'
import {
  type AccessControl,
  type ApiHandlers,
  type Condition,
  Refusal,
  startApi,
  type Status,
} from '@mooring/api'
import { formatVerification, verifyProof } from '@mooring/api/verify'
import { toHex } from '@mooring/codec'
import { authoritySet, formatGenesisJson, genesisState, PROTOCOL_VERSION } from '@mooring/ledger'
import { ChainStore, type Database, StorageError } from '@mooring/storage'
import { AuthoritySets } from './authority-sets.ts'
import { blockReading } from './chain-answers.ts'
import { checkpointAt } from './checkpoints.ts'
import { failureOf } from './error-text.ts'
import { catalogEntry } from './errors.ts'
import { openHomeDatabase } from './home-database.ts'
import type { HomeOptions } from './load-options.ts'
import { NodeError } from './node-error.ts'
import { readSnapshots } from './snapshot-exchange.ts'
import { readHeader } from './stores.ts'
import { readVersion } from './version.ts'

export interface InspectedPart {
  part: 'chain' | 'records' | 'vault' | 'snapshots'
  isReadable: boolean
  detail: string
}

export interface Inspection {
  url: string
  parts: readonly InspectedPart[]
  close(): Promise<void>
}

const DATABASES = ['chain', 'records', 'vault'] as const

/** Whoever can reach it may ask: it listens on this computer alone. */
const OPEN: AccessControl = {
  open: 'loopback',
  rate: null,
  token: () => ({ refused: 'token_unknown', detail: 'A home that is looked at has no tokens.' }),
  certificate: () => undefined,
}

/** @throws StorageError locked while its node runs; NodeError nothing_readable */
export async function inspectHome(options: HomeOptions, listen: string): Promise<Inspection> {
  const opened: Database[] = []
  const close = async (): Promise<void> => {
    for (const database of opened.splice(0).toReversed()) await database.close()
  }
  try {
    const { chain, parts } = await openParts(options, opened)
    if (parts.every(({ isReadable }) => !isReadable)) {
      const detail = parts.map(({ part, detail: why }) => `${part}: ${why}`).join(' ')
      throw new NodeError('nothing_readable', { detail })
    }
    const server = await startApi(
      {
        listen,
        metricsListen: null,
        adminSocket: options.admin.socket,
        hostNames: [],
        access: OPEN,
        catalogue: catalogEntry,
        cursorKey: new Uint8Array(randomBytes(32)),
      },
      inspectAnswers(options, { chain, parts }),
    )
    return {
      url: server.url,
      parts,
      close: async () => {
        await server.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function openParts(
  options: HomeOptions,
  opened: Database[],
): Promise<{ chain: ChainStore | null; parts: InspectedPart[] }> {
  const { home, storage, genesis, genesisDigest } = options
  const parts: InspectedPart[] = []
  let chain: ChainStore | null = null
  for (const name of DATABASES) {
    try {
      const database = await openHomeDatabase({ home, dataDir: storage.dir }, name)
      opened.push(database)
      if (name === 'chain') {
        const start = { digest: genesisDigest, time: genesis.time }
        chain = await ChainStore.open(database, {
          genesis: { ...start, state: genesisState(genesis).values() },
          decodeHeader: readHeader,
        })
      }
      parts.push({ part: name, isReadable: true, detail: 'It can be read.' })
    } catch (error) {
      if (!(error instanceof StorageError) || error.code === 'locked') throw error
      const { what, where } = failureOf(error)
      parts.push({ part: name, isReadable: false, detail: `${what}: ${where}.` })
    }
  }
  return { chain, parts }
}

interface Inspected {
  chain: ChainStore | null
  parts: readonly InspectedPart[]
}

const WHOLE = 'Ask a node that runs.'

function refusal(parts: readonly InspectedPart[]): Refusal {
  const broken = parts.filter(({ isReadable }) => !isReadable)
  const why = broken.map(({ part, detail }) => `${part}: ${detail}`).join(' ')
  return new Refusal('read_only_view', why === '' ? WHOLE : `${why} ${WHOLE}`)
}

/** Everything that is not answered from the disk refuses, also what is added to the API later. */
function refusing<T extends object>(answers: Partial<T>, refuse: () => never): T {
  const known: Record<string | symbol, unknown> = { ...answers }
  const handler: ProxyHandler<T> = {
    get: (_target, name) => (name in known ? known[name] : refused(refuse)),
    has: () => true,
  }
  const target: T = Object.create(null)
  return new Proxy(target, handler)
}

/** A function that refuses, and an object whose members do. */
function refused(refuse: () => never): unknown {
  return new Proxy(refuse, { get: () => refused(refuse) })
}

function inspectAnswers(options: HomeOptions, inspected: Inspected): ApiHandlers {
  const refuse = (): never => {
    throw refusal(inspected.parts)
  }
  const { genesis, genesisDigest, snapshotsDir } = options
  const shared: Partial<ApiHandlers> = {
    live: () => [{ name: 'event_loop', ok: true, detail: 'The home is being looked at.' }],
    ready: () => conditionsOf(inspected.parts),
    metrics: () => Promise.resolve({ contentType: 'text/plain', text: 'mooring_ready 0\n' }),
    genesis: () => ({ digest: toHex(genesisDigest), json: formatGenesisJson(genesis) }),
    verifyProof: (json) => formatVerification(verifyProof(json, { genesis })),
    snapshots: async () =>
      (await readSnapshots(snapshotsDir)).map(({ height, digest, bytes }) => ({
        height,
        digest: toHex(digest),
        bytes,
      })),
    // An act that is refused has changed nothing that would have to be told.
    audit: { note: () => Promise.resolve(), acts: () => refuse() },
    events: {
      oldestHeight: () => 0,
      eventsFrom: () => refuse(),
      subscribe: () => () => undefined,
    },
  }
  const { chain } = inspected
  if (chain === null) return refusing<ApiHandlers>(shared, refuse)
  const sets = new AuthoritySets(genesis, chain)
  const ground = { chain, sets, options: { ...options } }
  return refusing<ApiHandlers>(
    {
      ...shared,
      ...blockReading(ground),
      checkpoint: (height) => checkpointAt(ground, height),
      status: () => statusOf(options, chain, inspected.parts),
    },
    refuse,
  )
}

function conditionsOf(parts: readonly InspectedPart[]): Condition[] {
  const running = { name: 'running', ok: false, detail: 'The node is stopped; its home is read.' }
  return [
    running,
    ...parts.map(({ part, isReadable, detail }) => ({ name: part, ok: isReadable, detail })),
  ]
}

function statusOf(
  options: HomeOptions,
  chain: ChainStore,
  parts: readonly InspectedPart[],
): Status {
  const { height, digest, time } = chain.tip
  const authorities = authoritySet(chain.state()).organisations.length
  const { base, prunedTo } = chain
  const { message: detail } = refusal(parts)
  const mor = catalogEntry('read_only_view')?.mor ?? null
  return {
    node: {
      name: options.name,
      peerId: '',
      role: options.role,
      version: readVersion(),
      runtime: process.versions.node,
      startedAt: new Date().toISOString(),
    },
    network: {
      name: options.genesis.networkName,
      id: options.networkId,
      protocolVersion: PROTOCOL_VERSION,
    },
    chain: {
      height,
      digest: toHex(digest),
      time: new Date(time).toISOString(),
      bestKnownHeight: height,
      finalityP50Ms: null,
      finalityP95Ms: null,
    },
    consensus: {
      epoch: chain.epochs().length,
      view: 0,
      leader: '',
      authorities,
      live: 0,
      quorum: 0,
      tolerates: 0,
      waitingMs: 0,
      missing: [],
      stall: { code: 'read_only_view', mor, detail: `The node is stopped. ${detail}` },
    },
    peers: { connected: 0, members: 0 },
    mempool: { transactions: 0, bytes: 0 },
    records: { accepted: 0, anchored: 0 },
    holder: { custodians: 0, shards: 0, bytes: 0, damaged: 0 },
    storage: { bytes: null, freeBytes: null, base, prunedTo, retention: '', holds: [] },
    sync: {
      active: false,
      target: height,
      blocksPerSecond: 0,
      transactionsPerSecond: 0,
      peers: [],
      bad: [],
    },
    alarms: [],
  }
}
