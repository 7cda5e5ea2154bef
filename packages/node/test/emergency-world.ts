// Five hospitals that speak to each other in memory, over one chain: the rules of the ledger, a block for every
// transaction, and a clock that the test moves.

import { Refusal } from '@mooring/api'
import { equalBytes, toHex } from '@mooring/codec'
import { type KeyPair, keyPairFromSeed, sha256, x25519PublicKey } from '@mooring/crypto'
import {
  applyTransactions,
  createGenesis,
  createTransaction,
  decodeTransaction,
  DEVNET_PARAMETERS,
  genesisDigest,
  genesisState,
  type Organisation,
  signGenesisEntry,
  type StateDiff,
} from '@mooring/ledger'
import {
  emergencyAudience,
  emergencyNonce,
  type EmergencyQuestion,
  type EmergencyRequest,
  locatorIdOf,
  openEmergencySet,
  presentCredential,
  type VaultRequest,
} from '@mooring/records'
import { MemoryLevel, openDatabaseOn, PrivateValues } from '@mooring/storage'
import type { NotedEmergency } from '../src/access-notes.ts'
import { AtRest } from '../src/at-rest.ts'
import type { CommittedBlock } from '../src/committer.ts'
import type { EmergencyPatient } from '../src/emergency-home.ts'
import { Emergencies, openingsIn } from '../src/emergency-parts.ts'
import { createLogger } from '../src/logger.ts'
import { describeRefusal } from '../src/refusal-text.ts'
import type { Relay } from '../src/relay.ts'
import { VaultPeerError, type VaultPeers } from '../src/vault-peers.ts'
import { TestClock } from './test-clock.ts'

export const HOSPITALS = ['alder', 'birch', 'cedar', 'dogwood', 'elm']
export const HOME = 'alder'
export const OPENER = 'elm'
export const PATIENT = 'Patient/1'
export const HOUR = 3_600_000
export const SUMMARY = new TextEncoder().encode('{"resourceType":"Bundle","entry":[]}')
const utf8 = new TextEncoder()

export function secretOf(what: string): Uint8Array {
  return sha256(utf8.encode(`emergency world ${what}`))
}

export function keyOf(id: string, duty: string): KeyPair {
  return keyPairFromSeed(secretOf(`${id} ${duty}`))
}

export function organisation(id: string): Organisation {
  return {
    id,
    name: `Hospital ${id}`,
    legalGroup: `group-${id}`,
    roles: ['authority'],
    keys: {
      governance: keyOf(id, 'governance').publicKey,
      consensus: keyOf(id, 'consensus').publicKey,
      transport: keyOf(id, 'transport').publicKey,
      anchor: keyOf(id, 'anchor').publicKey,
      seal: x25519PublicKey(secretOf(`${id} seal`)),
      issuer: null,
    },
  }
}

export interface Hospital {
  readonly id: string
  readonly values: PrivateValues
  emergencies: Emergencies
}

export interface Practitioner {
  readonly keyPair: KeyPair
  readonly credential: string
}

/** With these patients at every hospital: key and log key follow from the reference. */
export function accountOf(reference: string): EmergencyPatient {
  return {
    custody: reference === 'Patient/9' ? 'own' : 'hosted',
    patientKey: keyPairFromSeed(secretOf(reference)).publicKey,
    logKey: x25519PublicKey(secretOf(`${reference} log`)),
  }
}

/** Was hosted under another key, and has a wallet now. */
export const WITH_WALLET = accountOf('Patient/9')
export const FORMER_KEY = accountOf('Patient/1').patientKey

let random = 0

export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 32) {
    random += 1
    bytes.set(secretOf(`random ${random}`).subarray(0, Math.min(32, length - at)), at)
  }
  return bytes
}

/** Sealed to the log key of a patient of alder; what is in it a trustee cannot see. */
export function someEntry(custodian = 'alder') {
  return { nonce: randomBytes(16), custodian, sealed: randomBytes(64) }
}

export class EmergencyWorld {
  readonly clock = new TestClock()
  readonly digest: Uint8Array
  readonly hospitals = new Map<string, Hospital>()
  /** Answer nothing. */
  readonly dead = new Set<string>()
  readonly organisations = HOSPITALS.map(organisation)
  readonly state: Map<string, Uint8Array>
  /** Have no room. */
  readonly full = new Set<string>()
  /** What went into the access logs. */
  readonly traces: (NotedEmergency & { at: string })[] = []
  readonly #listeners = new Set<(block: CommittedBlock) => void>()
  #height = 0
  readonly #blocks: Pick<CommittedBlock, 'receipts' | 'transactions'>[] = []
  /** Altered on its way, by who tests what a liar does. */
  onAnswer: (from: string, answer: unknown) => unknown = (_from, answer) => answer

