// Leaves of anchored batches that this organisation keeps for custodians, found by custodian and root, and by
// the beginning of a leaf.
//
// A batch is opaque here; who puts it has judged it and says which leaves it has. The same batch twice is
// one. A damaged one is no answer: others have it too.

import { behind, type Database, type DatabaseOperation } from './database.ts'
import { unlessDamaged } from './errors.ts'
import { GroupCommit } from './group-commit.ts'
import { afterOwned, keptBatchKey, leafKey } from './keys.ts'

export interface KeptBatch {
  readonly root: Uint8Array
  readonly batch: Uint8Array
}

export interface NewKeptBatch extends KeptBatch {
  readonly leaves: readonly Uint8Array[]
}

export interface FoundLeaf {
  readonly leaf: Uint8Array
  readonly root: Uint8Array
  readonly index: number
}

const ROOT_BYTES = 32
const LEAF_BYTES = 32

export class LeafStore {
  readonly #database: Database
  readonly #writes: GroupCommit

  constructor(database: Database) {
    this.#database = database
    this.#writes = new GroupCommit(database, {
      begin: () => undefined,
      finish: () => [],
      written: () => undefined,
    })
  }

  has(custodian: string, root: Uint8Array): boolean {
    return this.get(custodian, root) !== undefined
  }

  get(custodian: string, root: Uint8Array): Uint8Array | undefined {
    return unlessDamaged(() => this.#database.getSync(keptBatchKey(custodian, root)))
  }

  /** Durable when this resolves. */
  put(custodian: string, batches: readonly NewKeptBatch[]): Promise<void> {
    return this.#writes.write(() =>
      batches.flatMap(({ root, batch, leaves }): DatabaseOperation[] => [
        { type: 'put', key: keptBatchKey(custodian, root), value: batch },
        ...leaves.map((leaf, index): DatabaseOperation => {
          return { type: 'put', key: leafKey(custodian, leaf), value: placeOf(root, index) }
        }),
      ]),
    )
  }

  /** Roots behind this one or from the first, in their order. */
  async list(custodian: string, after: Uint8Array | null, limit: number): Promise<Uint8Array[]> {
    const first = keptBatchKey(custodian, after ?? new Uint8Array(0))
    const from = after === null ? first : behind(first)
    const roots: Uint8Array[] = []
    for await (const key of this.#database.keys({ from, to: afterOwned('z', custodian), limit }))
      roots.push(key.slice(-ROOT_BYTES))
    return roots
  }

  /** Leaves that begin like this, in their order. */
  async find(custodian: string, prefix: Uint8Array, limit: number): Promise<FoundLeaf[]> {
    const last = new Uint8Array(LEAF_BYTES + 1).fill(0xff)
    last.set(prefix)
    const range = { from: leafKey(custodian, prefix), to: leafKey(custodian, last), limit }
    const found: FoundLeaf[] = []
    for await (const { key, value } of this.#database.iterate(range)) {
      const index = ((value[ROOT_BYTES] ?? 0) << 8) | (value[ROOT_BYTES + 1] ?? 0)
      found.push({ leaf: key.slice(-LEAF_BYTES), root: value.slice(0, ROOT_BYTES), index })
    }
    return found
  }

  idle(): Promise<void> {
    return this.#writes.idle()
  }
}

function placeOf(root: Uint8Array, index: number): Uint8Array {
  const place = new Uint8Array(ROOT_BYTES + 2)
  place.set(root)
  place[ROOT_BYTES] = index >> 8
  place[ROOT_BYTES + 1] = index & 0xff
  return place
}
