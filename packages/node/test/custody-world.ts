// A custodian over its real parts: the world of one authority, a private store in a temporary folder,
// and blocks that are made when a test says so. A run of the custodian can be cut off between any two
// of its steps; the next one finds the store as the last left it.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { RecordSubmission } from '@mooring/api'
import { randomBytes } from 'node:crypto'
import { fromHex, toHex } from '@mooring/codec'
import { x25519PublicKey } from '@mooring/crypto'
import {
  applyTransactions,
  decodeBlock,
  decodeTransaction,
  encodeGenesis,
  genesisDigest,
  type Organisation,
} from '@mooring/ledger'
import {
  AccountStore,
  ChainStore,
  LocalBlobs,
  type MemoryLevel,
  openDatabase,
  openDatabaseOn,
  PrivateStore,
} from '@mooring/storage'
import type { CommittedBlock } from '../src/committer.ts'
import {
  createCustodian,
  type Custodian,
  type CustodianModules,
  type RecordsChange,
} from '../src/custodian.ts'
import { createLogger } from '../src/logger.ts'
import { createMetrics } from '../src/metrics.ts'
import type { Mempool } from '../src/mempool.ts'
import { createProofDocuments, type ProofDocuments } from '../src/proof-documents.ts'
import { keyOf } from './chain-members.ts'
import { withWorld, type World, type WorldOptions } from './chain-world.ts'
import type { QueueLimits } from '../src/vault-queue.ts'
import { MemoryHolders } from './memory-holders.ts'

export const OWN = 'st-mary'
export const TICK_MS = 2_000
export const SECRET = new Uint8Array(32).fill(9)
const DEADLINE_MS = 10_000

/** How many steps of a run are left; the step it dies at never comes back. */
export class Life {
  steps = 0
  isDead = false
  readonly died: Promise<undefined>
  #last: number
  readonly #onDeath: () => void

  constructor(last = Number.POSITIVE_INFINITY) {
    this.#last = last
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.died = promise
    this.#onDeath = () => resolve(undefined)
  }

  /** After so many more steps. */
  dieIn(steps: number): void {
    this.#last = this.steps + steps
  }

  end(): void {
    this.isDead = true
    this.#onDeath()
  }

  /** Dies before the work, after it, or not here: each piece of work counts twice. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    await this.#step()
    const result = await work()
    await this.#step()
    return result
  }

  async #step(): Promise<void> {
    this.steps += 1
    if (this.steps >= this.#last) this.end()
    if (this.isDead) await new Promise(() => undefined)
  }
}

export interface Run {
  custodian: Custodian
  store: PrivateStore
  proofs: ProofDocuments
  life: Life
  changes: RecordsChange[]
  /** The bytes of a record, from the shards of the others. */
  content: (id: string) => Uint8Array | undefined
  /** What its loop ended with. */
  failures: unknown[]
  stopListening: () => void
}

export interface RunOptions {
  life?: Life
  /** In memory, instead of the database in the folder. */
  level?: MemoryLevel
  queue?: QueueLimits
  takeRoom?: CustodianModules['takeRoom']
  organisations?: () => readonly Organisation[]
  mempool?: Pick<Mempool, 'submit'>
  beforeStart?: (run: Run) => Promise<void>
}

export interface Custody {
  world: World
  /** Of all runs. */
  lines: string[]
  metrics: ReturnType<typeof createMetrics>
  /** They outlive the runs. */
  holders: MemoryHolders
  /** Of the private store. */
  folder: string
  /** Starts a run over what the last one left; the last one is dead from now on. */
  run: (options?: RunOptions) => Promise<Run>
  /** A final block of what the mempool offers; undefined when that is nothing. */
  block: () => Promise<CommittedBlock | undefined>
}

export async function withCustody(
  work: (custody: Custody) => Promise<void>,
  worldOptions: WorldOptions = {},
): Promise<void> {
  await withWorld(async (world) => {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-custody-'))
    const ends: (() => Promise<void>)[] = []
    const end = async () => {
      for (const one of ends.splice(0)) await one()
    }
    const lines: string[] = []
    const metrics = createMetrics()
    const holders = new MemoryHolders(OWN)
    const logger = createLogger({
      levels: { base: 'trace', modules: {} },
      format: 'json',
      destination: { write: (line) => lines.push(line) },
    })
    try {
      await work({
        world,
        lines,
        metrics,
        holders,
        folder,
        run: async (options = {}) => {
          const { life = new Life(), mempool = world.mempool, beforeStart, level } = options
          await end()
          const database =
            level === undefined
              ? await openDatabase(join(folder, 'records'), { name: 'records' })
              : await openDatabaseOn(level, 'records')
          const store = await PrivateStore.open(database)
          const accounts = await AccountStore.open(database)
          const uploads = await LocalBlobs.open({ directory: join(folder, 'uploads') })
          const stores = { store, accounts, uploads }
          const parts = { ...options, world, ...stores, holders, logger, metrics, life, mempool }
          const run = createRun(parts)
          ends.push(async () => {
            run.life.end()
            run.stopListening()
            await database.close()
          })
          await beforeStart?.(run)
          await run.custodian.start()
          return run
        },
        block: () => makeBlock(world),
      })
    } finally {
      await end()
      metrics.close()
      await rm(folder, { recursive: true, force: true })
    }
  }, worldOptions)
}

