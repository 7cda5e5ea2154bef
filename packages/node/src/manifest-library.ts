// What this organisation may read elsewhere, as far as it has seen it: for each patient at a custodian the
// class keys it was given and the manifests that they open.
//
// It is learnt from the custodian's catalogue or from the holders, and kept, so that the next reading
// needs neither. At rest everything is sealed under the local secret and under names that only this node
// computes: the disk does not tell whose records are in it. Manifests stay sealed under their class
// keys besides, and class keys to this organisation.

import {
  bytes,
  bytesMax,
  CodecError,
  compareBytes,
  concatBytes,
  decode,
  encode,
  list,
  toHex,
  versioned,
} from '@mooring/codec'
import {
  type ClassKeyContent,
  decodeKeyDeposit,
  decodeShardSet,
  KEY_DEPOSIT_BYTES_MAX,
  type LeafPlace,
  leafPlaceSchema,
  type Manifest,
  openManifest,
  openOneManifest,
  organisationIdSchema,
  type RecordHead,
  type RecordKey,
  SEALED_MANIFEST_BYTES_MAX,
  SHARD_SET_BYTES_MAX,
  shardSetId,
  SHARDS_MAX,
} from '@mooring/records'
import { type LibraryEntry, type LibraryStore } from '@mooring/storage'
import type { LocatedRecord } from './access-session.ts'
import { openWithAny } from './discovery.ts'
import { runInSlices } from './time-slices.ts'

export interface LibraryModules {
  readonly store: LibraryStore
  /** X25519, of this organisation, those it had as well: open the class keys that were sealed to it. */
  readonly sealSecrets: readonly Uint8Array[]
  readonly seal: (plaintext: Uint8Array) => Uint8Array
  /** @throws StorageError corrupt */
  readonly open: (sealed: Uint8Array) => Uint8Array
  /** Whether a record under the first key at a custodian is one of the patient with the second. */
  readonly isOfPatient: (custodian: string, former: Uint8Array, key: Uint8Array) => boolean
  /** 16 bytes that name this value here and nowhere else. */
  readonly name: (...parts: Uint8Array[]) => Uint8Array
}

/** One patient at one custodian. */
export interface Scope {
  readonly custodian: string
  readonly patientKey: Uint8Array
}

const headSchema = versioned(1, {
  set: bytesMax(SHARD_SET_BYTES_MAX),
  manifest: bytesMax(SEALED_MANIFEST_BYTES_MAX),
  holders: list(organisationIdSchema, SHARDS_MAX),
})
const keySchema = versioned(1, { id: bytes(32), deposit: bytesMax(KEY_DEPOSIT_BYTES_MAX) })

const recordKeySchema = versioned(1, { key: bytes(32) })

const placeSchema = versioned(1, { place: leafPlaceSchema })

const KEY = 0
const HEAD = 1
/** Where the commitment of a record is on the chain. */
const PLACE = 2
/** What opens one manifest: the grant was for this record, and not for its class. */
const RECORD_KEY = 3
const SCOPES_MAX = 64

interface Shelf {
  readonly keys: Map<string, ClassKeyContent>
  /** By set. */
  readonly recordKeys: Map<string, Uint8Array>
  /** By set. */
  readonly records: Map<string, LocatedRecord>
}

export interface Learnt {
  /** Encoded key deposits. */
  readonly keys: readonly Uint8Array[]
  readonly heads: readonly LearntHead[]
  readonly recordKeys?: readonly RecordKey[]
}

export interface LearntHead extends RecordHead {
  readonly place?: LeafPlace | null | undefined
}

export class ManifestLibrary {
  readonly #modules: LibraryModules
  /** Those used last. */
  readonly #shelves = new Map<string, Promise<Shelf>>()

  constructor(modules: LibraryModules) {
    this.#modules = modules
  }

