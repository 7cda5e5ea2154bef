// Accounts beside the records of the private store, and class keys on their way to holders.
//
// Names are keyed and values sealed by who writes them. An account is written together with the key
// deposits that belong to its change, so that no class key is used whose deposit could be lost.

import type { Database, DatabaseOperation } from './database.ts'
import { StorageError } from './errors.ts'
import { accountAliasKey, accountKey, formatDatabaseKey, queuedKeysKey, numberOf } from './keys.ts'

const LAST = Number.MAX_SAFE_INTEGER
const END = new Uint8Array(33).fill(0xff)

export interface NewAccount {
  name: Uint8Array
  /** Other names by which it is found. */
  aliases: readonly Uint8Array[]
  value: Uint8Array
}

export class AccountStore {
  readonly #database: Database
  #lastDeposit: number

  private constructor(database: Database, lastDeposit: number) {
    this.#database = database
    this.#lastDeposit = lastDeposit
  }

  static async open(database: Database): Promise<AccountStore> {
    const range = { from: queuedKeysKey(0), to: queuedKeysKey(LAST), reverse: true, limit: 1 }
    for await (const { key } of database.iterate(range))
      return new AccountStore(database, numberOf(key))
    return new AccountStore(database, 0)
  }

  get(name: Uint8Array): Uint8Array | undefined {
    return this.#database.getSync(accountKey(name))
  }

  getByAlias(alias: Uint8Array): Uint8Array | undefined {
    const name = this.#database.getSync(accountAliasKey(alias))
    if (name === undefined) return undefined
    const value = this.get(name)
    if (value === undefined) {
      const key = formatDatabaseKey(accountKey(name))
      throw new StorageError('missing', 'a part of the private store is gone', { key })
    }
    return value
  }

  /** In the order of their names, which is none that means anything. */
  async *all(): AsyncGenerator<Uint8Array> {
    const range = { from: accountKey(new Uint8Array(0)), to: accountKey(END) }
    for await (const { value } of this.#database.iterate(range)) yield value
  }

  /**
   * All of it or nothing; the answer is the numbers of the deposits. Without sync it is durable with the
   * next write to this database that is: records that need an account never outlive it.
   */
  async put(
    accounts: readonly NewAccount[],
    deposits: readonly Uint8Array[],
    { sync }: { sync: boolean },
  ): Promise<number[]> {
    const operations: DatabaseOperation[] = []
    for (const { name, aliases, value } of accounts) {
      operations.push({ type: 'put', key: accountKey(name), value })
      for (const alias of aliases)
        operations.push({ type: 'put', key: accountAliasKey(alias), value: name })
    }
    const numbers = deposits.map((value) => {
      this.#lastDeposit += 1
      operations.push({ type: 'put', key: queuedKeysKey(this.#lastDeposit), value })
      return this.#lastDeposit
    })
    await this.#database.batch(operations, { sync })
    return numbers
  }

  /** Key deposits that holders still have to be given, oldest first. */
  async deposits(): Promise<{ number: number; value: Uint8Array }[]> {
    const found: { number: number; value: Uint8Array }[] = []
    const range = { from: queuedKeysKey(0), to: queuedKeysKey(LAST) }
    for await (const { key, value } of this.#database.iterate(range))
      found.push({ number: numberOf(key), value })
    return found
  }

  /** A null value takes the deposit out; lost to a power failure at worst. */
  async updateDeposits(
    updates: readonly { number: number; value: Uint8Array | null }[],
  ): Promise<void> {
    const operations = updates.map(({ number, value }): DatabaseOperation => {
      const key = queuedKeysKey(number)
      return value === null ? { type: 'del', key } : { type: 'put', key, value }
    })
    await this.#database.batch(operations, { sync: false })
  }
}
