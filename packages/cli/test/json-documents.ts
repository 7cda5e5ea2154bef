// What a command printed with --json, held against the schema it names. Every test that runs a command
// does this, so that no document leaves its schema unnoticed.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { default as formats } from 'ajv-formats'
import { type Components, publishedSchema } from '../src/schemas/published.ts'
import { DOCUMENT_SCHEMAS } from '../src/schemas/registry.ts'

const CONTRACT = new URL('../../api/openapi.json', import.meta.url)

// These print what is a document of its own kind: a proof, a genesis file, log lines, a JSON Schema.
const OTHERS = [
  /^proof get\b/,
  /^record disclose\b/,
  /^genesis show\b.*--raw/,
  /^start\b/,
  /^config schema\b/,
  /^completion\b/,
  /^man\b/,
]

export function components(): Components {
  const { components: named }: { components: { schemas: Components } } = JSON.parse(
    readFileSync(CONTRACT, 'utf8'),
  )
  return named.schemas
}

// A field that no schema has is a mistake here, and may be there in the next version for everybody else.
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([key, each]) => [key, closed(each)]))
  const isObject = 'properties' in schema && 'type' in schema && !('additionalProperties' in schema)
  return isObject ? { ...inner, additionalProperties: false } : inner
}

const known = new Map<string, ValidateFunction>()

function validatorOf(name: string): ValidateFunction {
  const found = known.get(name)
  if (found !== undefined) return found
  const entry = DOCUMENT_SCHEMAS[name]
  assert.ok(entry, `${name} has no schema: add it to packages/cli/src/schemas`)
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  const schema = closed(publishedSchema(name, entry, components()))
  assert.ok(typeof schema === 'object' && schema !== null)
  const made = ajv.compile(schema)
  known.set(name, made)
  return made
}

export function checkDocument(document: unknown, command: string): void {
  const isObject = typeof document === 'object' && document !== null && 'schema' in document
  assert.ok(isObject && typeof document.schema === 'string', `"${command}" names no schema`)
  const validate = validatorOf(document.schema)
  const problems = (): string =>
    (validate.errors ?? [])
      .map(({ instancePath, message, params }) =>
        [instancePath, message, JSON.stringify(params)].join(' '),
      )
      .join('\n')
  assert.ok(validate(document), `"${command}" leaves ${document.schema}:\n${problems()}`)
}

// One document, or one a line.
function documentsOf(stdout: string): unknown[] {
  try {
    return [JSON.parse(stdout)]
  } catch {
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
}

export function checkDocuments(argv: readonly string[], stdout: string): void {
  if (!argv.includes('--json') || argv.includes('--help') || stdout.trim() === '') return
  const words = argv.filter((word, at) => word !== '--json' && argv[at - 1] !== '--home')
  const command = words.filter((word) => word !== '--home').join(' ')
  if (OTHERS.some((pattern) => pattern.test(command))) return
  for (const document of documentsOf(stdout)) checkDocument(document, command)
}
