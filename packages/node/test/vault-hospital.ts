// One hospital of a VaultWorld: a real holder, reader and keeper over a database in memory and blobs in a
// folder. Its accounts and its index of records are lists that a test may look at.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import type { AccessRequest, ClassKeyContent, LeafPlace, Manifest } from '@mooring/records'
import {
  type Database,
  LeafStore,
  LibraryStore,
  LocalBlobs,
  MemoryLevel,
  openDatabaseOn,
  ShardStore,
} from '@mooring/storage'
import { NOTHING_LOST } from '../src/lost-mark.ts'
import type { AccessNotes } from '../src/access-notes.ts'
import { systemClock } from '../src/clock.ts'
import { createHolder } from '../src/create-holder.ts'
import { FreeSpace } from '../src/free-space.ts'
import type { KeptShards } from '../src/kept-shards.ts'
import { GrantReader } from '../src/grant-reader.ts'
import { createLogger } from '../src/logger.ts'
import { createVaultKeeper, type VaultKeeper } from '../src/vault-keeper.ts'
import { createVaultPeers, type VaultPeers } from '../src/vault-peers.ts'
import { anchorKeyOf, chain, logKeyOf, sealSecretOf, signKeyOf } from './vault-keys.ts'
import type { VaultWorld } from './vault-world.ts'

const random = (length: number) => new Uint8Array(randomBytes(length))

export interface Indexed {
  arrival: number
  setId: Uint8Array
  set: Uint8Array
  manifest: Uint8Array
  manifestKey: Uint8Array
  account: Uint8Array
  holders: string[]
  missing: number[]
  status: 'received' | 'accepted' | 'batched'
  metadata: Manifest
}

export interface Patient {
  seed: Uint8Array
  custodian: string
  /** By class. */
  keys: Map<string, ClassKeyContent>
  deposits: { class: string; recipient: string; deposit: Uint8Array }[]
}

export class Hospital {
  readonly name: string
  readonly folder: string
  readonly peers: VaultPeers
  readonly shards: KeptShards
  readonly keeper: VaultKeeper
  readonly records: Indexed[] = []
  readonly leaves: LeafStore
  /** Where its records are in batches, by set: what its catalogue tells. */
  readonly places = new Map<string, LeafPlace>()
  readonly patients: Patient[] = []
  /** Records, by commitment in hex, that nobody reads under a grant. */
  readonly restricted = new Set<string>()
  /** How many entries it made under grants. */
  asked = 0
  /** Entries that were noted, by what for. */
  readonly noted: { what: string; request: AccessRequest | null; code?: string }[] = []
  readonly answer: ReturnType<typeof createHolder>['holder']
  readonly #close: () => Promise<void>

