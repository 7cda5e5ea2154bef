import assert from 'node:assert/strict'
import { concatBytes, equalBytes } from '@mooring/codec'
import { AEAD_NONCE_BYTES, aeadSeal } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  bucketFor,
  fragmentsOfShard,
  generatePatient,
  nextBucket,
  openManifest,
  openRecord,
  readSubmission,
  RecordOpener,
  RecordSealer,
  sealRecord,
  shardBytesOf,
  shardSetId,
} from '../src/index.ts'
import {
  choices,
  classKey,
  detailsOf,
  noise,
  optionsFor,
  seededRandom,
  splits,
  text,
} from './seal-world.ts'

const MIB = 1024 * 1024
const SIZES = [0, 1, 4095, 4096, 4097, 16_384, 16_385, 262_144, 262_145, MIB, MIB + 1, 3 * MIB + 7]

function sealed(raw: Uint8Array, split: (typeof splits)[number], seed = 1) {
  const record = sealRecord(raw, detailsOf(raw), optionsFor(seed, split))
  const manifest = openManifest(record.manifest, classKey, record.setId)
  assert.ok(manifest)
  return { ...record, contents: manifest }
}

for (const split of splits) {
  const { k, n } = split
  test(`${k} of ${n}: any ${k} shards give the record back, whatever its size`, () => {
    for (const size of SIZES) {
      const raw = noise(size)
      const { set, contents, shards } = sealed(raw, split)
      for (const kept of choices([...shards.keys()], k)) {
        const some = shards.map((shard, index) => (kept.includes(index) ? shard : null))
        const opened = openRecord(set, contents, some)
        assert.ok(opened.ok, `${size} bytes from ${kept.join(' ')}`)
        assert.ok(equalBytes(opened.raw, raw))
      }
      const [first, ...rest] = shards
      assert.ok(first)
      const few = [null, ...rest.map((shard, index) => (index < k - 1 ? shard : null))]
      const refused = openRecord(set, contents, few)
      assert.deepEqual(refused, { ok: false, code: 'too_few_shards', badShards: [] })
    }
  })
}

test('who has the data key and all shards but one of k has no byte of the record', () => {
  for (const split of splits) {
    const raw = noise(2_000)
    const { contents, shards } = sealed(raw, split)
    const nonce = new Uint8Array(AEAD_NONCE_BYTES)
    nonce[AEAD_NONCE_BYTES - 1] = 1
    const start = concatBytes(...shards.slice(0, split.k - 1))
    const opened = aeadSeal(contents.dek, nonce, new Uint8Array(0), start)
    const length = Math.min(raw.length, start.length)
    const same = raw.subarray(0, length).filter((byte, at) => byte === opened[at])
    assert.ok(same.length < length / 16, `${same.length} of ${length} bytes`)
  }
})

test('shards are as long as the bucket says, and nothing else shows the size', () => {
  for (const size of SIZES) {
    const { set, shards } = sealed(noise(size), splits[2])
    const plaintext = (set.segmentCount - 1) * (set.segmentBytes - 16) + (set.lastSegmentBytes - 16)
    const allowed = [bucketFor(size), nextBucket(bucketFor(size))]
    assert.ok(allowed.includes(plaintext), String(size))
    for (const shard of shards) assert.equal(shard.length, shardBytesOf(set))
  }
})

test('resources are sealed and opened, with every type of a patient; a long one is deflated', () => {
  const { resources } = readSubmission(generatePatient(3))
  const long = JSON.stringify({
    resourceType: 'Observation',
    note: Array.from({ length: 300 }, (_, at) => ({ text: `seen at visit ${at}` })),
  })
  const all = [...resources, { raw: new TextEncoder().encode(long), resourceType: 'Observation' }]
  const types = new Set<string>()
  for (const { raw, resourceType } of all) {
    types.add(resourceType)
    const record = sealRecord(raw, detailsOf(raw, resourceType), optionsFor(types.size))
    const manifest = openManifest(record.manifest, classKey, record.setId)
    assert.ok(manifest)
    const isLong = raw.length > bucketFor(0)
    assert.equal(manifest.encoding, isLong ? 'deflate' : 'identity')
    assert.equal(manifest.payloadBytes < raw.length, isLong)
    assert.ok(bucketFor(manifest.payloadBytes) === bucketFor(0))
    const opened = openRecord(record.set, manifest, record.shards)
    assert.ok(opened.ok)
    assert.deepEqual(opened.raw, raw)
  }
  assert.ok(types.size > 3)
  assert.ok(all.some(({ raw }) => raw.length > bucketFor(0)))
})

test('bytes that come in pieces give the same formats as bytes in one', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 700_000 }), { maxLength: 6 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 1000 }), (lengths, seed) => {
      const chunks = lengths.map((length, index) => noise(length, index + 1))
      const raw = concatBytes(...chunks)
      const details = detailsOf(raw)
      const sealer = new RecordSealer(details.rec, optionsFor(seed))
      const shards: Uint8Array[][] = [[], [], [], [], []]
      const take = (segments: ReturnType<typeof sealer.end>) => {
        for (const { fragments } of segments) {
          for (const [index, fragment] of fragments.entries()) shards[index]?.push(fragment)
        }
      }
      for (const chunk of chunks) take(sealer.push(chunk))
      take(sealer.end())
      const streamed = sealer.head(details)
      const whole = sealRecord(raw, details, optionsFor(seed))
      assert.deepEqual(streamed.set, whole.set)
      assert.deepEqual(streamed.setId, whole.setId)
      assert.deepEqual(streamed.manifest, whole.manifest)
      for (const [index, parts] of shards.entries()) {
        assert.ok(equalBytes(concatBytes(...parts), whole.shards[index] ?? new Uint8Array(0)))
      }
    }),
    { numRuns: 25 },
  )
})

