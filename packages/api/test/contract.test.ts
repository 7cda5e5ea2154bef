// The contract as a whole: the document is one that other tools take, and every route refuses what is wrong
// in the one form that the document promises.

import assert from 'node:assert/strict'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { test } from 'uvu'
import { isServedBy, type Route } from '../src/route.ts'
import { operationIds, routes } from '../src/routes.ts'
import { refusal, serving } from './serving.ts'

/** Not for this document: it is of a node, which has no address of its own until it runs somewhere. */
const UNFIT = { 'no-empty-servers': 'off', 'info-license-strict': 'off' } as const

const served: [id: string, route: Route][] = operationIds
  .map((id): [string, Route] => [id, routes[id]])
  .filter(([, route]) => isServedBy(route, 'api'))

const pathOf = ({ path }: Route) => path.replaceAll(/:[a-z]+/g, 'aa')

const typeOf = ({ accepts = {} }: Route) =>
  Object.keys(accepts).find((type) => type !== '*/*') ?? 'application/json'

test('acceptance 12: the OpenAPI document has no problem for a linter with recommended rules', () =>
  serving(async ({ api }) => {
    const source = await (await fetch(`${api.url}/openapi.json`)).text()
    const config = await createConfig({ extends: ['recommended'], rules: UNFIT })
    const problems = await lintFromString({ source, config })
    assert.deepEqual(
      problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
      [],
    )
  }))

test('acceptance 12: every route gives problem details on 400, 404, 405, 413 and 415', () =>
  serving(async ({ api }) => {
    let checked = 0
    for (const [id, route] of served) {
      const url = `${api.url}${pathOf(route)}`
      const { method, bodyBytesMax, query, role } = route
      await refusal(await fetch(`${url}/nothing/here`, { method }), 404)
      const other = await fetch(url, { method: 'DELETE' })
      assert.ok((await refusal(other, 405)).detail.startsWith('Allowed here'), id)
      checked += 2
      if (query !== undefined && method === 'GET' && role !== 'patient') {
        const answer = await fetch(`${url}?no-such-parameter=1`)
        assert.equal((await refusal(answer, 400)).code, 'invalid_request', id)
        checked += 1
      }
      if (method !== 'POST' || bodyBytesMax === undefined) continue
      const isAnything = Object.hasOwn(route.accepts ?? {}, '*/*')
      if (!isAnything) {
        const headers = { 'content-type': 'image/png' }
        const answer = await fetch(url, { method, headers, body: 'x' })
        assert.equal((await refusal(answer, 415)).code, 'unsupported_media_type', id)
        checked += 1
      }
      const large = new Uint8Array(bodyBytesMax + 1)
      const headers = { 'content-type': typeOf(route) }
      const answer = await fetch(url, { method, headers, body: large })
      assert.equal((await refusal(answer, 413)).code, 'body_too_large', id)
      checked += 1
    }
    assert.ok(checked > 4 * 40, `${checked} refusals`)
  }))

test.run()
