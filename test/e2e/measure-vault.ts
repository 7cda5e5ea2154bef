// What the vault does in a second, over five real nodes on this computer. Run by hand, prints figures:
//
//   npx node test/e2e/measure-vault.ts [seconds of load] [bytes of a large record]
//
// Resources sealed, placed at five nodes, anchored and receipted; reads of one record after the other under a
// grant; and, when asked for, a large record with the most memory that each node ever had.

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { generatePatient } from '@mooring/records'
import { readDevnetState } from '../../packages/cli/src/devnet/state.ts'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'
import { grantAll, openAs, wholeOf } from './granted-reads.ts'
import { type SpreadRecord, spreadRecordsOf } from './provider-spread.ts'
import { atOnce } from './proving.ts'
import { type Source, sourceOf } from './sources.ts'

const [loadSeconds = 20, largeBytes = 0] = process.argv.slice(2).map(Number)
const FINAL_MS = 300_000
const CLIENTS_EACH = 2
// As an export comes: several patients in one request.
const PATIENTS_EACH = 8
const READS = 200
const READER = 4
const PIECE_BYTES = 1 << 20
const PATIENT = 'measured'

const devnet = await startDevnet('-n 5')
try {
  const records = await measureLoad(devnet)
  await measureReads(devnet, records)
  if (largeBytes > 0) await measureLarge(devnet)
} finally {
  await devnet.close()
}

async function measureLoad({ nodes }: Devnet): Promise<SpreadRecord[]> {
  const records: SpreadRecord[] = []
  const sources = Array.from({ length: 400 }, (_, at) => severalPatients(1 + at * PATIENTS_EACH))
  const queue = sources.values()
  const started = performance.now()
  const end = started + loadSeconds * 1_000
  await atOnce(
    nodes.length * CLIENTS_EACH,
    Array.from({ length: nodes.length * CLIENTS_EACH }, (_, at) => at % nodes.length),
    async (index) => {
      for (const source of queue) {
        if (performance.now() >= end) return
        const { client } = nodeAt(devnet, index)
        const { contentType } = source
        const { records: taken } = await client.submitRecords(source.bytes, { contentType })
        records.push(...spreadRecordsOf(source, taken, index))
      }
    },
  )
  for (const { name, client } of nodes) {
    await eventually(`all of ${name} is final and placed`, FINAL_MS, async () => {
      const [{ records: counts }, vault] = await Promise.all([client.status(), client.vault()])
      return counts.anchored === counts.accepted && vault.records.waiting === 0 ? true : undefined
    })
  }
  const seconds = (performance.now() - started) / 1_000
  const rate = (records.length / seconds).toFixed(0)
  console.log(`${records.length} resources final and placed in ${seconds.toFixed(1)} s, ${rate}/s`)
  return records
}

function severalPatients(seed: number): Source {
  const lines = Array.from({ length: PATIENTS_EACH }, (_, at) =>
    sourceOf('', generatePatient(seed + at)).records.map((raw) => new TextDecoder().decode(raw)),
  )
  const text = lines.flat().join('\n')
  return sourceOf(`patients from ${seed}`, new TextEncoder().encode(`${text}\n`))
}

async function measureReads({ nodes }: Devnet, records: readonly SpreadRecord[]): Promise<void> {
  const reader = nodeAt(devnet, READER)
  const chosen = records
    .filter(({ custodian, account }) => custodian !== READER && account !== '')
    .slice(0, READS)
  const grants = await grantAll({ ...devnet, nodes }, chosen, reader)
  const times: number[] = []
  for (const record of chosen) {
    const started = performance.now()
    await wholeOf(await openAs(reader, record, grants))
    times.push(performance.now() - started)
  }
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0)
  console.log(`${chosen.length} granted reads: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`)
}

async function measureLarge({ dir }: Devnet): Promise<void> {
  const { client } = nodeAt(devnet, 0)
  const how = { contentType: 'application/dicom', patient: PATIENT, size: largeBytes }
  const started = performance.now()
  const { records } = await client.uploadRecord(pieces(), how)
  const id = records[0]?.id ?? ''
  await eventually('it is accepted', FINAL_MS, async () =>
    (await client.record(id)).status === 'received' ? undefined : true,
  )
  const taken = performance.now()
  const read = await client.openRecord(id)
  let bytes = 0
  for await (const piece of read.body) bytes += piece.length
  console.log(
    `${bytes} bytes taken in ${inSeconds(taken - started)} s, ` +
      `read in ${inSeconds(performance.now() - taken)} s`,
  )
  for (const { name, pid } of (await readDevnetState(dir))?.nodes ?? []) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    console.log(`${name}: at most ${/^VmHWM:\s+(\d+ kB)/m.exec(status)?.[1]}`)
  }
}

function inSeconds(ms: number): string {
  return (ms / 1_000).toFixed(1)
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  const piece = randomBytes(PIECE_BYTES)
  for (let sent = 0; sent < largeBytes; sent += PIECE_BYTES) yield piece
}
