// What a holder does on the word of a custodian beside keeping shards: it deletes those of a record that was
// erased, and gives nobody else those of a record that is restricted.
//
// Erasing is believed of nobody: the tombstone must be final here, and be that of this very set. What is
// deleted stays deleted; the mark that it leaves refuses the set from then on, whoever brings it again
// (a holder that was away and makes good what it thinks is lost, a custodian's queue). The mark goes to the
// disk before the shards leave it, so that a crash between the two is made good by asking again.

import type { KeyPair } from '@mooring/crypto'
import { tombstoneItem } from '@mooring/ledger'
import {
  type DeletionReceipt,
  type ErasureOrder,
  type RestrictionOrder,
  signDeletion,
} from '@mooring/records'
import type { FinalFacts } from './final-facts.ts'
import type { KeptShards } from './kept-shards.ts'
import type { Logger } from './logger.ts'

export interface HolderErasureOptions {
  readonly self: string
  readonly anchorKey: KeyPair
  readonly genesisDigest: Uint8Array
}

export interface HolderErasureModules {
  readonly shards: KeptShards
  readonly facts: Pick<FinalFacts, 'tombstone' | 'height'>
  readonly logger: Logger
  /** What else is here of a set: what this organisation may have read of it. */
  readonly forget: (setId: Uint8Array) => Promise<void>
}

export type ErasureOrderRefusal =
  /** No final block here has it; a holder that is behind says so too. */
  'tombstone_unknown' | 'not_the_custodian' | 'too_many_marks'

/** Of one custodian: more restricted sets than this are a mistake, or something worse. */
const MARKS_MAX = 20_000

export class HolderErasure {
  readonly #options: HolderErasureOptions
  readonly #modules: HolderErasureModules

  constructor(options: HolderErasureOptions, modules: HolderErasureModules) {
    this.#options = options
    this.#modules = modules
  }

  async erase(
    sender: string,
    { setId, salt }: ErasureOrder,
  ): Promise<DeletionReceipt | ErasureOrderRefusal> {
    const { shards, facts, logger, forget } = this.#modules
    const { self, anchorKey, genesisDigest } = this.#options
    if (facts.tombstone(sender, setId, salt) === undefined) return 'tombstone_unknown'
    const { store } = shards
    const here = await store.indexesOf(setId)
    const isOfAnother = here.some((index) => store.custodianOf({ setId, index }) !== sender)
    if (isOfAnother) return 'not_the_custodian'
    const before = store.marks.get(sender, setId)
    const known = before?.kind === 'erased' ? before.body.shards : []
    const deleted = [...new Set([...known, ...here])].toSorted((a, b) => a - b)
    await store.marks.put(sender, [{ setId, mark: { kind: 'erased', body: { shards: deleted } } }])
    for (const index of here) await shards.purge({ setId, index }, sender)
    await forget(setId)
    if (here.length > 0) logger.info('an erased set was deleted', { custodian: sender })
    const item = tombstoneItem(setId, salt)
    return signDeletion(anchorKey, genesisDigest, {
      custodian: sender,
      holder: self,
      item,
      shards: deleted,
      height: facts.height,
    })
  }

  async restrict(
    sender: string,
    { sets }: RestrictionOrder,
  ): Promise<ErasureOrderRefusal | undefined> {
    const { marks } = this.#modules.shards.store
    const isFull = (await marks.count(sender, MARKS_MAX)) + sets.length > MARKS_MAX
    if (isFull && sets.some(({ isRestricted }) => isRestricted === 1)) return 'too_many_marks'
    const open = sets.filter(({ setId }) => !marks.isErased(sender, setId))
    await marks.put(
      sender,
      open.map(({ setId, isRestricted }) => {
        return { setId, mark: isRestricted === 1 ? { kind: 'restricted', body: {} } : null }
      }),
    )
    return undefined
  }
}