  /**
   * Class keys sealed to this organisation, and heads that they may open; whatever does not open, or is of
   * another patient or custodian, is left out. The answer is how many records are new.
   */
  async learn(scope: Scope, { keys, heads, recordKeys = [] }: Learnt): Promise<number> {
    const shelf = await this.#shelf(scope)
    const entries: LibraryEntry[] = []
    for (const encoded of keys) {
      const content = openKey(encoded, scope, this.#modules)
      if (content === undefined || shelf.keys.has(nameOfKey(content))) continue
      shelf.keys.set(nameOfKey(content), content)
      const { id } = decodeKeyDeposit(encoded)
      const value = this.#modules.seal(encode(keySchema, { id, deposit: encoded }))
      entries.push({ name: concatBytes(Uint8Array.of(KEY), id), value })
    }
    for (const { setId, key } of recordKeys) {
      if (shelf.recordKeys.has(toHex(setId))) continue
      shelf.recordKeys.set(toHex(setId), key)
      const value = this.#modules.seal(encode(recordKeySchema, { key }))
      entries.push({ name: concatBytes(Uint8Array.of(RECORD_KEY), setId), value })
    }
    let added = 0
    await runInSlices(heads.values(), (head) => {
      const record = openHead(head, scope, { ...this.#modules, ...shelf })
      if (record === undefined) return
      const name = toHex(record.setId)
      const known = shelf.records.get(name)
      if (known === undefined) added += 1
      const place = head.place ?? known?.place
      shelf.records.set(name, { ...record, place })
      if (head.place && !known?.place) {
        const value = this.#modules.seal(encode(placeSchema, { place: head.place }))
        entries.push({ name: concatBytes(Uint8Array.of(PLACE), record.setId), value })
      }
      if (known !== undefined && sameHolders(known.holders, head.holders)) return
      const { set, manifest, holders } = head
      const value = this.#modules.seal(encode(headSchema, { set, manifest, holders }))
      entries.push({ name: concatBytes(Uint8Array.of(HEAD), record.setId), value })
    })
    await this.#modules.store.put(this.#nameOf(scope), entries)
    return added
  }

  /** Whether a class key is here for each of the classes that have records. */
  async hasKeys(scope: Scope, classes: readonly string[]): Promise<boolean> {
    const { keys } = await this.#shelf(scope)
    const known = new Set(Array.from(keys.values(), (content) => content.class))
    return classes.every((name) => known.has(name))
  }

  /** By commitment or by set, in hex. */
  async find(scope: Scope, id: string): Promise<LocatedRecord | undefined> {
    const { records } = await this.#shelf(scope)
    const bySet = records.get(id)
    if (bySet !== undefined) return bySet
    for (const record of records.values()) {
      if (toHex(record.manifest.recordCommit) === id) return record
    }
    return undefined
  }

  /** Newest first. */
  async list(scope: Scope): Promise<LocatedRecord[]> {
    const { records } = await this.#shelf(scope)
    return [...records.values()].toSorted(
      (a, b) => b.manifest.receivedAt - a.manifest.receivedAt || compareBytes(a.setId, b.setId),
    )
  }

  /** The set was erased: nothing of it stays, whoever's it was. */
  async forget(setId: Uint8Array): Promise<void> {
    const names = [HEAD, PLACE, RECORD_KEY].map((kind) => concatBytes(Uint8Array.of(kind), setId))
    await this.#modules.store.forget(names)
    const shelves = await Promise.all(this.#shelves.values())
    for (const { records, recordKeys } of shelves) {
      records.delete(toHex(setId))
      recordKeys.delete(toHex(setId))
    }
  }

  #nameOf({ custodian, patientKey }: Scope): Uint8Array {
    return this.#modules.name(new TextEncoder().encode(`${custodian}\0`), patientKey)
  }

  #shelf(scope: Scope): Promise<Shelf> {
    const name = toHex(this.#nameOf(scope))
    const known = this.#shelves.get(name)
    this.#shelves.delete(name)
    const shelf = known ?? this.#load(scope)
    this.#shelves.set(name, shelf)
    const [oldest] = this.#shelves.keys()
    if (this.#shelves.size > SCOPES_MAX && oldest !== undefined) this.#shelves.delete(oldest)
    return shelf
  }

  async #load(scope: Scope): Promise<Shelf> {
    const { store, open } = this.#modules
    const shelf: Shelf = { keys: new Map(), recordKeys: new Map(), records: new Map() }
    const heads: RecordHead[] = []
    const places = new Map<string, LeafPlace>()
    for await (const { name, value } of store.entries(this.#nameOf(scope))) {
      const plaintext = open(value)
      if (name[0] === HEAD) heads.push(decode(headSchema, plaintext))
      if (name[0] === PLACE) places.set(toHex(name.slice(1)), decode(placeSchema, plaintext).place)
      if (name[0] === RECORD_KEY)
        shelf.recordKeys.set(toHex(name.slice(1)), decode(recordKeySchema, plaintext).key)
      if (name[0] !== KEY) continue
      const content = openKey(decode(keySchema, plaintext).deposit, scope, this.#modules)
      if (content !== undefined) shelf.keys.set(nameOfKey(content), content)
    }
    await runInSlices(heads.values(), (head) => {
      const record = openHead(head, scope, { ...this.#modules, ...shelf })
      if (record === undefined) return
      const setName = toHex(record.setId)
      shelf.records.set(setName, { ...record, place: places.get(setName) })
    })
    return shelf
  }
}

/** What others hand out is judged like everything of theirs. */
function openKey(
  encoded: Uint8Array,
  { custodian, patientKey }: Scope,
  { sealSecrets, isOfPatient }: Pick<LibraryModules, 'sealSecrets' | 'isOfPatient'>,
): ClassKeyContent | undefined {
  try {
    const deposit = decodeKeyDeposit(encoded)
    const content = openWithAny(deposit, sealSecrets)
    if (content === undefined || deposit.custodian !== custodian) return undefined
    return isOfPatient(custodian, content.patientKey, patientKey) ? content : undefined
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

function openHead(
  { set: encoded, manifest: sealed, holders }: RecordHead,
  { custodian, patientKey }: Scope,
  opening: Pick<LibraryModules, 'isOfPatient'> & Pick<Shelf, 'keys' | 'recordKeys'>,
): LocatedRecord | undefined {
  try {
    const set = decodeShardSet(encoded)
    if (set.custodian !== custodian || holders.length !== set.n) return undefined
    const setId = shardSetId(encoded)
    const opened = openedWith(opening, sealed, setId)
    if (opened === undefined) return undefined
    const { manifest, class: name } = opened
    const { facts } = manifest
    const isOf = opening.isOfPatient(custodian, facts.patientKey, patientKey)
    return isOf && (name ?? facts.class) === facts.class
      ? { setId, set, holders, manifest }
      : undefined
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

/** With the key of this record, or else with that of a class, which says of which. */
function openedWith(
  { keys, recordKeys }: Pick<Shelf, 'keys' | 'recordKeys'>,
  sealed: Uint8Array,
  setId: Uint8Array,
): { manifest: Manifest; class: string | null } | undefined {
  const own = recordKeys.get(toHex(setId))
  const manifest = own && openOneManifest(sealed, own, setId)
  if (manifest !== undefined) return { manifest, class: null }
  for (const { classKey, class: name } of keys.values()) {
    const ofClass = openManifest(sealed, classKey, setId)
    if (ofClass !== undefined) return { manifest: ofClass, class: name }
  }
  return undefined
}

/** With the key itself: anybody can seal one to us that claims to be of some class and epoch. */
function nameOfKey({ class: name, epoch, classKey }: ClassKeyContent): string {
  return `${epoch} ${name} ${toHex(classKey)}`
}

function sameHolders(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((holder, at) => holder === b[at])
}
