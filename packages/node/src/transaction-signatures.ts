// The signatures of transactions at the door: some are verified on another core before their turn comes, the
// others when it has come.

import {
  checkBody,
  checkSignatures,
  type DecodedTransaction,
  type InvalidTransaction,
} from '@mooring/ledger'
import type { Clock } from './clock.ts'
import type { DoorSignatures } from './door-signatures.ts'

/** Of those that another core has verified: whether the signature holds. */
export type Signed = ReadonlyMap<DecodedTransaction, boolean>

export const NONE_SIGNED: Signed = new Map()

export interface TransactionSignaturesModules {
  readonly clock: Clock
  /** Verifies on another core; without, here. */
  readonly signatures?: Pick<DoorSignatures, 'check'>
  /** The signatures of a transaction were looked at. */
  readonly verified?: (isGood: boolean, ms: number) => void
}

export class TransactionSignatures {
  readonly #genesisDigest: Uint8Array
  readonly #modules: TransactionSignaturesModules

  constructor(genesisDigest: Uint8Array, modules: TransactionSignaturesModules) {
    this.#genesisDigest = genesisDigest
    this.#modules = modules
  }

  /** What another core says of them; empty when they are to be verified here. */
  async ask(transactions: readonly DecodedTransaction[]): Promise<Signed> {
    const { signatures, verified } = this.#modules
    const found = (await signatures?.check(transactions)) ?? null
    if (found === null) return NONE_SIGNED
    const signed = transactions.map(
      (transaction, at) => [transaction, found.signed[at] === 1] as const,
    )
    for (const [, isGood] of signed) verified?.(isGood, found.msEach)
    return new Map(signed)
  }

  /** Its signature, and those in its body. */
  check(transaction: DecodedTransaction, signed: Signed): InvalidTransaction | undefined {
    const { clock, verified } = this.#modules
    const isSigned = signed.get(transaction)
    if (isSigned === true) return checkBody(transaction, this.#genesisDigest)
    if (isSigned === false) return { code: 'bad_signature' }
    const began = clock.monotonic()
    const forged = checkSignatures(transaction, this.#genesisDigest)
    verified?.(forged === undefined, clock.monotonic() - began)
    return forged
  }
}
