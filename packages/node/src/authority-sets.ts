// The authority set of any epoch up to the present one, from genesis and the index of epochs.
//
// A certificate counts by positions in the set of its own epoch; read with the set of another one, it
// names the wrong organisations.

import {
  authoritySet,
  type AuthoritySet,
  decodeAuthoritySet,
  type Genesis,
  genesisState,
} from '@mooring/ledger'
import { toHex } from '@mooring/codec'
import type { ChainStore } from '@mooring/storage'

export class AuthoritySets {
  readonly #chain: Pick<ChainStore, 'epochs'>
  readonly #known: AuthoritySet[]

  constructor(genesis: Genesis, chain: Pick<ChainStore, 'epochs'>) {
    this.#chain = chain
    this.#known = [foundersOf(genesis)]
  }

  /** Undefined for an epoch that has not begun here. */
  of(epoch: number): AuthoritySet | undefined {
    for (const ended of this.#chain.epochs().slice(this.#known.length - 1))
      this.#known.push(decodeAuthoritySet(ended.authoritySet))
    return this.#known[epoch]
  }

  /** By the position that certificates of that epoch use. */
  nameOf(epoch: number, index: number): string {
    return this.of(epoch)?.organisations[index] ?? `authority ${index}`
  }
}

/** The set of epoch 0. */
export function foundersOf(genesis: Genesis): AuthoritySet {
  const state = genesisState(genesis)
  return authoritySet({ get: (key) => state.get(toHex(key))?.value ?? undefined })
}
