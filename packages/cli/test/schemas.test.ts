import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import { DOCUMENT_SCHEMAS } from '../src/schemas/registry.ts'
import { checkDocument, checkDocuments } from './json-documents.ts'

const SOURCE = new URL('../src/', import.meta.url).pathname

const SOURCES = globSync('**/*.ts', { cwd: SOURCE, exclude: ['schemas/**'] }).map((file) =>
  readFileSync(`${SOURCE}${file}`, 'utf8'),
)

function found(pattern: RegExp): string[] {
  return SOURCES.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name))
}

test('acceptance 10: every document that a command names has a schema, and every schema a command', () => {
  const used = new Set(found(/'(mooring\/[a-z-]+\/v\d+)'/g))
  assert.ok(used.size > 100)
  for (const name of used) {
    assert.ok(DOCUMENT_SCHEMAS[name], `${name}: add it to packages/cli/src/schemas`)
  }
  // `mooring/peer-${verb}/v1`
  const put = found(/`(mooring\/[^`]+\/v\d+)`/g).map(
    (name) => new RegExp(`^${name.replaceAll(/\$\{\w+\}/g, '[a-z-]+')}$`),
  )
  const isUsed = (name: string) => used.has(name) || put.some((pattern) => pattern.test(name))
  assert.deepEqual(
    Object.keys(DOCUMENT_SCHEMAS).filter((name) => !isUsed(name)),
    [],
  )
})

function leaves(document: object): void {
  assert.throws(() => checkDocument(document, 'devnet down'), assert.AssertionError)
}

test('a document that lacks a field, has one too many or names no schema is caught', () => {
  const good = { schema: 'mooring/devnet-down/v1', name: 'default', stopped: [] }
  checkDocument(good, 'devnet down')
  leaves({ ...good, more: 1 })
  leaves({ ...good, stopped: [7] })
  leaves({ schema: good.schema, name: 'default' })
  leaves({ ...good, schema: 'mooring/nothing-such/v1' })
  leaves({ name: 'default', stopped: [] })
  assert.throws(() => checkDocuments(['devnet', 'down', '--json'], 'stopped'), SyntaxError)
})

test.run()
