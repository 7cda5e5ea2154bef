// What the chain says of grants in a test: every handle is open until the test says otherwise.

import { equalBytes, toHex } from '@mooring/codec'
import type { GrantHandle } from '@mooring/ledger'
import type { StandingFacts } from '../src/grant-standings.ts'

const FAR = Date.UTC(2100, 0, 1)

export class MadeFacts implements StandingFacts {
  time = 0
  heartbeatMs = 0
  readonly #changed = new Map<string, GrantHandle | null>()
  /** Keys that were replaced, by the key, with what came after. */
  readonly #replaced = new Map<string, Uint8Array>()

  open(handle: Uint8Array, kind: GrantHandle['kind'], revokedAt: number | null = null): void {
    this.#changed.set(toHex(handle), { ...OPEN, kind, revokedAt })
  }

  revoke(handle: Uint8Array): void {
    this.#changed.set(toHex(handle), { ...OPEN, revokedAt: 7 })
  }

  /** As if it had never been opened. */
  forget(handle: Uint8Array): void {
    this.#changed.set(toHex(handle), null)
  }

  replace(key: Uint8Array, successor: Uint8Array): void {
    this.#replaced.set(toHex(key), successor)
  }

  handle(handle: Uint8Array): GrantHandle | undefined {
    const changed = this.#changed.get(toHex(handle))
    return changed === null ? undefined : (changed ?? OPEN)
  }

  successorOf(_custodian: string, key: Uint8Array): Uint8Array | null {
    return this.#replaced.get(toHex(key)) ?? null
  }

  isSuccessor(_custodian: string, former: Uint8Array, key: Uint8Array): boolean {
    let current: Uint8Array | undefined = former
    while (current !== undefined && !equalBytes(current, key)) {
      current = this.#replaced.get(toHex(current))
    }
    return current !== undefined
  }
}

const OPEN: GrantHandle = { kind: 'share', expiresAt: FAR, openedAt: 1, revokedAt: null }
