// Any value that members send each other about records, and one fixed value of every kind.

import { concatBytes } from '@mooring/codec'
import { merkleRootOfHashes, x25519PublicKey } from '@mooring/crypto'
import * as fc from 'fast-check'
import {
  type AccessNote,
  accessRequestDigest,
  batchPath,
  CLASS_KEY_WRAP_BYTES,
  createKeyDeposit,
  encodeBatchDeposit,
  type HeldAccess,
  type KeyDeposit,
  type Manifest,
  sealRecord,
  type ShardSet,
  signAccessRequest,
  signWitness,
  type VaultAnswer,
  type VaultRequest,
} from '../src/index.ts'
import {
  deposits as emergencyDeposits,
  headerOf as emergencyHeader,
  request as emergencyRequest,
} from './emergency-world.ts'
import { anchorKeyOf, bytesOf, entry, READER, requestOf } from './access-world.ts'
import { classKey, detailsOf, patientKey, seededRandom, splits, text } from './seal-world.ts'

const plain = { noNullPrototype: true } as const
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const digest = bytes(32)
const some = fc.uint8Array({ maxLength: 40 })
const organisation = fc.constantFrom('st-anna', 'riverside', 'a', `${'x'.repeat(63)}9`)
const index = fc.nat(15)
const segment = fc.nat(65_536)
const count = fc.maxSafeNat()
const word = fc.string({ maxLength: 20, unit: 'grapheme' })
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 })
const option = <T>(item: fc.Arbitrary<T>) => fc.option(item, { nil: null })
const record = <T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(shape, plain)

export const anySet: fc.Arbitrary<ShardSet> = fc
  .record({
    custodian: organisation,
    split: fc.constantFrom(...splits, { k: 2, n: 2 }, { k: 16, n: 16 }),
    segmentCount: fc.integer({ min: 1, max: 65_536 }),
    sizes: fc.tuple(
      fc.integer({ min: 17, max: 1_048_592 }),
      fc.integer({ min: 17, max: 1_048_592 }),
    ),
    kc: digest,
    leaves: fc.array(digest, { minLength: 16, maxLength: 16 }),
    gate: digest,
  })
  .map(({ custodian, split: { k, n }, segmentCount, sizes, kc, leaves: all, gate }) => {
    const leaves = all.slice(0, n)
    const lastSegmentBytes = Math.min(...sizes)
    const segmentBytes = segmentCount === 1 ? lastSegmentBytes : Math.max(...sizes)
    const shape = { custodian, k, n, segmentCount, segmentBytes, lastSegmentBytes, kc }
    return { ...shape, shardRoot: merkleRootOfHashes(leaves), leaves, gate }
  })

export const anyManifest: fc.Arbitrary<Manifest> = record<Manifest>({
  recordCommit: digest,
  rec: digest,
  dek: digest,
  fieldRoot: digest,
  rawCommit: digest,
  rawBytes: count,
  payloadBytes: count,
  encoding: fc.constantFrom('identity', 'deflate'),
  mediaType: word,
  resourceType: option(fc.constantFrom('Patient', 'Observation')),
  resourceId: option(word),
  versionId: option(word),
  fullUrl: option(fc.string({ maxLength: 600, unit: 'grapheme-ascii' })),
  receivedAt: count,
  supersedes: option(digest),
  sequence: count,
  eventAt: fc.constantFrom('', '2019-05', '2020-02-29T10:00:00Z'),
  isMistake: fc.constantFrom(0, 1),
  facts: record({
    patientKey: digest,
    class: fc.constantFrom('general', 'sensitive:psy'),
    type: fc.constantFrom('', 'Observation'),
    record: digest,
    date: fc.constantFrom('', '2026-11-27'),
    author: word,
    encounter: word,
    labels: fc.subarray(['HIV', 'PSY', 'R']),
  }),
  patient: word,
  submission: digest,
  dedupe: digest,
})

export const anyKeyDeposit: fc.Arbitrary<KeyDeposit> = record<KeyDeposit>({
  id: digest,
  custodian: organisation,
  wraps: list(bytes(CLASS_KEY_WRAP_BYTES)),
})

const shard = record({ setId: digest, index })
const head = record({ set: some, manifest: some, holders: list(organisation), index })
const signed = record({
  request: fc.record({ id: bytes(16), issuedAt: count, entry: digest }).map(requestOf),
  signature: bytes(64),
})
const anyEntry = record({ nonce: bytes(16), custodian: organisation, sealed: some })
const page = { custodian: organisation, after: option(digest), limit: fc.nat(1000) }
const question = record({
  nonce: bytes(16),
  setId: digest,
  index,
  recipient: organisation,
  helpers: list(record({ holder: organisation, index })),
  from: segment,
  count: segment,
})

const place = record({
  transaction: digest,
  height: count,
  index: fc.nat(4095),
  path: fc.array(digest, { maxLength: 12 }),
})

type Kinds<V extends { kind: string; body: unknown }> = {
  [K in V['kind']]: fc.Arbitrary<Extract<V, { kind: K }>['body']>
}

