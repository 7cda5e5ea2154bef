import assert from 'node:assert/strict'
import { test } from 'uvu'
import { digestOf, STEP, VAULT } from './memory-vault.ts'
import { problemOf, rawAnswer, refusal, serving, until } from './serving.ts'

const GRANT = '{"recipient":"st-mary"}'
const under = { grant: GRANT, purpose: 'TREAT' }
const dicom = { contentType: 'application/dicom' }

async function* pieces(count: number, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n += 1) yield new Uint8Array(size).fill(n)
}

async function* slowly(count: number, ms: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, ms))
    yield Uint8Array.of(n)
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of body) all.push(piece)
  return Buffer.concat(all)
}

const post = (url: string, body: unknown) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

test('any media type passes through in pieces and is one record', async () => {
  await serving(async ({ node, client }) => {
    const size = 100 * 64 * 1024
    const options = { ...dicom, patient: 'Patient/7', size }
    const { records } = await client.uploadRecord(pieces(100), options)
    assert.deepEqual(node.uploads, [
      { contentType: 'application/dicom', size, patient: 'Patient/7' },
    ])
    const [record] = records
    const content = await client.openRecord(record?.id ?? '')
    assert.deepEqual([content.contentType, content.size], ['application/dicom', size])
    assert.deepEqual(await collect(content.body), await collect(pieces(100)))
  })
})

test('nothing and one byte are records; nobody has to say how long a body is', async () => {
  await serving(async ({ node, client }) => {
    await client.uploadRecord(pieces(0), dicom)
    await client.uploadRecord(pieces(1, 1), dicom)
    assert.deepEqual(
      node.uploads.map(({ size }) => size),
      [0, null],
    )
    assert.deepEqual(
      [...node.stored.values()].map(({ size }) => size),
      [0, 1],
    )
    const empty = await client.recordContent(digestOf(''))
    assert.equal(empty.bytes.length, 0)
  })
})

test('an upload that the vault refuses is told its code, however much was still to come', async () => {
  await serving(async ({ node, client }) => {
    for (const [code, status] of [
      ['full', 507],
      ['mempool_full', 503],
    ] as const) {
      node.refuseUpload = { afterBytes: 1, code }
      const problem = await problemOf(client.uploadRecord(pieces(200), dicom))
      assert.deepEqual([problem.code, problem.status], [code, status])
    }
    assert.equal(node.stored.size, 0)
  })
})

test('an upload beyond the limit is 413, one that keeps no pace 408', async () => {
  await serving(
    async ({ client, node }) => {
      const problem = await problemOf(client.uploadRecord(pieces(20), dicom))
      assert.deepEqual([problem.code, problem.status], ['body_too_large', 413])
      assert.equal(node.stored.size, 0)
    },
    { uploadBytesMax: 10 * 64 * 1024 },
  )
  await serving(
    async ({ client }) => {
      const problem = await problemOf(client.uploadRecord(slowly(1_000, 5), dicom))
      assert.deepEqual([problem.code, problem.status], ['request_timeout', 408])
    },
    { uploadGraceMs: 20, uploadBytesPerSecondMin: 1_000_000 },
  )
})

test('an upload outlasts the time of a request that is read as a whole', async () => {
  await serving(
    async ({ client, node }) => {
      await client.uploadRecord(slowly(6, 40), dicom)
      assert.equal(node.stored.size, 1)
    },
    { requestTimeoutMs: 100, requestCheckMs: 20 },
  )
})

test('web forms and pages of other sites do not bring records', async () => {
  await serving(async ({ api, node }) => {
    const send = (headers: Record<string, string>) =>
      fetch(`${api.url}/v1/records`, { method: 'POST', headers, body: 'x' })
    for (const type of ['multipart/form-data', 'application/x-www-form-urlencoded', 'nonsense']) {
      await refusal(await send({ 'content-type': type }), 415)
    }
    const host = new URL(api.url).host
    const foreign = `POST /v1/records HTTP/1.1\r\nhost: ${host}\r\norigin: https://evil.example\r\n`
    const rest = 'content-type: text/plain\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx'
    assert.match(await rawAnswer(api.url, foreign + rest), /^HTTP\/1\.1 403 [^]*"foreign_origin"/)
    assert.equal(node.stored.size, 0)
    const own = foreign.replace('https://evil.example', `http://${host}`)
    assert.match(await rawAnswer(api.url, own + rest), /^HTTP\/1\.1 202 /)
  })
})

test('the patient of FHIR content is in the content', async () => {
  await serving(async ({ api }) => {
    const url = `${api.url}/v1/records?patient=Patient/7`
    const problem = await refusal(await post(url, { resourceType: 'Basic' }), 400)
    assert.equal(problem.errors?.[0]?.pointer, '/patient')
  })
})

