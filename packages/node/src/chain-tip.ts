// The last durable block, as what the next one is executed on.

import { toHex } from '@mooring/codec'
import { ZERO_DIGEST } from '@mooring/consensus'
import { decodeHeader } from '@mooring/ledger'
import type { ChainStore } from '@mooring/storage'
import { placeOf, type Tip } from './execution.ts'

export function readTip(chain: ChainStore): Tip {
  const { height, digest, time } = chain.tip
  const history = chain.historyFrontier()
  const at = {
    digest,
    view: chain.state(),
    history: { size: history.size, hashes: history.hashes },
  }
  const encoded = chain.getHeader(height)
  if (encoded === undefined) {
    const place = { view: 0, parentView: 0, height, time, isEmpty: true, isSealing: false }
    return { epoch: 0, meta: { ...place, digest: toHex(digest), parent: ZERO_DIGEST }, ...at }
  }
  return { ...placeOf({ header: decodeHeader(encoded), digest }), ...at }
}
