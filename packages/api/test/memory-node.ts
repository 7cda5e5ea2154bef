/**
 * The other side of the contract, in memory: a chain that makes a block when it is told to.
 *
 * It keeps every promise written in `handlers.ts` (order, exclusive positions, events visible in the
 * history before they are announced), and no more: transactions are opaque, nothing is signed.
 */

import type { Checkpoint } from '../src/checkpoint-answers.ts'
import { sha256 } from '@mooring/crypto'
import type {
  Block,
  BlockSummary,
  Condition,
  Status,
  Transaction,
  Verification,
} from '../src/answers.ts'
import { Refusal } from '../src/errors.ts'
import type {
  ApiEvent,
  AccessQuery,
  ApiHandlers,
  ChangePreviewOutcome,
  ProofOutcome,
  RecordAnswer,
  RecordSubmission,
  SubmissionOutcome,
  SubmittedRecordAnswer,
  TransactionOutcome,
} from '../src/handlers.ts'
import type { Access } from '../src/access-answers.ts'
import type { IdentityHandlers } from '../src/identity-handlers.ts'
import type { Evidence } from '../src/evidence-answers.ts'
import type { Change, Epoch, Member, Network } from '../src/membership-answers.ts'
import { formatVerification, verifyProof } from '../src/verify.ts'
import { accessPage, shownAccess } from './memory-access.ts'
import { CHANGE, EPOCH, MEMBER } from './membership.ts'
import { memoryAdmin, MemoryAudit } from './memory-admin.ts'
import { MemoryEmergencies } from './memory-emergencies.ts'
import { MemoryErasing } from './memory-erasing.ts'
import { MemoryIdentities } from './memory-identities.ts'
import type { TimelineHandlers } from '../src/timeline-handlers.ts'
import { MemoryTimelines } from './memory-timelines.ts'
import { MemoryPatients } from './memory-patients.ts'
import { digestOf, MemoryVault, NOT_PLACED, timeOf } from './memory-vault.ts'

const ZERO = '0'.repeat(64)
const GENESIS_JSON = '{ "networkName": "test",\n  "note": "kept as it is" }\n'
export { digestOf }
export const GENESIS_DIGEST = digestOf('genesis')

const ANCHOR = { kind: 'record.anchor', organisation: 'st-mary' }

const SNAPSHOT = { height: 2, digest: digestOf('snapshot'), bytes: 100 }

export class MemoryNode extends MemoryVault implements ApiHandlers {
  readonly chain: Block[] = []
  readonly pending = new Map<string, Uint8Array>()
  organisations: Member[] = [MEMBER]
  proposals: Change[] = [CHANGE]
  readonly patients = new MemoryPatients()
  readonly memoryIdentities = new MemoryIdentities()
  identities: IdentityHandlers = this.memoryIdentities
  readonly emergencies = new MemoryEmergencies()
  readonly erasing = new MemoryErasing()
  readonly memoryTimelines = new MemoryTimelines()
  timelines: TimelineHandlers = this.memoryTimelines
  readonly admin = memoryAdmin
  readonly audit = new MemoryAudit()
  /** Oldest first. */
  accesses: Access[] = []
  offences: Evidence[] = []
  oldest = 1
  conditions: Condition[] = [{ name: 'peers', ok: true, detail: '3 of 3 members are connected.' }]
  /** Called at the start of each reading of the history, to act while it runs. */
  onReading: () => void = () => undefined
  arrivals = 0
  submissions = 0
  hold: Promise<void> | undefined
  readonly #listeners = new Set<(event: ApiEvent) => void>()
  readonly #changes = new Set<() => void>()

