/** Requests of patients over the wire: what reaches the handlers, and what never does. */

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { createClient } from '../src/client.ts'
import type { Route } from '../src/route.ts'
import { operationIds, routes } from '../src/routes.ts'
import { digestOf } from './memory-vault.ts'
import { problemOf, refusal, serving } from './serving.ts'

const KEY = digestOf('patient')
const CODE = 'AAAAAAAAAAAAAAAAAAAAAA'
const open = {
  publicKey: digestOf('one-time'),
  expiresAt: 1_800_057_600_000,
  kind: 'share' as const,
  signature: 'ab'.repeat(64),
}

test('a call of a patient is judged as it was sent: method, path with its query, and body', () =>
  serving(async ({ node, api }) => {
    const signed: { method: string; path: string; body: string }[] = []
    const client = createClient(api.url, {
      authorize: ({ method, path, body }) => {
        signed.push({ method, path, body: Buffer.from(body).toString() })
        return `Mooring-Patient ${KEY}`
      },
    })
    await client.enrolPatient({ code: CODE, sealKey: digestOf('seal') })
    await client.ownGrants({ limit: 3 })
    const seen = node.patients.calls.map(({ method, path, body }) => {
      return { method, path, body: Buffer.from(body).toString() }
    })
    assert.deepEqual(seen, signed)
    assert.equal(seen[1]?.path, '/v1/patient/grants?limit=3')
    const [first] = node.patients.enrolled
    assert.equal(Buffer.from(first?.caller.patientKey ?? []).toString('hex'), KEY)
    assert.deepEqual(first?.enrolment.code, new Uint8Array(16))
    assert.equal(first?.enrolment.recoveryCommit, null)
  }))

test('behind a proxy with a path of its own, what the node sees is signed', () =>
  serving(async ({ node, api }) => {
    const signed: string[] = []
    const client = createClient('https://proxy.example/for/patients/', {
      authorize: ({ path }) => {
        signed.push(path)
        return `Mooring-Patient ${KEY}`
      },
      fetch: (url, init) => {
        const asked = new Request(url).url
        assert.ok(asked.startsWith('https://proxy.example/for/patients/v1/'), asked)
        return fetch(asked.replace('https://proxy.example/for/patients', api.url), init)
      },
    })
    await client.ownGrants({ limit: 3 })
    assert.deepEqual(signed, ['/v1/patient/grants?limit=3'])
    assert.equal(node.patients.calls[0]?.path, signed[0])
  }))

test('without a signature, or with a bad one, no handler of patients is asked', () =>
  serving(async ({ node, api, client }) => {
    const unsigned = await fetch(`${api.url}/v1/patient/grants`)
    assert.equal((await refusal(unsigned, 401)).code, 'patient_unsigned')
    assert.equal(unsigned.headers.get('www-authenticate'), 'Mooring-Patient')
    const bad = createClient(api.url, { authorize: () => 'Mooring-Patient zz' })
    for (const ask of [
      () => bad.ownGrants(),
      () => bad.enrolPatient({ code: CODE, sealKey: KEY }),
      () => bad.depositGrant('{}', open),
    ])
      assert.equal((await problemOf(ask())).code, 'patient_request_malformed')
    // Who is nobody is not told what would be right.
    assert.equal((await problemOf(client.depositGrant('{}', open))).code, 'patient_unsigned')
    assert.deepEqual([node.patients.enrolled, node.patients.deposits], [[], []])
    assert.equal((await fetch(`${api.url}/v1/patient/grants`, { method: 'HEAD' })).status, 405)
  }))

test('grants are deposited, listed page by page, and taken back', () =>
  serving(async ({ node, api, client }) => {
    const patient = createClient(api.url, { authorize: () => `Mooring-Patient ${KEY}` })
    for (const name of ['a', 'b', 'c'])
      await patient.depositGrant('{"version":2}', { ...open, publicKey: digestOf(name) })
    assert.equal(node.patients.deposits[0]?.grant, '{"version":2}')
    const first = await patient.ownGrants({ limit: 2 })
    const cursor = first.nextCursor ?? assert.fail('no second page')
    const second = await patient.ownGrants({ limit: 2, cursor })
    assert.deepEqual([first.items.length, second.items.length, second.nextCursor], [2, 1, null])
    assert.equal((await client.grants('Patient/1')).items.length, 3)
    const handle = first.items[0]?.handle ?? ''
    assert.equal((await client.revokeGrant(handle)).handle, handle)
    assert.equal((await problemOf(client.revokeGrant(digestOf('no')))).code, 'unknown_grant')
    const { publicKey, signature } = open
    assert.equal((await client.revokeHandle({ publicKey, signature })).height, 3)
  }))

test('a ticket is made at the desk, and what is malformed is refused', () =>
  serving(async ({ client }) => {
    const endpoint = 'https://st-mary.example:7421'
    const { ticket } = await client.createEnrolment({ patient: 'Patient/1', endpoint })
    assert.equal(ticket, `mooring-ticket:${endpoint}`)
    const refused = await problemOf(client.createEnrolment({ patient: 'nobody', endpoint }))
    assert.equal(refused.code, 'unknown_patient')
    const isNew = await client.createEnrolment({ patient: 'nobody', endpoint, isNew: true })
    assert.equal(isNew.ticket, ticket)
    for (const wrong of ['ftp://x', 'https://a b', `https://${'x'.repeat(256)}`]) {
      const answer = client.createEnrolment({ patient: 'Patient/1', endpoint: wrong })
      assert.equal((await problemOf(answer)).code, 'invalid_request', wrong)
    }
  }))

test('wallets have a listener of their own, which takes nothing that nobody has signed', () =>
  serving(async ({ node, api, client }) => {
    const url = api.patientsUrl ?? assert.fail()
    const wallet = createClient(url, { authorize: () => `Mooring-Patient ${KEY}` })
    assert.deepEqual((await wallet.ownGrants()).items, [])
    assert.equal(await wallet.genesis(), await client.genesis())
    assert.equal((await wallet.members()).items.length, 1)
    const { publicKey, signature } = open
    assert.equal((await wallet.revokeHandle({ publicKey, signature })).height, 3)
    const closed = operationIds.filter((id) => {
      const { role, listeners }: Route = routes[id]
      return listeners?.includes('patients') !== true && role !== 'patient' && role !== 'none'
    })
    assert.ok(closed.includes('createEnrolment') && closed.includes('submitRecords'))
    for (const id of closed) {
      const { method, path }: Route = routes[id]
      const at = path.replaceAll(/:[a-z]+/g, '0'.repeat(64))
      const sent =
        method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}
      const { status } = await fetch(`${url}${at}`, { method, ...sent })
      assert.ok(status === 404 || status === 405, `${id} answers ${status}`)
    }
    assert.equal(node.arrivals, 0)
  }))

test.run()
