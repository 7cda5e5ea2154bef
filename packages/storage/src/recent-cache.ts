// A cache bounded in bytes that keeps what was used recently. Entries live in two generations: what
// is used is, or becomes, young, and once the young ones fill half of the room the old ones are
// forgotten and the young ones grow old. That is nearly least-recently-used, and a hit among the
// young costs one look-up.

export class RecentCache<V> {
  readonly #youngBytesMax: number
  readonly #bytesOf: (value: V) => number
  #young = new Map<string, V>()
  #old = new Map<string, V>()
  #youngBytes = 0

  constructor(bytesMax: number, bytesOf: (value: V) => number) {
    this.#youngBytesMax = bytesMax / 2
    this.#bytesOf = bytesOf
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, value: V): void {
    this.delete(key)
    this.#young.set(key, value)
    this.#youngBytes += this.#bytesOf(value)
    if (this.#youngBytes <= this.#youngBytesMax) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngBytes = 0
  }

  delete(key: string): void {
    const young = this.#young.get(key)
    if (young !== undefined) this.#youngBytes -= this.#bytesOf(young)
    this.#young.delete(key)
    this.#old.delete(key)
  }
}
