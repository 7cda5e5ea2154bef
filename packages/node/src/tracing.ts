// The way of one call through the node, for those who collect traces: the request, the transaction that it
// led to, and the block that made that final. Off unless an endpoint is configured; then the exporter is
// loaded (open-tracing.ts), and nothing of it before.
//
// What is told: routes, methods, statuses, kinds and ids of transactions, heights. Never a body, a name, a
// record or a patient: a trace leaves the hospital.

import type { RequestTracer } from '@mooring/api'
import type { CommittedBlock } from './committer.ts'

export interface TracedTransaction {
  readonly id: Uint8Array
  readonly kind: string
}

export interface Tracing {
  /** Undefined when nothing is traced. */
  readonly requests: RequestTracer | undefined
  /** Records came with the present request; their anchor comes later, on nobody's behalf. */
  received(records: readonly string[]): void
  /** Does the work on behalf of the requests that these records came with. */
  within<T>(records: readonly string[], work: () => T): T
  /** A transaction of this node waits for a block from now on. */
  waiting(transaction: TracedTransaction): void
  final(block: CommittedBlock): void
  close(): Promise<void>
}

export const UNTRACED: Tracing = {
  requests: undefined,
  received: () => undefined,
  within: (_records, work) => work(),
  waiting: () => undefined,
  final: () => undefined,
  close: () => Promise.resolve(),
}
