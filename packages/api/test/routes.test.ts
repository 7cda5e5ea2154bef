import assert from 'node:assert/strict'
import { test } from 'uvu'
import { createClient } from '../src/client.ts'
import type { Access } from '../src/access-answers.ts'
import type { Evidence } from '../src/evidence-answers.ts'
import { CHANGE } from './membership.ts'
import { digestOf, GENESIS_DIGEST } from './memory-node.ts'
import { serving } from './serving.ts'

const RESOURCE = '{"resourceType":"Patient","active":true}'
const bytesOf = (text: string) => new TextEncoder().encode(text)
const evidenceAt = (view: number): Evidence => ({
  id: digestOf(`evidence ${view}`),
  kind: 'conflicting_notarize',
  authority: 'riverside',
  key: digestOf('key'),
  epoch: 0,
  view,
  seenAt: '2026-11-20T09:31:07.000Z',
  votes: ['one', 'two'].map((name) => ({
    kind: 'notarize',
    parentView: 0,
    height: 1,
    digest: digestOf(name),
    signature: digestOf(name).repeat(2),
  })),
})
const fhir = { contentType: 'application/fhir+json' }

test('status, network, members and peers are answered as the node gives them', async () => {
  await serving(async ({ node, client }) => {
    assert.deepEqual(await client.status(), node.status())
    assert.deepEqual(await client.network(), node.network())
    assert.deepEqual(await client.members(), { items: node.members() })
    assert.deepEqual(await client.peers(), { items: node.peers() })
  })
})

test('changes are listed, filtered, found by their id, and previewed without being submitted', async () => {
  await serving(async ({ node, client }) => {
    const passed = { ...CHANGE, id: digestOf('older'), status: 'passed' as const, height: 7 }
    node.proposals = [CHANGE, passed]
    assert.deepEqual(await client.changes(), { items: [CHANGE, passed] })
    assert.deepEqual(await client.changes({ status: 'passed' }), { items: [passed] })
    assert.deepEqual(await client.change(CHANGE.id), CHANGE)
    assert.deepEqual(await client.epochs(), { items: node.epochs() })
    const preview = await client.previewChange(Uint8Array.of(1))
    assert.deepEqual(preview.effect, CHANGE.effect)
    assert.equal(preview.problem?.code, 'bad_signature')
    assert.equal(node.pending.size, 0)
    await assert.rejects(client.previewChange(Uint8Array.of(0xff)), { status: 422 })
    await assert.rejects(client.change('0'.repeat(64)), { code: 'unknown_change', status: 404 })
  })
})

test('evidence comes in pages, one by one, and as the bytes of a proposal', async () => {
  await serving(async ({ node, client }) => {
    node.offences = [1, 2, 3].map((view) => evidenceAt(view))
    const first = await client.evidenceList({ limit: 2 })
    assert.deepEqual(
      first.items.map(({ view }) => view),
      [3, 2],
    )
    assert.ok(first.nextCursor !== null)
    const second = await client.evidenceList({ limit: 2, cursor: first.nextCursor })
    assert.deepEqual(second, { items: [evidenceAt(1)], nextCursor: null })
    const { id } = evidenceAt(2)
    assert.deepEqual(await client.evidence(id), evidenceAt(2))
    assert.deepEqual(await client.evidenceBytes(id), bytesOf(id))
    const unknown = { code: 'unknown_evidence', status: 404 }
    await assert.rejects(client.evidence('0'.repeat(64)), unknown)
    await assert.rejects(client.evidenceBytes('0'.repeat(64)), unknown)
  })
})

const accessAt = (number: number): Access => ({
  id: digestOf(`access ${number}`),
  time: '2026-11-20T09:31:07.000Z',
  organisation: number % 2 === 0 ? 'county' : 'riverside',
  custodian: 'st-mary',
  purpose: 'TREAT',
  outcome: number === 3 ? 'refused' : 'served',
  code: number === 3 ? 'grant_expired' : null,
  records: number,
  times: 1,
  grant: digestOf('grant').slice(0, 32),
  status: 'anchored',
  batch: 1,
  height: 9,
  event: { resourceType: 'AuditEvent', entity: [{ type: number }] },
})

test('the access log comes in pages, filtered, and its events only when they are asked for', async () => {
  await serving(async ({ node, client }) => {
    node.accesses = [1, 2, 3, 4].map((number) => accessAt(number))
    const closed = (number: number) => ({ ...accessAt(number), event: null })
    const first = await client.accessList({ limit: 3 })
    assert.deepEqual(first.items, [4, 3, 2].map(closed))
    assert.ok(first.nextCursor !== null)
    const { nextCursor: cursor } = first
    const second = await client.accessList({ limit: 3, cursor })
    assert.deepEqual(second, { items: [closed(1)], nextCursor: null })
    await assert.rejects(client.accessList({ cursor, outcome: 'served' }), {
      code: 'invalid_cursor',
    })
    const refused = await client.accessList({ outcome: 'refused', open: true })
    assert.deepEqual(refused.items, [accessAt(3)])
    const county = await client.accessList({ organisation: 'county', custodian: 'st-mary' })
    assert.deepEqual(county.items, [closed(4), closed(2)])
    const { id } = accessAt(2)
    assert.deepEqual(await client.access(id), closed(2))
    assert.deepEqual(await client.access(id, { open: true }), accessAt(2))
    await assert.rejects(client.access('0'.repeat(64)), { code: 'unknown_access', status: 404 })
  })
})

