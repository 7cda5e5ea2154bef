import assert from 'node:assert/strict'
import { test } from 'uvu'
import { digestOf } from './memory-node.ts'
import { problemOf, refusal, serving, until } from './serving.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const base64 = (...bytes: number[]) => Buffer.from(bytes).toString('base64')
const patient = (n: number) => `{"resourceType":"Patient","n":${n}}`
const fhir = { contentType: 'application/fhir+json' }
const ndjson = { contentType: 'application/fhir+ndjson' }

function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const type = { 'content-type': 'application/json' }
  return fetch(url, {
    method: 'POST',
    headers: { ...type, ...headers },
    body: JSON.stringify(body),
  })
}

test('one transaction as JSON and as CBOR is the same transaction', async () => {
  await serving(async ({ api, client }) => {
    const first = await post(`${api.url}/v1/transactions`, { transaction: base64(1, 2, 3) })
    assert.equal(first.status, 202)
    const id = digestOf(Uint8Array.of(1, 2, 3))
    assert.deepEqual(await first.json(), { id, status: 'accepted', height: null })
    assert.equal(first.headers.get('location'), `/v1/transactions/${id}`)
    const again = await post(`${api.url}/v1/transactions`, { transaction: base64(1, 2, 3) })
    assert.equal(again.status, 200)
    assert.deepEqual(await again.json(), { id, status: 'accepted', height: null })
    assert.deepEqual(await client.submitTransaction(Uint8Array.of(1, 2, 3)), {
      id,
      status: 'accepted',
      height: null,
    })
  })
})

test('base64 that is not canonical is refused, not repaired', async () => {
  await serving(async ({ api, node }) => {
    for (const transaction of ['', 'AQID ', 'AQI', 'AQJ=', 'A-_=', '!', 'AQID====']) {
      const problem = await refusal(await post(`${api.url}/v1/transactions`, { transaction }), 422)
      assert.equal(problem.code, 'malformed_transaction', transaction)
    }
    assert.equal(node.pending.size, 0)
  })
})

test('a list is answered item by item, in order', async () => {
  await serving(async ({ api, node, client }) => {
    await client.submitTransaction(Uint8Array.of(1))
    await client.submitTransaction(Uint8Array.of(2))
    node.finalize()
    await client.submitTransaction(Uint8Array.of(3))
    const transactions = [base64(1), base64(3), '???', base64(0xff), base64(4)]
    const response = await post(`${api.url}/v1/transactions`, { transactions })
    assert.equal(response.status, 202)
    const { results }: { results: { status: string; id: string | null; problem: unknown }[] } =
      JSON.parse(await response.text())
    assert.deepEqual(
      results.map(({ status }) => status),
      ['final', 'known', 'rejected', 'rejected', 'accepted'],
    )
    assert.deepEqual(results[2], {
      id: null,
      status: 'rejected',
      height: null,
      problem: {
        code: 'malformed_transaction',
        mor: null,
        detail: 'The transaction is not canonical base64.',
      },
    })
    assert.deepEqual(results[3]?.problem, {
      code: 'bad_signature',
      mor: 'MOR-4030',
      detail: 'The signature is wrong.',
    })
  })
})

test('a full list of 256 passes', async () => {
  await serving(async ({ node, client }) => {
    const transactions = Array.from({ length: 256 }, (_, n) => Uint8Array.of(1, n))
    const { results } = await client.submitTransactions(transactions)
    assert.equal(new Set(results.map(({ id }) => id)).size, 256)
    assert.equal(node.pending.size, 256)
  })
})

test('a list for which there is no room says when to come back', async () => {
  await serving(async ({ api }) => {
    const send = async (first: number) => {
      const transactions = [Buffer.of(first, 1).toString('base64')]
      const body = JSON.stringify({ transactions })
      const headers = { 'content-type': 'application/json' }
      return fetch(`${api.url}/v1/transactions`, { method: 'POST', headers, body })
    }
    assert.equal((await send(0xfc)).headers.get('retry-after'), '1')
    assert.equal((await send(0xff)).headers.get('retry-after'), null)
    assert.equal((await send(0x01)).headers.get('retry-after'), null)
  })
})

test('who waits for finality gets 201 with the height', async () => {
  await serving(async ({ api, node, client }) => {
    const url = `${api.url}/v1/transactions?wait=final&timeout=30s`
    const waiting = post(url, { transaction: base64(1) })
    const list = client.submitTransactions([Uint8Array.of(2), Uint8Array.of(3)], { waitMs: 30_000 })
    const records = client.submitRecords(bytesOf(patient(1)), { ...fhir, waitMs: 30_000 })
    await until(() => node.pending.size === 3 && node.stored.size === 1)
    await until(() => api.stats().waiting === 3)
    assert.equal(api.stats().inFlight, 0)
    node.finalize()
    const response = await waiting
    assert.equal(response.status, 201)
    const id = digestOf(Uint8Array.of(1))
    assert.deepEqual(await response.json(), { id, status: 'final', height: 1 })
    const { results } = await list
    assert.deepEqual(
      results.map(({ status, height }) => [status, height]),
      [
        ['final', 1],
        ['final', 1],
      ],
    )
    const [record] = (await records).records
    assert.deepEqual([record?.status, record?.height], ['anchored', 1])
    assert.equal(api.stats().waiting, 0)
  })
})

