import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import { DOCUMENT_SCHEMAS } from '../src/schemas/registry.ts'
import { checkDocument, checkDocuments } from './json-documents.ts'

const SOURCE = new URL('../src/', import.meta.url).pathname

function namesInCommands(): Set<string> {
  const files = globSync('**/*.ts', { cwd: SOURCE, exclude: ['schemas/**'] })
  const names = files.flatMap((file) =>
    [...readFileSync(`${SOURCE}${file}`, 'utf8').matchAll(/'(mooring\/[a-z-]+\/v\d+)'/g)].map(
      ([, name = '']) => name,
    ),
  )
  return new Set(names)
}

test('acceptance 10: every document that a command names has a schema, and every schema a command', () => {
  const used = namesInCommands()
  assert.ok(used.size > 100)
  for (const name of used) {
    assert.ok(DOCUMENT_SCHEMAS[name], `${name}: add it to packages/cli/src/schemas`)
  }
  for (const name of Object.keys(DOCUMENT_SCHEMAS)) assert.ok(used.has(name), `${name} is unused`)
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
