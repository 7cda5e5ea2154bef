import assert from 'node:assert/strict'
import { test } from 'uvu'
import { CALLER_ROLES, type CallerRole } from '../src/caller.ts'
import { addressKey, RateLimits } from '../src/rate-limits.ts'
import { isServedBy, type Route } from '../src/route.ts'
import { operationIds, routes } from '../src/routes.ts'
import { bearer, guarded } from './guarded.ts'
import { refusal } from './serving.ts'

const MAY: Readonly<Record<CallerRole, readonly string[]>> = {
  viewer: ['viewer'],
  submitter: ['viewer', 'submitter'],
  auditor: ['viewer', 'auditor'],
  operator: ['viewer', 'submitter', 'auditor', 'operator'],
  admin: CALLER_ROLES,
}

const served: [id: string, route: Route][] = operationIds
  .map((id): [string, Route] => [id, routes[id]])
  .filter(([id, route]) => isServedBy(route, 'api') && id !== 'streamEvents')

const pathOf = ({ path }: Route) => path.replaceAll(/:[a-z]+/g, 'x')

const asked = (url: string, { method, ...route }: Route, headers: Record<string, string>) =>
  fetch(`${url}${pathOf({ method, ...route })}`, { method, headers })

test('acceptance 12: every route that has a role is 401 without credentials and 403 with a lesser role', () =>
  guarded(async ({ url, refused }) => {
    for (const [id, route] of served) {
      if (route.role === 'none' || route.role === 'patient') continue
      const unknown = await refusal(await asked(url, route, {}), 401)
      assert.equal(unknown.code, 'credentials_missing', id)
      for (const role of CALLER_ROLES) {
        if (route.isForStrangers === true) continue
        const answer = await asked(url, route, bearer(role))
        if (MAY[role].includes(route.role)) {
          assert.ok(![401, 403].includes(answer.status), `${role} may ${id}`)
          await answer.body?.cancel()
        } else assert.equal((await refusal(answer, 403)).code, 'role_missing', `${role} ${id}`)
      }
    }
    assert.deepEqual(new Set(refused), new Set(['credentials_missing', 'role_missing']))
  }))

test('what needs no secret is answered to strangers, unless the node answers nobody', () =>
  guarded(async ({ url, control }) => {
    control.open = 'proofs'
    assert.equal((await fetch(`${url}/v1/genesis`)).status, 200)
    assert.equal((await fetch(`${url}/v1/proofs/aa`)).status, 404)
    await refusal(await fetch(`${url}/v1/status`), 401)
    control.open = 'nobody'
    await refusal(await fetch(`${url}/v1/genesis`), 401)
    for (const role of CALLER_ROLES) {
      assert.equal((await fetch(`${url}/v1/genesis`, { headers: bearer(role) })).status, 200)
    }
    assert.equal((await fetch(`${url}/livez`)).status, 200)
  }))

test('a node that is open to its own computer lets it operate, and not administer', () =>
  guarded(async ({ url, control }) => {
    control.open = 'loopback'
    const caller: unknown = await (await fetch(`${url}/v1/caller`)).json()
    assert.deepEqual(caller, { name: 'loopback', role: 'operator' })
    const tokens = await refusal(await fetch(`${url}/v1/admin/tokens`), 403)
    assert.equal(tokens.code, 'admin_socket_only')
    const admin = await fetch(`${url}/v1/admin/tokens`, { headers: bearer('admin') })
    assert.equal((await refusal(admin, 403)).code, 'admin_socket_only')
  }))

test('a wrong token is told so ten times, then to wait; a right one is taken all the same', () =>
  guarded(async ({ url, refused }) => {
    const status = (name: string) => fetch(`${url}/v1/status`, { headers: bearer(name) })
    assert.equal((await refusal(await status('expired'), 401)).code, 'token_expired')
    for (let attempt = 1; attempt < 10; attempt += 1) {
      const answer = await status('guess')
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
      assert.equal((await refusal(answer, 401)).code, 'token_unknown')
    }
    const limited = await status('guess')
    assert.ok(Number(limited.headers.get('retry-after')) >= 1)
    assert.equal((await refusal(limited, 429)).code, 'too_many_requests')
    assert.equal((await status('viewer')).status, 200)
    assert.equal(refused.length, 11)
  }))

