import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { test } from 'uvu'
import { ApiError, problemOf as problemFor, Refusal } from '../src/errors.ts'
import { startApi } from '../src/index.ts'
import { createClient } from '../src/client.ts'
import { OPEN_ACCESS } from './open-access.ts'
import { MemoryNode } from './memory-node.ts'
import { problemOf, rawAnswer, refusal, serving } from './serving.ts'

const ID = 'a'.repeat(64)
const post = (url: string, type: string, body: string | Uint8Array<ArrayBuffer>) =>
  fetch(url, { method: 'POST', headers: { 'content-type': type }, body })

const catalogue = (code: string) =>
  code === 'full' ? { mor: 'MOR-1012', title: 'The disk is full', status: 507 } : undefined

const isRefused = (code: string) => (error: unknown) =>
  error instanceof ApiError && error.code === code

test('a path without a route is 404', async () => {
  await serving(async ({ api }) => {
    const problem = await refusal(await fetch(`${api.url}/v1/nothing`), 404)
    assert.equal(problem.code, 'unknown_route')
    assert.equal(problem.type, 'about:blank')
  })
})

test('a route with another method is 405 and says which', async () => {
  await serving(async ({ api }) => {
    const deleted = await fetch(`${api.url}/v1/blocks/1`, { method: 'DELETE' })
    assert.equal(deleted.headers.get('allow'), 'GET, HEAD')
    assert.equal((await refusal(deleted, 405)).code, 'method_not_allowed')
    const records = await fetch(`${api.url}/v1/records`, { method: 'PUT' })
    assert.equal(records.headers.get('allow'), 'POST, GET, HEAD')
    await refusal(records, 405)
    await refusal(await fetch(`${api.url}/openapi.json`, { method: 'POST' }), 405)
    await refusal(await fetch(`${api.url}/v1/status`, { method: 'OPTIONS' }), 405)
    const head = await fetch(`${api.url}/v1/events`, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('allow')], [405, 'GET'])
  })
})

test('what is not there is 404 under its own code', async () => {
  await serving(async ({ client }) => {
    const codes: [Promise<unknown>, string][] = [
      [client.block(9), 'unknown_block'],
      [client.block(ID), 'unknown_block'],
      [client.block('latest'), 'unknown_block'],
      [client.transaction(ID), 'unknown_transaction'],
      [client.record(ID), 'unknown_record'],
      [client.recordContent(ID), 'unknown_record'],
      [client.proof(ID), 'unknown_proof'],
    ]
    for (const [answer, code] of codes) {
      const problem = await problemOf(answer)
      assert.deepEqual([problem.status, problem.code], [404, code])
    }
  })
})

test('a proof before finality is 404 and says when to come back', async () => {
  await serving(async ({ client }) => {
    const { id } = await client.submitTransaction(Uint8Array.of(1))
    const problem = await problemOf(client.proof(id))
    assert.deepEqual([problem.status, problem.code], [404, 'proof_not_ready'])
    assert.equal(problem.retryAfterMs, 1_000)
  })
})

test('the catalogue names the problem: number, title and type', async () => {
  await serving(async ({ client }) => {
    const problem = await problemOf(client.block(9))
    assert.equal(problem.mor, 'MOR-4007')
    assert.equal(problem.title, 'No final block has this name')
  })
})

test('a query, a path and a body that do not match are 400 with the place', async () => {
  await serving(async ({ api }) => {
    const places: [Promise<Response>, string, string][] = [
      [fetch(`${api.url}/v1/blocks?limit=501`), 'query', '/limit'],
      [fetch(`${api.url}/v1/blocks?limit=0`), 'query', '/limit'],
      [fetch(`${api.url}/v1/blocks?limit=ten`), 'query', '/limit'],
      [fetch(`${api.url}/v1/blocks?limit=1&limit=2`), 'query', '/limit'],
      [fetch(`${api.url}/v1/blocks?lmit=5`), 'query', '/lmit'],
      [fetch(`${api.url}/readyz?verbose=maybe`), 'query', '/verbose'],
      [fetch(`${api.url}/v1/events?types=block,tea`), 'query', '/types'],
      [fetch(`${api.url}/v1/events?from=-1`), 'query', '/from'],
      [fetch(`${api.url}/v1/blocks/first`), 'path', '/block'],
      [fetch(`${api.url}/v1/transactions/xyz`), 'path', '/id'],
      [post(`${api.url}/v1/transactions`, 'application/json', '{}'), 'body', ''],
      [post(`${api.url}/v1/transactions`, 'application/json', '[]'), 'body', ''],
      [post(`${api.url}/v1/transactions`, 'application/json', '{"x":1}'), 'body', '/x'],
      [
        post(`${api.url}/v1/transactions`, 'application/json', '{"transactions":["AA==",5]}'),
        'body',
        '/transactions/1',
      ],
      [
        post(`${api.url}/v1/transactions?wait=final&timeout=61s`, 'application/cbor', 'x'),
        'query',
        '/timeout',
      ],
      [
        post(`${api.url}/v1/transactions?wait=final&timeout=soon`, 'application/cbor', 'x'),
        'query',
        '/timeout',
      ],
    ]
    for (const [answer, part, pointer] of places) {
      const problem = await refusal(await answer, 400)
      assert.equal(problem.code, 'invalid_request')
      assert.deepEqual([problem.errors?.[0]?.in, problem.errors?.[0]?.pointer], [part, pointer])
    }
  })
})

