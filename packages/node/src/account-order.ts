// The places of new records in their accounts: the number that follows, and the version that each one
// supersedes.
//
// Records of one submission follow each other as they stand in it, but for a history, which tells the newest
// version first. A version is known by the resource's own type and id; what has no id is its only version.
// Whoever asks holds the accounts (named-locks.ts).

import { toHex, utf8Bytes } from '@mooring/codec'
import type { AccountOrder, AccountPlace } from '@mooring/storage'
import type { AtRest } from './at-rest.ts'

export interface Placed {
  readonly place: AccountPlace
  /** Record commitment of the version before, where that is stored already. */
  readonly supersedes: Uint8Array | null
  /** Position in the list of the version before, where that is new as well. */
  readonly follows: number | null
}

export interface Unplaced {
  /** Reference of the patient; empty for the institution's own. */
  readonly patient: string
  readonly resourceType: string | null
  readonly resourceId: string | null
}

/** In the order of the list, which is the order of their numbers. */
export async function placeRecords(
  order: Pick<AccountOrder, 'last' | 'newestVersion'>,
  atRest: AtRest,
  records: readonly Unplaced[],
): Promise<Placed[]> {
  const accounts = new Map<string, { name: Uint8Array; last: number }>()
  const newest = new Map<string, number>()
  const placed: Placed[] = []
  for (const [position, { patient, resourceType, resourceId }] of records.entries()) {
    let account = accounts.get(patient)
    if (account === undefined) {
      const name = orderName(atRest, patient)
      account = { name, last: await order.last(name) }
      accounts.set(patient, account)
    }
    account.last += 1
    const resource = resourceName(atRest, { patient, resourceType, resourceId })
    const name = resource === null ? undefined : toHex(resource)
    const follows = name === undefined ? undefined : newest.get(name)
    const stored = resource === null ? undefined : order.newestVersion(resource)?.id
    if (name !== undefined) newest.set(name, position)
    placed.push({
      place: { account: account.name, sequence: account.last, resource },
      supersedes: follows === undefined ? (stored ?? null) : null,
      follows: follows ?? null,
    })
  }
  return placed
}

/** Under which the records of a patient are counted, whatever keys the patient has. */
export function orderName(atRest: AtRest, patient: string): Uint8Array {
  return atRest.name('account-order', utf8Bytes(patient))
}

export function resourceName(
  atRest: AtRest,
  { patient, resourceType, resourceId }: Unplaced,
): Uint8Array | null {
  if (resourceType === null || resourceId === null) return null
  return atRest.name('resource', utf8Bytes(JSON.stringify([patient, resourceType, resourceId])))
}