test('a wait that runs out is 202 with Retry-After, never a failure', async () => {
  await serving(async ({ api, client }) => {
    const url = `${api.url}/v1/transactions?wait=final&timeout=20ms`
    const response = await post(url, { transaction: base64(1) })
    assert.equal(response.status, 202)
    assert.equal(response.headers.get('retry-after'), '1')
    assert.equal((await client.submitTransaction(Uint8Array.of(1), { waitMs: 20 })).height, null)
    const submission = await client.submitRecords(bytesOf(patient(1)), { ...fhir, waitMs: 20 })
    assert.equal(submission.records[0]?.status, 'accepted')
  })
})

test('Prefer: wait is honoured and acknowledged', async () => {
  await serving(async ({ api, node }) => {
    const url = `${api.url}/v1/transactions`
    const waiting = post(url, { transaction: base64(1) }, { prefer: 'respond-async, wait=30' })
    await until(() => api.stats().waiting === 1)
    node.finalize()
    const response = await waiting
    assert.equal(response.status, 201)
    assert.equal(response.headers.get('preference-applied'), 'wait=30')
    const plain = await post(url, { transaction: base64(2) }, { prefer: 'wait=never' })
    assert.equal(plain.status, 202)
    assert.equal(plain.headers.get('preference-applied'), null)
  })
})

test('a wait outlasts the time-out of idle connections', async () => {
  const limits = { connectionTimeoutMs: 60, requestTimeoutMs: 60 }
  await serving(async ({ client }) => {
    const { status } = await client.submitTransaction(Uint8Array.of(1), { waitMs: 300 })
    assert.equal(status, 'accepted')
  }, limits)
})

test('an answer that takes the node long outlasts the time-out of idle connections', async () => {
  const limits = { connectionTimeoutMs: 60, requestTimeoutMs: 60 }
  await serving(async ({ client, node }) => {
    const released = Promise.withResolvers<void>()
    node.hold = released.promise
    setTimeout(released.resolve, 300)
    const bytes = new TextEncoder().encode('{"resourceType":"Patient"}')
    const { records } = await client.submitRecords(bytes, { contentType: 'application/json' })
    assert.equal(records.length, 1)
  }, limits)
})

test('beyond the waits a node can hold, the answer comes at once', async () => {
  await serving(
    async ({ api, node, client }) => {
      const first = client.submitTransaction(Uint8Array.of(1), { waitMs: 30_000 })
      await until(() => api.stats().waiting === 1)
      const second = await client.submitTransaction(Uint8Array.of(2), { waitMs: 30_000 })
      assert.equal(second.status, 'accepted')
      node.finalize()
      assert.equal((await first).status, 'final')
    },
    { waitsMax: 1 },
  )
})

test('a client that leaves ends its wait', async () => {
  await serving(async ({ api }) => {
    const leaving = new AbortController()
    const url = `${api.url}/v1/transactions?wait=final&timeout=30s`
    const headers = { 'content-type': 'application/cbor' }
    const { signal } = leaving
    const waiting = fetch(url, { method: 'POST', headers, body: Uint8Array.of(1), signal })
    await until(() => api.stats().waiting === 1)
    leaving.abort()
    await assert.rejects(waiting)
    await until(() => api.stats().waiting === 0)
  })
})

test('closing ends the waits with an ordinary answer', async () => {
  await serving(async ({ api, client }) => {
    const waiting = client.submitTransaction(Uint8Array.of(1), { waitMs: 30_000 })
    await until(() => api.stats().waiting === 1)
    await api.close()
    assert.equal((await waiting).status, 'accepted')
  })
})

test('records in every media type arrive with their bytes untouched', async () => {
  await serving(async ({ node, client }) => {
    const types: [string, string][] = [
      ['application/fhir+json', ` ${patient(1)} `],
      ['application/json', patient(2)],
      ['application/fhir+ndjson', `${patient(3)}\n${patient(4)}\n`],
      ['application/x-ndjson', patient(5)],
      ['application/ndjson', `${patient(6)}\r`],
    ]
    for (const [contentType, body] of types) {
      const { records, problems } = await client.submitRecords(bytesOf(body), { contentType })
      assert.ok(records.length > 0 && problems.length === 0)
    }
    const formats = [...node.stored.values()].map(({ contentType }) => contentType)
    assert.deepEqual(new Set(formats), new Set(types.map(([type]) => type)))
  })
})

