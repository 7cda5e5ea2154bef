// Hospitals that keep shards for each other, in this process: real holders over a database and a file system
// in memory, which ask each other in the bytes of the wire. The chain behind them is made by hand. What they
// note of accesses is kept in a list.

import assert from 'node:assert/strict'
import {
  type AccessEntry,
  accessEntryCommit,
  type AccessRequest,
  type AccessWitness,
  commitRecord,
  consentOf,
  decodeVaultAnswer,
  type DepositItem,
  encodeVaultRequest,
  type FactsOpening,
  gateTagOf,
  NO_CLINICAL_FACTS,
  openFacts,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  recordSecrets,
  sealAccessEntry,
  type SealedRecord,
  sealRecord,
  type ShardName,
  signAccessRequest,
  type SignedAccessRequest,
  signGrant,
  UNATTENDED,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { concatBytes } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import { blockDigest, decodeHeader, organisations } from '@mooring/ledger'
import {
  LeafStore,
  LocalBlobs,
  MemoryFileSystem,
  MemoryLevel,
  openDatabaseOn,
  ShardStore,
} from '@mooring/storage'
import type { AccessNotes, RefusedAccess } from '../src/access-notes.ts'
import { type CreatedHolder, createHolder, type HolderOptions } from '../src/create-holder.ts'
import { FreeSpace } from '../src/free-space.ts'
import { GrantReader } from '../src/grant-reader.ts'
import type { VaultHandlers } from '../src/holder.ts'
import { answerVaultRequest } from '../src/holder-wire.ts'
import type { DamagedShard } from '../src/kept-shards.ts'
import { createLogger } from '../src/logger.ts'
import { keyOf, NAMES, OBSERVER } from './chain-members.ts'
import { MadeChain } from './made-chain.ts'
import { MadeFacts } from './made-facts.ts'
import { MadeRoots } from './made-roots.ts'
import { MadeTombstones } from './made-tombstones.ts'
import { TestClock } from './test-clock.ts'

export const CUSTODIAN = 'st-mary'
export const READER = OBSERVER
export const HANDLE = bytesOf('handle')
export const STRANGER = 'nobody'
const SPLIT = { k: 2, n: 4 }
const GIB = 1024 ** 3
const LIFETIME_MS = 5 * 60_000

export const patient = {
  sign: pairwiseSignKey(bytesOf('patient'), organisationDid(CUSTODIAN)),
  log: pairwiseSealKey(bytesOf('patient'), organisationDid(CUSTODIAN), 0),
}

export interface Noted {
  witnessed: AccessEntry[]
  served: number
  refused: RefusedAccess[]
  /** Why nothing can be noted, when a test says so. */
  fault: Error | null
  /** Whether an entry is that of its request, and of no earlier one. */
  isEntryNew: boolean
}

export interface KeepingHospital {
  name: string
  created: CreatedHolder
  store: ShardStore
  leaves: LeafStore
  level: MemoryLevel
  files: MemoryFileSystem
  noted: Noted
  damaged: DamagedShard[]
  /** What the disk has left. */
  free: { bytes: number }
  /** Throws at the next writes, when a test says so. */
  disk: { fault: (() => never) | null }
  outcomes: string[]
}

export interface Deposited {
  record: SealedRecord
  raw: Uint8Array
  gateTag: Uint8Array
  facts: FactsOpening
  holders: string[]
}

export class HolderWorld {
  readonly clock = new TestClock()
  readonly chain: MadeChain
  readonly roots = new MadeRoots()
  readonly tombstones = new MadeTombstones()
  readonly genesisDigest = new Uint8Array(32).fill(7)
  readonly facts = new MadeFacts()
  readonly hospitals = new Map<string, KeepingHospital>()
  handlers: VaultHandlers | null = null
  /** Whom nobody reaches. */
  readonly away = new Set<string>()
  /** Whom the members have removed. */
  readonly removed = new Set<string>()
  #count = 0

  private constructor(chain: MadeChain) {
    this.chain = chain
  }

  static async open(options: Partial<HolderOptions> = {}): Promise<HolderWorld> {
    const chain = await MadeChain.open()
    await chain.grow(3)
    const world = new HolderWorld(chain)
    for (const name of NAMES) world.hospitals.set(name, await world.#hospital(name, options))
    return world
  }

  get organisations() {
    return organisations(this.chain.chain.state()).filter(({ id }) => !this.removed.has(id))
  }

  hospital(name: string): KeepingHospital {
    const found = this.hospitals.get(name)
    assert.ok(found !== undefined, name)
    return found
  }

  /** In the bytes of the wire. */
  async ask(sender: string, holder: string, request: VaultRequest): Promise<VaultAnswer> {
    return await this.askBytes(sender, holder, encodeVaultRequest(request))
  }

  async askBytes(sender: string, holder: string, payload: Uint8Array): Promise<VaultAnswer> {
    const { created, noted } = this.hospital(holder)
    const list = this.organisations.map(({ id }) => ({
      peerId: `peer of ${id}`,
      name: id,
      authority: true,
    }))
    const answer = await answerVaultRequest(`peer of ${sender}`, payload, {
      members: { list },
      notes: notesOf(noted),
      answer: (from, request) => created.holder.answer(from, request),
    })
    return decodeVaultAnswer(answer)
  }

  /** A sealed record, not deposited anywhere. */
  seal(size = 500): Deposited {
    this.#count += 1
    const raw = noise(size, this.#count)
    const rec = sha256(bytesOf(`rec ${this.#count}`))
    const commitment = commitRecord([], raw, recordSecrets(rec))
    const facts = {
      ...NO_CLINICAL_FACTS,
      patientKey: patient.sign.publicKey,
      class: 'general',
      record: commitment.recordCommit,
    }
    const details = {
      ...commitment,
      rec,
      mediaType: 'application/octet-stream',
      resourceType: null,
      resourceId: null,
      versionId: null,
      fullUrl: null,
      receivedAt: this.clock.wall(),
      supersedes: null,
      sequence: 1,
      eventAt: '2020-02-29T10:00:00.000+01:00',
      isMistake: 0,
      facts,
      patient: 'p-1',
      submission: bytesOf('submission'),
      dedupe: bytesOf(`dedupe ${this.#count}`),
    }
    const random = randomOf(`seal ${this.#count}`)
    const classKey = bytesOf('class key')
    const record = sealRecord(raw, details, {
      custodian: CUSTODIAN,
      split: SPLIT,
      classKey,
      random,
    })
    const opening = openFacts(rec, facts, [])
    return { record, raw, gateTag: gateTagOf(rec), facts: opening, holders: [...NAMES] }
  }

  itemOf({ record, holders }: Deposited, index: number): DepositItem {
    const { encodedSet: set, manifest, shards } = record
    return { set, manifest, holders, index, shard: shards[index] ?? new Uint8Array(0) }
  }

  /** At all four holders. */
  async deposit(size = 500): Promise<Deposited> {
    const deposited = this.seal(size)
    for (const [index, holder] of deposited.holders.entries()) {
      const items = [this.itemOf(deposited, index)]
      const answer = await this.ask(CUSTODIAN, holder, { kind: 'deposit', body: { items } })
      assert.ok(answer.kind === 'receipt', JSON.stringify(answer))
      assert.deepEqual(answer.body.refused, [])
    }
    return deposited
  }

  /** A request that every holder permits, with one thing changed. */
  request(
    records: readonly Deposited[],
    changes: Partial<AccessRequest> = {},
  ): { signed: SignedAccessRequest; entry: AccessEntry } {
    this.#count += 1
    const id = bytesOf(`request ${this.#count}`).slice(0, 16)
    const now = this.clock.wall()
    const consent = consentOf({
      id: bytesOf('grant').slice(0, 16),
      patientKey: patient.sign.publicKey,
      logKey: patient.log.publicKey,
      custodian: CUSTODIAN,
      recipient: READER,
      content: { classes: ['general'] },
      purposes: ['TREAT'],
      notBefore: now - 60_000,
      expiresAt: now + 3_600_000,
      handle: HANDLE,
    })
    const grant = signGrant(patient.sign, consent)
    const access = {
      kind: 'read' as const,
      id,
      time: now,
      reader: READER,
      custodian: CUSTODIAN,
      purpose: 'TREAT',
      patientKey: patient.sign.publicKey,
      grant: consent.id,
      records: [],
      query: null,
      by: UNATTENDED,
      sequence: null,
      emergency: null,
    }
    const entry = sealAccessEntry(access, patient.log.publicKey, randomOf(`entry ${this.#count}`))
    const request: AccessRequest = {
      id,
      reader: READER,
      custodian: CUSTODIAN,
      purpose: 'TREAT',
      grant,
      practitioner: null,
      sets: records.map(({ record, gateTag, facts }) => ({
        setId: record.setId,
        gateTag,
        facts,
      })),
      entry: accessEntryCommit(entry),
      block: this.blockAt(this.chain.height),
      issuedAt: now,
      expiresAt: now + LIFETIME_MS,
      audience: [...NAMES],
      ...changes,
    }
    return { signed: signAccessRequest(keyOf(request.reader, 'anchor'), request), entry }
  }

  blockAt(height: number): AccessRequest['block'] {
    const header = this.chain.chain.getHeader(height)
    assert.ok(header !== undefined)
    return { height, digest: blockDigest(decodeHeader(header)) }
  }

  async witness(
    holder: string,
    { signed, entry }: { signed: SignedAccessRequest; entry: AccessEntry },
  ): Promise<AccessWitness | string> {
    const request = { kind: 'witness' as const, body: { signed, entry } }
    const answer = await this.ask(signed.request.reader, holder, request)
    if (answer.kind === 'refusal') return answer.body.code
    assert.ok(answer.kind === 'witness')
    return { holder, signature: answer.body.signature }
  }

  async witnesses(
    holders: readonly string[],
    asked: { signed: SignedAccessRequest; entry: AccessEntry },
  ): Promise<AccessWitness[]> {
    const given = await Promise.all(holders.map((holder) => this.witness(holder, asked)))
    return given.map((witness) => {
      assert.ok(typeof witness === 'object', JSON.stringify(witness))
      return witness
    })
  }

  /** The fragments by set, or the code of the refusal. */
  async release(
    holder: string,
    signed: SignedAccessRequest,
    witnesses: readonly AccessWitness[],
    { sender = signed.request.reader, from = 0, count = 1, digests = 0 } = {},
  ): Promise<Extract<VaultAnswer, { kind: 'release' }>['body']['items'] | string> {
    const items = signed.request.sets.map(({ setId }) => ({ setId, from, count, digests }))
    const body = { signed, witnesses: [...witnesses], items }
    const answer = await this.ask(sender, holder, { kind: 'release', body })
    if (answer.kind === 'refusal') return answer.body.code
    assert.ok(answer.kind === 'release')
    return answer.body.items
  }

  /** One bit of a stored shard, as a failing disk would. */
  async damage(holder: string, { setId, index }: ShardName): Promise<void> {
    const { level } = this.hospital(holder)
    const key = concatBytes(new TextEncoder().encode('s'), setId, Uint8Array.of(index))
    const stored = level.getSync(key)
    assert.ok(stored !== undefined)
    stored[stored.length - 1] = (stored.at(-1) ?? 0) ^ 0x10
    const batch = level.batch()
    batch.put(key, stored)
    await batch.write({ sync: true })
  }

  async close(): Promise<void> {
    for (const { created, store } of this.hospitals.values()) {
      await created.close()
      await store.idle()
    }
    await this.chain.close()
  }

  async #hospital(name: string, options: Partial<HolderOptions>): Promise<KeepingHospital> {
    const disk: KeepingHospital['disk'] = { fault: null }
    const level = new MemoryLevel(name, () => {
      disk.fault?.()
      return Promise.resolve()
    })
    const database = await openDatabaseOn(level, 'vault')
    const store = await ShardStore.open(database)
    const leaves = new LeafStore(database)
    const files = new MemoryFileSystem()
    const noted: Noted = { witnessed: [], served: 0, refused: [], fault: null, isEntryNew: true }
    const free = { bytes: 100 * GIB }
    const damaged: DamagedShard[] = []
    const outcomes: string[] = []
    const organisationsNow = () => this.organisations
    const created = createHolder(
      {
        self: name,
        anchorKey: keyOf(name, 'anchor'),
        genesisDigest: this.genesisDigest,
        quotaBytes: null,
        reserveBytes: GIB,
        ...options,
      },
      {
        clock: this.clock,
        logger: createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' }),
        store,
        leaves,
        roots: this.roots,
        tombstones: this.tombstones,
        blobs: await LocalBlobs.open({ directory: '/blobs', fileSystem: files }),
        space: new FreeSpace('/', this.clock, () => Promise.resolve(free.bytes)),
        notes: notesOf(noted),
        accesses: { about: () => Promise.resolve({ items: [], next: null, last: 0 }) },
        members: {
          get organisations() {
            return organisationsNow()
          },
        },
        chain: this.chain.chain,
        facts: this.facts,
        grants: new GrantReader(),
        isConnected: (organisation) => !this.away.has(organisation),
        handlers: () => this.handlers,
        onDamage: (shard) => damaged.push(shard),
        observe: (kind, outcome) => outcomes.push(`${kind} ${outcome}`),
      },
    )
    return { name, created, store, leaves, level, files, noted, damaged, free, disk, outcomes }
  }
}

export async function withHolders(
  work: (world: HolderWorld) => Promise<void>,
  options: Partial<HolderOptions> = {},
): Promise<void> {
  const world = await HolderWorld.open(options)
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

function notesOf(noted: Noted): AccessNotes {
  return {
    noteWitness: (_request, entry) => {
      if (noted.fault !== null) return Promise.reject(noted.fault)
      noted.witnessed.push(entry)
      return Promise.resolve(noted.isEntryNew)
    },
    noteServed: (_request, sets) => {
      noted.served += sets
    },
    noteRefusal: (refused) => {
      noted.refused.push(refused)
      return Promise.resolve()
    },
    noteRead: () => Promise.resolve(),
    noteQuery: () => Promise.resolve(true),
    noteEmergency: () => Promise.resolve(),
    noteRepair: () => Promise.resolve(),
  }
}

export function bytesOf(name: string): Uint8Array {
  return sha256(new TextEncoder().encode(name))
}

function randomOf(seed: string): (length: number) => Uint8Array {
  let count = 0
  return (length) => {
    const parts: Uint8Array[] = []
    for (let made = 0; made < length; made += 32) {
      count += 1
      parts.push(bytesOf(`${seed} ${count}`))
    }
    return concatBytes(...parts).slice(0, length)
  }
}

/** Bytes of which no two stretches are the same. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed * 2_654_435_761) >>> 0 || 1
  for (let at = 0; at < length; at += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state
  }
  return bytes
}
