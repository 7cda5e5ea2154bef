/**
 * Two processes that follow every rule and sign with one key: a restored copy, a machine cloned by
 * mistake. The world boots the second one; here is only which of the two hears what is sent to them.
 */
import type { Random } from '../random.ts'

/** Who hears changes every while: the first, the second, or both. */
export class Twins {
  readonly #random: Random
  readonly #heardBy = new Map<number, 'first' | 'second' | 'both'>()

  constructor(random: Random) {
    this.#random = random
  }

  shuffle(nodes: number): void {
    for (let from = 0; from < nodes; from += 1)
      this.#heardBy.set(from, this.#random.pick(['first', 'second', 'both']))
  }

  hears(which: 'first' | 'second', from: number): boolean {
    const heardBy = this.#heardBy.get(from) ?? 'both'
    return heardBy === 'both' || heardBy === which
  }
}
