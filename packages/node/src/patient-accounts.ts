// Accounts as the custodian hosts them, until patients have wallets of their own: the pairwise keys of
// each patient, class keys, and the grants that were signed with them.
//
// An account is made when the first record comes in. A class key is made when the first record of its
// class comes in, or the first grant that covers it; it is sealed to the custodian, the patient and
// everybody with a live grant, and handed to holders (key-deposits.ts) in the same durable step. So who
// has a grant can open later records too, until it expires.

import { Refusal } from '@mooring/api'
import {
  bytes,
  bytesMax,
  decode,
  encode,
  equalBytes,
  type Infer,
  list,
  struct,
  text,
  toHex,
  uint,
  versioned,
} from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import {
  type ClassKeyContent,
  createKeyDeposit,
  encodeKeyDeposit,
  KEY_DEPOSIT_BYTES_MAX,
  type KeyDeposit,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  type RandomBytes,
  recordClassSchema,
  type SealKeyPair,
  type SignedGrant,
  signedGrantSchema,
  signGrant,
} from '@mooring/records'
import type { AccountStore, NewAccount } from '@mooring/storage'
import type { Account, Accounts, ClassKey, GrantRequest } from './accounts.ts'
import type { AtRest } from './at-rest.ts'
import type { KeyDeposits, NewKeys } from './key-deposits.ts'

const REFERENCE_BYTES_MAX = 256
const EPOCH = 1
/** Kept with an account, so that it stays small: copies of a class key for grants, and grants; the newest. */
const COPIES_MAX = 250
const GRANTS_MAX = 1_024
const CACHED_MAX = 20_000
const utf8 = new TextEncoder()

const accountSchema = versioned(1, {
  reference: text(REFERENCE_BYTES_MAX),
  /** All keys of the patient here follow from it. */
  seed: bytes(32),
  classKeys: list(
    struct({
      class: recordClassSchema,
      epoch: uint(0xffff_ffff),
      key: bytes(32),
      /** As holders have it. */
      deposits: list(bytesMax(KEY_DEPOSIT_BYTES_MAX), 256),
    }),
    256,
  ),
  grants: list(signedGrantSchema, 4_096),
})

type StoredAccount = Infer<typeof accountSchema>
type StoredClassKey = StoredAccount['classKeys'][number]

/** What the records of one class of one patient are sealed with. */
export interface SealingKey {
  readonly patientKey: Uint8Array
  readonly class: string
  readonly epoch: number
  readonly key: Uint8Array
  /** See KeyDeposits. */
  readonly keyName: string
}

export interface PatientAccountsModules {
  readonly organisation: string
  readonly store: AccountStore
  readonly atRest: AtRest
  readonly keys: KeyDeposits
  /** The custodian's own seal key, public. */
  readonly sealKey: Uint8Array
  /** The seal key of a member; undefined for a stranger. */
  readonly sealKeyOf: (organisation: string) => Uint8Array | undefined
  readonly now: () => number
  readonly random: RandomBytes
}

/** A class key as holders had it. */
export interface RestoredKey {
  readonly reference: string
  readonly content: ClassKeyContent
  /** Encoded. */
  readonly deposit: Uint8Array
}

interface Hosted {
  readonly stored: StoredAccount
  readonly sign: KeyPair
  readonly seal: SealKeyPair
}

export class PatientAccounts implements Accounts {
  readonly #modules: PatientAccountsModules
  readonly #cache = new Map<string, Hosted>()
  readonly #cacheByKey = new Map<string, Hosted>()
  /** Changes of accounts must not overtake each other. */
  #queue: Promise<void> = Promise.resolve()

  constructor(modules: PatientAccountsModules) {
    this.#modules = modules
  }

  find(reference: string): Account | undefined {
    const hosted = this.#load(reference)
    return hosted && accountOf(hosted)
  }

  findByKey(patientKey: Uint8Array): Account | undefined {
    const hosted = this.#loadByKey(patientKey)
    return hosted && accountOf(hosted)
  }

  logKeyPair(patientKey: Uint8Array): SealKeyPair | undefined {
    return this.#loadByKey(patientKey)?.seal
  }

  classKeys(patientKey: Uint8Array): ClassKey[] {
    const stored = this.#loadByKey(patientKey)?.stored.classKeys ?? []
    return stored.map(({ class: name, epoch, key }) => ({ class: name, epoch, key })).toReversed()
  }