test('the genesis file arrives byte for byte and may be kept for ever', async () => {
  await serving(async ({ api, client, node }) => {
    assert.equal(await client.genesis(), node.genesis().json)
    const response = await fetch(`${api.url}/v1/genesis`)
    assert.match(response.headers.get('cache-control') ?? '', /immutable/)
    assert.equal(response.headers.get('etag'), `"${GENESIS_DIGEST}"`)
  })
})

test('pages of blocks follow each other without gap or overlap while the chain grows', async () => {
  await serving(async ({ node, client }) => {
    for (let height = 1; height <= 7; height += 1) node.finalize()
    const heights: number[] = []
    let cursor: string | null | undefined
    while (cursor !== null) {
      const page = await client.blocks({ limit: 3, ...(cursor === undefined ? {} : { cursor }) })
      heights.push(...page.items.map(({ height }) => height))
      cursor = page.nextCursor
      node.finalize()
    }
    assert.deepEqual(heights, [7, 6, 5, 4, 3, 2, 1])
  })
})

test('the Link header names the next page', async () => {
  await serving(async ({ api, node }) => {
    for (let height = 1; height <= 3; height += 1) node.finalize()
    const first = await fetch(`${api.url}/v1/blocks?limit=2`)
    const link = /^<(?<next>[^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')
    const second = await fetch(`${api.url}${link?.groups?.['next']}`)
    assert.equal(second.status, 200)
    const page: { items: { height: number }[]; nextCursor: null } = JSON.parse(await second.text())
    assert.deepEqual([page.items[0]?.height, page.nextCursor], [1, null])
    assert.equal(second.headers.get('link'), null)
  })
})

test('a block is found by height, by digest and as the latest', async () => {
  await serving(async ({ node, client }) => {
    const first = node.finalize()
    const second = node.finalize()
    assert.deepEqual(await client.block(1), first)
    assert.deepEqual(await client.block(first.digest), first)
    assert.deepEqual(await client.block('latest'), second)
  })
})

test('a block by name is immutable, the latest is not, and both have an ETag', async () => {
  await serving(async ({ api, node }) => {
    const { digest } = node.finalize()
    const byHeight = await fetch(`${api.url}/v1/blocks/1`)
    assert.equal(byHeight.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    const latest = await fetch(`${api.url}/v1/blocks/latest`)
    assert.equal(latest.headers.get('cache-control'), 'no-cache')
    assert.equal(latest.headers.get('etag'), `"${digest}"`)
    await Promise.all([byHeight.text(), latest.text()])
    const headers = { 'if-none-match': `"other", W/"${digest}"` }
    const again = await fetch(`${api.url}/v1/blocks/latest`, { headers })
    assert.equal(again.status, 304)
    assert.equal(await again.text(), '')
  })
})

test('a transaction is pending, then final with its receipt', async () => {
  await serving(async ({ node, client }) => {
    const transaction = Uint8Array.of(1, 2, 3)
    const { id } = await client.submitTransaction(transaction)
    assert.equal(id, digestOf(transaction))
    const pending = await client.transaction(id)
    assert.deepEqual([pending.status, pending.height, pending.receipt], ['pending', null, null])
    node.finalize()
    const final = await client.transaction(id)
    assert.deepEqual([final.status, final.height, final.index], ['final', 1, 0])
    assert.deepEqual(final.receipt, { outcome: 'applied', sequence: 7 })
  })
})

test('a record is listed, described, and given back byte for byte', async () => {
  await serving(async ({ api, node, client }) => {
    const { records } = await client.submitRecords(bytesOf(RESOURCE), fhir)
    const id = records[0]?.id ?? ''
    const self = `/v1/records/${id}`
    const links = { self, content: `${self}/content`, proof: `/v1/proofs/${id}` }
    assert.deepEqual(records[0]?.links, links)
    const record = await client.record(id)
    assert.deepEqual([record.status, record.height, record.size], ['accepted', null, 40])
    assert.deepEqual(record.links, links)
    node.finalize()
    assert.equal((await client.record(id)).status, 'anchored')
    const content = await client.recordContent(id)
    assert.equal(new TextDecoder().decode(content.bytes), RESOURCE)
    assert.equal(content.contentType, 'application/fhir+json')
    const response = await fetch(`${api.url}${links.content}`)
    assert.equal(response.headers.get('cache-control'), 'no-store')
    await response.text()
  })
})

test('what the node keeps to itself is not in an answer', async () => {
  await serving(async ({ node, client }) => {
    await client.submitRecords(bytesOf(RESOURCE), fhir)
    const [stored] = node.stored.values()
    assert.ok(stored !== undefined && 'bytes' in stored && 'position' in stored)
    const [listed] = (await client.records()).items
    assert.deepEqual(Object.keys(listed ?? {}).toSorted(), [
      'acceptedAt',
      'class',
      'contentType',
      'height',
      'holders',
      'id',
      'links',
      'resourceType',
      'size',
      'status',
      'transactionId',
    ])
  })
})

test('records are paged newest first, also under a filter', async () => {
  await serving(async ({ client }) => {
    for (let n = 1; n <= 5; n += 1) {
      await client.submitRecords(bytesOf(`{"resourceType":"Observation","n":${n}}`), fhir)
      await client.submitRecords(bytesOf(`{"resourceType":"Patient","n":${n}}`), fhir)
    }
    const first = await client.records({ type: 'Patient', limit: 3 })
    assert.deepEqual(
      first.items.map(({ acceptedAt }) => acceptedAt.slice(17, 19)),
      ['10', '08', '06'],
    )
    assert.ok(first.nextCursor !== null)
    const second = await client.records({ type: 'Patient', limit: 3, cursor: first.nextCursor })
    assert.deepEqual(
      second.items.map(({ acceptedAt }) => acceptedAt.slice(17, 19)),
      ['04', '02'],
    )
    assert.equal(second.nextCursor, null)
  })
})

test('a proof is the file itself, with the opening unless it is declined', async () => {
  await serving(async ({ node, client }) => {
    const { records } = await client.submitRecords(bytesOf(RESOURCE), fhir)
    node.finalize()
    const id = records[0]?.id ?? ''
    const withOpening = await node.proof(id, { withOpening: true })
    assert.ok(withOpening !== undefined && 'json' in withOpening)
    assert.equal(await client.proof(id), withOpening.json)
    assert.equal(JSON.parse(await client.proof(id, { withOpening: false })).record.opening, null)
    const { id: transaction } = await client.submitTransaction(Uint8Array.of(9))
    node.finalize()
    assert.deepEqual(JSON.parse(await client.proof(transaction)), { transaction })
  })
})

test('a proof sent for verification is answered step by step', async () => {
  await serving(async ({ client }) => {
    const result = await client.verifyProof('{ "version": 1, "record": {} }')
    assert.equal(result.ok, false)
    assert.equal(result.failed, 'malformed_proof')
    assert.match(result.steps[0]?.detail ?? '', /missing_member/)
  })
})

test('live and ready are told on both listeners, metrics on the second only', async () => {
  await serving(async ({ api, client }) => {
    assert.deepEqual(await client.live(), { status: 'ok', conditions: [] })
    const detail = '3 of 3 members are connected.'
    const conditions = [{ name: 'peers', ok: true, detail }]
    assert.deepEqual(await client.ready(true), { status: 'ok', conditions })
    const metrics = createClient(api.metricsUrl ?? '')
    assert.deepEqual(await metrics.ready(true), { status: 'ok', conditions })
    const response = await fetch(`${api.metricsUrl}/metrics`)
    assert.equal(await response.text(), 'mooring_chain_height 0\n')
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.equal((await fetch(`${api.url}/metrics`)).status, 404)
    assert.equal((await fetch(`${api.metricsUrl}/v1/status`)).status, 404)
  })
})

test('a condition that does not hold makes the node not ready, unless it is left out', async () => {
  await serving(async ({ api, node }) => {
    node.conditions = [
      { name: 'peers', ok: false, detail: '1 of 3 members is connected.' },
      { name: 'disk', ok: true, detail: '18 GiB are free.' },
    ]
    const response = await fetch(`${api.url}/readyz`)
    assert.equal(response.status, 503)
    const problem = JSON.parse(await response.text())
    assert.equal(problem.code, 'not_ready')
    assert.deepEqual(problem.errors, [{ code: 'peers', detail: '1 of 3 members is connected.' }])
    assert.equal((await fetch(`${api.url}/readyz?verbose&exclude=peers`)).status, 200)
    assert.equal((await fetch(`${api.url}/livez`)).status, 200)
  })
})

test('requests are observed by the path of their route, never by their URL', async () => {
  await serving(async ({ node, api, client, observed }) => {
    node.finalize()
    await client.block(1)
    await (await fetch(`${api.url}/v1/nothing/secret?patient=1`)).text()
    assert.deepEqual(
      observed.map(({ route, method, status }) => `${method} ${route} ${status}`),
      ['GET /v1/blocks/:block 200', 'GET none 404'],
    )
    assert.ok(observed.every(({ seconds }) => seconds >= 0 && seconds < 10))
  })
})

test('HEAD answers as GET does, without a body', async () => {
  await serving(async ({ api }) => {
    const response = await fetch(`${api.url}/v1/status`, { method: 'HEAD' })
    assert.equal(response.status, 200)
    assert.ok(Number(response.headers.get('content-length')) > 0)
  })
})

test.run()
