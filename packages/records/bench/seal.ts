/*
 * Sealing and opening, in processor time of one process: records a second for the median Observation of
 * made-up patients, with and without its commitment, and MiB a second for what is large.
 *
 *   npm run bench -- seal
 */
import { randomBytes } from 'node:crypto'
import {
  commitRecord,
  fieldsOf,
  generatePatient,
  type Manifest,
  openManifest,
  openRecord,
  readSubmission,
  type RecordDetails,
  RecordOpener,
  RecordSealer,
  recordSecrets,
  type SealOptions,
  sealRecord,
} from '@mooring/records'
import { type Give, runBench } from '../../../scripts/bench/program.ts'

const MIB = 1024 * 1024

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const options: SealOptions = {
  custodian: 'st-anna',
  split: { k: 3, n: 5 },
  classKey: random(32),
  random,
}
const nobody = {
  patientKey: random(32),
  class: 'general',
  type: 'Observation',
  date: '2026-11-27',
  author: 'urn:uuid:3f1c9e52-1f4f-4f0a-9f6c-1d9a0e2b7c56',
  encounter: 'urn:uuid:3f1c9e52-1f4f-4f0a-9f6c-1d9a0e2b7c57',
  labels: [],
}

function medianObservation() {
  const observations = Array.from({ length: 20 }, (_, seed) => generatePatient(seed))
    .flatMap((bytes) => readSubmission(bytes).resources)
    .filter(({ resourceType }) => resourceType === 'Observation')
    .toSorted((a, b) => a.raw.length - b.raw.length)
  const median = observations[observations.length >> 1]
  if (median === undefined) throw new Error('no patient has an observation')
  return median
}

function detailsOf(
  rec: Uint8Array,
  commitment: Pick<Manifest, 'recordCommit' | 'fieldRoot' | 'rawCommit'>,
): RecordDetails {
  return {
    ...commitment,
    rec,
    mediaType: 'application/fhir+json',
    resourceType: 'Observation',
    resourceId: '3f1c9e52-1f4f-4f0a-9f6c-1d9a0e2b7c55',
    versionId: '1',
    fullUrl: 'urn:uuid:3f1c9e52-1f4f-4f0a-9f6c-1d9a0e2b7c55',
    receivedAt: Date.now(),
    supersedes: null,
    sequence: 1,
    eventAt: '2020-02-29T10:00:00.000+01:00',
    isMistake: 0,
    facts: { ...nobody, record: commitment.recordCommit },
    patient: '0b6b2d5e-6b8e-4d0b-8f3e-2a6c9f1d7e10',
    submission: random(32),
    dedupe: random(32),
  }
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Runs for so long of this process's time, after a warm-up; microseconds each. */
function measure(cpuMs: number, run: () => void): number {
  for (let count = 0; count < cpuMs / 4; count += 1) run()
  const start = cpuMicros()
  let count = 0
  while (cpuMicros() - start < cpuMs * 1_000) {
    for (let again = 0; again < 20; again += 1) run()
    count += 20
  }
  return (cpuMicros() - start) / count
}

function small(cpuMs: number, give: Give): void {
  const { raw, node } = medianObservation()
  const commit = (rec: Uint8Array) => commitRecord(fieldsOf(node), raw, recordSecrets(rec))
  const rec = random(32)
  const details = detailsOf(rec, commit(rec))
  const sealed = sealRecord(raw, details, options)
  const shards = sealed.shards.map((shard, index) => (index < 2 ? null : shard))
  const steps = {
    commit: () => void commit(random(32)),
    seal: () => void sealRecord(raw, details, options),
    'commit and seal': () => {
      const fresh = random(32)
      sealRecord(raw, detailsOf(fresh, commit(fresh)), options)
    },
    'open from parity': () => {
      const manifest = openManifest(sealed.manifest, options.classKey, sealed.setId)
      if (!manifest || !openRecord(sealed.set, manifest, shards).ok) throw new Error('not opened')
    },
  }
  give('median Observation', 'B', raw.length)
  for (const [name, run] of Object.entries(steps)) give(name, 'µs', measure(cpuMs, run))
}

function large(mib: number, give: Give): void {
  const chunk = random(MIB)
  const rec = random(32)
  const sealer = new RecordSealer(rec, options)
  const kept: (readonly Uint8Array[])[] = []
  const start = cpuMicros()
  for (let count = 0; count < mib; count += 1) {
    for (const { fragments } of sealer.push(chunk)) kept.push(fragments)
  }
  for (const { fragments } of sealer.end()) kept.push(fragments)
  const empty = new Uint8Array(32)
  const { set, contents } = sealer.head(
    detailsOf(rec, { recordCommit: empty, fieldRoot: empty, rawCommit: empty }),
  )
  const sealedAt = cpuMicros()
  const opener = RecordOpener.create(set, contents)
  if (!(opener instanceof RecordOpener)) throw new Error(opener.code)
  for (const fragments of kept) {
    const opened = opener.segment(fragments.map((each, index) => (index < 2 ? null : each)))
    if (!(opened instanceof Uint8Array)) throw new Error(opened.code)
  }
  if (!(opener.end() instanceof Uint8Array)) throw new Error('not the record')
  give('seal in pieces', 'MiB/s', (mib * 1e6) / (sealedAt - start), { at: { MiB: mib } })
  give('open in pieces', 'MiB/s', (mib * 1e6) / (cpuMicros() - sealedAt), { at: { MiB: mib } })
}

await runBench({
  name: 'seal',
  what: 'seal, split, rebuild and open records, in CPU time',
  options: { cpuMs: 1_000, mib: 64 },
  quick: { cpuMs: 20, mib: 2 },
  run: ({ options: { cpuMs, mib }, give }) => {
    small(cpuMs, give)
    large(mib, give)
  },
})
