// The last lines of the log, kept in memory: for crash reports and bundles, also where the log itself goes
// to a container's runtime and cannot be read back.

const LINES_MAX = 2_000
const CHARACTERS_MAX = 512 * 1024

export class RecentLines {
  #lines: string[] = []
  #first = 0
  #characters = 0

  add(line: string): void {
    this.#lines.push(line)
    this.#characters += line.length
    while (this.#count > 1 && (this.#count > LINES_MAX || this.#characters > CHARACTERS_MAX)) {
      this.#characters -= this.#lines[this.#first]?.length ?? 0
      this.#first += 1
    }
    if (this.#first <= LINES_MAX) return
    this.#lines = this.#lines.slice(this.#first)
    this.#first = 0
  }

  /** Oldest first, each as it was written, without its line break. */
  list(): string[] {
    return this.#lines.slice(this.#first).map((line) => line.trimEnd())
  }

  get #count(): number {
    return this.#lines.length - this.#first
  }
}
