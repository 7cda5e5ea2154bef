// Says that this node is ready for a change, by itself: the next authorities count only those who have
// shown that they run, have caught up, and hold the key with which they will vote. So a member that is
// promoted or takes a new key needs no hand, and one that is not there yet delays the change rather than
// the chain. For a protocol version it says so when this software speaks it, and never before.

import { toHex } from '@mooring/codec'
import { quorumOf } from '@mooring/consensus'
import {
  createTransaction,
  openChanges,
  planChange,
  type RecordedChange,
  tallyOf,
} from '@mooring/ledger'
import type { Clock } from './clock.ts'
import type { Committer } from './committer.ts'
import type { Execution } from './execution.ts'
import type { ConsensusKey } from './load-options.ts'
import type { Logger } from './logger.ts'
import type { Mempool } from './mempool.ts'
import { BLOCKS_BEHIND } from './presence.ts'
import { speaksProtocol } from './protocol.ts'
import type { RemoteSigner } from './remote-signer.ts'

const LOOK_MS = 1_000
/** What was handed in and is in no block yet is handed in again, newly signed. */
const AGAIN_MS = 30_000
const LIFETIME_MS = 300_000

export interface ReadinessOptions {
  organisation: string
  genesisDigest: Uint8Array
}

export interface ReadinessModules {
  clock: Clock
  execution: Pick<Execution, 'tip' | 'parameters' | 'finalState'>
  committer: Pick<Committer, 'subscribe'>
  mempool: Pick<Mempool, 'submit'>
  logger: Logger
  bestKnownHeight: () => number
  /** How many organisations of these are connected. */
  connectedOf: (organisations: readonly string[]) => number
  /** Our consensus key with this public key, the next one included. */
  keyNamed: (publicKey: Uint8Array) => Promise<ConsensusKey | undefined>
  /** Holds the keys that have no seed here. */
  signer?: Pick<RemoteSigner, 'ready'>
  onFatal: (error: unknown) => void
}

export class Readiness {
  readonly #options: ReadinessOptions
  readonly #modules: ReadinessModules
  readonly #saidAt = new Map<string, number>()
  readonly #unsubscribe: () => void
  #cancel: () => void = () => undefined
  #running: Promise<void> | null = null
  #isClosed = false

  constructor(options: ReadinessOptions, modules: ReadinessModules) {
    this.#options = options
    this.#modules = modules
    this.#unsubscribe = modules.committer.subscribe(() => this.#look())
    this.#arm()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#unsubscribe()
    this.#cancel()
    await this.#running
  }

  #arm(): void {
    this.#cancel = this.#modules.clock.after(LOOK_MS, () => {
      this.#arm()
      this.#look()
    })
  }

  #look(): void {
    if (this.#isClosed || this.#running !== null) return
    const open = openChanges(this.#modules.execution.finalState())
    this.#forgetAllBut(open)
    if (open.length === 0 || !this.#hasCaughtUp()) return
    this.#running = this.#consider(open)
      .catch(this.#modules.onFatal)
      .finally(() => {
        this.#running = null
      })
  }

  #forgetAllBut(open: readonly RecordedChange[]): void {
    const names = new Set(open.map(({ id }) => toHex(id)))
    for (const name of this.#saidAt.keys()) if (!names.has(name)) this.#saidAt.delete(name)
  }

  #hasCaughtUp(): boolean {
    const { bestKnownHeight, execution } = this.#modules
    return bestKnownHeight() - execution.tip.meta.height <= BLOCKS_BEHIND
  }

  async #consider(open: readonly RecordedChange[]): Promise<void> {
    for (const change of open) {
      const key = await this.#keyFor(change)
      if (key !== undefined && !this.#isClosed) await this.#say(change, key)
    }
  }

  /** The key to say it with; undefined when nothing is to be said, or we are not ready. */
  async #keyFor(record: RecordedChange): Promise<ConsensusKey | undefined> {
    const { clock, execution, connectedOf, keyNamed } = this.#modules
    const { organisation } = this.#options
    const said = this.#saidAt.get(toHex(record.id))
    if (said !== undefined && clock.monotonic() - said < AGAIN_MS) return undefined
    const state = execution.finalState()
    const height = execution.tip.meta.height + 1
    const tally = tallyOf(state, record, { height, time: clock.wall() })
    if ('code' in tally || tally.ready === null) return undefined
    if (tally.ready.given.includes(organisation)) return undefined
    const { change } = record
    if (change.kind === 'protocol' && !speaksProtocol(change.body.version)) return undefined
    const plan = planChange(state, change, { height })
    if ('code' in plan) return undefined
    const { organisations, keys } = plan.authorities
    const key = keys[organisations.indexOf(organisation)]
    if (key === undefined) return undefined
    const others = organisations.filter((name) => name !== organisation)
    if (connectedOf(others) + 1 < quorumOf(organisations.length)) return undefined
    return keyNamed(key)
  }

  async #say({ id, change }: RecordedChange, key: ConsensusKey): Promise<void> {
    const { clock, mempool, logger } = this.#modules
    const transaction = await this.#signed(id, key)
    if (transaction === null || this.#isClosed) return
    this.#saidAt.set(toHex(id), clock.monotonic())
    const outcome = await mempool.submit(transaction)
    const name = toHex(id.subarray(0, 4))
    if (outcome.status === 'rejected')
      logger.warn('this node is ready for a change and was not heard', {
        change: name,
        code: outcome.code,
      })
    else logger.info('this node is ready for a change', { change: name, kind: change.kind })
  }

  /** Null while the signer that holds the key is away: it is asked for again. */
  #signed(change: Uint8Array, { publicKey, seed }: ConsensusKey): Promise<Uint8Array | null> {
    const { clock, execution, signer } = this.#modules
    const { organisation, genesisDigest } = this.#options
    const { expiryWindowMs } = execution.parameters
    const time = Math.max(clock.wall(), execution.tip.meta.time)
    const expiresAt = time + Math.min(LIFETIME_MS, Math.floor(expiryWindowMs / 2))
    const body = { organisation, change }
    if (seed === null) return signer?.ready(publicKey, { expiresAt, ...body }) ?? nothing()
    const keyPair = { seed, publicKey }
    const ready = { kind: 'change.ready', expiresAt, body } as const
    return Promise.resolve(createTransaction({ genesisDigest, keyPair, ...ready }))
  }
}

const nothing = () => Promise.resolve(null)
