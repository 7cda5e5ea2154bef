// Whole nodes in this process, as Prometheus and a collector of traces see them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { createDevnet, findPortBlock, writeDevnetConfigs } from '../src/devnet.ts'
import { loadNodeOptions } from '../src/load-options.ts'
import { createMetrics } from '../src/metrics.ts'
import { type RunningNode, startNode } from '../src/node.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER = '00f067aa0ba902b7'
const RECORD = readFileSync(new URL('../../../docs/examples/heart-rate.json', import.meta.url))

interface Attribute {
  key: string
  value: { stringValue?: string; intValue?: number | string }
}

interface SentSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  attributes: Attribute[]
  startTimeUnixNano: string
  endTimeUnixNano: string
}

interface Batch {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: { spans: SentSpan[] }[]
  }[]
}

/** A collector that keeps what it is sent, as text and as spans. */
class Collector {
  readonly texts: string[] = []
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => {
        this.texts.push(Buffer.concat(pieces).toString())
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      })
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    assert.ok(typeof address === 'object' && address !== null)
    return `http://127.0.0.1:${address.port}/v1/traces`
  }

  spans(): SentSpan[] {
    return this.texts
      .flatMap((text) => {
        const batch: Batch = JSON.parse(text)
        return batch.resourceSpans
      })
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

interface Three {
  first: RunningNode
  second: RunningNode
  metrics: string
  close: () => Promise<void>
}

async function withThree(
  flags: Record<string, string>,
  scenario: (three: Three) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-observing-'))
  const running: RunningNode[] = []
  const close = async (): Promise<void> => {
    for (const node of running.splice(0)) await node.close()
  }
  try {
    const { basePort } = await findPortBlock(0, 3)
    const devnet = await createDevnet({ dir, nodes: 3, basePort, name: 'seen', heartbeatMs: 200 })
    await writeDevnetConfigs(devnet)
    for (const [index, { home }] of devnet.nodes.entries()) {
      const own = {
        'log.file': 'logs/node.log',
        'shutdown.grace': '0ms',
        ...(index === 0 && flags),
      }
      running.push(await startNode(await loadNodeOptions({ home, flags: own, env: {} })))
    }
    const [first, second] = running
    assert.ok(first && second)
    await until(() => (first.height() >= 2 ? true : undefined), 'blocks')
    await scenario({ first, second, metrics: `http://127.0.0.1:${basePort + 3}/metrics`, close })
  } finally {
    await close()
    await rm(dir, { recursive: true, force: true })
  }
}

async function until<T>(read: () => T | undefined | Promise<T | undefined>, what: string) {
  const end = Date.now() + 20_000
  while (Date.now() < end) {
    const value = await read()
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`waited for ${what}`)
}

async function submit(node: RunningNode, headers: Record<string, string> = {}): Promise<void> {
  const answer = await fetch(`${node.api}/v1/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json', ...headers },
    body: RECORD,
  })
  assert.equal(answer.ok, true, await answer.text())
}

// Without an event of their kind these have no line of a value yet.
const NEED_AN_EVENT = [
  'mooring_alarm_active',
  'mooring_tls_cert_expiry_timestamp_seconds',
  'mooring_token_expiry_timestamp_seconds',
  'mooring_sync_blocks_total',
  'mooring_sync_bad_answers',
  'mooring_consensus_nullify_total',
  'mooring_mempool_rejected_total',
  'mooring_access_served_total',
  'mooring_http_rate_limited_total',
  'mooring_http_auth_failures_total',
  'mooring_shard_repair_total',
  'mooring_shard_bad_total',
  'mooring_vault_audits_total',
  'mooring_vault_probes_total',
  'mooring_vault_sets',
  'mooring_holder_requests_total',
]

test('acceptance 13: a scrape of a running network has the whole catalogue, and nothing else', () =>
  withThree({}, async ({ first, second, metrics }) => {
    await submit(first)
    await submit(second)
    const text = await until(async () => {
      const scraped = await (await fetch(metrics)).text()
      const isDone =
        /^mooring_anchor_delay_seconds_count 1$/m.test(scraped) &&
        /^mooring_p2p_peer_clock_skew_seconds\{peer="hospital-1"\} /m.test(scraped) &&
        /^mooring_db_size_bytes [1-9]/m.test(scraped) &&
        /^mooring_gossip_validation_seconds_count\{/m.test(scraped) &&
        /^mooring_consensus_votes_total\{/m.test(scraped)
      return isDone ? scraped : undefined
    }, 'what the record and its block are measured by')
    const lines = text.split('\n')
    const typed = lines.flatMap((line) => /^# TYPE (\S+) (\S+)$/.exec(line)?.slice(1, 3) ?? [])
    const declared = createMetrics()
    const catalogue = declared.catalogue()
    declared.close()
    assert.deepEqual(
      typed.filter((name) => name.startsWith('mooring_')).toSorted(),
      catalogue.map(({ name }) => name).toSorted(),
    )
    const missing = catalogue
      .filter(({ name, type }) => {
        const wanted = type === 'histogram' ? `${name}_count` : name
        return !lines.some((line) => line.startsWith(`${wanted} `) || line.startsWith(`${wanted}{`))
      })
      .map(({ name }) => name)
    assert.deepEqual(
      missing.filter((name) => !NEED_AN_EVENT.includes(name)),
      [],
    )
    assert.match(text, /^mooring_build_info\{version="[\d.]+",commit="\w+",node="24/m)
    assert.match(text, /^mooring_guard_refusals_total\{reason="guard_regression"\} 0$/m)
    for (const name of ['8867-4', 'example-7', 'pulse-1']) assert.ok(!text.includes(name), name)
  }))

test('a trace goes from the call over the anchor and its transaction to the final block', async () => {
  const collector = new Collector()
  const endpoint = await collector.listen()
  try {
    // Nothing is traced by itself: what is, is because its caller traces.
    const flags = { 'tracing.otlp_endpoint': endpoint, 'tracing.sample': '0' }
    await withThree(flags, async ({ first, close }) => {
      assert.ok((await fetch(`${first.api}/v1/status`)).ok)
      await submit(first, { traceparent: `00-${TRACE}-${CALLER}-01` })
      const block = await until(
        () => collector.spans().find(({ name }) => name === 'block'),
        'a block',
      )
      await close()
      const spans = collector.spans()
      assert.deepEqual(new Set(spans.map(({ traceId }) => traceId)), new Set([TRACE]))
      const parentOf = ({ parentSpanId }: SentSpan) =>
        spans.find(({ spanId }) => spanId === parentSpanId)
      const transaction = parentOf(block)
      assert.equal(transaction?.name, 'transaction record.anchor')
      const anchor = parentOf(transaction)
      assert.equal(anchor?.name, 'anchor')
      const request = parentOf(anchor)
      assert.equal(request?.name, 'POST /v1/records')
      assert.equal(request.parentSpanId, CALLER)
      const height = block.attributes.find(({ key }) => key === 'mooring.height')
      assert.ok(Number(height?.value.intValue) > 0)
      assert.ok(BigInt(transaction.endTimeUnixNano) >= BigInt(block.startTimeUnixNano))
      const told = collector.texts.join()
      for (const word of ['8867-4', 'example-7', 'pulse-1']) assert.ok(!told.includes(word))
    })
  } finally {
    collector.close()
  }
})

test('a collector that is not there, and a traceparent that is none, cost a node nothing', async () => {
  const flags = { 'tracing.otlp_endpoint': 'http://127.0.0.1:1/v1/traces', 'tracing.sample': '1' }
  await withThree(flags, async ({ first }) => {
    for (const traceparent of ['nonsense', `00-${'0'.repeat(32)}-${CALLER}-01`, `ff-${TRACE}-1-01`])
      await submit(first, { traceparent })
    const height = first.height()
    await until(() => (first.height() > height ? true : undefined), 'a block')
  })
})

test.run()
