// Chance that repeats itself: numbers from a seed, by SHA-256 in counter mode.
//
// For made-up patients only. Nothing that must be secret comes from here.

import { toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'

const utf8 = new TextEncoder()

export class Dice {
  #block: Uint8Array = new Uint8Array(0)
  #counter = 0
  readonly #seed: Uint8Array

  constructor(seed: number) {
    this.#seed = utf8.encode(`mooring/patient/${seed}`)
  }

  bytes(length: number): Uint8Array {
    if (this.#block.length < length) {
      this.#block = sha256(this.#seed, utf8.encode(`/${this.#counter}`))
      this.#counter += 1
    }
    const taken = this.#block.subarray(0, length)
    this.#block = this.#block.subarray(length)
    return taken
  }

  fraction(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.bytes(4)
    return (a * 0x1000000 + b * 0x10000 + c * 0x100 + d) / 0x100000000
  }

  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1))
  }

  isOdds(chance: number): boolean {
    return this.fraction() < chance
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length - 1)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }

  /** Some of the items, in their order, each with the same chance. */
  some<T>(items: readonly T[], chance: number): T[] {
    return items.filter(() => this.isOdds(chance))
  }

  uuid(): string {
    const bytes = Uint8Array.from(this.bytes(16))
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    const hex = toHex(bytes)
    return [0, 8, 12, 16, 20].map((at, i) => hex.slice(at, [8, 12, 16, 20, 32][i])).join('-')
  }
}