  wrapsFor(patientKey: Uint8Array, recipient: string): Uint8Array[] {
    const hosted = this.#loadByKey(patientKey)
    if (hosted === undefined) return []
    const now = this.#modules.now()
    return hosted.stored.classKeys
      .filter((each) => this.#recipients(hosted, each.class, now).includes(recipient))
      .flatMap(({ deposits }) => deposits)
  }

  /** The keys to seal with, in order; those that are new are durable no later than records under them. */
  ensure(wanted: readonly { reference: string; class: string }[]): Promise<SealingKey[]> {
    return this.#enqueue(async () => {
      const changed = new Map<string, Hosted>()
      const deposits: NewKeys[] = []
      const found = wanted.map(({ reference, class: name }) => {
        const known = changed.get(reference) ?? this.#load(reference) ?? this.#create(reference)
        const existing = known.stored.classKeys.find((each) => each.class === name)
        if (existing !== undefined) return this.#sealingKey(known, existing)
        const hosted = this.#withClass(known, name, deposits)
        changed.set(reference, hosted)
        const added = hosted.stored.classKeys.at(-1)
        if (added === undefined) throw new Error('a class key was not added')
        return this.#sealingKey(hosted, added)
      })
      await this.#put([...changed.values()], deposits, { sync: false })
      return found
    })
  }

  /** @throws Refusal unknown_patient, unknown_recipient */
  createGrant(request: GrantRequest): Promise<SignedGrant> {
    return this.#enqueue(async () => {
      const { random } = this.#modules
      const { reference, recipient, classes, purposes, notBefore, expiresAt } = request
      const recipientKey = this.#modules.sealKeyOf(recipient)
      if (recipientKey === undefined)
        throw new Refusal('unknown_recipient', `${recipient} is no member of the network.`)
      const known = this.#load(reference)
      if (known === undefined)
        throw new Refusal('unknown_patient', 'No record of this patient has come in.')
      const grant = signGrant(known.sign, {
        id: random(16),
        patientKey: known.sign.publicKey,
        logKey: known.seal.publicKey,
        custodian: this.#modules.organisation,
        recipient,
        classes: [...classes],
        purposes: [...purposes],
        notBefore,
        expiresAt,
        handle: null,
      })
      const deposits: NewKeys[] = []
      const now = this.#modules.now()
      const live = known.stored.grants.filter(({ document }) => document.expiresAt > now)
      let hosted: Hosted = withStored(known, { grants: [...live, grant].slice(-GRANTS_MAX) })
      for (const name of classes) {
        const existing = hosted.stored.classKeys.find((each) => each.class === name)
        hosted =
          existing === undefined
            ? this.#withClass(hosted, name, deposits)
            : this.#withCopy(hosted, { existing, recipientKey }, deposits)
      }
      await this.#put([hosted], deposits, { sync: true })
      return grant
    })
  }

  /**
   * Class keys that came back from holders, of the accounts whose references stand in the manifests they
   * open. The answer is the keys of patients that this custodian hosts again; grants are not among what
   * comes back.
   */
  restore(found: readonly RestoredKey[]): Promise<Set<string>> {
    return this.#enqueue(async () => {
      const changed = new Map<string, Hosted>()
      const restored = new Set<string>()
      for (const { reference, content, deposit } of found) {
        let hosted = changed.get(reference) ?? this.#load(reference) ?? this.#create(reference)
        // Another secret than this one made the account: nothing here can sign for the patient.
        if (!equalBytes(hosted.sign.publicKey, content.patientKey)) continue
        restored.add(toHex(content.patientKey))
        const { class: name, epoch, classKey: key } = content
        const isKnown = hosted.stored.classKeys.some(
          (each) => each.class === name && each.epoch === epoch,
        )
        if (isKnown) continue
        const added = { class: name, epoch, key, deposits: [deposit] }
        hosted = withStored(hosted, { classKeys: [...hosted.stored.classKeys, added] })
        changed.set(reference, hosted)
      }
      await this.#put([...changed.values()], [], { sync: true })
      return restored
    })
  }

  #create(reference: string): Hosted {
    const seed = this.#modules.atRest.accountSeed(reference)
    return this.#hosted({ reference, seed, classKeys: [], grants: [] })
  }

  #withClass(hosted: Hosted, name: string, deposits: NewKeys[]): Hosted {
    const { random, sealKey, sealKeyOf, now } = this.#modules
    const classKey = { class: name, epoch: EPOCH, key: random(32) }
    const granted = this.#recipients(hosted, name, now()).flatMap((each) => sealKeyOf(each) ?? [])
    const readers = new Map(
      [sealKey, hosted.seal.publicKey, ...granted].map((key) => [toHex(key), key]),
    )
    const deposit = this.#deposit(hosted, classKey, [...readers.values()])
    deposits.push({ keyName: this.#keyName(hosted, classKey), deposit })
    const added = { ...classKey, deposits: [encodeKeyDeposit(deposit)] }
    return withStored(hosted, { classKeys: [...hosted.stored.classKeys, added] })
  }

  #withCopy(
    hosted: Hosted,
    { existing, recipientKey }: { existing: StoredClassKey; recipientKey: Uint8Array },
    deposits: NewKeys[],
  ): Hosted {
    const deposit = this.#deposit(hosted, existing, [recipientKey])
    deposits.push({ keyName: new Uint8Array(0), deposit })
    const [first, ...copies] = existing.deposits
    const kept = [...copies, encodeKeyDeposit(deposit)].slice(-COPIES_MAX)
    const more = { ...existing, deposits: first === undefined ? kept : [first, ...kept] }
    return withStored(hosted, {
      classKeys: hosted.stored.classKeys.map((each) => (each === existing ? more : each)),
    })
  }

  #deposit(
    { sign }: Hosted,
    { class: name, epoch, key }: ClassKey,
    recipients: readonly Uint8Array[],
  ): KeyDeposit {
    const { organisation, random } = this.#modules
    const content = { class: name, epoch, patientKey: sign.publicKey, classKey: key }
    return createKeyDeposit(content, recipients, { custodian: organisation, random })
  }

  /** Organisations with a live grant that covers this class. */
  #recipients({ stored }: Hosted, name: string, now: number): string[] {
    return stored.grants
      .filter(({ document }) => document.classes.includes(name) && document.expiresAt > now)
      .map(({ document }) => document.recipient)
  }

  #sealingKey(hosted: Hosted, classKey: StoredClassKey): SealingKey {
    const { class: name, epoch, key } = classKey
    const keyName = toHex(this.#keyName(hosted, classKey))
    return { patientKey: hosted.sign.publicKey, class: name, epoch, key, keyName }
  }

  #keyName(
    { sign }: Hosted,
    { class: name, epoch }: Pick<ClassKey, 'class' | 'epoch'>,
  ): Uint8Array {
    return classKeyName(this.#modules.atRest, { patientKey: sign.publicKey, class: name, epoch })
  }

  async #put(
    accounts: readonly Hosted[],
    deposits: readonly NewKeys[],
    durability: { sync: boolean },
  ): Promise<void> {
    if (accounts.length === 0) return
    const { atRest, keys } = this.#modules
    const values = accounts.map(
      ({ stored, sign }): NewAccount => ({
        name: atRest.name('account', utf8.encode(stored.reference)),
        aliases: [atRest.name('account-key', sign.publicKey)],
        value: atRest.seal('account', encode(accountSchema, stored)),
      }),
    )
    await keys.put(values, deposits, durability)
    for (const hosted of accounts) this.#remember(hosted)
  }

  #load(reference: string): Hosted | undefined {
    const cached = this.#cache.get(reference)
    if (cached !== undefined) return cached
    const { store, atRest } = this.#modules
    return this.#opened(store.get(atRest.name('account', utf8.encode(reference))))
  }

  #loadByKey(patientKey: Uint8Array): Hosted | undefined {
    const cached = this.#cacheByKey.get(toHex(patientKey))
    if (cached !== undefined) return cached
    const { store, atRest } = this.#modules
    return this.#opened(store.getByAlias(atRest.name('account-key', patientKey)))
  }

  #opened(value: Uint8Array | undefined): Hosted | undefined {
    if (value === undefined) return undefined
    const stored = decode(accountSchema, this.#modules.atRest.open('account', value))
    const hosted = this.#hosted(stored)
    this.#remember(hosted)
    return hosted
  }

  #hosted(stored: StoredAccount): Hosted {
    const did = organisationDid(this.#modules.organisation)
    const { seed } = stored
    return { stored, sign: pairwiseSignKey(seed, did), seal: pairwiseSealKey(seed, did, EPOCH) }
  }

  #remember(hosted: Hosted): void {
    if (this.#cache.size >= CACHED_MAX) {
      this.#cache.clear()
      this.#cacheByKey.clear()
    }
    this.#cache.set(hosted.stored.reference, hosted)
    this.#cacheByKey.set(toHex(hosted.sign.publicKey), hosted)
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }
}

/** By which deposits and records of one class key find each other. */
export function classKeyName(
  atRest: AtRest,
  { patientKey, class: name, epoch }: { patientKey: Uint8Array; class: string; epoch: number },
): Uint8Array {
  return atRest.name('class-key', patientKey, utf8.encode(`${epoch}\0${name}`))
}

function accountOf({ stored, sign, seal }: Hosted): Account {
  return { reference: stored.reference, patientKey: sign.publicKey, logKey: seal.publicKey }
}

function withStored(hosted: Hosted, change: Partial<StoredAccount>): Hosted {
  return { ...hosted, stored: { ...hosted.stored, ...change } }
}
