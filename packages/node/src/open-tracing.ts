// Tracing as it is configured. The exporter and what it needs are loaded where an endpoint is set, and
// nowhere else: they cost memory and time at the start. It is one of the dynamic imports that
// scripts/layers.ts knows.

import { type Tracing, UNTRACED } from './tracing.ts'

export interface TracingOptions {
  /** Null: off. */
  endpoint: string | null
  /** Share of the requests without a traceparent of their own. */
  sample: number
}

export async function openTracing(
  { endpoint, sample }: TracingOptions,
  node: { name: string; version: string; networkId: string },
): Promise<Tracing> {
  if (endpoint === null) return UNTRACED
  const { OtlpTracing } = await import('./otlp-tracing.ts')
  return new OtlpTracing({ endpoint, sample, ...node })
}
