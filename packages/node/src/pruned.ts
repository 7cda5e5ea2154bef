// What a node says when it is asked for something that it does not keep any more: that it was final, and
// who may still have it. Never that it does not exist.

import { Refusal } from '@mooring/api'
import { StorageError } from '@mooring/storage'

/** The value, or a refusal that says what is not kept. */
export function unlessPruned<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'pruned') throw error
    const kept = `this node keeps bodies above height ${error.details['prunedTo']}`
    throw new Refusal('pruned', `${what}; ${kept}. Ask a node that keeps more.`)
  }
}
