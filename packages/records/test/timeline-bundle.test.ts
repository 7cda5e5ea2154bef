import assert from 'node:assert/strict'
import { parseJson, toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import { test } from 'uvu'
import {
  batchPath,
  batchRoot,
  commitRecord,
  type ExportedEntry,
  type ExportedLine,
  fieldsOf,
  formatTimelineBundle,
  mergeTimelines,
  openingOf,
  readTimelineBundle,
  RecordsError,
  recordSecrets,
  verifyRecordProof,
  type WholeRecordProof,
} from '../src/index.ts'
import { text } from './seal-world.ts'

const AT = Date.parse('2026-11-27T10:00:00Z')

interface Made {
  readonly raw: string
  readonly type?: string | null
  readonly fullUrl?: string | null
  readonly more?: Partial<ExportedEntry>
}

/** Records of one hospital in one batch, each superseding none unless it says so. */
function exported(made: readonly Made[]): ExportedLine[] {
  const commitments = made.map(({ raw, type = 'Observation' }, at) => {
    const rec = sha256(text.encode(`rec ${at}`))
    const bytes = text.encode(raw)
    const fields = type === null ? [] : fieldsOf(parseJson(bytes))
    return { rec, bytes, commitment: commitRecord(fields, bytes, recordSecrets(rec)) }
  })
  const leaves = Array.from({ length: 16 }, (_, at) =>
    at < made.length
      ? (commitments[at]?.commitment.recordCommit ?? sha256(text.encode('x')))
      : sha256(text.encode(`dummy ${at}`)),
  )
  const entries = made.map(({ type = 'Observation', fullUrl = null, more }, at): ExportedEntry => {
    const { rec, commitment } = commitments[at] ?? assert.fail()
    const proof: WholeRecordProof = {
      version: 1,
      network: sha256(text.encode('network')),
      record: { commit: commitment.recordCommit, opening: openingOf({ ...commitment, rec }) },
      batch: { index: at, size: 16, path: batchPath(leaves, at), root: batchRoot(leaves) },
      anchor: text.encode('a proof of the anchor'),
    }
    return {
      custodian: 'st-mary',
      record: commitment.recordCommit,
      sequence: at + 1,
      state: 'kept',
      resourceType: type,
      class: 'general',
      eventAt: '',
      receivedAt: AT + at,
      supersedes: null,
      isMistake: false,
      block: { height: 3, time: AT + at },
      fullUrl,
      contentType: 'application/fhir+json',
      proof,
      ...more,
    }
  })
  const { lines } = mergeTimelines([
    { custodian: 'st-mary', count: entries.length, entries, receipts: [] },
  ])
  return lines.map((line) => {
    const raw = commitments[line.entry.sequence - 1]?.bytes ?? assert.fail()
    return { line, raw }
  })
}

const MADE: readonly Made[] = [
  {
    raw: '{"resourceType":"Observation","id":"bp","value":1.50}',
    fullUrl: 'http://example.org/Observation/bp',
  },
  { raw: '\n {"resourceType": "Condition", "note": "Grüße \\u00e9" }\n', type: 'Condition' },
  { raw: 'a letter, no JSON', type: null, more: { contentType: 'text/plain' } },
]

test('every byte comes back as it was anchored, with a proof that holds for it and no other', () => {
  const bundle = formatTimelineBundle(exported(MADE), AT)
  const resources = readTimelineBundle(bundle)
  assert.deepEqual(
    resources.map(({ raw }) => new TextDecoder().decode(raw)),
    MADE.map(({ raw }) => raw),
  )
  for (const [at, { raw, proof }] of resources.entries()) {
    assert.ok(proof !== null)
    assert.equal(verifyRecordProof(proof, raw).ok, true)
    const other = resources[(at + 1) % resources.length]
    assert.equal(verifyRecordProof(proof, other?.raw ?? raw).ok, false)
  }
  const document: { type: string; entry: { resource: { resourceType: string } }[] } =
    JSON.parse(bundle)
  assert.equal(document.type, 'collection')
  assert.deepEqual(
    document.entry.map(({ resource }) => resource.resourceType),
    ['Observation', 'Provenance', 'Condition', 'Provenance', 'Binary', 'Provenance'],
  )
})

test('whoever changes a digit, or prints it anew, has a document in which the proof fails', () => {
  const bundle = formatTimelineBundle(exported(MADE), AT)
  for (const changed of [bundle.replace('1.50', '1.51'), JSON.stringify(JSON.parse(bundle))]) {
    assert.notEqual(changed, bundle)
    const bad = readTimelineBundle(changed).filter(
      ({ raw, proof }) => proof === null || !verifyRecordProof(proof, raw).ok,
    )
    assert.ok(bad.length > 0)
  }
})

test('versions of one resource have addresses of their own, and say which one they correct', () => {
  const first = exported([MADE[0] ?? assert.fail()])[0]?.line.entry.record
  const url = 'http://example.org/Observation/bp'
  const lines = exported([
    MADE[0] ?? assert.fail(),
    {
      raw: '{"resourceType":"Observation","id":"bp","value":2}',
      fullUrl: url,
      more: { supersedes: first ?? null },
    },
    {
      raw: '{"resourceType":"Observation","id":"x","status":"entered-in-error"}',
      more: { isMistake: true },
    },
  ])
  interface Document {
    entry: {
      fullUrl: string
      resource: {
        resourceType: string
        meta?: { tag: { code: string }[] }
        entity?: { role: string; what: { reference?: string } }[]
      }
    }[]
  }
  const { entry }: Document = JSON.parse(formatTimelineBundle(lines, AT))
  const addresses = entry.map(({ fullUrl }) => fullUrl)
  assert.equal(new Set(addresses).size, addresses.length)
  assert.match(addresses[0] ?? '', /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/)
  assert.equal(addresses[2], url)
  assert.deepEqual(
    entry.flatMap(({ resource: { meta } }) => meta?.tag[0]?.code ?? []),
    ['superseded', 'current', 'entered-in-error'],
  )
  const revision = entry[3]?.resource.entity?.find(({ role }) => role === 'revision')
  assert.equal(revision?.what.reference, addresses[0])
})

test('what waits for a block is exported without a proof', () => {
  const lines = exported([{ ...(MADE[0] ?? assert.fail()), more: { proof: null, block: null } }])
  const [only] = readTimelineBundle(formatTimelineBundle(lines, AT))
  assert.equal(only?.proof, null)
})

test('a document that is no such Bundle is refused with the place', () => {
  const bundle = formatTimelineBundle(exported(MADE), AT)
  const cases: string[] = [
    '',
    '{}',
    '{"resourceType":"Bundle","type":"transaction","entry":[]}',
    bundle.replace('"fullUrl":"http://example.org/Observation/bp",', ''),
    bundle.replace('{"reference":"http://example.org/Observation/bp"}', '{"reference":"x"}'),
    bundle.replace('application/vnd.mooring.proof+json', 'image/png'),
    bundle.replace(/"data":"[A-Za-z0-9+/]{8}/, '"data":"????????'),
    bundle.replace('"code":"CiA', '"code":"C*A'),
    bundle.slice(0, -20),
  ]
  for (const document of cases) {
    assert.notEqual(document, bundle)
    assert.throws(() => readTimelineBundle(document), RecordsError, document.slice(0, 60))
  }
})

test('the name of an entry follows from its commitment', () => {
  const [line] = exported(MADE)
  assert.ok(line !== undefined)
  assert.ok(formatTimelineBundle([line], AT).includes(toHex(line.line.entry.record)))
})

test.run()
