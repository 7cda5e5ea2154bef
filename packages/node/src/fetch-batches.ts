// Leaves of batches whose place is here and which are not: copied from those that have them, like key
// deposits. What comes is judged by the chain, so it does not matter who gives it.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { placementOrder } from '@mooring/records'
import type { NewKeptBatch } from '@mooring/storage'
import { batchPages } from './discovery.ts'
import {
  type FetchHow,
  type FetchLostModules,
  othersThatAnswer,
  possiblePlaces,
} from './fetch-lost.ts'
import { checkBatch } from './holder-batches.ts'
import { splitFor } from './holder-choice.ts'
import { PageBudget } from './holder-pages.ts'

/** The answer is how many came. */
export async function fetchBatches(modules: FetchLostModules, how: FetchHow): Promise<number> {
  const { peers, view, leaves, roots, checkRoom } = modules
  const places = possiblePlaces(modules, how.graceMs)
  const split = splitFor(places)
  if (split === undefined) return 0
  let fetched = 0
  const asked = { peers, budget: new PageBudget(modules), onSilent: how.onSilent }
  for (const { id: custodian } of view.organisations()) {
    for (const holder of othersThatAnswer(modules)) {
      for await (const page of batchPages(asked, holder, custodian)) {
        how.signal.throwIfAborted()
        const wanted: NewKeptBatch[] = []
        for (const encoded of page) {
          await nextTurn()
          const batch = checkBatch(roots, custodian, encoded)
          if (typeof batch === 'string' || leaves.has(custodian, batch.root)) continue
          const order = placementOrder(batch.root, places).slice(0, split.n)
          if (order.includes(peers.self)) wanted.push(batch)
        }
        const bytes = wanted.reduce((sum, { batch }) => sum + batch.length, 0)
        if (wanted.length === 0 || (await checkRoom(custodian, bytes)) !== undefined) continue
        await leaves.put(custodian, wanted)
        fetched += wanted.length
      }
    }
  }
  return fetched
}
