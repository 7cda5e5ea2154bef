// Whom a holder helps to a shard: it is the only guard against a member that collects shards by asking to
// have them made again, for no reader's trace covers a repair.
//
// A shard may be made again for its own holder, or for somebody else when its holder has failed as far as
// this one sees. Nobody is helped to a second shard of a set, not for its legal group either, and
// whoever was helped once stays with that shard for as long as this node remembers.

import type { HolderView, ShardState } from './set-health.ts'

export type ConsentRefusal = 'unknown_recipient' | 'recipient_has_another' | 'shard_not_lost'

export interface ConsentQuestion {
  /** Hex. */
  readonly setId: string
  readonly index: number
  readonly recipient: string
}

const REMEMBERED_MAX = 200_000

export class RepairConsent {
  readonly #view: HolderView
  /** By set and legal group, the index that the group was helped to. */
  readonly #given = new Map<string, number>()

  constructor(view: HolderView) {
    this.#view = view
  }

  /** Undefined: help, and remember it. */
  check(
    { holders }: { readonly holders: readonly string[] },
    states: readonly ShardState[],
    { setId, index, recipient }: ConsentQuestion,
  ): ConsentRefusal | undefined {
    const groups = new Map(this.#view.organisations().map(({ id, legalGroup }) => [id, legalGroup]))
    const group = groups.get(recipient)
    if (group === undefined) return 'unknown_recipient'
    const hasAnother = holders.some((holder, at) => at !== index && groups.get(holder) === group)
    const name = `${setId} ${group}`
    const given = this.#given.get(name)
    if (hasAnother || (given !== undefined && given !== index)) return 'recipient_has_another'
    if (holders[index] !== recipient && states[index] === 'good') return 'shard_not_lost'
    if (this.#given.size >= REMEMBERED_MAX) this.#forgetOldest()
    this.#given.set(name, index)
    return undefined
  }

  #forgetOldest(): void {
    for (const name of this.#given.keys()) {
      this.#given.delete(name)
      return
    }
  }
}
