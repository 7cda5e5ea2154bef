// A granted read over the loopback: five processes, the client's request until the last byte.
//
//   npm run bench -- read [--reads 200] [--revocations 10]
//
// The record has 4 KiB; another hospital than its custodian reads it under a grant. Each reading is a
// request of its own: an entry in the log of every holder, k witnesses, k shards, opened and checked.
//
// A revocation is timed from its final block at the custodian: until every node has that block, and until
// the reader, which tries all the time, is refused. No reading succeeds after that.

import { setTimeout as pause } from 'node:timers/promises'
import { toHex } from '@mooring/codec'
import { parseGrant, readGrant } from '@mooring/records'
import { quantile } from '../../../scripts/bench/figures.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import { type BenchNetwork, type BenchNode, startBenchNetwork } from './bench-network.ts'

const RECORD_BYTES = 4_096
const WARM_UP = 20
const DEADLINE_MS = 60_000

function observationOf(size: number): Uint8Array {
  const resource = {
    resourceType: 'Observation',
    subject: { reference: 'Patient/bench' },
    text: '',
  }
  const left = size - JSON.stringify(resource).length
  return new TextEncoder().encode(JSON.stringify({ ...resource, text: 'x'.repeat(left) }))
}

async function submit({ client }: BenchNode): Promise<string> {
  const contentType = 'application/fhir+json'
  const { records } = await client.submitRecords(observationOf(RECORD_BYTES), { contentType })
  const [record] = records
  if (record === undefined) throw new Error('the record was refused')
  const deadline = performance.now() + DEADLINE_MS
  while ((await client.record(record.id)).status !== 'anchored') {
    if (performance.now() > deadline) throw new Error('the record is not anchored')
    await pause(100)
  }
  return record.id
}

async function timeOf(read: () => Promise<{ body: AsyncIterable<Uint8Array> }>): Promise<number> {
  const began = performance.now()
  let bytes = 0
  for await (const part of (await read()).body) bytes += part.length
  if (bytes !== RECORD_BYTES) throw new Error(`${bytes} bytes came back`)
  return performance.now() - began
}

function grantFrom(custodian: BenchNode, reader: BenchNode): Promise<string> {
  return custodian.client.createGrant({
    patient: 'Patient/bench',
    recipient: reader.name,
    classes: ['general'],
    purposes: ['TREAT'],
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  })
}

async function heightReached({ client }: BenchNode, height: number): Promise<void> {
  while ((await client.status()).chain.height < height) await pause(2)
}

async function untilRefused(read: () => Promise<number>): Promise<void> {
  for (;;) {
    try {
      await read()
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'grant_revoked') return
      throw error
    }
  }
}

/** From the final block at the custodian: until it is final at all, and until the reader is refused. */
async function revoked(
  { nodes }: BenchNetwork,
  [custodian, reader]: readonly [BenchNode, BenchNode],
  id: string,
): Promise<{ everywhereMs: number; refusedMs: number }> {
  const grant = await grantFrom(custodian, reader)
  const read = () => timeOf(() => reader.client.readRecord(id, { grant, purpose: 'TREAT' }))
  await read()
  const handle = toHex(readGrant(parseGrant(grant)).handle)
  const { height } = await custodian.client.revokeGrant(handle)
  const began = performance.now()
  const since = () => performance.now() - began
  const [everywhereMs, refusedMs] = await Promise.all([
    Promise.all(nodes.map((node) => heightReached(node, height))).then(since),
    untilRefused(read).then(since),
  ])
  for (let again = 0; again < 3; again += 1) {
    const isServed = await read().then(
      () => true,
      () => false,
    )
    if (isServed) throw new Error('a record was given out after the revocation')
  }
  return { everywhereMs, refusedMs }
}

interface Counts {
  readonly reads: number
  readonly revocations: number
}

async function measure(network: BenchNetwork, counts: Counts, give: Give): Promise<void> {
  const [custodian, reader] = network.nodes
  if (custodian === undefined || reader === undefined) throw new Error('too few nodes')
  const id = await submit(custodian)
  const grant = await grantFrom(custodian, reader)
  const read = () => reader.client.readRecord(id, { grant, purpose: 'TREAT' })
  for (let count = 0; count < WARM_UP; count += 1) await timeOf(read)
  const granted: number[] = []
  const own: number[] = []
  for (let count = 0; count < counts.reads; count += 1) granted.push(await timeOf(read))
  for (let count = 0; count < counts.reads; count += 1) {
    own.push(await timeOf(() => custodian.client.openRecord(id)))
  }
  const ends: Awaited<ReturnType<typeof revoked>>[] = []
  for (let count = 0; count < counts.revocations; count += 1) {
    ends.push(await revoked(network, [custodian, reader], id))
  }
  const figures = {
    'under a grant': granted,
    'by the custodian': own,
    'revocation, final everywhere': ends.map(({ everywhereMs }) => everywhereMs),
    'revocation, the reader refused': ends.map(({ refusedMs }) => refusedMs),
  }
  for (const [name, times] of Object.entries(figures)) {
    const ascending = times.toSorted((a, b) => a - b)
    give(`${name}, p50`, 'ms', quantile(ascending, 0.5))
    give(`${name}, p95`, 'ms', quantile(ascending, 0.95))
  }
}

await runBench({
  name: 'read',
  what: 'a record of 4 KiB read under a grant, five processes',
  options: { reads: 200, revocations: 10 },
  quick: { reads: 5, revocations: 1 },
  run: async ({ options, give }) => {
    const network = await startBenchNetwork(5)
    try {
      await measure(network, options, give)
    } finally {
      await network.close()
    }
  },
})
