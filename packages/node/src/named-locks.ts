// Who works on something that has a name, an account, a record, a set, has it alone until the work is done:
// in an account numbers follow each other, and a new version supersedes the one that is the newest.
//
// All names of one piece of work are taken in one step, in the order of asking, so that no two wait for each
// other.

export class NamedLocks {
  readonly #last = new Map<string, Promise<void>>()

  /** The work begins when all who asked for one of these names before have finished. */
  async hold<T>(of: Iterable<string>, work: () => Promise<T>): Promise<T> {
    const names = [...new Set(of)]
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

  /** What is being worked on, and what waited for it, has finished. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values())
  }
}
