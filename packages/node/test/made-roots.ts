// A chain as far as it is asked for batch roots: those that a test has put there, for everybody.

import { toHex } from '@mooring/codec'
import type { FinalRoots } from '../src/final-roots.ts'

export class MadeRoots implements FinalRoots {
  readonly #heights = new Map<string, number>()

  put(custodian: string, root: Uint8Array, height: number): void {
    this.#heights.set(nameOf(custodian, root), height)
  }

  has(custodian: string, root: Uint8Array): boolean {
    return this.#heights.has(nameOf(custodian, root))
  }

  heightOf(custodian: string, root: Uint8Array): number | null {
    return this.#heights.get(nameOf(custodian, root)) ?? null
  }
}

function nameOf(custodian: string, root: Uint8Array): string {
  return `${custodian} ${toHex(root)}`
}
