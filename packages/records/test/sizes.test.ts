// What the sizes that holders see tell about the kind of a record: nothing that a guess does not.
//
// Promotion is random; here every record counts in each bucket with the probability that it is there, which
// is what any number of records tends to, without a draw.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { encode } from '@mooring/codec'
import { test } from 'uvu'
import {
  bucketFor,
  classOf,
  clinicalFactsOf,
  generatePatient,
  manifestSchema,
  nextBucket,
  paddedBytesFor,
  patientNamesOf,
  patientOf,
  readSubmission,
  sealRecord,
  type SubmittedResource,
} from '../src/index.ts'
import { isPaddedSize } from '../src/padding.ts'
import { payloadOf } from '../src/seal.ts'
import { detailsOf, optionsFor, patientKey, seededRandom } from './seal-world.ts'

const FHIR = new URL('../../../../shared/data/fhir/', import.meta.url)
const DIGEST = new Uint8Array(32)
const STEPS = 5

interface Seen {
  readonly type: string
  readonly size: string
  readonly weight: number
}

function sets(): [name: string, files: Uint8Array[]][] {
  if (!existsSync(FHIR)) {
    process.stdout.write('no ../shared/data: checked with generated patients only\n')
    return []
  }
  return readdirSync(FHIR).map((name) => {
    const folder = new URL(`${name}/`, FHIR)
    return [name, readdirSync(folder).map((file) => readFileSync(new URL(file, folder)))]
  })
}

function resourcesOf(files: readonly Uint8Array[]): [SubmittedResource, patient: string][] {
  return files.flatMap((file) => {
    const { resources } = readSubmission(new Uint8Array(file))
    const names = patientNamesOf(resources)
    return resources.map((resource): [SubmittedResource, string] => [
      resource,
      patientOf(resource.node, names),
    ])
  })
}

/** The sizes that a record may have at a holder. */
function sizesOf([resource, patient]: [SubmittedResource, string]): Seen[] {
  const { raw, resourceType, node, id, versionId, fullUrl } = resource
  const { payload, encoding } = payloadOf(raw, resource)
  const manifest = encode(manifestSchema, {
    recordCommit: DIGEST,
    rec: DIGEST,
    dek: DIGEST,
    fieldRoot: DIGEST,
    rawCommit: DIGEST,
    rawBytes: raw.length,
    payloadBytes: payload.length,
    encoding,
    mediaType: 'application/fhir+json',
    resourceType,
    resourceId: id,
    versionId,
    fullUrl,
    receivedAt: 1_790_000_000_000,
    supersedes: DIGEST,
    sequence: 1,
    eventAt: '2020-02-29T10:00:00.000+01:00',
    isMistake: 0,
    facts: {
      patientKey,
      class: classOf(node, 'application/fhir+json'),
      record: DIGEST,
      ...clinicalFactsOf(node, fullUrl),
    },
    patient,
    submission: DIGEST,
    dedupe: DIGEST,
  })
  const steps = Math.ceil((manifest.length + 4) / 832)
  const seen: Seen[] = []
  let bucket = bucketFor(payload.length)
  for (let step = 0; step <= STEPS; step += 1) {
    const weight = 64 ** -step * (step < STEPS ? 63 / 64 : 1)
    seen.push({ type: resourceType, size: `${bucket}/${steps}`, weight })
    bucket = nextBucket(bucket)
  }
  return seen
}

function totals(seen: readonly Seen[], key: (each: Seen) => string): Map<string, number> {
  const sums = new Map<string, number>()
  for (const each of seen) sums.set(key(each), (sums.get(key(each)) ?? 0) + each.weight)
  return sums
}

/** How often the best guess from the size is right, and how often the best one without it. */
function guess(seen: readonly Seen[]): { withSize: number; without: number } {
  const best = (some: readonly Seen[]) => Math.max(...totals(some, ({ type }) => type).values())
  const all = seen.reduce((sum, { weight }) => sum + weight, 0)
  const sizes = [...totals(seen, ({ size }) => size).keys()]
  const right = sizes.map((size) => best(seen.filter((each) => each.size === size)))
  return { withSize: right.reduce((sum, each) => sum + each, 0) / all, without: best(seen) / all }
}

test('the kind of a record is guessed no better with its size than without', () => {
  const generated = Array.from({ length: 30 }, (_, seed) => generatePatient(seed))
  for (const [name, files] of [...sets(), ['generated patients', generated] as const]) {
    const seen = resourcesOf(files).flatMap(sizesOf)
    if (seen.length === 0) continue
    const { withSize, without } = guess(seen)
    const records = Math.round(seen.reduce((sum, { weight }) => sum + weight, 0))
    process.stdout.write(
      `${name}: ${records} records, ` +
        `${(100 * withSize).toFixed(2)} % right, ${(100 * without).toFixed(2)} % without\n`,
    )
    assert.ok(Math.abs(withSize - without) < 1e-9, name)
  }
})

test('a guess from the exact size would be better: the measure can fail', () => {
  const files = Array.from({ length: 30 }, (_, seed) => generatePatient(seed))
  const seen = resourcesOf(files).map(([{ raw, resourceType }]) => ({
    type: resourceType,
    size: String(raw.length),
    weight: 1,
  }))
  const { withSize, without } = guess(seen)
  assert.ok(withSize > without + 0.05, `${withSize} ${without}`)
})

test('sealed records of a patient show their bucket and nothing else', () => {
  const random = seededRandom(3)
  const shards = new Set<number>()
  const manifests = new Set<number>()
  for (const [{ raw, resourceType, id, fullUrl }, patient] of resourcesOf([generatePatient(8)])) {
    const details = { ...detailsOf(raw, resourceType), resourceId: id, fullUrl, patient }
    const sealed = sealRecord(raw, details, { ...optionsFor(1), random })
    manifests.add(sealed.manifest.length)
    for (const shard of sealed.shards) shards.add(shard.length)
  }
  const allowed = [4096, 16_384, 65_536].map((bucket) => Math.ceil((bucket + 16) / 3))
  assert.ok(
    [...shards].every((length) => allowed.includes(length)),
    [...shards].join(),
  )
  assert.deepEqual([...manifests], [832 + 16])
})

test('buckets grow without gaps, and only as drawn', () => {
  let bucket = 4096
  const seen = [bucket]
  while (bucket < 1 << 30) {
    const next = nextBucket(bucket)
    assert.equal(bucketFor(bucket), bucket)
    assert.equal(bucketFor(bucket + 1), next)
    assert.equal(next % 1024, 0)
    seen.push(next)
    bucket = next
  }
  assert.deepEqual(seen.slice(0, 6), [4096, 16_384, 65_536, 262_144, 327_680, 409_600])
  assert.equal(bucketFor(0), 4096)
})

test('one in 64 is a bucket higher, and one in 64 of these another', () => {
  const counts = new Map<number, number>()
  for (let drawn = 0; drawn < 64 ** 3; drawn += 1) {
    const size = paddedBytesFor(10, drawn + 64 ** 3)
    assert.ok(isPaddedSize(size, 10))
    counts.set(size, (counts.get(size) ?? 0) + 1)
  }
  assert.deepEqual(
    [...counts].toSorted(([a], [b]) => a - b),
    [
      [4096, 63 * 64 * 64],
      [16_384, 63 * 64],
      [65_536, 63],
      [262_144, 1],
    ],
  )
  assert.equal(paddedBytesFor(10, 0), 409_600)
  assert.ok(!isPaddedSize(4096, 4097) && !isPaddedSize(5000, 10) && !isPaddedSize(512_000, 10))
})

test.run()
