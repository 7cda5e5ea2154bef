// Traces by OpenTelemetry, sent over HTTP. The context of a request travels with its work through
// AsyncLocalStorage; a record remembers the context it came with until its batch is anchored, and a
// transaction has a span until a final block has it.
//
// Everything that waits is bounded: beyond it the oldest span ends unfinished. An endpoint that is down costs
// the spans and nothing else.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { RequestTracer } from '@mooring/api'
import { toHex } from '@mooring/codec'
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base'
import type { CommittedBlock } from './committer.ts'
import type { TracedTransaction, Tracing } from './tracing.ts'

const RECORDS_MAX = 10_000
const TRANSACTIONS_MAX = 10_000
const LINKS_MAX = 32
const EXPORT_MS = 2_000
const CLOSE_MS = 2_000

export interface OtlpOptions {
  endpoint: string
  sample: number
  name: string
  version: string
  networkId: string
}

export class OtlpTracing implements Tracing {
  readonly requests: RequestTracer
  readonly #provider: BasicTracerProvider
  readonly #tracer: Tracer
  readonly #present = new AsyncLocalStorage<Context>()
  readonly #records = new Map<string, Context>()
  readonly #transactions = new Map<string, Span>()

  constructor({ endpoint, sample, name, version, networkId }: OtlpOptions) {
    this.#provider = new BasicTracerProvider({
      resource: resourceFromAttributes({
        'service.name': 'mooring',
        'service.version': version,
        'service.instance.id': name,
        'mooring.network': networkId,
      }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample) }),
      spanProcessors: [
        new BatchSpanProcessor(new OTLPTraceExporter({ url: endpoint, timeoutMillis: EXPORT_MS }), {
          scheduledDelayMillis: 1_000,
        }),
      ],
    })
    this.#tracer = this.#provider.getTracer('mooring', version)
    this.requests = { begin: (request) => this.#begin(request) }
  }

  received(records: readonly string[]): void {
    const context = this.#present.getStore()
    if (context === undefined) return
    for (const id of records) {
      this.#records.delete(id)
      this.#records.set(id, context)
    }
    for (const id of this.#records.keys()) {
      if (this.#records.size <= RECORDS_MAX) return
      this.#records.delete(id)
    }
  }

  within<T>(records: readonly string[], work: () => T): T {
    const contexts = [...new Set(records.flatMap((id) => this.#records.get(id) ?? []))]
    const [first, ...others] = contexts
    if (first === undefined) return work()
    const links = others.slice(0, LINKS_MAX).flatMap((context) => {
      const linked = trace.getSpanContext(context)
      return linked === undefined ? [] : [{ context: linked }]
    })
    const span = this.#tracer.startSpan(
      'anchor',
      { attributes: { 'mooring.records': records.length }, links },
      first,
    )
    try {
      return this.#present.run(trace.setSpan(first, span), work)
    } finally {
      span.end()
    }
  }

  waiting({ id, kind }: TracedTransaction): void {
    const context = this.#present.getStore()
    if (context === undefined) return
    const name = toHex(id)
    if (this.#transactions.has(name)) return
    const attributes = { 'mooring.transaction': name, 'mooring.kind': kind }
    this.#transactions.set(
      name,
      this.#tracer.startSpan(`transaction ${kind}`, { attributes }, context),
    )
    for (const [oldest, span] of this.#transactions) {
      if (this.#transactions.size <= TRANSACTIONS_MAX) return
      this.#transactions.delete(oldest)
      span.end()
    }
  }

  final({ height, digest, time, header, receipts }: CommittedBlock): void {
    for (const { transaction } of receipts) {
      const name = toHex(transaction)
      const span = this.#transactions.get(name)
      if (span === undefined) continue
      this.#transactions.delete(name)
      const block = {
        'mooring.height': height,
        'mooring.block': toHex(digest),
        'mooring.view': header.view,
        'mooring.transactions': receipts.length,
      }
      // From when its leader proposed it until it was durable here.
      const above = trace.setSpan(ROOT_CONTEXT, span)
      const options = { attributes: block, startTime: Math.min(time, Date.now()) }
      this.#tracer.startSpan('block', options, above).end()
      span.setAttribute('mooring.height', height).setStatus({ code: SpanStatusCode.OK }).end()
    }
  }

  async close(): Promise<void> {
    for (const span of this.#transactions.values()) span.end()
    this.#transactions.clear()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, CLOSE_MS)
    // What the endpoint does not take in time is lost: a node does not wait for its observers.
    await Promise.race([this.#provider.shutdown().catch(() => undefined), promise])
    clearTimeout(timer)
  }

  #begin({ method, route, id, traceparent }: Parameters<RequestTracer['begin']>[0]) {
    const caller = traceparent === null ? null : parseTraceparent(traceparent)
    const above = caller === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, caller)
    const span = this.#tracer.startSpan(
      `${method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': method, 'http.route': route, 'mooring.request': id },
      },
      above,
    )
    const context = trace.setSpan(above, span)
    return {
      run: <T>(work: () => T): T => this.#present.run(context, work),
      end: (status: number): void => {
        span.setAttribute('http.response.status_code', status)
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
        span.end()
      },
    }
  }
}

/** W3C Trace Context, version 00 and what later ones keep of it; null when it is none. */
export function parseTraceparent(value: string): SpanContext | null {
  const found = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/.exec(value)
  const [, version, traceId = '', spanId = '', flags = '', rest = ''] = found ?? []
  if (version === undefined || version === 'ff' || (version === '00' && rest !== '')) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  return { traceId, spanId, traceFlags, isRemote: true }
}
