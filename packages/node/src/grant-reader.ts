// Grants as they are read, remembered for a while: the same one comes with every request, and its text
// takes longer to read than everything else that is decided about it.

import { type Grant, readGrant, RecordsError, type SignedGrant } from '@mooring/records'

const REMEMBERED = 512

export class GrantReader {
  /** By the signed text; the delegations beside it are those of each request. */
  readonly #known = new Map<string, Grant>()

  /** @throws RecordsError with the path of the member that is wrong. */
  read(signed: SignedGrant): Grant {
    const known = this.#known.get(signed.jws)
    if (known !== undefined) return { ...known, signed }
    const grant = readGrant(signed)
    const [oldest] = this.#known.keys()
    if (this.#known.size >= REMEMBERED && oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(signed.jws, grant)
    return grant
  }

  /** Undefined for what is no grant. */
  find(signed: SignedGrant): Grant | undefined {
    try {
      return this.read(signed)
    } catch (error) {
      if (error instanceof RecordsError) return undefined
      throw error
    }
  }
}
