// The documents as JSON Schemas that stand alone: what they need of the OpenAPI document is copied in.

import { type DocumentSchema, EXTENDS, type JsonSchema, object } from './forms.ts'

export type Components = Readonly<Record<string, JsonSchema>>

const REFERENCE = '#/components/schemas/'

function componentOf(components: Components, name: string): JsonSchema {
  const found = components[name]
  if (found === undefined) throw new TypeError(`the OpenAPI document has no schema ${name}`)
  return found
}

function partsOf(schema: JsonSchema): { properties: object; required: readonly unknown[] } {
  const { properties, required } = schema
  return {
    properties: typeof properties === 'object' && properties !== null ? properties : {},
    required: Array.isArray(required) ? required : [],
  }
}

// References of any depth, turned to what stands beside them; what they name is added to `needed`.
function localised(value: unknown, needed: Set<string>, components: Components): unknown {
  if (Array.isArray(value)) return value.map((each) => localised(each, needed, components))
  if (typeof value !== 'object' || value === null) return value
  if (EXTENDS in value) {
    const { [EXTENDS]: name, ...own } = value
    return localised(merged(componentOf(components, String(name)), own), needed, components)
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      if (key !== '$ref' || typeof each !== 'string' || !each.startsWith(REFERENCE))
        return [key, localised(each, needed, components)]
      const name = each.slice(REFERENCE.length)
      needed.add(name)
      return [key, `#/$defs/${name}`]
    }),
  )
}

function merged(inherited: JsonSchema, added: JsonSchema): JsonSchema {
  const [base, own] = [partsOf(inherited), partsOf(added)]
  return {
    type: 'object',
    required: [...new Set([...own.required, ...base.required])],
    properties: { ...base.properties, ...own.properties },
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
  const own = object({ schema: { const: name }, ...added })
  const inherited = answer === null ? {} : componentOf(components, answer)
  const { required, properties } = merged(inherited, own)
  const local = localised(properties, needed, components)
  const definitions: Record<string, unknown> = {}
  // Grows while it is walked: what is copied in may need more.
  for (const each of needed) {
    definitions[each] = localised(componentOf(components, each), needed, components)
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: name,
    description,
    type: 'object',
    required,
    properties: local,
    ...(needed.size === 0 ? {} : { $defs: definitions }),
  }
}