function createRun(parts: {
  world: World
  store: PrivateStore
  accounts: AccountStore
  uploads: LocalBlobs
  holders: MemoryHolders
  life: Life
  mempool: Pick<Mempool, 'submit'>
  queue?: QueueLimits
  takeRoom?: CustodianModules['takeRoom']
  organisations?: () => readonly Organisation[]
  logger: CustodianModules['logger']
  metrics: CustodianModules['metrics']
}): Run {
  const { world, store, accounts, uploads, holders, life, logger, metrics } = parts
  const { clock, execution, committer } = world.parts
  const digest = genesisDigest(world.genesis)
  const chain = chainOf(world)
  const changes: RecordsChange[] = []
  const failures: unknown[] = []
  let unsubscribe: (() => void) | undefined
  const custodian = createCustodian(
    {
      organisation: OWN,
      genesisDigest: digest,
      anchorKey: keyOf(OWN, 'anchor'),
      sealKey: x25519PublicKey(keyOf(OWN, 'seal').seed),
      secret: SECRET,
      anchorTickMs: TICK_MS,
      ...(parts.queue && { queue: parts.queue }),
    },
    {
      clock: {
        monotonic: () => clock.monotonic(),
        wall: () => clock.wall(),
        after: (ms, run) => clock.after(ms, () => (life.isDead ? undefined : run())),
      },
      store: mortal(store, ['putSubmission', 'updateHolders', 'putBatch', 'markAnchored'], life),
      accounts: mortal(accounts, ['put', 'updateDeposits'], life),
      uploads,
      takeRoom: parts.takeRoom ?? (() => Promise.resolve(true)),
      peers: mortal(holders.peers, ['request'], life),
      organisations: parts.organisations ?? (() => world.parts.members.organisations),
      random: (length) => new Uint8Array(randomBytes(length)),
      chain,
      execution,
      mempool: mortal(parts.mempool, ['submit'], life),
      committer: {
        subscribe: (listener) => {
          unsubscribe = committer.subscribe(listener)
          return () => unsubscribe?.()
        },
      },
      logger,
      metrics,
      onRecords: (change) => changes.push(change),
      onFatal: (error) => failures.push(error),
    },
  )
  const genesis = encodeGenesis(world.genesis)
  const { index } = custodian
  const proofs = createProofDocuments({ chain, store, index, genesis, genesisDigest: digest })
  const content = (id: string): Uint8Array | undefined => {
    const entry = index.get(fromHex(id))
    return entry && holders.open(entry.set, entry.metadata)
  }
  const stopListening = () => unsubscribe?.()
  return { custodian, store, proofs, life, changes, content, failures, stopListening }
}

function chainOf({ parts }: World): ChainStore {
  if (!(parts.chain instanceof ChainStore)) throw new Error('the world has a chain store')
  return parts.chain
}

/** The same object, but where it is named its work is a step of a life that may end there. */
function mortal<T extends object>(target: T, steps: readonly string[], life: Life): T {
  return new Proxy(target, {
    get: (inner, name) => {
      const value: unknown = Reflect.get(inner, name, inner)
      if (typeof value !== 'function') return value
      if (typeof name !== 'string' || !steps.includes(name)) return value.bind(inner)
      return (...values: unknown[]) => life.pass(() => Reflect.apply(value, inner, values))
    },
  })
}

export async function makeBlock(world: World): Promise<CommittedBlock | undefined> {
  const { execution, clock } = world.parts
  const state = execution.finalState()
  const candidates = world.mempool.take(state, { count: 1_000, bytes: 1 << 20 })
  const time = Math.max(clock.wall(), execution.tip.meta.time + 1)
  const height = execution.tip.meta.height + 1
  const digest = genesisDigest(world.genesis)
  const context = { genesisDigest: digest, time, height, parameters: execution.parameters }
  const { included, rejected } = applyTransactions(state, context, candidates)
  await world.mempool.rejected(rejected)
  if (included.length === 0) return undefined
  return world.finalize(included.map(({ bytes }) => bytes))
}

/** Lets everything under way go on until the condition holds; time stands still meanwhile. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `still not so: ${what}`)
    await nextTurn()
  }
}

/** Every anchor of our organisation in the chain: its root and sequence, by height. */
export function anchorsOn(world: World): { root: string; sequence: number; height: number }[] {
  const chain = chainOf(world)
  const digest = genesisDigest(world.genesis)
  return [...chain.blocks(1, chain.tip.height)].flatMap(({ block, height }) =>
    decodeBlock(block)
      .transactions.map((bytes) => decodeTransaction(bytes, digest).payload)
      .filter((payload) => payload.kind === 'record.anchor')
      .filter(({ body }) => body.organisation === OWN)
      .map(({ body }) => ({ root: toHex(body.batchRoot), sequence: body.sequence, height })),
  )
}

export function jsonOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

export function submission(
  bytes: Uint8Array,
  options: Partial<RecordSubmission> = {},
): RecordSubmission {
  return {
    bytes,
    format: 'json',
    contentType: 'application/fhir+json',
    isPartial: false,
    ...options,
  }
}

/** NDJSON with one made-up observation a line. */
export function observations(count: number, from = 0): RecordSubmission {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ resourceType: 'Observation', valueInteger: from + index }),
  )
  const contentType = 'application/fhir+ndjson'
  return submission(new TextEncoder().encode(lines.join('\n')), { format: 'ndjson', contentType })
}
