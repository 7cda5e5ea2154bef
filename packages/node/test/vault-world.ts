// Hospitals that keep shards for each other, in one process: real holders, readers and repair over
// databases in memory and blobs in a temporary folder; between them encoded messages. A test can switch a
// hospital off, take its disk, remove it from the network, or make it answer something else.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concatBytes, parseJson, toHex } from '@mooring/codec'
import { x25519PublicKey } from '@mooring/crypto'
import type { Organisation } from '@mooring/ledger'
import { NetworkError } from '@mooring/network'
import {
  batchPath,
  buildBatch,
  type ClassKeyContent,
  commitRecord,
  consentOf,
  createKeyDeposit,
  decodeVaultAnswer,
  encodeBatchDeposit,
  fieldsOf,
  encodeKeyDeposit,
  encodeVaultAnswer,
  type Grant,
  type GrantTerms,
  type LeafPlace,
  manifestKeyOf,
  NO_CLINICAL_FACTS,
  openManifest,
  placeShards,
  readGrant,
  type RecordFacts,
  recordSecrets,
  sealRecord,
  shardSetId,
  signGrant,
  splitOf,
  type VaultAnswer,
} from '@mooring/records'
import type { LocatedRecord } from '../src/access-session.ts'
import { answerVaultRequest } from '../src/holder-wire.ts'
import type { CareOptions } from '../src/vault-care.ts'
import { MadeRoots } from './made-roots.ts'
import { MadeTombstones } from './made-tombstones.ts'
import {
  HEIGHT,
  logKeyOf,
  MembersNow,
  organisationOf,
  sealSecretOf,
  seedOf,
  signKeyOf,
} from './vault-keys.ts'
import { MadeFacts } from './made-facts.ts'
import { Hospital, type Patient } from './vault-hospital.ts'

export const PURPOSE = 'TREAT'
const NO_GRACE: CareOptions = { graceMs: 1, auditMs: 3_600_000, auditSets: 64 }
const random = (length: number) => new Uint8Array(randomBytes(length))

/** What a hospital answers instead of the truth; undefined: it does not answer. */
export type Tamper = (answer: VaultAnswer) => VaultAnswer | undefined

export interface Placed {
  readonly located: LocatedRecord
  readonly raw: Uint8Array
  readonly shards: readonly Uint8Array[]
}

export class VaultWorld {
  readonly folder: string
  readonly care: CareOptions
  readonly lines: string[] = []
  readonly down = new Set<string>()
  readonly roots = new MadeRoots()
  readonly tombstones = new MadeTombstones()
  readonly genesisDigest = new Uint8Array(32).fill(7)
  /** Of the chain that all of them have. */
  readonly facts = new MadeFacts()
  readonly tampers = new Map<string, Tamper>()
  organisations: Organisation[]
  readonly #hospitals = new Map<string, Hospital>()

  private constructor(names: readonly string[], folder: string, care: Partial<CareOptions>) {
    this.folder = folder
    this.care = { ...NO_GRACE, ...care }
    this.organisations = names.map(organisationOf)
  }

  static async with(
    names: readonly string[],
    work: (world: VaultWorld) => Promise<void>,
    care: Partial<CareOptions> = {},
  ): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-vault-'))
    const world = new VaultWorld(names, folder, care)
    try {
      for (const name of names) world.#hospitals.set(name, await Hospital.open(world, name, folder))
      await work(world)
    } finally {
      for (const hospital of world.#hospitals.values()) await hospital.close()
      await rm(folder, { recursive: true, force: true })
    }
  }

  hospital(name: string): Hospital {
    const found = this.#hospitals.get(name)
    if (found === undefined) throw new Error(`there is no hospital ${name}`)
    return found
  }