test('a streamed record opens segment by segment, and says at the end that it is the one', () => {
  const raw = noise(2 * MIB + 99)
  const { set, contents, shards } = sealed(raw, splits[0])
  const opener = RecordOpener.create(set, contents)
  assert.ok(opener instanceof RecordOpener)
  const fragment = Math.ceil(set.segmentBytes / set.k)
  const parts: Uint8Array[] = []
  for (let segment = 0; segment < set.segmentCount; segment += 1) {
    const fragments = shards.map((shard, index) =>
      index === segment % 3 ? null : shard.subarray(segment * fragment).subarray(0, fragment),
    )
    const isLast = segment === set.segmentCount - 1
    const size = isLast ? Math.ceil(set.lastSegmentBytes / set.k) : fragment
    const part = opener.segment(fragments.map((each) => each?.subarray(0, size) ?? null))
    assert.ok(part instanceof Uint8Array)
    parts.push(part)
  }
  assert.deepEqual(opener.end(), new Uint8Array(0))
  assert.ok(equalBytes(concatBytes(...parts), raw))
})

test('a segment opens in its own place alone, however alike the segments are', () => {
  const raw = new Uint8Array(3 * MIB)
  const { set, contents, shards } = sealed(raw, splits[2])
  const segments = Array.from({ length: set.segmentCount }, (_, segment) =>
    shards.map((shard) => fragmentsOfShard(set, shard)[segment] ?? null),
  )
  assert.equal(
    new Set(segments.map(([first]) => String(first?.subarray(0, 64)))).size,
    segments.length,
  )
  for (const place of segments.slice(1)) {
    const opener = RecordOpener.create(set, contents)
    assert.ok(opener instanceof RecordOpener)
    assert.deepEqual(opener.segment(place), { code: 'segment_damaged' })
  }
})

test('a shard that is none of the set is skipped and named', () => {
  const raw = text.encode('a short text')
  const { set, contents, shards } = sealed(raw, splits[2])
  fc.assert(
    fc.property(fc.nat(4), fc.nat(shardBytesOf(set) - 1), fc.nat(7), (which, at, bit) => {
      const damaged = shards.map((shard, index) => {
        if (index !== which) return shard
        const changed = shard.slice()
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        return changed
      })
      const opened = openRecord(set, contents, damaged)
      assert.ok(opened.ok)
      assert.deepEqual(opened.badShards, [which])
      assert.deepEqual(opened.raw, raw)
      const two = damaged.map((shard, index) => (index > which && index < which + 2 ? null : shard))
      assert.deepEqual(openRecord(set, contents, two).badShards, [which])
    }),
    { numRuns: 60 },
  )
  const swapped = [shards[1] ?? null, shards[0] ?? null, ...shards.slice(2)]
  assert.deepEqual(openRecord(set, contents, swapped).badShards, [0, 1])
  const short = shards.map((shard) => shard.subarray(1))
  const refused = openRecord(set, contents, short)
  assert.deepEqual(refused, { ok: false, code: 'too_few_shards', badShards: [0, 1, 2, 3, 4] })
})

test('the same record sealed twice has nothing in common', () => {
  const raw = noise(5000)
  const [one, two] = [sealed(raw, splits[2], 1), sealed(raw, splits[2], 2)]
  assert.notDeepEqual(one.setId, two.setId)
  assert.notDeepEqual(one.set.kc, two.set.kc)
  for (const leaf of one.set.leaves)
    assert.ok(!two.set.leaves.some((each) => equalBytes(each, leaf)))
  assert.notDeepEqual(one.manifest, two.manifest)
})

test('nothing of a record stands in its set, its shards or its sealed manifest', () => {
  const raw = text.encode('CANARY-77 '.repeat(30))
  const details = { ...detailsOf(raw), patient: 'CANARY-78', fullUrl: 'urn:uuid:CANARY-79' }
  const record = sealRecord(raw, details, optionsFor(4))
  const stored = [record.encodedSet, record.manifest, ...record.shards]
  for (const secret of [details.recordCommit, details.rec, details.fieldRoot, details.rawCommit]) {
    for (const bytes of stored) assert.equal(Buffer.from(bytes).indexOf(secret), -1)
  }
  for (const bytes of stored) assert.equal(Buffer.from(bytes).indexOf('CANARY'), -1)
  assert.deepEqual(shardSetId(record.encodedSet), record.setId)
})

test('one record in 64 is a bucket larger than it must be', () => {
  const random = seededRandom(9)
  let promoted = 0
  const raw = noise(100)
  const details = detailsOf(raw)
  for (let count = 0; count < 2000; count += 1) {
    const { set } = sealRecord(raw, details, { ...optionsFor(1), random })
    if (set.lastSegmentBytes > 4096 + 16) promoted += 1
  }
  assert.ok(promoted >= 10 && promoted <= 60, `${promoted} of 2000`)
})

test.run()