test('an Idempotency-Key holds for a body that passed through', async () => {
  await serving(async ({ node, client }) => {
    const options = { ...dicom, idempotencyKey: 'k1' }
    const first = await client.uploadRecord(pieces(3), options)
    const again = await client.uploadRecord(pieces(3), options)
    assert.deepEqual(again, first)
    assert.equal(node.uploads.length, 1)
    const other = await problemOf(client.uploadRecord(pieces(4), options))
    assert.deepEqual([other.code, other.status], ['idempotency_key_reused', 422])
    const patient = client.uploadRecord(pieces(3), { ...options, patient: '7' })
    assert.equal((await problemOf(patient)).code, 'idempotency_key_reused')
  })
})

test('the custodian reads for treatment unless it says otherwise, and is told the trace', async () => {
  await serving(async ({ api, node, client }) => {
    const { records } = await client.uploadRecord(pieces(2), dicom)
    const id = records[0]?.id ?? ''
    node.badHolders = [
      { holder: 'riverside', code: 'shard_wrong' },
      { holder: 'county', code: 'shard_missing' },
    ]
    const content = await client.openRecord(id)
    assert.equal(content.entry, digestOf('entry 1'))
    assert.deepEqual(content.badHolders, node.badHolders)
    await collect(content.body)
    await client.recordContent(id, { purpose: 'HOPERAT' })
    assert.deepEqual(node.reads, [
      { id, purpose: 'TREAT', grant: null },
      { id, purpose: 'HOPERAT', grant: null },
    ])
    const response = await fetch(`${api.url}/v1/records/${id}/content`)
    await response.arrayBuffer()
    const { headers } = response
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('content-disposition'), 'attachment')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
  })
})

test('a question about a read is no read: HEAD of a content leaves no trace', async () => {
  await serving(async ({ api, node, client }) => {
    const { records } = await client.uploadRecord(pieces(1), dicom)
    const url = `${api.url}/v1/records/${records[0]?.id}/content`
    const head = await fetch(url, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('allow')], [405, 'GET'])
    assert.equal(node.reads.length, 0)
  })
})

test('a practitioner signs what the node asks for, and the same call goes on', async () => {
  await serving(async ({ node, client }) => {
    await client.uploadRecord(pieces(1), dicom)
    const [id = ''] = node.stored.keys()
    const asked: string[] = []
    const practitioner = {
      key: '07'.repeat(32),
      sign: (toSign: string) => {
        asked.push(toSign)
        return `0${asked.length}`.repeat(64)
      },
    }
    const { body } = await client.readRecord(id, { ...under, practitioner })
    assert.equal((await collect(body)).length, 64 * 1024)
    assert.deepEqual(asked, ['0700', '0701'])
    assert.deepEqual(node.signatures, ['01'.repeat(64), '02'.repeat(64)])
    node.signatures.length = 0
    asked.length = 0
    assert.equal((await client.readable({ ...under, practitioner })).items.length, 1)
    assert.equal(asked.length, 2)
  })
})

test('under a grant another reads, and the grant goes in the body alone', async () => {
  await serving(async ({ node, client }) => {
    const { records } = await client.uploadRecord(pieces(2), dicom)
    const id = records[0]?.id ?? ''
    const content = await client.readRecord(id, under)
    assert.deepEqual(await collect(content.body), await collect(pieces(2)))
    assert.deepEqual(node.reads, [{ id, purpose: 'TREAT', grant: GRANT }])
    const other = { ...under, grant: '{"recipient":"lakeview"}' }
    const problem = await problemOf(client.readRecord(id, other))
    assert.equal(problem.code, 'not_the_recipient')
    assert.equal((await problemOf(client.readRecord('00'.repeat(32), under))).status, 404)
  })
})

test('what a grant opens is paged, and a cursor belongs to its grant', async () => {
  await serving(async ({ client }) => {
    for (let n = 1; n <= 5; n += 1) await client.uploadRecord(pieces(1, n), dicom)
    const first = await client.readable(under, { limit: 3 })
    const second = await client.readable(under, { limit: 3, cursor: first.nextCursor ?? '' })
    assert.equal(second.nextCursor, null)
    const ids = [...first.items, ...second.items].map(({ id }) => id)
    assert.deepEqual([new Set(ids).size, ids.length], [5, 5])
    assert.ok(first.entry !== null)
    const one = await client.readable({ ...under, records: [ids[3] ?? ''] })
    assert.deepEqual(
      one.items.map(({ id }) => id),
      [ids[3]],
    )
    const cursor = first.nextCursor ?? ''
    const another = client.readable(
      { ...under, grant: '{"recipient":"st-mary","a":1}' },
      { cursor },
    )
    assert.equal((await problemOf(another)).code, 'invalid_cursor')
  })
})

test('a read that breaks off is never taken for the whole', async () => {
  await serving(async ({ node, client }) => {
    const { records } = await client.uploadRecord(pieces(40), dicom)
    const id = records[0]?.id ?? ''
    const gone = { bytes: 20 * 64 * 1024, run: () => Promise.reject(new Error('holders are gone')) }
    node.breakAfter = gone
    const broken = await problemOf(collect((await client.openRecord(id)).body))
    assert.equal(broken.code, 'incomplete')
    node.breakAfter = { ...gone, bytes: 0 }
    const refused = await problemOf(client.openRecord(id))
    assert.deepEqual([refused.code, refused.status], ['internal_error', 500])
  })
})

