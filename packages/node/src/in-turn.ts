// Pieces of work of which each begins when the one before has ended, whichever way it ended.

export class InTurn {
  #last: Promise<unknown> = Promise.resolve()

  /** Settles as the work does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}