  private constructor() {
    const networkName = 'emergencies'
    const genesis = createGenesis({
      networkName,
      time: this.clock.wall() - 10_000,
      parameters: DEVNET_PARAMETERS,
      organisations: this.organisations.map((each) =>
        signGenesisEntry(networkName, each, keyOf(each.id, 'governance')),
      ),
    })
    this.digest = genesisDigest(genesis)
    this.state = new Map()
    this.#write(genesisState(genesis))
  }

  static async start(): Promise<EmergencyWorld> {
    const world = new EmergencyWorld()
    for (const id of HOSPITALS) {
      const database = await openDatabaseOn(new MemoryLevel(id), 'records')
      const values = new PrivateValues(database)
      const emergencies = world.#made(id, values)
      await emergencies.start()
      world.hospitals.set(id, { id, values, emergencies })
    }
    return world
  }

  async close(): Promise<void> {
    for (const { emergencies } of this.hospitals.values()) await emergencies.close()
  }

  /** As after a crash: what was in memory is gone, and what happened meanwhile nobody tells. */
  async restart(id: string, meanwhile = (): Promise<unknown> => Promise.resolve()): Promise<void> {
    const hospital = this.at(id)
    await hospital.emergencies.close()
    this.dead.add(id)
    await meanwhile()
    this.dead.delete(id)
    hospital.emergencies = this.#made(id, hospital.values)
    await hospital.emergencies.start()
  }

  at(id: string): Hospital {
    const found = this.hospitals.get(id)
    if (found === undefined) throw new Error(`no hospital ${id}`)
    return found
  }

  async practitioner(id: string, { btg = true, name = 'ada' } = {}): Promise<Practitioner> {
    const keyPair = keyOf(id, name)
    const { issuer } = this.at(id).emergencies
    const { credential } = await issuer.issue({
      key: keyPair.publicKey,
      role: 'physician',
      name,
      licence: 'MD-1',
      btg,
      expiresAt: this.clock.wall() + 24 * HOUR,
    })
    return { keyPair, credential }
  }

  request(
    id: string,
    { keyPair, credential }: Practitioner,
    locator: Uint8Array,
    changes: Partial<EmergencyQuestion> = {},
  ): EmergencyRequest {
    const question = {
      requestId: randomBytes(32),
      organisation: id,
      locatorId: locatorIdOf(locator),
      reason: 'unconscious',
      readerKey: x25519PublicKey(secretOf('reader')),
      ...changes,
    }
    const now = this.clock.wall()
    const presentation = presentCredential(credential, {
      keyPair,
      audience: emergencyAudience(this.digest),
      nonce: emergencyNonce(question),
      now,
    })
    return { ...question, issuedAt: now, presentation }
  }

  open(id: string, request: EmergencyRequest) {
    return this.at(id).emergencies.desk.open(request, new AbortController().signal)
  }

  /** Puts one on the chain, as whoever has an anchor key can. */
  relayOf(id: string): Relay {
    return {
      submit: (relayed) => {
        if (this.dead.has('chain')) return new Promise(() => undefined)
        const time = this.clock.wall()
        const bytes = createTransaction({
          ...relayed,
          expiresAt: time + 60_000,
          genesisDigest: this.digest,
          keyPair: keyOf(id, 'anchor'),
        })
        return Promise.resolve().then(() => this.#block(bytes, time))
      },
    }
  }

  #block(bytes: Uint8Array, time: number) {
    const state = { get: (key: Uint8Array) => this.state.get(toHex(key)), wasIncluded: () => false }
    const transaction = decodeTransaction(bytes, this.digest)
    const height = this.#height + 1
    const context = { genesisDigest: this.digest, time, height, parameters: DEVNET_PARAMETERS }
    const { rejected, diff, receipts } = applyTransactions(state, context, [transaction])
    const [refused] = rejected
    if (refused !== undefined) {
      throw new Refusal(refused.reason.code, describeRefusal(refused.reason))
    }
    this.#height = height
    this.#blocks.push({ receipts, transactions: [bytes] })
    this.#write(diff)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a block only this is looked at
    const block = { height, time, transactions: [bytes], receipts } as unknown as CommittedBlock
    for (const listener of this.#listeners) listener(block)
    return { id: transaction.id, height, time }
  }

  #write(diff: StateDiff): void {
    for (const [name, { value }] of diff) {
      if (value === null) this.state.delete(name)
      else this.state.set(name, value)
    }
  }

