// A cache bounded in bytes that keeps what was used recently. Entries live in two generations: what
// is used is, or becomes, young, and once the young ones fill half of the room the old ones are
// forgotten and the young ones grow old. That is nearly least-recently-used, and a hit among the
// young costs one look-up.

interface Entry<V> {
  value: V
  bytes: number
}

export class RecentCache<V> {
  readonly #youngBytesMax: number
  #young = new Map<string, Entry<V>>()
  #old = new Map<string, Entry<V>>()
  #youngBytes = 0

  constructor(bytesMax: number) {
    this.#youngBytesMax = bytesMax / 2
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young.value
    const old = this.#old.get(key)
    if (old === undefined) return undefined
    this.set(key, old.value, old.bytes)
    return old.value
  }

  /** The owner says how many bytes the entry takes. */
  set(key: string, value: V, bytes: number): void {
    this.delete(key)
    this.#young.set(key, { value, bytes })
    this.#youngBytes += bytes
    if (this.#youngBytes <= this.#youngBytesMax) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngBytes = 0
  }

  delete(key: string): void {
    this.#youngBytes -= this.#young.get(key)?.bytes ?? 0
    this.#young.delete(key)
    this.#old.delete(key)
  }
}