test('a list of more than 256 transactions is 400', async () => {
  await serving(async ({ client }) => {
    const transactions = Array.from({ length: 257 }, () => Uint8Array.of(1))
    const problem = await problemOf(client.submitTransactions(transactions))
    assert.deepEqual([problem.status, problem.code], [400, 'invalid_request'])
    assert.equal(problem.errors[0]?.pointer, '/transactions')
  })
})

test('a body that is not what it says is 400', async () => {
  await serving(async ({ api }) => {
    const url = `${api.url}/v1/transactions`
    for (const body of [
      '',
      '{',
      '{"__proto__": {}}',
      '{"transaction":"AA==","constructor":{"prototype":1}}',
    ]) {
      const problem = await refusal(await post(url, 'application/json', body), 400)
      assert.equal(problem.code, 'malformed_body', body)
    }
    assert.equal(
      (await refusal(await post(url, 'application/cbor', ''), 400)).code,
      'malformed_body',
    )
  })
})

test('a cursor of another list, another filter, another key or no node at all is 400', async () => {
  await serving(async ({ api, node, client }) => {
    for (let height = 1; height <= 3; height += 1) node.finalize()
    const { nextCursor } = await client.blocks({ limit: 1 })
    const cursor = nextCursor ?? ''
    const flipped = `${cursor.startsWith('A') ? 'B' : 'A'}${cursor.slice(1)}`
    for (const path of [
      `/v1/records?cursor=${cursor}`,
      `/v1/records?type=Patient&cursor=${cursor}`,
      `/v1/blocks?cursor=${flipped}`,
      `/v1/blocks?cursor=${cursor.slice(0, -4)}`,
      '/v1/blocks?cursor=',
      '/v1/blocks?cursor=50',
    ]) {
      assert.equal((await refusal(await fetch(api.url + path), 400)).code, 'invalid_cursor')
    }
  })
})

test('a body over the limit is 413, announced or not', async () => {
  await serving(async ({ api }) => {
    const tooLarge = new Uint8Array(16 * 1024 * 1024 + 1)
    const announced = await post(`${api.url}/v1/records`, 'application/fhir+json', tooLarge)
    const problem = await refusal(announced, 413)
    assert.equal(problem.code, 'body_too_large')
    assert.match(problem.detail, /16777216/)
    const body = new Blob([tooLarge]).stream()
    const headers = { 'content-type': 'application/cbor' }
    const init = { method: 'POST', body, headers, duplex: 'half' as const }
    await refusal(await fetch(`${api.url}/v1/transactions`, init), 413)
  })
})

test('a content type that the route does not take is 415 and says which it takes', async () => {
  await serving(async ({ api }) => {
    const wrong: [string, string][] = [
      ['/v1/records', 'multipart/form-data; boundary=x'],
      ['/v1/records', 'application/x-www-form-urlencoded'],
      ['/v1/transactions', 'application/fhir+json'],
      ['/v1/transactions', 'application/json\tx'],
      ['/v1/proofs/verify', 'application/cbor'],
      ['/v1/proofs/verify', 'application/jsonx'],
    ]
    for (const [path, type] of wrong) {
      const problem = await refusal(await post(`${api.url}${path}`, type, '{}'), 415)
      assert.equal(problem.code, 'unsupported_media_type', `${path} ${type}`)
      assert.match(problem.detail, /application\//)
    }
    const nothing = await fetch(`${api.url}/v1/records`, { method: 'POST' })
    await refusal(nothing, 415)
    const parameters = await post(
      `${api.url}/v1/transactions`,
      'application/json; charset=utf-8',
      '{}',
    )
    await refusal(parameters, 400)
  })
})

test('only loopback, configured names and the address itself are answered', async () => {
  await serving(async ({ api }) => {
    const { port } = new URL(api.url)
    const statusFor = async (host: string) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      const options = { port, host: '127.0.0.1', path: '/v1/status', headers: { host } }
      const request = httpRequest(options, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      request.on('error', reject).end()
      return promise
    }
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1', `[::1]:${port}`]) {
      assert.equal(await statusFor(host), 200, host)
    }
    assert.equal(await statusFor('ledger.st-mary.example'), 200)
    assert.equal(await statusFor('Ledger.St-Mary.example:443'), 200)
    for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1', 'a b', '[::1']) {
      assert.equal(await statusFor(host), 421, host)
    }
    const raw = await rawAnswer(api.url, 'GET /v1/status HTTP/1.1\r\nconnection: close\r\n\r\n')
    assert.match(raw, /^HTTP\/1\.1 421 [^]*"code":"unknown_host"/)
  })
})

