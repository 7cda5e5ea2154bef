// A long chain made by hand, as fast as blocks can be executed: four authorities sign what it takes, and
// nobody agrees on anything. It is what others have when a node comes late.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { ZERO_DIGEST } from '@mooring/consensus'
import {
  createTransaction,
  decodeHeader,
  decodeTransaction,
  type Genesis,
  genesisDigest,
  genesisState,
  type Parameters,
} from '@mooring/ledger'
import { ChainStore, type Database, openDatabase } from '@mooring/storage'
import { answerBlockRequest } from '../src/block-server.ts'
import { Committer } from '../src/committer.ts'
import { Execution, placeOf, type Tip } from '../src/execution.ts'
import { readHeader } from '../src/stores.ts'
import { batchOf, certificateOf, genesisWith, keyOf, NAMES } from './chain-members.ts'
import { START } from './test-clock.ts'

const BLOCK_MS = 100

export interface MadeOptions {
  transactionsPerBlock?: number
  /** One in so many blocks has a finalization of its own. */
  finalizedEvery?: number
}

/** Of the committer: which states are taken. */
type Taking = ConstructorParameters<typeof Committer>[0]['snapshots']

export class MadeChain {
  readonly genesis: Genesis
  readonly digest: Uint8Array
  readonly chain: ChainStore
  readonly execution: Execution
  readonly committer: Committer
  readonly folder: string
  taking: Taking
  /** What comes after a block is durable. */
  settle: () => Promise<void> = () => Promise.resolve()
  readonly #database: Database
  readonly #sequences = new Map<string, number>()

  private constructor(
    genesis: Genesis,
    folder: string,
    at: { database: Database; chain: ChainStore },
  ) {
    this.genesis = genesis
    this.digest = genesisDigest(genesis)
    this.folder = folder
    this.#database = at.database
    this.chain = at.chain
    this.execution = new Execution(tipOf(at.chain), {
      genesisDigest: this.digest,
      isVerified: () => true,
      isIncluded: (id) => at.chain.getTransaction(id) !== undefined,
    })
    this.committer = new Committer({
      snapshots: {
        isDue: (height, view) => this.taking?.isDue(height, view) ?? false,
        begin: () => this.taking?.begin() ?? Promise.resolve(),
      },
      chain: at.chain,
      execution: this.execution,
      onDurable: () => this.settle(),
      onFatal: (error) => {
        throw error
      },
    })
  }

  static async open(parameters: Partial<Parameters> = {}, folder?: string): Promise<MadeChain> {
    const genesis = genesisWith({ quotaPerMinute: 1_000_000, ...parameters })
    const home = folder ?? (await mkdtemp(join(tmpdir(), 'mooring-made-')))
    const database = await openDatabase(join(home, 'data', 'chain'), { name: 'chain' })
    const chain = await ChainStore.open(database, {
      genesis: {
        digest: genesisDigest(genesis),
        time: genesis.time,
        state: genesisState(genesis).values(),
      },
      decodeHeader: readHeader,
    })
    return new MadeChain(genesis, home, { database, chain })
  }

  get height(): number {
    return this.chain.tip.height
  }

  /** What an honest peer answers. */
  answer(payload: Uint8Array): Uint8Array {
    return answerBlockRequest(payload, { chain: this.chain, execution: this.execution })
  }

  async grow(
    blocks: number,
    { transactionsPerBlock = 1, finalizedEvery = 1 }: MadeOptions = {},
  ): Promise<void> {
    for (let made = 1; made <= blocks; made += 1) {
      const transactions = Array.from({ length: transactionsPerBlock }, (_, index) =>
        this.#anchor(NAMES[index % NAMES.length] ?? ''),
      )
      this.#block(transactions, made % finalizedEvery === 0 || made === blocks)
      if (made % 64 === 0) await this.committer.idle()
    }
    await this.committer.idle()
  }

  /** One block in which three of four vote for these parameters: it ends the epoch. */
  async endEpoch(changes: Partial<Parameters>): Promise<void> {
    const [first = '', ...others] = NAMES
    const expiresAt = this.#expiry()
    const body = { ...this.execution.parameters, ...changes }
    const propose = createTransaction({
      genesisDigest: this.digest,
      keyPair: keyOf(first, 'governance'),
      kind: 'change.propose',
      expiresAt,
      body: {
        organisation: first,
        reason: 'test',
        expiresAt,
        change: { kind: 'parameters', body },
      },
    })
    const change = decodeTransaction(propose, this.digest).id
    const approvals = others.slice(0, 2).map((organisation) =>
      createTransaction({
        genesisDigest: this.digest,
        keyPair: keyOf(organisation, 'governance'),
        kind: 'change.approve',
        expiresAt,
        body: { organisation, change },
      }),
    )
    this.#block([propose, ...approvals], true)
    await this.committer.idle()
  }

  async close(): Promise<void> {
    await this.committer.idle()
    await this.#database.close()
  }

  async remove(): Promise<void> {
    await this.close()
    await rm(this.folder, { recursive: true, force: true })
  }

  #anchor(organisation: string): Uint8Array {
    const sequence = (this.#sequences.get(organisation) ?? 0) + 1
    this.#sequences.set(organisation, sequence)
    const place = { kind: 'record.anchor', organisation, sequence } as const
    return batchOf(this.digest, place, this.#expiry())
  }

  #expiry(): number {
    const last = this.execution.executedOf(this.#pending.at(-1) ?? '') ?? this.execution.tip
    const now = Math.max(START, last.meta.time + BLOCK_MS)
    return now + Math.min(300_000, this.execution.parameters.expiryWindowMs / 2)
  }

  #pending: string[] = []

  #block(transactions: readonly Uint8Array[], isFinalized: boolean): void {
    const { tip } = this.execution
    const parent = this.execution.executedOf(this.#pending.at(-1) ?? '')?.meta ?? tip.meta
    const { meta, rejected } = this.execution.build(parent, {
      view: parent.view + 1,
      now: Math.max(START, parent.time + BLOCK_MS),
      candidates: transactions.map((bytes) => decodeTransaction(bytes, this.digest)),
      mayBeEmpty: true,
    })
    const [refused] = rejected
    if (meta === null || refused !== undefined) {
      throw new Error(`the block was not built: ${JSON.stringify(refused?.reason)}`)
    }
    this.#pending.push(meta.digest)
    if (!isFinalized) return
    const { view, parentView, height, digest } = meta
    const subject = { epoch: this.execution.epoch, view, parentView, height, digest }
    const certificate = certificateOf(this.digest, 'finalize', subject)
    this.committer.commit(this.execution.seal(this.#pending), certificate)
    this.#pending = []
  }
}

/** Where a node begins that has this chain. */
export function tipOf(chain: ChainStore): Tip {
  const { height, digest, time } = chain.tip
  const history = chain.historyFrontier()
  const at = {
    digest,
    view: chain.state(),
    history: { size: history.size, hashes: history.hashes },
  }
  const encoded = chain.getHeader(height)
  if (encoded !== undefined) return { ...placeOf({ header: decodeHeader(encoded), digest }), ...at }
  const place = { view: 0, parentView: 0, height, time, isEmpty: true, isSealing: false }
  return { epoch: 0, meta: { ...place, digest: toHex(digest), parent: ZERO_DIGEST }, ...at }
}
