// What the schemas of `--json` documents are written with. A document that repeats an answer of the API
// names the schema of that answer, which exists once, in the OpenAPI document.

export type JsonSchema = Readonly<Record<string, unknown>>

export type Property = JsonSchema | { readonly optional: JsonSchema }

export type Properties = Readonly<Record<string, Property>>

export type DocumentSchema = {
  description: string
  // Named in the OpenAPI document; the document has all that it has.
  answer: string | null
  properties: Properties
}

// Stands in a form until it is published.
export const EXTENDS = 'x-extends'

export const text: JsonSchema = { type: 'string' }
export const flag: JsonSchema = { type: 'boolean' }
export const number: JsonSchema = { type: 'number' }
export const count: JsonSchema = { type: 'integer', minimum: 0 }
export const time: JsonSchema = { type: 'string', format: 'date-time' }
export const digest: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{64}$' }
export const hex: JsonSchema = { type: 'string', pattern: '^([0-9a-f]{2})+$' }
export const texts: JsonSchema = { type: 'array', items: text }
// Whatever JSON: a FHIR resource, for example.
export const anything: JsonSchema = {}

export const orNull = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] })
export const optional = (schema: JsonSchema): Property => ({ optional: schema })
export const oneOf = (...values: string[]): JsonSchema => ({ type: 'string', enum: values })
export const always = (value: boolean | string): JsonSchema => ({ const: value })
export const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items })
export const mapOf = (values: JsonSchema): JsonSchema => ({
  type: 'object',
  additionalProperties: values,
})

const isOptional = (property: Property): property is { optional: JsonSchema } =>
  'optional' in property

export function object(properties: Properties): JsonSchema {
  const entries = Object.entries(properties)
  return {
    type: 'object',
    required: entries.filter(([, property]) => !isOptional(property)).map(([name]) => name),
    properties: Object.fromEntries(
      entries.map(([name, each]) => [name, isOptional(each) ? each.optional : each]),
    ),
  }
}

// Of the OpenAPI document.
export const answer = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

// The same with more in it.
export const extended = (name: string, more: Properties): JsonSchema => ({
  [EXTENDS]: name,
  ...object(more),
})

export const document = (description: string, properties: Properties): DocumentSchema => ({
  description,
  answer: null,
  properties,
})

export const answered = (
  description: string,
  name: string,
  more: Properties = {},
): DocumentSchema => ({ description, answer: name, properties: more })

export const items = (description: string, item: JsonSchema, more: Properties = {}) =>
  document(description, { items: listOf(item), ...more })
