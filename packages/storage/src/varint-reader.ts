// Reads the variable-length integers that LevelDB writes: seven bits a byte, the lowest first.

export class VarintReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** NaN behind the end, so that whatever is computed from it is no offset, tag or length either. */
  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at]
      this.#at += 1
      if (byte === undefined) return Number.NaN
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  /** Goes on behind so many bytes; to the end where there are not so many. */
  pass(length: number): void {
    this.#at += Number.isNaN(length) ? this.#bytes.length : length
  }
}