  #peersOf(self: string): VaultPeers {
    const isDead = (id: string) => this.dead.has(id) || this.dead.has(self)
    return {
      self,
      isConnected: (id) => id === self || !isDead(id),
      request: async (id, request: VaultRequest) => {
        if (id !== self && isDead(id)) throw new VaultPeerError('unreachable', id)
        if (request.kind !== 'emergency') throw new Error(`nobody asks for ${request.kind} here`)
        try {
          const answer = await this.at(id).emergencies.answer(self, request.body)
          const body = this.onAnswer(id, answer)
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer to its kind
          return { kind: 'emergency', body } as never
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
          throw new VaultPeerError('refused', id, { refusal: error.code })
        }
      },
    }
  }

  #made(id: string, values: PrivateValues): Emergencies {
    const peers = this.#peersOf(id)
    const logger = createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' })
    return new Emergencies(
      {
        self: id,
        genesisDigest: this.digest,
        sealSecrets: [secretOf(`${id} seal`)],
        anchorKey: keyOf(id, 'anchor'),
      },
      {
        clock: this.clock,
        logger: logger.module('emergency'),
        random: randomBytes,
        values,
        atRest: new AtRest(secretOf(`${id} rest`)),
        relay: this.relayOf(id),
        accesses: {
          noteEmergency: (asked) => {
            this.traces.push({ at: id, ...asked })
            return Promise.resolve()
          },
        },
        refuseRoom: () => Promise.resolve(this.full.has(id) ? 'holder_full' : undefined),
        peers,
        chain: {
          height: () => this.#height,
          prunedTo: () => 0,
          openingsAt: (height) => {
            const block = this.#blocks[height - 1]
            return block === undefined ? [] : openingsIn(block, this.digest)
          },
        },
        committer: {
          subscribe: (listener) => {
            this.#listeners.add(listener)
            return () => this.#listeners.delete(listener)
          },
        },
        organisations: () => this.organisations,
        finalState: () => ({ get: (key) => this.state.get(toHex(key)) }),
        tipTime: () => 0,
        isKnownKey: () => true,
        formerKeys: (key) => (equalBytes(key, WITH_WALLET.patientKey) ? [FORMER_KEY] : []),
        patientOf: (reference) => (reference === 'nobody' ? undefined : accountOf(reference)),
        summary: () => Promise.resolve(SUMMARY),
        isCutOff: () => HOSPITALS.filter((each) => peers.isConnected(each)).length < 4,
      },
    )
  }
}

/** A patient with a hosted set, and someone who may break the glass elsewhere. */
export interface Scene {
  world: EmergencyWorld
  locator: Uint8Array
  ada: Practitioner
}

export async function withScene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const world = await EmergencyWorld.start()
  try {
    const { home } = world.at(HOME).emergencies
    const how = { withSensitive: false, isOptedOut: false }
    const { locator } = await home.depositHosted(PATIENT, how)
    const ada = await world.practitioner(OPENER)
    await work({ world, locator, ada })
  } finally {
    await world.close()
  }
}

/** What the practitioner sees. */
export async function seen({ world, locator, ada }: Scene) {
  const request = world.request(OPENER, ada, locator)
  const { shares, refused } = await world.open(OPENER, request)
  const { requestId } = request
  const opened = openEmergencySet(shares, { locator, requestId, readerSecret: secretOf('reader') })
  return { request, shares, refused, opened }
}

/** How many versions each trustee has on its disk. */
export async function versionsAt(world: EmergencyWorld): Promise<number[]> {
  const counts = HOSPITALS.map(async (id) => {
    const [only] = await world.at(id).emergencies.store.held.list(null, 10)
    return only?.value.versions.length ?? 0
  })
  return await Promise.all(counts)
}

export const end = (world: EmergencyWorld) =>
  Promise.all(HOSPITALS.map((id) => world.at(id).emergencies.trustee.endWhatIsOver()))

/** The code with which something was refused. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return 'nothing was refused'
}

/** Until what a block has set off has been taken note of. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))))
}
