// Class keys on their way to holders: sealed copies that outlive the custodian.
//
// A record counts as safe only when its class key is: the deposit is durable here before the key is
// first used, goes to each holder no later than the shards, and until k others have it no record under it
// is accepted. A deposit is not forgotten before all of its holders have it.

import { bytes, bytesMax, decode, encode, list, toHex, uint, versioned } from '@mooring/codec'
import type { Organisation } from '@mooring/ledger'
import {
  encodeKeyDeposit,
  KEY_DEPOSIT_BYTES_MAX,
  type KeyDeposit,
  organisationIdSchema,
  placementOrder,
  SHARDS_MAX,
} from '@mooring/records'
import type { AccountStore, NewAccount } from '@mooring/storage'
import type { AtRest } from './at-rest.ts'
import { possibleHolders, splitFor } from './holder-choice.ts'

const queuedSchema = versioned(1, {
  /** Names the class key; empty for a copy that nobody waits for. */
  keyName: bytesMax(32),
  id: bytes(32),
  deposit: bytesMax(KEY_DEPOSIT_BYTES_MAX),
  holders: list(organisationIdSchema, SHARDS_MAX),
  missing: list(uint(SHARDS_MAX - 1), SHARDS_MAX),
  k: uint(SHARDS_MAX),
})

export interface QueuedKeys {
  readonly number: number
  readonly keyName: string
  readonly id: Uint8Array
  readonly deposit: Uint8Array
  readonly k: number
  holders: string[]
  missing: Set<number>
}

export interface NewKeys {
  readonly keyName: Uint8Array
  readonly deposit: KeyDeposit
}

export interface KeyDepositsModules {
  readonly organisation: string
  readonly organisations: () => readonly Organisation[]
  readonly store: Pick<AccountStore, 'put' | 'deposits' | 'updateDeposits'>
  readonly atRest: AtRest
}

export class KeyDeposits {
  readonly #modules: KeyDepositsModules
  readonly #queued = new Map<number, QueuedKeys>()
  /** Deposits that records may have to wait for, by key name. */
  readonly #unsafe = new Map<string, QueuedKeys>()
  /** Somebody has to be given something. */
  onAdded: (holders: readonly string[]) => void = () => undefined
  /** Enough others have this key now. */
  onSafe: (keyName: string) => void = () => undefined

  constructor(modules: KeyDepositsModules) {
    this.#modules = modules
  }

  /** What an earlier run left. */
  async start(): Promise<void> {
    const { store, atRest } = this.#modules
    for (const { number, value } of await store.deposits()) {
      const found = decode(queuedSchema, atRest.open('key-deposit', value))
      const { id, deposit, holders, k } = found
      const keyName = toHex(found.keyName)
      this.#keep({ number, keyName, id, deposit, k, holders, missing: new Set(found.missing) })
    }
  }

  /** Who has to be given something. */
  holders(): string[] {
    const queued = [...this.#queued.values()]
    return [...new Set(queued.flatMap(({ holders }) => holders))]
  }

  /** Accounts and the deposits of their new keys, together; see AccountStore.put. */
  async put(
    accounts: readonly NewAccount[],
    deposits: readonly NewKeys[],
    durability: { sync: boolean },
  ): Promise<void> {
    const { store, organisations } = this.#modules
    const possible = possibleHolders(organisations())
    const split = splitFor(possible)
    if (split === undefined) throw new Error('class keys without holders')
    const queued = deposits.map(({ keyName, deposit }) => ({
      keyName: toHex(keyName),
      id: deposit.id,
      deposit: encodeKeyDeposit(deposit),
      k: split.k,
      holders: placementOrder(deposit.id, possible).slice(0, split.n),
      missing: new Set(Array.from({ length: split.n }, (_, index) => index)),
    }))
    const values = queued.map((each, at) =>
      this.#sealed(each, deposits[at]?.keyName ?? new Uint8Array(0)),
    )
    const numbers = await store.put(accounts, values, durability)
    for (const [at, each] of queued.entries()) this.#keep({ ...each, number: numbers[at] ?? 0 })
    this.onAdded([...new Set(queued.flatMap(({ holders }) => holders))])
  }

  /** Whether records under this key survive without this custodian. */
  isSafe(keyName: string): boolean {
    return !this.#unsafe.has(keyName)
  }

  /** What this holder has to be given, oldest first. */
  waitingFor(holder: string, limit: number): QueuedKeys[] {
    const found: QueuedKeys[] = []
    for (const queued of this.#queued.values()) {
      const index = queued.holders.indexOf(holder)
      if (index >= 0 && queued.missing.has(index)) found.push(queued)
      if (found.length === limit) break
    }
    return found
  }

  /** A holder has these durably. */
  async receipted(holder: string, given: readonly QueuedKeys[]): Promise<void> {
    const { store, organisation } = this.#modules
    const safe: string[] = []
    for (const queued of given) {
      queued.missing.delete(queued.holders.indexOf(holder))
      const others = queued.holders.filter(
        (name, index) => name !== organisation && !queued.missing.has(index),
      )
      if (others.length >= queued.k && this.#unsafe.get(queued.keyName) === queued) {
        this.#unsafe.delete(queued.keyName)
        safe.push(queued.keyName)
      }
    }
    const done = given.filter(({ missing }) => missing.size === 0)
    for (const { number } of done) this.#queued.delete(number)
    if (done.length > 0)
      await store.updateDeposits(done.map(({ number }) => ({ number, value: null })))
    for (const keyName of safe) this.onSafe(keyName)
  }

  /** Gives what a holder does not take to the next in order, where there is one. */
  replace(holder: string, isUsable: (holder: string) => boolean): string[] {
    const possible = possibleHolders(this.#modules.organisations())
    const chosen = new Set<string>()
    for (const queued of this.waitingFor(holder, Number.POSITIVE_INFINITY)) {
      const index = queued.holders.indexOf(holder)
      const next = placementOrder(queued.id, possible).find(
        (name) => !queued.holders.includes(name) && isUsable(name),
      )
      if (next === undefined) continue
      queued.holders = queued.holders.with(index, next)
      chosen.add(next)
    }
    return [...chosen]
  }

  #keep(queued: QueuedKeys): void {
    this.#queued.set(queued.number, queued)
    if (queued.keyName !== '') this.#unsafe.set(queued.keyName, queued)
  }

  #sealed(queued: Omit<QueuedKeys, 'number'>, keyName: Uint8Array): Uint8Array {
    const { id, deposit, holders, missing, k } = queued
    const value = { keyName, id, deposit, holders, missing: [...missing], k }
    return this.#modules.atRest.seal('key-deposit', encode(queuedSchema, value))
  }
}