  readonly events = {
    oldestHeight: () => this.oldest,
    eventsFrom: (height: number) => this.#eventsFrom(height),
    subscribe: (listener: (event: ApiEvent) => void) => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    },
  }

  get listeners(): number {
    return this.#listeners.size
  }

  announce(event: ApiEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** Everything that waits becomes one final block. */
  finalize(): Block {
    const height = this.chain.length + 1
    const records = [...this.stored.values()].filter(({ status }) => status === 'accepted')
    const anchors = records.map(({ id }) => digestOf(`anchor ${id}`))
    const transactions = [...this.pending.keys(), ...anchors]
    const block: Block = {
      ...blockFields(height, this.chain.at(-1)?.digest ?? GENESIS_DIGEST),
      transactionCount: transactions.length,
      transactions,
      contents: transactions.map((id) => ({ id, ...ANCHOR, sequence: 7 })),
    }
    this.chain.push(block)
    this.pending.clear()
    for (const [index, record] of records.entries()) {
      record.status = 'anchored'
      record.height = height
      record.transactionId = anchors[index] ?? ZERO
    }
    for (const event of eventsOf(block)) this.announce(event)
    for (const change of this.#changes) change()
    return block
  }

  live(): Condition[] {
    return [{ name: 'event_loop', ok: true, detail: 'The event loop answers.' }]
  }

  ready(): Condition[] {
    return this.conditions
  }

  metrics() {
    return Promise.resolve({
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      text: `mooring_chain_height ${this.chain.length}\n`,
    })
  }

  status(): Status {
    const tip = this.chain.at(-1)
    return {
      node: {
        name: 'st-mary',
        peerId: '12D3KooWtest',
        role: 'authority',
        version: '0.1.0',
        runtime: '24.21.0',
        startedAt: timeOf(0),
      },
      network: { name: 'test', id: `moor-${GENESIS_DIGEST.slice(0, 8)}`, protocolVersion: 1 },
      chain: {
        height: this.chain.length,
        digest: tip?.digest ?? GENESIS_DIGEST,
        time: tip?.time ?? timeOf(0),
        bestKnownHeight: this.chain.length,
        finalityP50Ms: null,
        finalityP95Ms: 12.5,
      },
      consensus: {
        epoch: 0,
        view: 1,
        leader: 'st-mary',
        authorities: 4,
        live: 2,
        quorum: 3,
        tolerates: -1,
        waitingMs: 47_000,
        missing: ['riverside', 'lakeview'],
        stall: { code: 'stalled', mor: 'MOR-3001', detail: 'riverside and lakeview are missing.' },
      },
      peers: { connected: 3, members: 3 },
      mempool: { transactions: this.pending.size, bytes: 0 },
      records: { accepted: this.stored.size, anchored: 0 },
      holder: { custodians: 3, shards: 1_234, bytes: 5_678_901, damaged: 1 },
      storage: {
        bytes: 1,
        freeBytes: null,
        base: 0,
        prunedTo: 0,
        retention: 'forever',
        holds: ['case-4711'],
      },
      sync: {
        active: false,
        target: 3,
        blocksPerSecond: 0,
        transactionsPerSecond: 0,
        peers: [],
        bad: [{ name: 'lakeview', reason: 'bad_finalization', count: 2 }],
      },
      alarms: [],
    }
  }

  network(): Network {
    return {
      name: 'test',
      networkId: `moor-${GENESIS_DIGEST.slice(0, 8)}`,
      genesisDigest: GENESIS_DIGEST,
      protocolVersion: 1,
      parameters: { deltaMs: 150, heartbeatMs: 60_000 },
      authorities: ['st-mary', 'riverside', 'lakeview', 'county'],
      quorum: 3,
      epoch: 0,
      scheduledProtocol: null,
      softwareProtocol: 1,
    }
  }

  genesis() {
    return { digest: GENESIS_DIGEST, json: GENESIS_JSON }
  }

  members(): Member[] {
    return this.organisations
  }

  epochs(): Epoch[] {
    return [EPOCH]
  }

  changes(): Change[] {
    return this.proposals
  }

  change(id: string): Change | undefined {
    return this.proposals.find((change) => change.id === id)
  }

  listAccess(query: AccessQuery) {
    return Promise.resolve(accessPage(this.accesses, query))
  }

  access(id: string, { isOpen }: { isOpen: boolean }) {
    const access = this.accesses.find((each) => each.id === id)
    return access && shownAccess(access, isOpen)
  }

  listEvidence({ before, limit }: { before: number | null; limit: number }) {
    const end = Math.min(before === null ? this.offences.length : before, this.offences.length)
    const from = Math.max(0, end - limit)
    return {
      items: this.offences.slice(from, end).toReversed(),
      next: from === 0 ? null : from,
    }
  }

  evidence(id: string) {
    const evidence = this.offences.find((each) => each.id === id)
    return evidence && { evidence, bytes: new TextEncoder().encode(id) }
  }

  previewChange(transaction: Uint8Array): ChangePreviewOutcome {
    if (transaction[0] === 0xff) throw new Refusal('malformed_transaction', 'It proposes nothing.')
    const problem = { code: 'bad_signature', detail: 'The signature is wrong.' }
    const { kind, organisation, summary, details, effect } = CHANGE
    return { id: digestOf(transaction), problem, kind, organisation, summary, details, effect }
  }

  snapshots() {
    return Promise.resolve([SNAPSHOT])
  }

  createSnapshot() {
    return Promise.resolve(SNAPSHOT)
  }

  snapshotManifest(height: number) {
    if (height !== SNAPSHOT.height) throw new Refusal('snapshot_unknown', 'Another height.')
    return Promise.resolve(Uint8Array.of(1, 2, 3))
  }

  snapshotChunk(_height: number, index: number) {
    return Promise.resolve(Uint8Array.of(index))
  }

  pruning() {
    const limits = [{ limit: 'hold', to: 0 }]
    const holds = [{ name: 'case-4711', reason: 'court', placedAt: '2026-11-20T09:00:00.000Z' }]
    const heights = { height: 3, base: 0, prunedTo: 0, prunableTo: 0 }
    return Promise.resolve({ ...heights, retention: '90d', limits, holds })
  }

  prune() {
    return Promise.resolve({ blocks: 0, prunedTo: 0 })
  }

  peers() {
    const unreachable = { rttMs: null, lastHeardMs: null, lastError: 'connection refused' }
    const peer = { peerId: '12D3KooWother', name: 'riverside', connected: false, direction: null }
    return [{ ...peer, ...unreachable, height: 3 }]
  }

  blocks({ before, limit }: { before: number | null; limit: number }): Promise<BlockSummary[]> {
    const end = Math.min(before === null ? this.chain.length : before - 1, this.chain.length)
    return Promise.resolve(this.chain.slice(Math.max(0, end - limit), end).toReversed())
  }

  block(name: { height: number } | { digest: string } | 'latest'): Promise<Block | undefined> {
    if (name === 'latest') return Promise.resolve(this.chain.at(-1))
    const isNamed = (block: Block) =>
      'height' in name ? block.height === name.height : block.digest === name.digest
    return Promise.resolve(this.chain.find(isNamed))
  }

  checkpoint(height: number | 'latest'): Checkpoint | undefined {
    const from = height === 'latest' ? this.chain.length : height
    const block = this.chain.find((each) => each.height >= from)
    if (block === undefined) return undefined
    const { digest, stateRoot, time, epoch } = block
    return {
      networkId: 'moor-a1b2c3d4',
      genesisDigest: block.genesisDigest,
      height: block.height,
      epoch,
      digest,
      stateRoot,
      time,
      header: '00',
      finalization: '00',
      signers: ['st-mary', 'riverside', 'county'],
    }
  }

  transaction(id: string): Promise<Transaction | undefined> {
    const summary = 'anchors a batch'
    const common = { id, ...ANCHOR, expiresAt: timeOf(600), summary, body: { sequence: 7 } }
    if (this.pending.has(id)) {
      const open = { height: null, index: null, time: null, receipt: null }
      return Promise.resolve({ ...common, ...open, status: 'pending' })
    }
    const block = this.chain.find(({ transactions }) => transactions.includes(id))
    if (block === undefined) return Promise.resolve(undefined)
    const index = block.transactions.indexOf(id)
    const receipt = { outcome: 'applied', sequence: 7 }
    const { height, time } = block
    return Promise.resolve({ ...common, status: 'final', height, index, time, receipt })
  }

  submitTransactions(transactions: Uint8Array[]): TransactionOutcome[] {
    return transactions.map((bytes): TransactionOutcome => {
      const id = digestOf(bytes)
      if (bytes[0] === 0xff) {
        return { status: 'rejected', id, code: 'bad_signature', detail: 'The signature is wrong.' }
      }
      if (bytes[0] === 0xfc) {
        return { status: 'rejected', id, code: 'mempool_full', detail: 'The mempool is full.' }
      }
      if (bytes[0] === 0xfe) throw new Refusal('mempool_full', 'The mempool is full.')
      if (bytes[0] === 0xfd) throw new Error('secret path /srv/mooring')
      const height = this.#heightOf(id)
      if (height !== null) return { status: 'final', id, height }
      if (this.pending.has(id)) return { status: 'known', id }
      this.pending.set(id, bytes)
      return { status: 'accepted', id }
    })
  }

  async waitForTransactions(ids: string[], signal: AbortSignal): Promise<(number | null)[]> {
    await this.#until(() => ids.every((id) => this.#heightOf(id) !== null), signal)
    return ids.map((id) => this.#heightOf(id))
  }

  async submitRecords(submission: RecordSubmission): Promise<SubmissionOutcome> {
    this.arrivals += 1
    await this.hold
    this.submissions += 1
    const name = digestOf(submission.bytes).slice(0, 16)
    const lines = new TextDecoder().decode(submission.bytes).trim().split('\n')
    const records: SubmittedRecordAnswer[] = []
    const problems = []
    for (const [entry, line] of lines.entries()) {
      if (line.includes('"resourceType"')) {
        records.push(this.#store(line, entry, submission, name))
      } else {
        const detail = 'The entry has no resourceType.'
        problems.push({ code: 'not_fhir', entry, line: entry + 1, column: 1, detail })
      }
    }
    const isRefused = problems.length > 0 && !submission.isPartial
    return { submission: name, records: isRefused ? [] : records, problems }
  }

  async waitForRecords(name: string, signal: AbortSignal): Promise<SubmittedRecordAnswer[]> {
    const mine = () => [...this.stored.values()].filter(({ submission }) => submission === name)
    await this.#until(() => mine().every(({ height }) => height !== null), signal)
    return mine().map(({ id, resourceType, height }, entry) => {
      const status = height === null ? 'accepted' : 'anchored'
      return { id, resourceType, entry, status, height }
    })
  }

  records(query: { before: number | null; limit: number; resourceType: string | null }) {
    const { before, limit, resourceType } = query
    const items = [...this.stored.values()]
      .toReversed()
      .filter(({ position }) => before === null || position < before)
      .filter((record) => resourceType === null || record.resourceType === resourceType)
    const page = items.slice(0, limit)
    const next = items.length > limit ? (page.at(-1)?.position ?? null) : null
    return Promise.resolve({ items: page, next })
  }

  record(id: string): Promise<RecordAnswer | undefined> {
    return Promise.resolve(this.stored.get(id))
  }

  proof(id: string, { withOpening }: { withOpening: boolean }): Promise<ProofOutcome | undefined> {
    const record = this.stored.get(id)
    if (record !== undefined) {
      if (record.height === null) return Promise.resolve({ kind: 'pending' })
      const opening = withOpening ? { blind: ZERO } : null
      const json = JSON.stringify({ record: { commit: digestOf(id), opening } }, null, 2)
      return Promise.resolve({ kind: 'record', json })
    }
    if (this.pending.has(id)) return Promise.resolve({ kind: 'pending' })
    if (this.#heightOf(id) === null) return Promise.resolve(undefined)
    return Promise.resolve({ kind: 'transaction', json: `{ "transaction": "${id}" }\n` })
  }

  verifyProof(json: Uint8Array): Verification {
    const genesis = new TextEncoder().encode('no genesis is made of this')
    return formatVerification(verifyProof(json, { genesisDigest: sha256(genesis) }))
  }

  #store(
    line: string,
    entry: number,
    { contentType }: RecordSubmission,
    submission: string,
  ): SubmittedRecordAnswer {
    const bytes = new TextEncoder().encode(line)
    const id = digestOf(bytes)
    const resourceType = /"resourceType":"(\w+)"/.exec(line)?.[1] ?? null
    const known = this.stored.get(id)
    if (known !== undefined)
      return { id, resourceType, entry, status: 'known', height: known.height }
    const fields = { id, resourceType, contentType, bytes, submission, size: bytes.length }
    const open = { ...NOT_PLACED, status: 'accepted' as const }
    const position = this.stored.size + 1
    this.stored.set(id, { ...fields, ...open, position, acceptedAt: timeOf(position) })
    return { id, resourceType, entry, status: 'accepted', height: null }
  }

  #heightOf(id: string): number | null {
    return this.chain.find(({ transactions }) => transactions.includes(id))?.height ?? null
  }

  async #until(isDone: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isDone() && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#changes.add(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
      await promise
      this.#changes.delete(resolve)
    }
  }

  async *#eventsFrom(height: number): AsyncGenerator<ApiEvent> {
    this.onReading()
    for (let next = Math.max(height, this.oldest); next <= this.chain.length; next += 1) {
      const block = await this.block({ height: next })
      if (block !== undefined) yield* eventsOf(block)
    }
  }
}

function blockFields(height: number, parent: string) {
  const digest = digestOf(`block ${height}`)
  const view = height + 1
  return {
    height,
    digest,
    epoch: 0,
    view,
    time: timeOf(height),
    proposer: 'st-mary',
    parent,
    parentView: height,
    genesisDigest: GENESIS_DIGEST,
    transactionRoot: ZERO,
    stateRoot: ZERO,
    historyRoot: ZERO,
    authoritySetDigest: ZERO,
    nextAuthoritySetDigest: null,
    finalization: { height, digest, view, signers: ['st-mary', 'riverside', 'county'], quorum: 3 },
  }
}

function* eventsOf(block: Block): Generator<ApiEvent> {
  const { height, digest, time } = block
  yield { type: 'block', place: { height, index: 0 }, body: { height, digest, time } }
  for (const [at, id] of block.transactions.entries()) {
    const place = { height, index: at + 1 }
    yield { type: 'transaction', place, body: { id, height, index: at } }
  }
}
