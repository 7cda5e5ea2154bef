// The JSON Schemas of what commands print with --json and of the configuration file, each in a file that
// stands alone.

import { readFileSync } from 'node:fs'
import { configSchema } from '@mooring/node'
import { type Components, DOCUMENT_SCHEMAS, publishedSchema, schemaFileName } from '@mooring/cli'

const CONTRACT = new URL('../packages/api/openapi.json', import.meta.url)

export function schemaPages(): [path: string, text: string][] {
  const { components }: { components: { schemas: Components } } = JSON.parse(
    readFileSync(CONTRACT, 'utf8'),
  )
  const documents = Object.entries(DOCUMENT_SCHEMAS).map(([name, entry]): [string, string] => {
    const schema = publishedSchema(name, entry, components.schemas)
    return [`schemas/${schemaFileName(name)}`, JSON.stringify(schema, null, 2)]
  })
  return [...documents, ['schemas/mooring.toml.json', JSON.stringify(configSchema(), null, 2)]]
}
