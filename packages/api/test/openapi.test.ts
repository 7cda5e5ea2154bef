import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'uvu'
import { operationIds, routes } from '../src/routes.ts'
import { serving } from './serving.ts'

const COPY = new URL('../openapi.json', import.meta.url)

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
interface Operation {
  operationId: string
  summary: string
  tags: string[]
  parameters?: { in: string; name: string; required?: boolean }[]
  requestBody?: { content: Record<string, unknown> }
  responses: Record<string, { description: string; content: Record<string, { schema: Json }> }>
}
interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Json> }
}

async function generated(): Promise<Document> {
  let text = ''
  await serving(async ({ api }) => {
    text = await (await fetch(`${api.url}/openapi.json`)).text()
  })
  return JSON.parse(text)
}

const operationsOf = ({ paths }: Document) =>
  Object.values(paths).flatMap((methods) => Object.values(methods))

test('the committed document is the one that the server makes', async () => {
  const document = await generated()
  // UPDATE_OPENAPI=1 npx node packages/api/test/openapi.test.ts, then biome check --write
  if (process.env['UPDATE_OPENAPI'] === '1') {
    writeFileSync(COPY, `${JSON.stringify(document, null, 2)}\n`)
  }
  assert.deepEqual(document, JSON.parse(readFileSync(COPY, 'utf8')))
})

test('it is OpenAPI 3.1.0 and has every route, those of other listeners too', async () => {
  const document = await generated()
  assert.equal(document.openapi, '3.1.0')
  const described = operationsOf(document).map(({ operationId }) => operationId)
  assert.deepEqual(described.toSorted(), operationIds.toSorted())
})

test('every operation has a summary, a tag, a good answer and problem details', async () => {
  for (const operation of operationsOf(await generated())) {
    const { operationId, summary, tags, responses } = operation
    assert.ok(summary.length > 5 && tags.length === 1, operationId)
    const statuses = Object.keys(responses)
    assert.ok(
      statuses.some((status) => status.startsWith('2')),
      operationId,
    )
    for (const status of ['400', '421', '500', '503']) assert.ok(statuses.includes(status))
    for (const [status, { description, content }] of Object.entries(responses)) {
      assert.ok(description.length > 0 && description !== 'Default Response', operationId)
      const types = Object.keys(content)
      if (status.startsWith('2')) assert.ok(!types.includes('application/problem+json'))
      else assert.deepEqual(types, ['application/problem+json'], `${operationId} ${status}`)
    }
  }
})

test('every path parameter is declared and every body has its media types', async () => {
  const document = await generated()
  for (const [path, methods] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    for (const [method, { parameters = [], requestBody }] of Object.entries(methods)) {
      const declared = parameters.filter((parameter) => parameter.in === 'path')
      assert.deepEqual(
        declared.map(({ name }) => name),
        names,
      )
      assert.equal(requestBody !== undefined, method === 'post')
    }
  }
  const records = document.paths['/v1/records']?.['post']?.requestBody?.content ?? {}
  assert.deepEqual(Object.keys(records), Object.keys(routes.submitRecords.accepts))
})

test('every reference leads to a schema, and every schema is used', async () => {
  const document = await generated()
  const names = new Set<string>()
  const walk = (value: Json): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === 'string' && key === '$ref')
        names.add(inner.replace('#/components/schemas/', ''))
      else walk(inner)
    }
  }
  walk(JSON.parse(JSON.stringify(document)))
  assert.deepEqual([...names].toSorted(), Object.keys(document.components.schemas).toSorted())
})

test.run()
