// Who takes records into an account has it alone until they are stored: numbers follow each other, and a
// new version supersedes the one that is the newest.
//
// All accounts of a submission are taken in one step, in the order of asking, so that no two submissions wait
// for each other.

export class AccountLocks {
  readonly #last = new Map<string, Promise<void>>()

  /** The work begins when all who asked for one of these accounts before have finished. */
  async hold<T>(references: Iterable<string>, work: () => Promise<T>): Promise<T> {
    const names = [...new Set(references)]
    const before = names.flatMap((name) => this.#last.get(name) ?? [])
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    for (const name of names) this.#last.set(name, released)
    try {
      await Promise.all(before)
      return await work()
    } finally {
      release()
      for (const name of names) if (this.#last.get(name) === released) this.#last.delete(name)
    }
  }
}
