// What every part of a node stands on, put together before any of them.

import type { Late } from './late-parts.ts'
import type { NodeOptions } from './load-options.ts'
import type { RootLogger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import type { Stores } from './stores.ts'
import type { Tracing } from './tracing.ts'

export interface Ground {
  options: NodeOptions
  logger: RootLogger
  metrics: Metrics
  tracing: Tracing
  stores: Stores
  late: Late
}
