// Shards that are known to be missing or wrong, until they have been made again.
//
// It is what this node saw since it was started: an audit or a look at who has what finds it again.

import { fromHex, toHex } from '@mooring/codec'
import type { ShardFault } from './set-health.ts'

const SETS_MAX = 1_000_000

export class ShardFaults {
  readonly #faults = new Map<string, Map<number, ShardFault>>()
  #shards = 0

  /** Of how many shards something is known. */
  get size(): number {
    return this.#shards
  }

  of(setId: Uint8Array): ReadonlyMap<number, ShardFault> | undefined {
    return this.#faults.get(toHex(setId))
  }

  /** True when this was not known. */
  mark(setId: Uint8Array, index: number, fault: ShardFault): boolean {
    const name = toHex(setId)
    const known = this.#faults.get(name)
    if (known === undefined && this.#faults.size >= SETS_MAX) return false
    const faults = known ?? new Map<number, ShardFault>()
    if (known === undefined) this.#faults.set(name, faults)
    const isNew = !faults.has(index)
    if (isNew) this.#shards += 1
    faults.set(index, fault)
    return isNew
  }

  /** The shard is where it belongs, or belongs to somebody else now. */
  clear(setId: Uint8Array, index: number): void {
    const name = toHex(setId)
    const faults = this.#faults.get(name)
    if (faults?.delete(index) !== true) return
    this.#shards -= 1
    if (faults.size === 0) this.#faults.delete(name)
  }

  /** Sets with a fault, as they are now. */
  sets(): Uint8Array[] {
    return Array.from(this.#faults.keys(), (name) => fromHex(name))
  }
}