test('history is paged from the newest version', async () => {
  await serving(async ({ client }) => {
    const { records } = await client.uploadRecord(pieces(1), dicom)
    const id = records[0]?.id ?? ''
    const first = await client.recordHistory(id, { limit: 2 })
    const second = await client.recordHistory(id, { limit: 2, cursor: first.nextCursor ?? '' })
    assert.deepEqual(
      [...first.items, ...second.items].map(({ versionId, accesses }) => [versionId, accesses]),
      [
        ['3', 3],
        ['2', 2],
        ['1', 1],
      ],
    )
    assert.equal(second.items[0]?.supersedes, null)
    assert.equal((await problemOf(client.recordHistory('ff'))).code, 'unknown_record')
    // What is no hexadecimal name at all gets no further than the door.
    for (const name of ['zz', 'f', 'FF']) {
      assert.equal((await problemOf(client.recordHistory(name))).code, 'invalid_request')
    }
  })
})

test('a disclosure comes after finality, with the fields that were asked for', async () => {
  await serving(async ({ node, client }) => {
    const { records } = await client.uploadRecord(pieces(1), dicom)
    const id = records[0]?.id ?? ''
    assert.equal((await problemOf(client.disclose(id, ['/a']))).code, 'proof_not_ready')
    node.finalize()
    assert.equal(await client.disclose(id, ['/a', '/b/0']), '{"record":{"fields":["/a","/b/0"]}}')
    assert.equal((await problemOf(client.disclose(id, []))).code, 'invalid_request')
  })
})

test('a grant is signed for a time and for words that can be some', async () => {
  await serving(async ({ api, node, client }) => {
    const parts = { patient: 'Patient/7', recipient: 'lakeview', classes: ['general'] }
    const grant = { ...parts, purposes: ['TREAT'], expiresAt: '2027-01-01T00:00:00Z' }
    const json = await client.createGrant(grant)
    assert.ok(json.endsWith('}\n'))
    const expiresAt = Date.UTC(2027, 0, 1)
    assert.deepEqual(node.grants, [{ ...parts, purposes: ['TREAT'], notBefore: null, expiresAt }])
    const nobody = client.createGrant({ ...grant, patient: 'Patient/nobody' })
    assert.equal((await problemOf(nobody)).code, 'unknown_patient')
    for (const wrong of [
      { expiresAt: 'soon' },
      { expiresAt: '2027-13-01T00:00:00Z' },
      { classes: [] },
      { classes: ['General'] },
      { purposes: ['treat'] },
      { patient: 'x'.repeat(1_000) },
    ]) {
      const response = await post(`${api.url}/v1/grants`, { ...grant, ...wrong })
      assert.equal((await refusal(response, 400)).code, 'invalid_request')
    }
    assert.equal(node.grants.length, 1)
  })
})

test('the state of the vault is one answer, a check is told line by line', async () => {
  await serving(async ({ node, client }) => {
    assert.deepEqual(await client.vault(), VAULT)
    const steps = []
    for await (const step of client.verifyVault()) steps.push(step)
    assert.deepEqual(steps, node.steps)
    for await (const step of client.repairVault({ immediate: true })) assert.ok(step.detail)
    for await (const step of client.repairVault()) assert.ok(step.detail)
    assert.deepEqual(node.repairs, [true, false])
  })
})

test('a check holds none of the places of requests, and ends when its caller leaves', async () => {
  await serving(
    async ({ api, node, client }) => {
      node.stepsHold = new Promise(() => undefined)
      const stop = new AbortController()
      const running = client.verifyVault({ signal: stop.signal })
      assert.deepEqual((await running.next()).value, STEP)
      assert.equal(api.stats().inFlight, 0)
      assert.equal(api.stats().waiting, 1)
      const rest = problemOf(running.next())
      stop.abort()
      await rest
      await until(() => node.stepsEnded === 1 && api.stats().waiting === 0)
    },
    { inFlightMax: 1 },
  )
})

test('a check that takes its time outlasts the time-out of idle connections', async () => {
  await serving(
    async ({ node, client }) => {
      node.stepsHold = new Promise((resolve) => setTimeout(resolve, 300))
      const kinds = []
      for await (const { kind } of client.verifyVault()) kinds.push(kind)
      assert.deepEqual(kinds, ['progress', 'done'])
    },
    { connectionTimeoutMs: 60 },
  )
})

test('closing ends a running check', async () => {
  await serving(async ({ api, node, client }) => {
    node.stepsHold = new Promise(() => undefined)
    const running = client.repairVault()
    await running.next()
    await api.close()
    assert.equal((await running.next()).done, true)
  })
})

test('a client that leaves in the middle of a read ends it', async () => {
  await serving(async ({ api, node, client }) => {
    const { records } = await client.uploadRecord(pieces(400), dicom)
    const { body } = await client.openRecord(records[0]?.id ?? '')
    for await (const piece of body) {
      assert.ok(piece.length > 0)
      break
    }
    await until(() => api.stats().inFlight === 0)
    assert.equal(node.reads.length, 1)
  })
})

test.run()