test('bytes that are no request, and headers that are too large, get problem details as well', async () => {
  await serving(async ({ api }) => {
    const garbage = await rawAnswer(api.url, 'hello\r\n\r\n')
    assert.match(garbage, /^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"malformed_request"/)
    const large = `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(9_000)}\r\n\r\n`
    assert.match(await rawAnswer(api.url, large), /^HTTP\/1\.1 431 [^]*"headers_too_large"/)
    const encoding = await fetch(`${api.url}/v1/%zz`)
    assert.equal((await refusal(encoding, 400)).code, 'malformed_request')
    const name = await fetch(`${api.url}/v1/records/${'a'.repeat(500)}`)
    assert.equal((await refusal(name, 404)).code, 'unknown_route')
  })
})

test("another package's code is answered with the catalogue's status and text", async () => {
  await serving(async ({ api, client }) => {
    const signature = await problemOf(client.submitTransaction(Uint8Array.of(0xff)))
    assert.deepEqual(
      [signature.status, signature.code, signature.mor],
      [422, 'bad_signature', 'MOR-4030'],
    )
    assert.equal(signature.detail, 'The signature is wrong.')
    const busy = await post(`${api.url}/v1/transactions`, 'application/cbor', Uint8Array.of(0xfe))
    assert.equal(busy.headers.get('retry-after'), '1')
    assert.equal((await refusal(busy, 503)).type, '/errors/MOR-4031')
  })
})

test('an unforeseen failure is 500: logged with its cause, answered without', async () => {
  await serving(async ({ api, logged }) => {
    const url = `${api.url}/v1/transactions`
    const problem = await refusal(await post(url, 'application/cbor', Uint8Array.of(0xfd)), 500)
    assert.equal(problem.code, 'internal_error')
    assert.doesNotMatch(JSON.stringify(problem), /secret/)
    const [line] = logged
    assert.equal(line?.sentence, 'request failed')
    assert.equal(`urn:uuid:${String(line?.fields['requestId'])}`, problem.instance)
    assert.match(String(line?.fields['cause']), /secret path/)
  })
})

test('the id of a request is never the one that the client sent', async () => {
  await serving(async ({ api }) => {
    const id = '6f1c1c1e-0000-4000-8000-000000000000'
    const headers = { 'x-request-id': id, 'request-id': id }
    const problem = await refusal(await fetch(`${api.url}/nothing`, { headers }), 404)
    assert.doesNotMatch(problem.instance, /6f1c1c1e/)
  })
})

test('a foreign error travels only if the catalogue knows its code, and without its text', () => {
  const full = Object.assign(new Error('no space in /srv/mooring'), { code: 'full' })
  const known = problemFor(full, catalogue, 'id')
  assert.deepEqual([known?.status, known?.body.detail], [507, 'The disk is full.'])
  const unknown = Object.assign(new Error('open /srv/mooring'), { code: 'ENOENT' })
  assert.equal(problemFor(unknown, catalogue, 'id'), undefined)
  assert.equal(problemFor(new Refusal('odd', 'Odd.'), catalogue, 'id')?.status, 422)
  assert.equal(problemFor('text', catalogue, 'id'), undefined)
})

test('an address that is taken is told by its code', async () => {
  await serving(async ({ api }) => {
    const options = {
      metricsListen: null,
      hostNames: [],
      catalogue: () => undefined,
      access: OPEN_ACCESS,
      cursorKey: new Uint8Array(32),
    }
    const start = (listen: string) => startApi({ ...options, listen }, new MemoryNode())
    await assert.rejects(start(api.url.slice('http://'.length)), isRefused('address_in_use'))
    await assert.rejects(start('nowhere'), isRefused('listen_failed'))
    await assert.rejects(start('192.0.2.1:1'), isRefused('listen_failed'))
  })
})

test('a client tells who did not answer', async () => {
  await serving(async ({ api }) => {
    await api.close()
    const problem = await problemOf(createClient(api.url).status())
    assert.deepEqual([problem.status, problem.code], [0, 'unreachable'])
    assert.ok(problem.detail.startsWith(api.url))
  })
})

test.run()