const anyNote: fc.Arbitrary<AccessNote> = record<AccessNote>({
  nonce: bytes(16),
  time: count,
  kind: fc.constantFrom('refusal', 'repair'),
  organisation,
  custodian: option(organisation),
  code: option(word),
  count,
  entry: option(digest),
})
const anyHeldAccess: fc.Arbitrary<HeldAccess> = record<HeldAccess>({
  arrival: count,
  time: count,
  leaf: digest,
  asked: option(
    record({
      id: bytes(16),
      reader: organisation,
      purpose: fc.constantFrom('TREAT', 'BTG'),
      grant: option(bytes(16)),
      patientKey: option(digest),
      sets: list(digest),
    }),
  ),
  entry: option(anyEntry),
  note: option(anyNote),
  served: count,
  place: option(place),
})
const depositItem = record({
  set: some,
  manifest: some,
  holders: list(organisation),
  index,
  shard: some,
})
const requests: Kinds<VaultRequest> = {
  deposit: record({ items: list(depositItem) }),
  'deposit-begin': record({ head, shardBytes: count }),
  'deposit-part': record({ shard, offset: count, part: some }),
  'deposit-commit': record({ shard }),
  'deposit-keys': record({ items: list(some) }),
  'deposit-with-keys': record({ keys: list(some), items: list(depositItem) }),
  'deposit-batches': record({ items: list(some) }),
  have: record({ shards: list(shard) }),
  audit: record({ nonce: bytes(16), shards: list(shard) }),
  list: record(page),
  'list-keys': record(page),
  'list-batches': record({ ...page, limit: fc.nat(32) }),
  leaves: record({ custodian: organisation, prefix: fc.uint8Array({ maxLength: 4 }) }),
  witness: record({ signed, entry: anyEntry }),
  release: record({
    signed,
    witnesses: list(record({ holder: organisation, signature: bytes(64) })),
    items: list(record({ setId: digest, from: segment, count: segment, digests: fc.nat(1) })),
  }),
  accesses: record({ after: count, limit: fc.nat(500) }),
  catalogue: record({ signed, entry: anyEntry, after: option(digest), limit: fc.nat(1000) }),
  fields: record({ signed, entry: anyEntry, after: option(digest), limit: fc.nat(16) }),
  repair: record({ questions: list(question) }),
  restore: record({ items: list(head), avoid: list(organisation) }),
  moved: record({ holder: organisation, shards: list(shard) }),
  report: record({ shard, holder: organisation, code: word }),
  erase: record({ setId: digest, salt: bytes(32) }),
  restrict: record({ sets: list(record({ setId: digest, isRestricted: fc.nat(1) })) }),
  emergency: fc.oneof(
    record({ locatorId: digest }).map((body) => ({ kind: 'locate' as const, body })),
    anyEntry.map((made) => ({
      kind: 'open' as const,
      body: { request: emergencyRequest(), entry: made },
    })),
    fc.constantFrom(...emergencyDeposits.map((body) => ({ kind: 'deposit' as const, body }))),
    record({ requestId: digest, key: digest }).map((body) => ({ kind: 'notice' as const, body })),
    record({
      requestId: digest,
      verdict: fc.constantFrom('justified' as const, 'unjustified' as const),
      note: word,
    }).map((body) => ({ kind: 'review' as const, body })),
    record({
      reason: record({ requestId: digest, salt: bytes(16), text: word }),
      setHandle: digest,
      home: organisation,
    }).map((body) => ({ kind: 'reason' as const, body })),
  ),
}

const answers: Kinds<VaultAnswer> = {
  refusal: record({ code: word, retryAfterMs: count }),
  done: fc.constant({}),
  receipt: record({
    holder: organisation,
    signature: bytes(64),
    refused: list(record({ position: fc.nat(511), code: word })),
  }),
  part: record({ received: count }),
  have: record({ bitmap: some }),
  audit: record({ answers: list(option(bytes(16))) }),
  list: record({ items: list(head), next: option(digest) }),
  'list-keys': record({ items: list(some), next: option(digest) }),
  'list-batches': record({ items: list(some), next: option(digest) }),
  leaves: record({ items: list(record({ leaf: digest, place })), more: fc.nat(1) }),
  witness: record({ signature: bytes(64) }),
  release: record({
    items: list(
      record({ setId: digest, index, from: segment, digests: list(digest), fragments: list(some) }),
    ),
  }),
  accesses: record({ items: list(anyHeldAccess), next: option(count), last: count }),
  catalogue: record({
    keys: list(some),
    items: list(
      record({ set: some, manifest: some, holders: list(organisation), place: option(place) }),
    ),
    recordKeys: some,
    next: option(digest),
  }),
  fields: record({ proofs: list(word), next: option(digest) }),
  repair: record({ parts: list(option(some)) }),
  restore: record({ outcomes: list(word), liars: list(organisation) }),
  erased: record({
    content: record({
      custodian: organisation,
      holder: organisation,
      item: digest,
      shards: list(index),
      height: count,
    }),
    signature: bytes(64),
  }),
  emergency: fc.oneof(
    fc.constant({ kind: 'done' as const, body: {} }),
    record({ header: option(fc.constant(emergencyHeader(0))), isOptedOut: fc.nat(1) }).map(
      (body) => ({ kind: 'located' as const, body }),
    ),
    record({
      header: fc.constant(emergencyHeader(0)),
      ciphertext: some,
      share: bytes(80),
    }).map((body) => ({ kind: 'share' as const, body })),
  ),
}

