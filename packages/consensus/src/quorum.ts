/**
 * How many authorities make a certificate, and whose turn it is.
 *
 * A quorum is ⌈2n/3⌉ as in Besu and its Dafny proof: two quorums share 2q−n ≥ f+1 authorities, one of
 * them honest, and the honest alone are n−f ≥ q. "n−f" and "more than 2n/3" halt earlier (6, 9).
 */
import type { AuthorityIndex, Epoch, View } from './types.ts'

export function quorumOf(authorities: number): number {
  return Math.ceil((2 * authorities) / 3)
}

/** The number of arbitrary faults that safety survives: ⌊(n−1)/3⌋. */
export function faultsOf(authorities: number): number {
  return Math.floor((authorities - 1) / 3)
}

/** Round robin; the offset by epoch keeps one authority from leading the first view of every epoch. */
export function leaderOf(epoch: Epoch, view: View, authorities: number): AuthorityIndex {
  return (view + epoch) % authorities
}
