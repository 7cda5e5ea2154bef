/*
 * Sealing and opening, in processor time of one process: records a second for the median Observation of
 * made-up patients, with and without its commitment, and MiB a second for what is large.
 *
 *   npm run bench -- records
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

const MIB = 1024 * 1024
const LARGE_MIB = 64

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

/** Runs for about a second of this process's time, after a warm-up; microseconds each. */
function measure(run: () => void): number {
  for (let count = 0; count < 300; count += 1) run()
  const start = cpuMicros()
  let count = 0
  while (cpuMicros() - start < 1_000_000) {
    for (let again = 0; again < 20; again += 1) run()
    count += 20
  }
  return (cpuMicros() - start) / count
}

function small(): Record<string, number> {
  const { raw, node } = medianObservation()
  const commit = (rec: Uint8Array) => commitRecord(fieldsOf(node), raw, recordSecrets(rec))
  const rec = random(32)
  const details = detailsOf(rec, commit(rec))
  const sealed = sealRecord(raw, details, options)
  const shards = sealed.shards.map((shard, index) => (index < 2 ? null : shard))
  const figures = {
    commit: measure(() => void commit(random(32))),
    seal: measure(() => void sealRecord(raw, details, options)),
    'commit and seal': measure(() => {
      const fresh = random(32)
      sealRecord(raw, detailsOf(fresh, commit(fresh)), options)
    }),
    'open from parity': measure(() => {
      const manifest = openManifest(sealed.manifest, options.classKey, sealed.setId)
      if (!manifest || !openRecord(sealed.set, manifest, shards).ok) throw new Error('not opened')
    }),
  }
  console.log(`median Observation: ${raw.length} bytes, ${sealed.shards[0]?.length} in a shard`)
  for (const [name, micros] of Object.entries(figures)) {
    console.log(`  ${name}: ${micros.toFixed(0)} us, ${(1e6 / micros).toFixed(0)} a second`)
  }
  return figures
}

function large(): Record<string, number> {
  const chunk = random(MIB)
  const rec = random(32)
  const sealer = new RecordSealer(rec, options)
  const kept: (readonly Uint8Array[])[] = []
  const start = cpuMicros()
  for (let count = 0; count < LARGE_MIB; count += 1) {
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
  const figures = {
    'seal MiB/s': (LARGE_MIB * 1e6) / (sealedAt - start),
    'open MiB/s': (LARGE_MIB * 1e6) / (cpuMicros() - sealedAt),
  }
  console.log(`${LARGE_MIB} MiB in pieces of one, 3 of 5, opened from one data fragment and parity`)
  for (const [name, rate] of Object.entries(figures)) console.log(`  ${name}: ${rate.toFixed(0)}`)
  return figures
}

const figures = { ...small(), ...large() }
if (process.argv.includes('--json')) console.log(JSON.stringify(figures))