function anyOf<V extends { kind: string; body: unknown }>(kinds: Kinds<V>): fc.Arbitrary<V> {
  const each = Object.entries<fc.Arbitrary<unknown>>(kinds)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the body is of its kind
  return fc.oneof(
    ...each.map(([kind, body]) => body.map((made) => ({ kind, body: made }))),
  ) as fc.Arbitrary<V>
}

export const anyRequest: fc.Arbitrary<VaultRequest> = anyOf<VaultRequest>(requests)
export const anyAnswer: fc.Arbitrary<VaultAnswer> = anyOf<VaultAnswer>(answers)
export const requestKinds = Object.keys(requests)
export const answerKinds = Object.keys(answers)

/** No resource: nothing that is frozen may rest on how a release of the library deflates. */
export const rawExample = text.encode('A discharge letter, as a text.')
export const detailsExample = { ...detailsOf(rawExample), mediaType: 'text/plain' }
export const sealedExample = sealRecord(rawExample, detailsExample, {
  custodian: 'st-anna',
  split: splits[0],
  classKey,
  random: seededRandom(77),
})

export const keyContentExample = {
  class: 'general',
  epoch: 3,
  patientKey,
  logKey: bytesOf('log key'),
  classKey,
  mark: bytesOf('mark').slice(0, 16),
}
export const readerSecrets = ['a reader', 'another reader'].map((name) => bytesOf(name))
export const keyDepositExample = createKeyDeposit(
  keyContentExample,
  readerSecrets.map((secret) => x25519PublicKey(secret)),
  { custodian: 'st-anna', random: seededRandom(78) },
)

const head1 = {
  set: sealedExample.encodedSet,
  manifest: sealedExample.manifest,
  holders: ['st-anna', 'riverside', 'county'],
  index: 1,
}
const name1 = { setId: sealedExample.setId, index: 1 }
const signed1 = signAccessRequest(anchorKeyOf(READER), requestOf())

const none = new Uint8Array(0)
export const leavesExample = Array.from({ length: 16 }, (_, at) => bytesOf(`leaf ${at}`))
const anchorExample = { transaction: bytesOf('transaction'), height: 7 }
export const batchDepositExample = encodeBatchDeposit({
  custodian: 'st-anna',
  sequence: 3,
  ...anchorExample,
  leaves: concatBytes(...leavesExample),
})
export const placeExample = { ...anchorExample, index: 3, path: batchPath(leavesExample, 3) }

/** Messages whose bytes are frozen. */
export const requestExamples: VaultRequest[] = [
  { kind: 'deposit', body: { items: [{ ...head1, shard: bytesOf('shard') }] } },
  { kind: 'deposit-begin', body: { head: head1, shardBytes: 70_000_000 } },
  { kind: 'deposit-part', body: { shard: name1, offset: 4_194_304, part: bytesOf('part') } },
  { kind: 'deposit-commit', body: { shard: name1 } },
  { kind: 'have', body: { shards: [name1] } },
  { kind: 'audit', body: { nonce: bytesOf('nonce', 16), shards: [name1] } },
  { kind: 'list', body: { custodian: 'st-anna', after: null, limit: 1000 } },
  { kind: 'list-keys', body: { custodian: 'st-anna', after: bytesOf('after'), limit: 10 } },
  { kind: 'witness', body: { signed: signed1, entry } },
  {
    kind: 'release',
    body: {
      signed: signed1,
      witnesses: [
        signWitness(anchorKeyOf('county'), 'county', accessRequestDigest(signed1.request)),
      ],
      items: [{ setId: sealedExample.setId, from: 0, count: 1, digests: 1 }],
    },
  },
  { kind: 'deposit-batches', body: { items: [batchDepositExample] } },
  { kind: 'list-batches', body: { custodian: 'st-anna', after: null, limit: 32 } },
  { kind: 'leaves', body: { custodian: 'st-anna', prefix: leavesExample[3]?.slice(0, 1) ?? none } },
  { kind: 'moved', body: { holder: 'county', shards: [name1] } },
  { kind: 'report', body: { shard: name1, holder: 'county', code: 'bad_shard' } },
  { kind: 'erase', body: { setId: sealedExample.setId, salt: bytesOf('salt') } },
  { kind: 'restrict', body: { sets: [{ setId: sealedExample.setId, isRestricted: 1 }] } },
  {
    kind: 'deposit-with-keys',
    body: { keys: [bytesOf('keys')], items: [{ ...head1, shard: bytesOf('shard') }] },
  },
]