test('a bad entry refuses the whole submission and is named', async () => {
  await serving(async ({ node, client }) => {
    const body = bytesOf(`${patient(1)}\n{"no":"type"}\n`)
    const problem = await problemOf(client.submitRecords(body, ndjson))
    assert.deepEqual([problem.status, problem.code], [422, 'invalid_submission'])
    const detail = 'The entry has no resourceType.'
    assert.deepEqual(problem.errors, [{ code: 'not_fhir', entry: 1, line: 2, column: 1, detail }])
    assert.equal(problem.detail, detail)
    assert.equal(node.submissions, 1)
  })
})

test('with partial the good entries are kept and the bad ones named', async () => {
  await serving(async ({ client }) => {
    const body = bytesOf(`${patient(1)}\n{"no":"type"}\n${patient(2)}\n`)
    const { records, problems } = await client.submitRecords(body, { ...ndjson, isPartial: true })
    assert.deepEqual(
      records.map(({ entry, status }) => [entry, status]),
      [
        [0, 'accepted'],
        [2, 'accepted'],
      ],
    )
    assert.deepEqual(
      problems.map(({ entry, line }) => [entry, line]),
      [[1, 2]],
    )
    const nothing = client.submitRecords(bytesOf('{}'), { ...ndjson, isPartial: true })
    assert.equal((await problemOf(nothing)).code, 'invalid_submission')
  })
})

test('records sent before are 200 and known', async () => {
  await serving(async ({ api, client }) => {
    await client.submitRecords(bytesOf(patient(1)), fhir)
    const response = await post(`${api.url}/v1/records`, { resourceType: 'Patient', n: 1 })
    assert.equal(response.status, 200)
    const { records }: { records: { status: string }[] } = JSON.parse(await response.text())
    assert.equal(records[0]?.status, 'known')
  })
})

test('the same Idempotency-Key submits once and tells both callers the same', async () => {
  await serving(async ({ node, client }) => {
    const options = { ...fhir, idempotencyKey: '"8e03978e-40d5-43dd-bc93-6894a57f9324"' }
    const first = await client.submitRecords(bytesOf(patient(1)), options)
    assert.deepEqual(await client.submitRecords(bytesOf(patient(1)), options), first)
    assert.equal(node.submissions, 1)
  })
})

test('a repetition under the same key may wait for finality', async () => {
  await serving(async ({ api, node, client }) => {
    const options = { ...fhir, idempotencyKey: 'k' }
    await client.submitRecords(bytesOf(patient(1)), options)
    const again = client.submitRecords(bytesOf(patient(1)), { ...options, waitMs: 30_000 })
    await until(() => api.stats().waiting === 1)
    node.finalize()
    assert.equal((await again).records[0]?.height, 1)
    assert.equal(node.submissions, 1)
  })
})

test('the same key with another body is 422, while the first runs 409', async () => {
  await serving(async ({ node, client }) => {
    const released = Promise.withResolvers<void>()
    node.hold = released.promise
    const options = { ...fhir, idempotencyKey: 'k' }
    const first = client.submitRecords(bytesOf(patient(1)), options)
    await until(() => node.arrivals === 1)
    const running = await problemOf(client.submitRecords(bytesOf(patient(1)), options))
    assert.deepEqual([running.status, running.code], [409, 'idempotency_in_flight'])
    assert.equal(running.retryAfterMs, 1_000)
    const reused = await problemOf(client.submitRecords(bytesOf(patient(2)), options))
    assert.deepEqual([reused.status, reused.code], [422, 'idempotency_key_reused'])
    const partial = client.submitRecords(bytesOf(patient(1)), { ...options, isPartial: true })
    assert.equal((await problemOf(partial)).code, 'idempotency_key_reused')
    released.resolve()
    assert.equal((await first).records.length, 1)
    assert.equal(node.arrivals, 1)
  })
})

test('a refused submission does not use its key up', async () => {
  await serving(async ({ client }) => {
    const options = { ...fhir, idempotencyKey: 'k' }
    const refused = client.submitRecords(bytesOf('{}'), options)
    assert.equal((await problemOf(refused)).code, 'invalid_submission')
    assert.equal((await client.submitRecords(bytesOf(patient(1)), options)).records.length, 1)
  })
})

test('a key that cannot be one is 400', async () => {
  await serving(async ({ api }) => {
    for (const key of ['"open', 'k'.repeat(256), 'two words', '""', '"a"b"']) {
      const body = { resourceType: 'Patient' }
      const response = await post(`${api.url}/v1/records`, body, { 'idempotency-key': key })
      assert.equal((await refusal(response, 400)).code, 'invalid_idempotency_key', key)
    }
  })
})

test.run()
