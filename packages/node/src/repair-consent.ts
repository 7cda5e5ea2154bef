// Whom a holder helps to a shard: it is the only guard against a member that collects shards by asking to
// have them made again, for no reader's trace covers a repair.
//
// A shard may be made again for its own holder, or for somebody else when its holder has failed as far as
// this one sees. Nobody is helped to a second shard of a set, not for its legal group either, and
// whoever was helped once stays with that shard for good: what was given is on the disk before the part
// that helps leaves.

import { fromHex } from '@mooring/codec'
import { type HelpGiven, type ShardStore, StorageError } from '@mooring/storage'
import type { HolderView, ShardState } from './set-health.ts'

export type ConsentRefusal = 'unknown_recipient' | 'recipient_has_another' | 'shard_not_lost'

export interface ConsentQuestion {
  /** Hex. */
  readonly setId: string
  readonly index: number
  readonly recipient: string
}

export class RepairConsent {
  readonly #view: HolderView
  readonly #store: Pick<ShardStore, 'helpedTo' | 'noteHelped'>
  /** What is not on the disk yet, by set and legal group. */
  readonly #claimed = new Map<string, HelpGiven>()

  constructor(view: HolderView, store: Pick<ShardStore, 'helpedTo' | 'noteHelped'>) {
    this.#view = view
    this.#store = store
  }

  /** Undefined: help, once `settle` has resolved. */
  check(
    { holders }: { readonly holders: readonly string[] },
    states: readonly ShardState[],
    { setId, index, recipient }: ConsentQuestion,
  ): ConsentRefusal | undefined {
    const groups = new Map(this.#view.organisations().map(({ id, legalGroup }) => [id, legalGroup]))
    const legalGroup = groups.get(recipient)
    if (legalGroup === undefined) return 'unknown_recipient'
    const hasAnother = holders.some(
      (holder, at) => at !== index && groups.get(holder) === legalGroup,
    )
    const name = `${setId} ${legalGroup}`
    const given = this.#claimed.get(name)?.index ?? this.#onDisk(setId, legalGroup)
    if (hasAnother || (given !== undefined && given !== index)) return 'recipient_has_another'
    if (holders[index] !== recipient && states[index] === 'good') return 'shard_not_lost'
    if (given === undefined) this.#claimed.set(name, { setId: fromHex(setId), index, legalGroup })
    return undefined
  }

  /** What was consented to so far is on the disk. */
  async settle(): Promise<void> {
    const claims = [...this.#claimed]
    if (claims.length === 0) return
    await this.#store.noteHelped(claims.map(([, given]) => given))
    for (const [name, given] of claims) {
      if (this.#claimed.get(name) === given) this.#claimed.delete(name)
    }
  }

  /** Where the disk has damaged it, it was some shard that nobody knows any more. */
  #onDisk(setId: string, legalGroup: string): number | undefined {
    try {
      return this.#store.helpedTo(fromHex(setId), legalGroup)
    } catch (error) {
      if (error instanceof StorageError && error.code === 'corrupt') return Number.NaN
      throw error
    }
  }
}
