// An access log over its real parts: the world of one authority, a vault database in a temporary folder, and
// blocks that are made when a test says so.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeGenesis, genesisDigest } from '@mooring/ledger'
import {
  type AccessEntry,
  accessEntryCommit,
  type AccessRequest,
  NO_CLINICAL_FACTS,
  openFacts,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  sealAccessEntry,
  UNATTENDED,
} from '@mooring/records'
import { AccessStore, ChainStore, openDatabase } from '@mooring/storage'
import { AccessLog } from '../src/access-log.ts'
import type { CommittedBlock } from '../src/committer.ts'
import { createLogger } from '../src/logger.ts'
import { createMetrics } from '../src/metrics.ts'
import { keyOf } from './chain-members.ts'
import { withWorld, type World } from './chain-world.ts'
import { makeBlock, OWN } from './custody-world.ts'

export const SECRET = new Uint8Array(32).fill(9)
export const TICK_MS = 2_000
export const patientSeed = new Uint8Array(32).fill(3)
export const patientKey = pairwiseSignKey(patientSeed, organisationDid('county'))
export const logKey = pairwiseSealKey(patientSeed, organisationDid('county'), 0)

export interface LogWorld {
  readonly world: World
  readonly folder: string
  readonly metrics: ReturnType<typeof createMetrics>
  readonly failures: unknown[]
  readonly genesis: Uint8Array
  readonly network: { genesisDigest: Uint8Array }
  readonly chain: ChainStore
  /** Starts a run over what the last one left. */
  run(options?: { store?: (real: AccessStore) => AccessStore }): Promise<LogRun>
  /** A final block of what the mempool offers; undefined when that is nothing. */
  block(): Promise<CommittedBlock | undefined>
}

export interface LogRun {
  readonly log: AccessLog
  readonly store: AccessStore
}

export async function withLog(work: (log: LogWorld) => Promise<void>): Promise<void> {
  await withWorld(async (world) => {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-access-'))
    const metrics = createMetrics()
    const failures: unknown[] = []
    const ends: (() => Promise<void>)[] = []
    const end = async (): Promise<void> => {
      for (const one of ends.splice(0)) await one()
    }
    const { chain } = world.parts
    if (!(chain instanceof ChainStore)) throw new Error('the world has a chain store')
    try {
      await work({
        world,
        folder,
        metrics,
        failures,
        genesis: encodeGenesis(world.genesis),
        network: { genesisDigest: genesisDigest(world.genesis) },
        chain,
        block: () => makeBlock(world),
        run: async ({ store: wrap = asItIs } = {}) => {
          await end()
          const database = await openDatabase(join(folder, 'vault'), { name: 'vault' })
          const store = wrap(await AccessStore.open(database))
          const log = createLog(world, { chain, store, metrics, failures })
          await log.start()
          ends.push(async () => {
            await log.close()
            await store.idle()
            await database.close()
          })
          return { log, store }
        },
      })
    } finally {
      await end()
      metrics.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
}

function createLog(
  { parts, mempool, genesis }: World,
  given: Pick<LogWorld, 'chain' | 'metrics' | 'failures'> & { store: AccessStore },
): AccessLog {
  const { clock, execution, committer } = parts
  const { chain, store, metrics, failures } = given
  return new AccessLog(
    {
      organisation: OWN,
      genesisDigest: genesisDigest(genesis),
      anchorKey: keyOf(OWN, 'anchor'),
      secret: SECRET,
      tickMs: TICK_MS,
    },
    {
      clock,
      store,
      chain,
      execution,
      mempool,
      committer,
      logger: createLogger({
        levels: { base: 'trace', modules: {} },
        format: 'json',
        destination: { write: () => undefined },
      }),
      metrics,
      onFatal: (error) => failures.push(error),
    },
  )
}

function asItIs(store: AccessStore): AccessStore {
  return store
}

/** A request of Riverside for records of County, and its entry. */
export function accessOf(number: number): { request: AccessRequest; entry: AccessEntry } {
  const id = new Uint8Array(16).fill(number)
  const setId = new Uint8Array(32).fill(number)
  const record = { setId, recordCommit: setId, class: 'general' }
  const said = { id, reader: 'riverside', custodian: 'county', purpose: 'TREAT', grant: null }
  const entry = sealAccessEntry(
    {
      ...said,
      kind: 'read',
      time: 0,
      patientKey: patientKey.publicKey,
      records: [record],
      query: null,
      by: UNATTENDED,
      sequence: null,
      emergency: null,
    },
    logKey.publicKey,
    (length) => crypto.getRandomValues(new Uint8Array(length)),
  )
  const known = { patientKey: patientKey.publicKey, class: 'general', record: setId }
  const facts = openFacts(setId, { ...NO_CLINICAL_FACTS, ...known }, [])
  const request: AccessRequest = {
    ...said,
    practitioner: null,
    sets: [{ setId, gateTag: setId, facts }],
    entry: accessEntryCommit(entry),
    block: { height: 0, digest: setId },
    issuedAt: 0,
    expiresAt: 1,
    audience: [OWN],
  }
  return { request, entry }
}
