// What a long piece of work tells while it goes on, as something to iterate over.

export class StepQueue<T> implements AsyncIterable<T> {
  readonly #steps: T[] = []
  #isEnded = false
  #failure: { error: unknown } | null = null
  #wake: () => void = () => undefined

  push(step: T): void {
    this.#steps.push(step)
    this.#wake()
  }

  /** Everything that was told has been taken. */
  isIdle(): boolean {
    return this.#steps.length === 0
  }

  /** Nothing comes after this. */
  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  fail(error: unknown): void {
    this.#failure = { error }
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const step = this.#steps.shift()
      if (step !== undefined) yield step
      else if (this.#failure !== null) throw this.#failure.error
      else if (this.#isEnded) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}
