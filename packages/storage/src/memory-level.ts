// A LevelDB in memory that can lose power: what a database needs of it (database.ts), for simulations.
//
// Batches are written one after another, each whole or not at all, and are seen only once written. A
// synced batch is durable together with every batch before it. A power loss keeps what is durable, of
// the batches behind it some of the first, and the one under way perhaps; a log that was cut short
// loses the newest batches although they had been synced.

import type { Level, LevelBatch, LevelRange } from './database.ts'

interface Batch {
  readonly changes: readonly Change[]
  isDurable: boolean
}

/** A value of undefined removes the key. */
type Change = readonly [key: string, value: Uint8Array | undefined]

/** Decides when a batch is written, or throws what the disk says. */
export type WriteBatch = (bytes: number, sync: boolean) => Promise<void>

/** The newest batches, which a power loss may undo; what is older is part of the tables. */
const LOG_BATCHES = 8

export class MemoryLevel implements Level {
  readonly location: string
  readonly #write: WriteBatch
  /** In the tables: nothing loses it. */
  readonly #tables: Map<string, Uint8Array>
  readonly #seen: Map<string, Uint8Array>
  #log: Batch[] = []
  #underWay: readonly Change[] | null = null
  #queue: Promise<void> = Promise.resolve()

  constructor(
    location: string,
    write: WriteBatch = () => Promise.resolve(),
    tables: ReadonlyMap<string, Uint8Array> = new Map(),
  ) {
    this.location = location
    this.#write = write
    this.#tables = new Map(tables)
    this.#seen = new Map(tables)
  }

  get size(): number {
    return this.#seen.size
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#seen.get(nameOf(key))?.slice()
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.getSync(key))
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.resolve(keys.map((key) => this.getSync(key)))
  }

  batch(): LevelBatch {
    const changes: Change[] = []
    return {
      put: (key, value) => changes.push([nameOf(key), value.slice()]),
      del: (key) => changes.push([nameOf(key), undefined]),
      write: ({ sync }) => this.#enqueue(changes, sync),
    }
  }

  async *iterator({
    gte,
    lt,
    reverse,
    limit,
  }: LevelRange): AsyncGenerator<[Uint8Array, Uint8Array]> {
    const [from, to] = [nameOf(gte), nameOf(lt)]
    const names = [...this.#seen.keys()].filter((name) => name >= from && name < to).toSorted()
    if (reverse) names.reverse()
    await Promise.resolve()
    for (const name of limit < 0 ? names : names.slice(0, limit)) {
      const value = this.#seen.get(name)
      if (value !== undefined) yield [keyOf(name), value.slice()]
    }
  }

  close(): Promise<void> {
    return this.#queue
  }

  /** What is found after the process was killed: the batch under way is there or not. */
  afterKill(random: () => number, write?: WriteBatch): MemoryLevel {
    return this.#survivor(
      [...this.#log.map(({ changes }) => changes), ...this.#perhaps(random)],
      write,
    )
  }

  /** What is found after the power failed; `cut` newest batches are gone although they were durable. */
  afterPowerLoss(random: () => number, write?: WriteBatch, cut = 0): MemoryLevel {
    const durable = this.#log.findLastIndex(({ isDurable }) => isDurable) + 1
    const behind = this.#log.length - durable
    const kept =
      cut > 0 ? Math.max(0, durable - cut) : durable + Math.floor(random() * (behind + 1))
    const batches = this.#log.slice(0, kept).map(({ changes }) => changes)
    const isWhole = kept === this.#log.length && cut === 0
    return this.#survivor(isWhole ? [...batches, ...this.#perhaps(random)] : batches, write)
  }

  #perhaps(random: () => number): (readonly Change[])[] {
    return this.#underWay !== null && random() < 0.5 ? [this.#underWay] : []
  }

  #survivor(batches: readonly (readonly Change[])[], write = this.#write): MemoryLevel {
    const tables = new Map(this.#tables)
    for (const changes of batches) apply(tables, changes)
    return new MemoryLevel(this.location, write, tables)
  }

  #enqueue(changes: readonly Change[], sync: boolean): Promise<void> {
    const done = this.#queue.then(() => this.#writeBatch(changes, sync))
    this.#queue = done.catch(() => undefined)
    return done
  }

  async #writeBatch(changes: readonly Change[], sync: boolean): Promise<void> {
    const bytes = changes.reduce((sum, [key, value]) => sum + key.length + (value?.length ?? 0), 0)
    this.#underWay = changes
    try {
      await this.#write(bytes, sync)
    } finally {
      this.#underWay = null
    }
    apply(this.#seen, changes)
    this.#log.push({ changes, isDurable: sync })
    const [oldest] = this.#log
    if (oldest === undefined || this.#log.length <= LOG_BATCHES) return
    if (!this.#log.some(({ isDurable }) => isDurable)) return
    this.#log.shift()
    apply(this.#tables, oldest.changes)
  }
}

function apply(entries: Map<string, Uint8Array>, changes: readonly Change[]): void {
  for (const [key, value] of changes)
    if (value === undefined) entries.delete(key)
    else entries.set(key, value)
}

/** Sorts as the bytes do. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}

function keyOf(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(name, 'latin1'))
}
