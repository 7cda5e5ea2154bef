/**
 * What the table of routes is written with.
 */

import { ref } from './answer-forms.ts'
import type { Response, Route } from './route.ts'
import { type JsonSchema, type Properties, Type } from './schema.ts'

export const closed = { additionalProperties: false }

export const json = (description: string, schema: JsonSchema): Response => ({
  description,
  type: 'application/json',
  schema: ref(schema),
})
export const binary = (type: string) => Type.Unsafe<string>({ contentMediaType: type })
export const bytes = (type: string) => ({ form: 'bytes' as const, schema: binary(type) })

/** A body of JSON with these members and no other. */
export const body = <P extends Properties>(properties: P) => ({
  'application/json': { form: 'json' as const, schema: Type.Object(properties, closed) },
})

export const stream = (description: string) => ({
  form: 'stream' as const,
  schema: Type.Unsafe<string>({ contentMediaType: '*/*', description }),
})

export const recordId = Type.String({
  pattern: '^([0-9a-f]{2}){1,64}$',
  description: 'Identifier of a record, in hexadecimal digits.',
})
export const PAGE_MAX = 500
export const PAGE_DEFAULT = 50

const cursor = Type.String({ maxLength: 200, description: '`nextCursor` of the page before.' })
const limit = Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT })
export const page = { limit: Type.Optional(limit), cursor: Type.Optional(cursor) }

export const hexId = Type.String({ pattern: '^[0-9a-f]{64}$' })
export const hexKey = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'In hexadecimal digits.',
})
export const signature = Type.String({
  pattern: '^[0-9a-f]{128}$',
  description: 'Ed25519, in hex.',
})
export const patient = Type.String({
  maxLength: 256,
  description: 'A FHIR reference or the bare number.',
})
export const startOfDay = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Unix milliseconds; the start of a day, UTC.',
})
/** Keeps the exact schema types, so that the endpoints are typed by them. */
export function table<const T extends Record<string, Route>>(routes: T): T {
  return routes
}
