// The documents as JSON Schemas that stand alone: what they need of the OpenAPI document is copied in.

import type { DocumentSchema, JsonSchema } from './forms.ts'
import { object } from './forms.ts'

export type Components = Readonly<Record<string, JsonSchema>>

const REFERENCE = '#/components/schemas/'

function componentOf(components: Components, name: string): JsonSchema {
  const found = components[name]
  if (found === undefined) throw new TypeError(`the OpenAPI document has no schema ${name}`)
  return found
}

// References of any depth, turned to what stands beside them; what they name is added to `needed`.
function localised(value: unknown, needed: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((each) => localised(each, needed))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      if (key !== '$ref' || typeof each !== 'string' || !each.startsWith(REFERENCE))
        return [key, localised(each, needed)]
      const name = each.slice(REFERENCE.length)
      needed.add(name)
      return [key, `#/$defs/${name}`]
    }),
  )
}

function partsOf(schema: JsonSchema): { properties: object; required: readonly unknown[] } {
  const { properties, required } = schema
  return {
    properties: typeof properties === 'object' && properties !== null ? properties : {},
    required: Array.isArray(required) ? required : [],
  }
}

// "mooring/proof-file/v1" has its schema in proof-file.v1.json.
export function schemaFileName(name: string): string {
  return `${name.replace(/^mooring\//, '').replace('/', '.')}.json`
}

export function publishedSchema(
  name: string,
  { description, answer, properties: added }: DocumentSchema,
  components: Components,
): JsonSchema {
  const needed = new Set<string>()
  const own = partsOf(object({ schema: { const: name }, ...added }))
  const inherited = answer === null ? partsOf({}) : partsOf(componentOf(components, answer))
  const properties = localised({ ...inherited.properties, ...own.properties }, needed)
  const definitions: Record<string, unknown> = {}
  // Grows while it is walked: what is copied in may need more.
  for (const each of needed) definitions[each] = localised(componentOf(components, each), needed)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: name,
    description,
    type: 'object',
    required: [...new Set([...own.required, ...inherited.required])],
    properties,
    ...(needed.size === 0 ? {} : { $defs: definitions }),
  }
}
