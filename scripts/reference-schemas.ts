// The JSON Schemas of what commands print with --json, each in a file that stands alone.

import { readFileSync } from 'node:fs'
import { type Components, DOCUMENT_SCHEMAS, publishedSchema, schemaFileName } from '@mooring/cli'

const CONTRACT = new URL('../packages/api/openapi.json', import.meta.url)

export function schemaPages(): [path: string, text: string][] {
  const { components }: { components: { schemas: Components } } = JSON.parse(
    readFileSync(CONTRACT, 'utf8'),
  )
  return Object.entries(DOCUMENT_SCHEMAS).map(([name, entry]) => {
    const schema = publishedSchema(name, entry, components.schemas)
    return [`schemas/${schemaFileName(name)}`, JSON.stringify(schema, null, 2)]
  })
}
