// On what terms each kind of request is served: how large, how many at a time, from which budget.
//
// Blocks, certificates and snapshots share one budget of a peer. `records` carries what hospitals keep for
// each other, megabytes at a time, all day: it has a budget of its own, paid for what comes in as well as
// for what goes out, and a number of places of its own on this node. Whoever fills those waits for his own
// records, and never stands in front of a block.

import type { Limits } from './limits.ts'
import type { RequestProtocol } from './types.ts'

export interface RequestTerms {
  id: string
  requestBytesMax: number
  responseBytesMax: number
  /** Open at a time with one peer, in each direction. */
  perPeer: number
  serveTimeoutMs: number
  /** A stream carries many, one after the other. */
  isRepeated: boolean
  /** From `records` questions are paid as well as answers. */
  budget: 'chain' | 'records'
  bytesPerSecond: number
  /** What finding an answer may cost us, however short it is. */
  overheadBytes: number
}

export const REQUEST_PROTOCOLS: readonly RequestProtocol[] = [
  'blocks',
  'certificates',
  'snapshot',
  'records',
  'clock',
  'reach',
]

export function requestTerms(limits: Limits): Record<RequestProtocol, RequestTerms> {
  const chain = {
    requestBytesMax: limits.requestBytesMax,
    responseBytesMax: limits.responseBytesMax,
    perPeer: limits.requestsPerPeer,
    serveTimeoutMs: limits.requestServeTimeoutMs,
    isRepeated: false,
    budget: 'chain' as const,
    bytesPerSecond: limits.responseBytesPerSecond,
    overheadBytes: limits.requestOverheadBytes,
  }
  return {
    blocks: { ...chain, id: '/mooring/blocks/1' },
    certificates: { ...chain, id: '/mooring/certificates/1' },
    snapshot: { ...chain, id: '/mooring/snapshot/1' },
    clock: { ...chain, id: '/mooring/clock/1' },
    reach: { ...chain, id: '/mooring/reach/1' },
    records: {
      id: '/mooring/records/1',
      requestBytesMax: limits.recordsRequestBytesMax,
      responseBytesMax: limits.recordsResponseBytesMax,
      perPeer: limits.recordsPerPeer,
      serveTimeoutMs: limits.recordsServeTimeoutMs,
      isRepeated: true,
      budget: 'records',
      bytesPerSecond: limits.recordsBytesPerSecond,
      overheadBytes: limits.recordsOverheadBytes,
    },
  }
}