  get hospitals(): Hospital[] {
    return [...this.#hospitals.values()]
  }

  /** Its disk is gone; what a custodian knows by itself is gone as well. */
  async wipe(name: string): Promise<Hospital> {
    await this.hospital(name).close()
    const fresh = await Hospital.open(this, name, this.folder)
    this.#hospitals.set(name, fresh)
    return fresh
  }

  membersOf(): MembersNow {
    return new MembersNow(() => this.organisations)
  }

  networkOf(self: string) {
    return {
      peers: () =>
        this.organisations.map(({ id }) => ({
          peerId: id,
          name: id,
          authority: true,
          connected: id !== self && !this.down.has(id) && !this.down.has(self),
          lastHeard: 1,
          rttMs: 1,
          direction: 'outbound' as const,
          height: HEIGHT,
          lastError: null,
        })),
      request: async (peerId: string, _protocol: string, payload: Uint8Array) => {
        const target = this.#hospitals.get(peerId)
        if (target === undefined || this.down.has(peerId) || this.down.has(self)) {
          throw new NetworkError('closed', `${peerId} is not there`)
        }
        const encoded = await answerVaultRequest(self, payload, {
          members: this.membersOf(),
          notes: { noteRefusal: () => Promise.resolve() },
          answer: (sender, request) => target.answer.answer(sender, request),
        })
        const tamper = this.tampers.get(peerId)
        if (tamper === undefined) return encoded
        const answer = tamper(decodeVaultAnswer(encoded))
        if (answer === undefined) throw new NetworkError('timeout', `${peerId} does not answer`)
        return encodeVaultAnswer(answer)
      },
    }
  }

  patient(custodian: string, name: string): Patient {
    const patient = { seed: seedOf(name), custodian, keys: new Map(), deposits: [] }
    this.hospital(custodian).patients.push(patient)
    return patient
  }

  /** Signed, and the class keys handed to all members, sealed to the recipient. */
  async grant(
    patient: Patient,
    recipient: string,
    changes: Partial<GrantTerms> = {},
  ): Promise<Grant> {
    const consent = consentOf({
      id: random(16),
      patientKey: signKeyOf(patient).publicKey,
      logKey: logKeyOf(patient),
      custodian: patient.custodian,
      recipient,
      content: { classes: ['general', 'imaging'] },
      purposes: [PURPOSE],
      notBefore: Date.now() - 60_000,
      expiresAt: Date.now() + 3_600_000,
      handle: random(32),
      ...changes,
    })
    const grant = readGrant(signGrant(signKeyOf(patient), consent))
    const wide = grant.isNarrow ? [] : grant.classes
    for (const name of wide) await this.#deposit(patient, name, recipient)
    return grant
  }

  async #deposit(patient: Patient, name: string, recipient: string): Promise<void> {
    const content = this.#classKey(patient, name)
    const { custodian } = patient
    const to = [x25519PublicKey(sealSecretOf(recipient))]
    const deposit = encodeKeyDeposit(createKeyDeposit(content, to, { custodian, random }))
    patient.deposits.push({ class: name, recipient, deposit })
    for (const { id } of this.organisations) {
      const request = { kind: 'deposit-keys' as const, body: { items: [deposit] } }
      await this.hospital(custodian).peers.request(id, request, { timeoutMs: 5_000 })
    }
  }

