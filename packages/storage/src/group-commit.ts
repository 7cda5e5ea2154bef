// Many small durable writes as few large ones.
//
// While one batch is on its way to the disk, whatever else is to be written waits and goes together in the
// next: one flush of the disk for all of them. Each part of a batch is made when its turn has come, one
// after the other, so that it may look at what the database has and at what earlier parts of the same batch
// are about to change; nothing is written between the look and the write.

import type { Database, DatabaseOperation } from './database.ts'

const PARTS_MAX = 256

/** Makes the operations of one part. @throws what the caller of `write` shall be told */
export type Part = () => readonly DatabaseOperation[]

export interface GroupHooks {
  /** Before the first part of a batch is made: nothing is about to change. */
  begin(): void
  /** What all parts together add to the batch. */
  finish(): readonly DatabaseOperation[]
  /** The batch is on the disk. */
  written(): void
}

interface Waiting {
  part: Part
  resolve: () => void
  reject: (error: unknown) => void
}

export class GroupCommit {
  readonly #database: Database
  readonly #hooks: GroupHooks
  #waiting: Waiting[] = []
  #running: Promise<void> | null = null

  constructor(database: Database, hooks: GroupHooks) {
    this.#database = database
    this.#hooks = hooks
  }

  /** On the disk when this resolves. */
  write(part: Part): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ part, resolve, reject })
    this.#running ??= this.#run()
    return promise
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Whoever wants to write in this turn of the event loop still gets into this batch.
      await Promise.resolve()
      await this.#writeGroup(this.#waiting.splice(0, PARTS_MAX))
    }
    this.#running = null
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    this.#hooks.begin()
    const operations: DatabaseOperation[] = []
    const made: Waiting[] = []
    for (const waiting of group) {
      try {
        operations.push(...waiting.part())
        made.push(waiting)
      } catch (error) {
        waiting.reject(error)
      }
    }
    try {
      operations.push(...this.#hooks.finish())
      if (operations.length > 0) await this.#database.batch(operations, { sync: true })
      this.#hooks.written()
      for (const { resolve } of made) resolve()
    } catch (error) {
      for (const { reject } of made) reject(error)
    }
  }
}