  private constructor(
    world: VaultWorld,
    name: string,
    disk: { database: Database; blobs: LocalBlobs; store: ShardStore; folder: string },
  ) {
    this.name = name
    this.folder = disk.folder
    const { blobs, store, database } = disk
    const logger = createLogger({
      levels: { base: 'trace', modules: {} },
      format: 'json',
      destination: { write: (line) => world.lines.push(line) },
    })
    const notes = this.#notes()
    const { roots } = world
    const grants = new GrantReader()
    const leaves = new LeafStore(database)
    this.leaves = leaves
    const members = world.membersOf()
    const created = createHolder(
      {
        self: name,
        anchorKey: anchorKeyOf(name),
        genesisDigest: world.genesisDigest,
        quotaBytes: null,
        reserveBytes: 0,
      },
      {
        clock: systemClock,
        logger,
        store,
        leaves,
        roots,
        tombstones: world.tombstones,
        blobs,
        space: new FreeSpace(disk.folder, systemClock),
        notes,
        accesses: { about: () => Promise.resolve({ items: [], next: null, last: 0 }) },
        members,
        chain,
        facts: world.facts,
        grants,
        isConnected: (other) => this.peers.isConnected(other),
        handlers: () => ({ ...this.keeper.handlers, emergency: noEmergencies }),
        onDamage: () => undefined,
        observe: () => undefined,
      },
    )
    this.answer = created.holder
    this.shards = created.shards
    this.peers = createVaultPeers(name, {
      network: world.networkOf(name),
      members,
      answer: (sender, request) => created.holder.answer(sender, request),
    })
    this.keeper = createVaultKeeper(
      {
        self: name,
        anchorKey: anchorKeyOf(name),
        sealSecret: sealSecretOf(name),
        retiredSealSecrets: [],
        care: world.care,
      },
      {
        repaired: NOTHING_LOST,
        clock: systemClock,
        logger,
        random,
        peers: this.peers,
        shards: created.shards,
        blobs,
        checkRoom: (custodian, bytes) => created.deposits.refuseRoom(custodian, bytes),
        members,
        chain,
        notes,
        facts: world.facts,
        grants,
        nextSequence: () => Promise.resolve((this.asked += 1)),
        manifests: new LibraryStore(database),
        atRest: {
          seal: (plaintext) => plaintext,
          open: (sealed) => sealed,
          name: (...parts) => sha256(...parts).slice(0, 16),
        },
        accounts: this.#accounts(),
        index: this.#index(),
        placesOf: (entries) =>
          Promise.resolve(entries.map(({ setId }) => this.places.get(toHex(setId)) ?? null)),
        isRestricted: (record) => this.restricted.has(toHex(record)),
        discloseSome: () => Promise.resolve(undefined),
        roots,
        leaves,
        observe: () => undefined,
      },
    )
    this.#close = async () => {
      await this.keeper.close()
      await created.close()
    }
  }

  static async open(world: VaultWorld, name: string, folder: string): Promise<Hospital> {
    const database = await openDatabaseOn(new MemoryLevel(name), 'vault')
    const store = await ShardStore.open(database)
    const blobs = await LocalBlobs.open({
      directory: join(folder, name, randomBytes(4).toString('hex')),
    })
    return new Hospital(world, name, { database, blobs, store, folder })
  }

  close(): Promise<void> {
    return this.#close()
  }

  #notes(): AccessNotes {
    const note = (what: string) => (request: AccessRequest) => {
      this.noted.push({ what, request })
      return Promise.resolve(true)
    }
    return {
      noteWitness: note('witness'),
      noteServed: (request) => void this.noted.push({ what: 'served', request }),
      noteRead: async (request) => void (await note('read')(request)),
      noteQuery: note('query'),
      noteRefusal: ({ code, request }) => {
        this.noted.push({ what: 'refusal', code, request })
        return Promise.resolve()
      },
      noteEmergency: () => Promise.resolve(),
      noteRepair: ({ sets }) => {
        this.noted.push({ what: `repair of ${sets}`, request: null })
        return Promise.resolve()
      },
    }
  }

  #accounts() {
    const find = (patientKey: Uint8Array) =>
      this.patients.find((one) => toHex(signKeyOf(one).publicKey) === toHex(patientKey))
    return {
      findByKey: (patientKey: Uint8Array) => {
        const patient = find(patientKey)
        if (patient === undefined) return undefined
        const keys = { patientKey, logKey: logKeyOf(patient) }
        return {
          reference: '',
          ...keys,
          custody: 'hosted' as const,
          former: [],
          recoveryCommit: null,
        }
      },
      wrapsFor: (patientKey: Uint8Array, recipient: string) =>
        (find(patientKey)?.deposits ?? []).flatMap((each) =>
          each.recipient === recipient ? [each.deposit] : [],
        ),
    }
  }

  #index() {
    const getBySet = (setId: Uint8Array) =>
      this.records.find((entry) => toHex(entry.setId) === toHex(setId))
    const list = (before: number | null, limit: number) => {
      const older = this.records.filter(({ arrival }) => before === null || arrival < before)
      return older.toSorted((a, b) => b.arrival - a.arrival).slice(0, limit)
    }
    return {
      getBySet,
      list: (before: number | null, limit: number) => Promise.resolve(list(before, limit)),
      listAccount: (patientKey: Uint8Array, before: number | null, limit: number) =>
        Promise.resolve(
          list(before, 1_000_000)
            .filter(({ metadata }) => toHex(metadata.facts.patientKey) === toHex(patientKey))
            .slice(0, limit),
        ),
      listShort: () => Promise.resolve(this.records.filter(({ missing }) => missing.length > 0)),
      moved: (setId: Uint8Array, index: number, holder: string) => {
        const entry = getBySet(setId)
        if (entry === undefined) return Promise.resolve()
        entry.holders[index] = holder
        entry.missing = entry.missing.filter((at) => at !== index)
        return Promise.resolve()
      },
    }
  }
}

function noEmergencies(): Promise<never> {
  return Promise.reject(new Error('nobody asks about emergencies here'))
}