test('acceptance 12: each caller has a rate of its own, told in headers and as 429 on every route', () =>
  guarded(async ({ url, control, limited }) => {
    control.rate = 1
    const status = (name: string) => fetch(`${url}/v1/status`, { headers: bearer(name) })
    const first = await status('viewer')
    const header = (name: string) => first.headers.get(`ratelimit-${name}`)
    assert.deepEqual([header('limit'), header('remaining'), header('reset')], ['2', '1', '1'])
    while ((await status('viewer')).status === 200);
    for (const [id, route] of served) {
      if (route.tag === 'health') continue
      control.rate = 0.001
      await asked(url, route, bearer('viewer'))
      const over = await asked(url, route, bearer('viewer'))
      assert.ok(Number(over.headers.get('retry-after')) >= 1, id)
      assert.equal((await refusal(over, 429)).code, 'too_many_requests', id)
    }
    control.rate = 1
    assert.equal((await status('auditor')).status, 200)
    assert.equal((await fetch(`${url}/livez`)).status, 200)
    assert.ok(limited.length > served.length && limited.every((role) => role === 'viewer'))
  }))

test('buckets fill by their rate, and as many are kept as there is memory for', () => {
  let now = 0
  const limits = new RateLimits(2, () => now)
  const takes = (count: number) =>
    Array.from({ length: count }, () => limits.take('a', 5).isAllowed).filter(Boolean).length
  assert.equal(takes(20), 10)
  now += 1_000
  assert.equal(takes(20), 5)
  const refused = limits.take('a', 5)
  assert.deepEqual([refused.remaining, refused.retryAfterMs, refused.resetSeconds], [0, 200, 2])
  now += 60_000
  assert.equal(takes(20), 10)
  for (let at = 0; at < 30_000; at += 1) limits.take(`address ${at}`, 5)
  assert.equal(limits.size, 10_000)
})

test('an address stands for its computer, and for its network in IPv6', () => {
  assert.equal(addressKey('::ffff:10.0.0.7'), '10.0.0.7')
  assert.equal(addressKey('10.0.0.7'), '10.0.0.7')
  assert.equal(addressKey('2001:db8:1:2:3:4:5:6'), addressKey('2001:db8:1:2::9'))
  assert.notEqual(addressKey('2001:db8:1:2::9'), addressKey('2001:db8:1:3::9'))
  assert.equal(addressKey('::1'), '0:0:0:0::/64')
})

test('no page of another site is given an answer to read, or a frame to show', () =>
  guarded(async ({ url, control }) => {
    control.open = 'loopback'
    const origin = { origin: 'https://elsewhere.example' }
    const status = await fetch(`${url}/v1/status`, { headers: origin })
    const preflight = await fetch(`${url}/v1/records`, {
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'POST' },
    })
    assert.deepEqual([status.status, preflight.status], [200, 405])
    for (const { headers } of [status, preflight, await fetch(`${url}/nothing`)]) {
      assert.deepEqual(
        [...headers.keys()].filter((name) => name.startsWith('access-control-')),
        [],
      )
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
      assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
      assert.equal(headers.get('strict-transport-security'), null)
    }
  }))

test('acts of administration are noted with who, what and the answer, before that leaves', () =>
  guarded(async ({ url, node }) => {
    const post = (path: string, body: string, headers: Record<string, string>) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      })
    assert.equal((await post('/v1/snapshots', '{}', bearer('operator'))).status, 200)
    await refusal(await post('/v1/snapshots', '{}', bearer('viewer')), 403)
    await refusal(await post('/v1/snapshots', 'nonsense', bearer('operator')), 400)
    await post('/v1/records/aa/release', '{"a":1,"name":"x"}', bearer('operator'))
    assert.equal((await fetch(`${url}/v1/snapshots`, { headers: bearer('operator') })).status, 200)
    const [snapshot, ...others] = node.audit.noted
    assert.deepEqual(snapshot, {
      caller: 'token operator',
      act: 'createSnapshot',
      parameters: '{"body":{},"params":{},"query":{}}',
      status: 200,
    })
    assert.deepEqual(others, [])
    const page: unknown = await (
      await fetch(`${url}/v1/acts`, { headers: bearer('auditor') })
    ).json()
    assert.match(JSON.stringify(page), /"caller":"token operator","act":"createSnapshot"/)
  }))

test.run()
