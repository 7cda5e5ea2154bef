// The order of the records of an account, and which of them is the newest version of a resource.
//
// An account is counted under a name that stays whatever becomes of its keys. Numbers begin at 1 and have no
// gaps: whoever takes records in holds the account meanwhile, and a number that does not follow is an
// error. A number keeps its id when the record itself is gone, so that what was there stays countable.

import { bytes, decode, encode, struct, toHex, uint } from '@mooring/codec'
import type { Database, DatabaseOperation } from './database.ts'
import { StorageError } from './errors.ts'
import { accountOrderKey, lastNumberOf, newestVersionKey } from './keys.ts'

/** Where a record stands in its account. */
export interface AccountPlace {
  /** Keyed name of the account, the same for all its keys. */
  readonly account: Uint8Array
  readonly sequence: number
  /** Keyed name of the resource that it is a version of; null for what is its only version. */
  readonly resource: Uint8Array | null
}

const LAST = Number.MAX_SAFE_INTEGER
const storedVersion = struct({ sequence: uint(), id: bytes(32) })

export class AccountOrder {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Number of the newest record; 0 before the first. */
  async last(account: Uint8Array): Promise<number> {
    const from = accountOrderKey(account, 0)
    const range = { from, to: accountOrderKey(account, LAST), reverse: true, limit: 1 }
    for await (const key of this.#database.keys(range)) return lastNumberOf(key)
    return 0
  }

  /** Ids in the order of their numbers, behind one of them; also of what is not kept any more. */
  async list(
    account: Uint8Array,
    { after, limit }: { after: number; limit: number },
  ): Promise<{ sequence: number; id: Uint8Array }[]> {
    const found: { sequence: number; id: Uint8Array }[] = []
    const from = accountOrderKey(account, after + 1)
    const range = { from, to: accountOrderKey(account, LAST), limit }
    for await (const { key, value } of this.#database.iterate(range))
      found.push({ sequence: lastNumberOf(key), id: value })
    return found
  }

  /** Id of the newest version, and its number. */
  newestVersion(resource: Uint8Array): { sequence: number; id: Uint8Array } | undefined {
    const stored = this.#database.getSync(newestVersionKey(resource))
    return stored && decode(storedVersion, stored)
  }

  /** For records that are written in one step. */
  begin(): AccountSteps {
    return new AccountSteps(this.#database, this)
  }
}

/** What has to be written of records that are new, one after the other, in one step with them. */
export class AccountSteps {
  readonly #database: Database
  readonly #order: AccountOrder
  readonly #last = new Map<string, number>()
  readonly #given = new Set<string>()
  readonly #newest = new Map<string, number>()

  constructor(database: Database, order: AccountOrder) {
    this.#database = database
    this.#order = order
  }

  /** @throws StorageError out_of_order for a number that does not follow */
  async next(place: AccountPlace, id: Uint8Array): Promise<DatabaseOperation[]> {
    const name = toHex(place.account)
    const last = this.#last.get(name) ?? (await this.#order.last(place.account))
    if (place.sequence !== last + 1)
      throw new StorageError('out_of_order', 'a record does not follow the last of its account', {
        sequence: place.sequence,
      })
    this.#last.set(name, place.sequence)
    return this.#operations(place, id)
  }

  /** Of a record that was here before: a number that has an id keeps it. */
  again(place: AccountPlace, id: Uint8Array): DatabaseOperation[] {
    const key = accountOrderKey(place.account, place.sequence)
    const name = toHex(key)
    const isTaken = this.#given.has(name) || this.#database.getSync(key) !== undefined
    this.#given.add(name)
    return isTaken ? [] : this.#operations(place, id)
  }

  #operations({ account, sequence, resource }: AccountPlace, id: Uint8Array): DatabaseOperation[] {
    const counted: DatabaseOperation = {
      type: 'put',
      key: accountOrderKey(account, sequence),
      value: id,
    }
    if (resource === null) return [counted]
    const name = toHex(resource)
    const newest = this.#newest.get(name) ?? this.#order.newestVersion(resource)?.sequence ?? 0
    if (newest >= sequence) return [counted]
    this.#newest.set(name, sequence)
    const value = encode(storedVersion, { sequence, id })
    return [counted, { type: 'put', key: newestVersionKey(resource), value }]
  }
}
