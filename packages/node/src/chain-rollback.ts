// The chain of a stopped home set back to an earlier block: for a node that must execute again what came
// after it, because it computed another state than the network.
//
// Only the state after the last block is kept, so the blocks up to the height are executed anew, from genesis
// or from a snapshot. What was above goes to the trash; the node fetches it again from the others, and
// nothing else can become of it, for it is final. The guard is not touched: the node remembers what it voted
// for, and votes no other way.

import { type Tip } from '@mooring/storage'
import {
  type ChainHome,
  openChainStore,
  type RebuildStart,
  rebuildChain,
  startFor,
} from './chain-rebuild.ts'
import { openHomeDatabase } from './home-database.ts'
import { NodeError } from './node-error.ts'

export interface RollbackPlan {
  from: number
  to: number
  /** Blocks that go. */
  blocks: number
  start: RebuildStart
  /** Blocks that are executed again. */
  executed: number
}

export interface RolledBack extends RollbackPlan {
  trash: string
}

/** @throws NodeError rollback_impossible; StorageError locked when the node runs */
export async function planRollback(home: ChainHome, to: number): Promise<RollbackPlan> {
  const database = await openHomeDatabase({ home: home.home, dataDir: home.storage.dir }, 'chain')
  try {
    return await planFor(home, await openChainStore(database, home), to)
  } finally {
    await database.close()
  }
}

/** @throws as planRollback; then the chain is as it was */
export async function rollBack(
  home: ChainHome,
  to: number,
  { now, onHeight }: { now: Date; onHeight?: (height: number) => void },
): Promise<RolledBack> {
  const database = await openHomeDatabase({ home: home.home, dataDir: home.storage.dir }, 'chain')
  try {
    const plan = await planFor(home, await openChainStore(database, home), to)
    const { start, from: tip } = plan
    const rebuild = { start, to, tip, now, ...(onHeight && { onHeight }) }
    const { trash } = await rebuildChain(home, database, {
      ...rebuild,
      accept: ({ height, fault }) => {
        if (height !== to) throw impossible(to, fault ?? `the blocks end at ${height}`)
      },
    })
    return { ...plan, trash }
  } finally {
    await database.close()
  }
}

async function planFor(
  home: ChainHome,
  { tip, prunedTo }: { tip: Tip; prunedTo: number },
  to: number,
): Promise<RollbackPlan> {
  if (to >= tip.height) throw impossible(to, `the chain ends at ${tip.height}`)
  const start = await startFor(home, { height: to, prunedTo })
  if (start === null) {
    const detail = `there are no bodies up to ${prunedTo}, and no snapshot from ${prunedTo} to ${to}`
    throw impossible(to, detail)
  }
  const executed = start.from === 'genesis' ? to : to - start.height
  return { from: tip.height, to, blocks: tip.height - to, start, executed }
}

function impossible(height: number, detail: string): NodeError {
  return new NodeError('rollback_impossible', { height, detail })
}
