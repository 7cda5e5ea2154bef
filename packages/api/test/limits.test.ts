import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'uvu'
import { ApiError } from '../src/errors.ts'
import { Budget, checkHost, checkScraperHost, DEFAULT_LIMITS } from '../src/limits.ts'
import { problemOf, rawAnswer, readAll, refusal, serving, until } from './serving.ts'

const isOverloaded = (error: unknown) => error instanceof ApiError && error.code === 'overloaded'

test('places are taken up to the limit and given back once', () => {
  const budget = new Budget({ ...DEFAULT_LIMITS, inFlightMax: 2, waitsMax: 1 })
  const first = budget.enter(0)
  const second = budget.enter(0)
  assert.throws(() => budget.enter(0), isOverloaded)
  assert.equal(first.startWaiting(), true)
  assert.equal(first.startWaiting(), true)
  assert.deepEqual([budget.inFlight, budget.waiting], [1, 1])
  assert.equal(second.startWaiting(), false)
  first.leave()
  first.leave()
  second.leave()
  assert.equal(second.startWaiting(), false)
  assert.deepEqual([budget.inFlight, budget.waiting], [0, 0])
})

test('bodies share one budget of bytes, which a wait no longer holds', () => {
  const budget = new Budget({ ...DEFAULT_LIMITS, bodyBytesInFlightMax: 100 })
  const large = budget.enter(80)
  assert.throws(() => budget.enter(21), isOverloaded)
  budget.enter(20).leave()
  large.startWaiting()
  budget.enter(100).leave()
  large.leave()
})

test('host names are compared whole and without case', () => {
  const names = new Set(['a.example'])
  for (const host of ['a.example', 'A.Example:80', 'localhost:1', '[::1]', '127.0.0.1:65535']) {
    checkHost(host, names, '127.0.0.1')
  }
  checkHost('10.1.2.3:7421', names, '::ffff:10.1.2.3')
  checkHost('[fd00::1]:7421', names, 'fd00::1')
  for (const host of [undefined, '', 'b.example', 'a.example.', 'x@a.example', '10.1.2.4']) {
    assert.throws(() => checkHost(host, names, '10.1.2.3'), ApiError, host)
  }
})

test('beyond the requests in flight the answer is 503 with Retry-After, health excepted', async () => {
  await serving(
    async ({ api, node }) => {
      const released = Promise.withResolvers<void>()
      node.hold = released.promise
      const submit = () =>
        fetch(`${api.url}/v1/records`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"resourceType":"Patient"}',
        })
      const held = [submit(), submit()]
      await until(() => api.stats().inFlight === 2)
      const refused = await fetch(`${api.url}/v1/status`)
      assert.equal(refused.headers.get('retry-after'), '1')
      assert.equal((await refusal(refused, 503)).code, 'overloaded')
      assert.equal((await fetch(`${api.url}/readyz`)).status, 200)
      released.resolve()
      for (const response of await Promise.all(held)) assert.ok(response.ok)
      await until(() => api.stats().inFlight === 0)
      assert.equal((await fetch(`${api.url}/v1/status`)).status, 200)
    },
    { inFlightMax: 2 },
  )
})

test('a request that does not arrive in time is 408', async () => {
  await serving(
    async ({ api }) => {
      const slow = 'POST /v1/records HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n'
      const answer = await rawAnswer(api.url, `${slow}content-type: application/json\r\n\r\n{`)
      assert.match(answer, /^HTTP\/1\.1 408 [^]*"request_timeout"/)
    },
    { requestTimeoutMs: 100, connectionTimeoutMs: 0, requestCheckMs: 50 },
  )
})

test('a connection that says nothing is closed', async () => {
  await serving(
    async ({ api }) => {
      const { hostname, port } = new URL(api.url)
      const socket = connect(Number(port), hostname)
      assert.equal(await readAll(socket), '')
    },
    { connectionTimeoutMs: 50 },
  )
})

test('a client that breaks off in the middle of its body gives its place back', async () => {
  await serving(async ({ api, logged }) => {
    const { hostname, port } = new URL(api.url)
    const socket = connect(Number(port), hostname)
    const head = 'POST /v1/records HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999\r\n'
    socket.write(`${head}content-type: application/json\r\n\r\n{"resou`)
    await until(() => api.stats().inFlight === 1)
    socket.destroy()
    await until(() => api.stats().inFlight === 0)
    assert.deepEqual(logged, [])
  })
})

test('closing lets running requests finish and refuses those that begin', async () => {
  await serving(
    async ({ api }) => {
      const { hostname, port } = new URL(api.url)
      const open = () => connect(Number(port), hostname)
      const body = '{"resourceType":"Patient"}'
      const running = open()
      const head = `POST /v1/records HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n`
      running.write(`${head}content-type: application/json\r\n\r\n{`)
      const beginning = open()
      beginning.write('GET /v1/status HTTP/1.1\r\n')
      await until(() => api.stats().inFlight === 1)
      assert.equal((await fetch(`${api.url}/livez`)).status, 200)
      const closed = api.close()
      running.write(body.slice(1))
      beginning.write('host: localhost\r\n\r\n')
      assert.match(await readAll(running), /^HTTP\/1\.1 202 /)
      assert.match(await readAll(beginning), /^HTTP\/1\.1 503 [^]*"code":"closing"/)
      await closed
    },
    { closeTimeoutMs: 5_000 },
  )
})

test('a node that stops refuses work first, and still answers who only reads', () =>
  serving(async ({ api, client }) => {
    api.refuseWork()
    const problem = await problemOf(client.prune())
    assert.deepEqual([problem.status, problem.code], [503, 'closing'])
    assert.ok((problem.retryAfterMs ?? 0) > 0)
    assert.equal((await client.status()).chain.height, 0)
  }))

test('closing does not wait for a request that never ends', async () => {
  await serving(
    async ({ api, node }) => {
      node.hold = new Promise(() => undefined)
      const headers = { 'content-type': 'application/json' }
      const never = fetch(`${api.url}/v1/records`, { method: 'POST', headers, body: '{}' })
      await until(() => node.arrivals === 1)
      await Promise.all([api.close(), assert.rejects(never)])
    },
    { closeTimeoutMs: 50 },
  )
})

test('who scrapes names the node as it likes, unless that is a page on this computer', () => {
  const names = new Set<string>()
  for (const address of ['172.18.0.3', '::ffff:172.18.0.3', 'fd00::3'])
    checkScraperHost('hospital-0:7423', names, address)
  for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '::1', undefined]) {
    assert.throws(() => checkScraperHost('rebound.example', names, address), ApiError)
    checkScraperHost('127.0.0.1:7423', names, address)
  }
})

test.run()
