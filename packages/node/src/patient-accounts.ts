// The accounts that the custodian keeps of its patients: their keys, and the class keys of their records.
//
// An account is made when the first record comes in, or a wallet before it (create), with keys that are hosted here; a wallet of the
// patient's own may take its place (adopt). A class key is made when the first record of its class comes
// in, or the first grant that covers it; it is sealed to the custodian, the patient and everybody with a
// live grant, and handed to holders (key-deposits.ts) in the same durable step. So who has a grant can
// open later records too, until it ends (account-record.ts).

import { Refusal } from '@mooring/api'
import { decode, encode, equalBytes, toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import {
  type ClassKeyContent,
  encodeKeyDeposit,
  handleKey,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  type RandomBytes,
  type SealKeyPair,
} from '@mooring/records'
import type { AccountStore, NewAccount } from '@mooring/storage'
import {
  accountSchema,
  currentClassKey,
  depositsFor,
  FORMER_MAX,
  type Granted,
  nextEpochOf,
  recipientsOf,
  type StoredAccount,
  type StoredClassKey,
  withClassKey,
  withDeposit,
  withGranted,
  withoutDeadCopies,
  withRestored,
} from './account-record.ts'
import {
  type Account,
  type Accounts,
  type ClassKey,
  unknownPatient,
  unknownRecipient,
  type WalletKeys,
  type WideGrant,
} from './accounts.ts'
import type { AtRest } from './at-rest.ts'
import { ClassKeyDeposits, classKeyName } from './class-key-deposits.ts'
import { InTurn } from './in-turn.ts'
import type { KeyDeposits, NewKeys } from './key-deposits.ts'

const SEAL_KEY_EPOCH = 1
const CACHED_MAX = 20_000
const utf8 = new TextEncoder()

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
  /** Whether the final state has this handle, and it was not revoked. */
  readonly isOpenHandle: (handle: Uint8Array) => boolean
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

/** An account with its keys, as far as they are here. */
interface Opened {
  readonly stored: StoredAccount
  readonly sign: KeyPair
  readonly seal: SealKeyPair
  readonly patientKey: Uint8Array
  readonly logKey: Uint8Array
}

export class PatientAccounts implements Accounts {
  readonly #modules: PatientAccountsModules
  readonly #deposits: ClassKeyDeposits
  readonly #cache = new Map<string, Opened>()
  readonly #cacheByKey = new Map<string, Opened>()
  /** Changes of accounts must not overtake each other. */
  readonly #turns = new InTurn()
  readonly #isLive = ({ handles, expiresAt }: Granted): boolean =>
    expiresAt > this.#modules.now() && handles.every((handle) => this.#modules.isOpenHandle(handle))

  constructor(modules: PatientAccountsModules) {
    this.#modules = modules
    this.#deposits = new ClassKeyDeposits(modules)
  }

  find(reference: string): Account | undefined {
    const opened = this.#load(reference)
    return opened && accountOf(opened)
  }

  findByKey(patientKey: Uint8Array): Account | undefined {
    const opened = this.#loadByKey(patientKey)
    return opened && accountOf(opened)
  }

  signKeyPair(patientKey: Uint8Array): KeyPair | undefined {
    const opened = this.#loadByKey(patientKey)
    if (opened === undefined || opened.stored.wallet !== null) return undefined
    return equalBytes(opened.sign.publicKey, patientKey) ? opened.sign : undefined
  }

  /** Of a grant that was made here, by the number it was made with. */
  handleKeyPair(patientKey: Uint8Array, number: number): KeyPair | undefined {
    const opened = this.#loadByKey(patientKey)
    return opened && handleKey(opened.stored.seed, number)
  }

  logKeyPair(patientKey: Uint8Array): SealKeyPair | undefined {
    const opened = this.#loadByKey(patientKey)
    if (opened === undefined) return undefined
    return equalBytes(opened.sign.publicKey, patientKey) ? opened.seal : undefined
  }

  classKeys(patientKey: Uint8Array): ClassKey[] {
    const stored = this.#loadByKey(patientKey)?.stored.classKeys ?? []
    return stored
      .map((each) => {
        const { class: name, epoch, key } = each
        return { class: name, epoch, key, patientKey: each.patientKey }
      })
      .toReversed()
  }

  wrapsFor(patientKey: Uint8Array, recipient: string): Uint8Array[] {
    const opened = this.#loadByKey(patientKey)
    return opened === undefined ? [] : depositsFor(opened.stored, recipient, this.#isLive)
  }

  /** The keys to seal with, in order; those that are new are durable no later than records under them. */
  ensure(wanted: readonly { reference: string; class: string }[]): Promise<SealingKey[]> {
    return this.#turns.run(async () => {
      const changed = new Map<string, Opened>()
      const deposits: NewKeys[] = []
      const found = wanted.map(({ reference, class: name }) => {
        const known = changed.get(reference) ?? this.#load(reference) ?? this.#create(reference)
        const { patientKey, stored } = known
        const current = currentClassKey(stored, { patientKey, class: name }, this.#isLive)
        if (current !== undefined) return this.#sealingKey(current)
        const opened = this.#withClass(known, name, deposits)
        changed.set(reference, opened)
        return this.#sealingKey(lastOf(opened.stored))
      })
      await this.#put([...changed.values()], deposits, { sync: false })
      return found
    })
  }

  create(reference: string): Promise<Account> {
    return this.#turns.run(async () => {
      const opened = this.#load(reference) ?? this.#create(reference)
      await this.#put([opened], [], { sync: true })
      return accountOf(opened)
    })
  }

  open(patientKey: Uint8Array, granted: WideGrant): Promise<void> {
    return this.#turns.run(async () => {
      const { recipient, classes } = granted
      const recipientKey = this.#modules.sealKeyOf(recipient)
      if (recipientKey === undefined) throw unknownRecipient(recipient)
      const known = this.#loadByKey(patientKey)
      if (known === undefined) throw unknownPatient()
      const entry = { ...granted, handles: [...granted.handles], classes: [...classes] }
      const tidy = withoutDeadCopies(known.stored, this.#isLive)
      let opened: Opened = { ...known, stored: withGranted(tidy, entry, this.#isLive) }
      const deposits: NewKeys[] = []
      for (const name of classes) {
        const existing = opened.stored.classKeys.filter((each) => each.class === name)
        for (const each of existing)
          opened = this.#withCopy(opened, each, { recipient, recipientKey }, deposits)
        if (existing.length === 0) opened = this.#withClass(opened, name, deposits)
      }
      await this.#put([opened], deposits, { sync: true })
    })
  }

  rotate(patientKey: Uint8Array, recordClass: string): Promise<void> {
    return this.#turns.run(async () => {
      const known = this.#loadByKey(patientKey)
      if (known === undefined) throw unknownPatient()
      const classKeys = known.stored.classKeys.map((each) =>
        each.class === recordClass ? { ...each, isClosed: true } : each,
      )
      const stored = { ...known.stored, classKeys }
      await this.#put([{ ...known, stored }], [], { sync: true })
    })
  }

  adopt(reference: string, keys: WalletKeys): Promise<Account> {
    return this.#turns.run(async () => {
      const known = this.#load(reference)
      if (known === undefined) throw unknownPatient()
      const owner = this.#loadByKey(keys.patientKey)
      const isOwn = equalBytes(known.patientKey, keys.patientKey)
      if (owner !== undefined && !(isOwn && owner.stored.reference === reference))
        throw new Refusal('patient_key_taken', 'This key is, or was, of an account here already.')
      const { stored } = known
      if (isOwn) {
        const opened = this.#opened({ ...stored, wallet: keys })
        await this.#put([opened], [], { sync: true })
        return accountOf(opened)
      }
      const former = [...stored.former, known.patientKey]
      if (former.length > FORMER_MAX)
        throw new Refusal('too_many_keys', `This patient has had ${FORMER_MAX} keys here.`)
      let opened = this.#opened({ ...stored, wallet: keys, former, granted: [] })
      const deposits: NewKeys[] = []
      for (const each of stored.classKeys)
        deposits.push(this.#deposits.copy(each, keys.logKey, keys.logKey))
      // At once, so that holders have the new keys of the patient for a custodian that lost its disk.
      for (const name of new Set(stored.classKeys.map((each) => each.class)))
        opened = this.#withClass(opened, name, deposits)
      await this.#put([opened], deposits, { sync: true })
      return accountOf(opened)
    })
  }

  /**
   * Class keys that came back from holders, of the accounts whose references stand in the manifests they
   * open: those that this custodian has made, by their mark. The answer is the keys of patients that it
   * has accounts of again; grants are not among what comes back. Which key of a patient is in force, the
   * chain knows.
   */
  restore(
    found: readonly RestoredKey[],
    isRetired: (patientKey: Uint8Array) => boolean,
  ): Promise<Set<string>> {
    return this.#turns.run(async () => {
      const changed = new Map<string, Opened>()
      const restored = new Set<string>()
      for (const { reference, content, deposit } of found) {
        if (!this.#deposits.isOwn(content)) continue
        const known = changed.get(reference) ?? this.#load(reference) ?? this.#create(reference)
        restored.add(toHex(content.patientKey))
        const { patientKey: current } = known
        const isInForce = !isRetired(content.patientKey)
        const stored = withRestored(known.stored, { content, deposit, current, isInForce })
        changed.set(reference, this.#opened(stored))
      }
      await this.#put([...changed.values()], [], { sync: true })
      return restored
    })
  }

  #create(reference: string): Opened {
    const seed = this.#modules.atRest.accountSeed(reference)
    return this.#opened({ reference, seed, wallet: null, former: [], classKeys: [], granted: [] })
  }

  #withClass(opened: Opened, name: string, deposits: NewKeys[]): Opened {
    const { stored, patientKey, logKey } = opened
    const { random, sealKeyOf } = this.#modules
    const classKey = { class: name, epoch: nextEpochOf(stored, name), key: random(32), patientKey }
    const recipients = recipientsOf(stored, name, this.#isLive)
    const granted = recipients.flatMap((each) => sealKeyOf(each) ?? [])
    const first = this.#deposits.first(classKey, logKey, granted)
    deposits.push(first)
    const kept = { deposit: encodeKeyDeposit(first.deposit), readers: recipients }
    const added = { ...classKey, isClosed: false, deposits: [kept] }
    return { ...opened, stored: withClassKey(stored, added) }
  }

  #withCopy(
    opened: Opened,
    existing: StoredClassKey,
    { recipient, recipientKey }: { recipient: string; recipientKey: Uint8Array },
    deposits: NewKeys[],
  ): Opened {
    const isThere = existing.deposits.some(({ readers }) => readers.includes(recipient))
    if (isThere) return opened
    const copy = this.#deposits.copy(existing, opened.logKey, recipientKey)
    deposits.push(copy)
    const kept = { deposit: encodeKeyDeposit(copy.deposit), readers: [recipient] }
    return { ...opened, stored: withDeposit(opened.stored, existing, kept) }
  }

  #sealingKey(classKey: StoredClassKey): SealingKey {
    const { patientKey, class: name, epoch, key } = classKey
    const keyName = toHex(classKeyName(this.#modules.atRest, classKey))
    return { patientKey, class: name, epoch, key, keyName }
  }

  async #put(
    accounts: readonly Opened[],
    deposits: readonly NewKeys[],
    durability: { sync: boolean },
  ): Promise<void> {
    if (accounts.length === 0) return
    const { atRest, keys } = this.#modules
    const values = accounts.map(
      ({ stored, patientKey }): NewAccount => ({
        name: atRest.name('account', utf8.encode(stored.reference)),
        aliases: [patientKey, ...stored.former].map((key) => atRest.name('account-key', key)),
        value: atRest.seal('account', encode(accountSchema, stored)),
      }),
    )
    await keys.put(values, deposits, durability)
    for (const opened of accounts) this.#remember(opened)
  }

  #load(reference: string): Opened | undefined {
    const cached = this.#cache.get(reference)
    if (cached !== undefined) return cached
    const { store, atRest } = this.#modules
    return this.#read(store.get(atRest.name('account', utf8.encode(reference))))
  }

  #loadByKey(patientKey: Uint8Array): Opened | undefined {
    const cached = this.#cacheByKey.get(toHex(patientKey))
    if (cached !== undefined) return cached
    const { store, atRest } = this.#modules
    return this.#read(store.getByAlias(atRest.name('account-key', patientKey)))
  }

  #read(value: Uint8Array | undefined): Opened | undefined {
    if (value === undefined) return undefined
    const stored = decode(accountSchema, this.#modules.atRest.open('account', value))
    const opened = this.#opened(stored)
    this.#remember(opened)
    return opened
  }

  /** With what follows from its seed and its wallet: dear, and the same for as long as they are. */
  #opened(stored: StoredAccount): Opened {
    const did = organisationDid(this.#modules.organisation)
    const { seed, wallet } = stored
    const sign = pairwiseSignKey(seed, did)
    const seal = pairwiseSealKey(seed, did, SEAL_KEY_EPOCH)
    const patientKey = wallet?.patientKey ?? sign.publicKey
    return { stored, sign, seal, patientKey, logKey: wallet?.logKey ?? seal.publicKey }
  }

  #remember(opened: Opened): void {
    if (this.#cache.size >= CACHED_MAX) {
      this.#cache.clear()
      this.#cacheByKey.clear()
    }
    const { stored, patientKey } = opened
    this.#cache.set(stored.reference, opened)
    for (const key of [patientKey, ...stored.former]) this.#cacheByKey.set(toHex(key), opened)
  }
}

function accountOf({ stored, patientKey, logKey }: Opened): Account {
  const { reference, wallet, former } = stored
  const recoveryCommit = wallet?.recoveryCommit ?? null
  const custody = wallet === null ? 'hosted' : 'own'
  return { reference, patientKey, logKey, custody, former, recoveryCommit }
}

function lastOf({ classKeys }: StoredAccount): StoredClassKey {
  const last = classKeys.at(-1)
  if (last === undefined) throw new Error('a class key was not added')
  return last
}