  #classKey(patient: Patient, name: string): ClassKeyContent {
    const known = patient.keys.get(name)
    if (known !== undefined) return known
    const patientKey = signKeyOf(patient).publicKey
    const logKey = logKeyOf(patient)
    const mark = random(16)
    const made = { class: name, epoch: 1, patientKey, logKey, classKey: random(32), mark }
    patient.keys.set(name, made)
    return made
  }

  /** Sealed, at its holders, and in the custodian's index. */
  async place(
    patient: Patient,
    raw: Uint8Array,
    name = 'general',
    missing: readonly number[] = [],
    clinical: Partial<RecordFacts> = {},
  ): Promise<Placed> {
    const { custodian } = patient
    const split = splitOf(new Set(this.organisations.map(({ legalGroup }) => legalGroup)).size)
    if (split === undefined) throw new Error('too few hospitals')
    const rec = random(32)
    const fields = clinical.type === undefined ? [] : fieldsOf(parseJson(raw))
    const commitment = commitRecord(fields, raw, recordSecrets(rec))
    const facts = {
      ...NO_CLINICAL_FACTS,
      patientKey: signKeyOf(patient).publicKey,
      class: name,
      record: commitment.recordCommit,
      ...clinical,
    }
    const details = {
      ...commitment,
      rec,
      mediaType: 'application/octet-stream',
      resourceType: clinical.type ?? null,
      resourceId: null,
      versionId: null,
      fullUrl: null,
      receivedAt: Date.now(),
      supersedes: null,
      sequence: 1,
      eventAt: '2020-02-29T10:00:00.000+01:00',
      isMistake: 0,
      facts,
      patient: '',
      submission: random(32),
      dedupe: random(32),
    }
    const { classKey } = this.#classKey(patient, name)
    const sealed = sealRecord(raw, details, { custodian, split, classKey, random })
    const { setId, set, encodedSet, manifest, shards } = sealed
    const holders = placeShards(setId, this.organisations, split.n)
    for (const [index, holder] of holders.entries()) {
      if (missing.includes(index)) continue
      const shard = shards[index]
      if (shard === undefined) throw new Error('a shard is missing')
      await this.#depositShard(custodian, holder, {
        set: encodedSet,
        manifest,
        holders,
        index,
        shard,
      })
    }
    const { records } = this.hospital(custodian)
    const opened = openManifest(manifest, classKey, setId)
    if (opened === undefined) throw new Error('a manifest does not open')
    const entry = {
      setId,
      set: encodedSet,
      manifest,
      manifestKey: manifestKeyOf(classKey, setId),
      account: facts.patientKey,
      holders: [...holders],
      missing: [...missing],
      status: 'accepted' as const,
      metadata: opened,
    }
    records.push({ arrival: records.length + 1, ...entry })
    return { located: { setId, set, holders, manifest: opened }, raw, shards }
  }

  /** In a batch that is on the chain; the custodian knows, and so do those that are given the leaves. */
  async anchor(
    placed: readonly Placed[],
    { height = 9, to = [] }: { height?: number; to?: readonly string[] } = {},
  ): Promise<{ deposit: Uint8Array; places: LeafPlace[] }> {
    const [one] = placed
    const batch = buildBatch(
      placed.map(({ located }) => located.manifest.recordCommit),
      random,
    )
    if (one === undefined || 'code' in batch) throw new Error('no batch')
    const { custodian } = one.located.set
    const anchor = { transaction: random(32), height }
    const places = placed.map(({ located }, at) => {
      const index = batch.positions[at] ?? 0
      const place = { ...anchor, index, path: batchPath(batch.leaves, index) }
      this.hospital(custodian).places.set(toHex(located.setId), place)
      return place
    })
    this.roots.put(custodian, batch.root, height)
    const leaves = concatBytes(...batch.leaves)
    const deposit = encodeBatchDeposit({ custodian, sequence: 1, ...anchor, leaves })
    const request = { kind: 'deposit-batches' as const, body: { items: [deposit] } }
    for (const holder of to)
      await this.hospital(custodian).peers.request(holder, request, { timeoutMs: 5_000 })
    return { deposit, places }
  }

  async #depositShard(
    custodian: string,
    holder: string,
    item: {
      set: Uint8Array
      manifest: Uint8Array
      holders: string[]
      index: number
      shard: Uint8Array
    },
  ): Promise<void> {
    const { peers } = this.hospital(custodian)
    const timeoutMs = 10_000
    const { shard, ...head } = item
    if (shard.length <= 1 << 20) {
      const answer = await peers.request(
        holder,
        { kind: 'deposit', body: { items: [item] } },
        { timeoutMs },
      )
      if (answer.body.refused.length > 0) throw new Error(answer.body.refused[0]?.code)
      return
    }
    const begin = { kind: 'deposit-begin' as const, body: { head, shardBytes: shard.length } }
    await peers.request(holder, begin, { timeoutMs })
    const name = { setId: shardSetId(head.set), index: head.index }
    for (let offset = 0; offset < shard.length; offset += 4 << 20) {
      const part = shard.slice(offset, offset + (4 << 20))
      await peers.request(
        holder,
        { kind: 'deposit-part', body: { shard: name, offset, part } },
        { timeoutMs },
      )
    }
    await peers.request(holder, { kind: 'deposit-commit', body: { shard: name } }, { timeoutMs })
  }
}
