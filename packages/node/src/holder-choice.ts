// Which members keep shards: the authorities, k of n by the number of their legal groups.

import type { Organisation } from '@mooring/ledger'
import { type PossibleHolder, type Split, splitOf } from '@mooring/records'

export function possibleHolders(organisations: readonly Organisation[]): PossibleHolder[] {
  return organisations
    .filter(({ roles }) => roles.includes('authority'))
    .map(({ id, legalGroup }) => ({ id, legalGroup }))
}

/** Undefined where too few groups could keep them. */
export function splitFor(holders: readonly PossibleHolder[]): Split | undefined {
  return splitOf(new Set(holders.map(({ legalGroup }) => legalGroup)).size)
}
