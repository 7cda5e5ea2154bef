/**
 * What the table of routes is written with.
 */

import { ref } from './answer-forms.ts'
import type { Response, Route } from './route.ts'
import { type JsonSchema, Type } from './schema.ts'

export const closed = { additionalProperties: false }

export const json = (description: string, schema: JsonSchema): Response => ({
  description,
  type: 'application/json',
  schema: ref(schema),
})
export const binary = (type: string) => Type.Unsafe<string>({ contentMediaType: type })
export const bytes = (type: string) => ({ form: 'bytes' as const, schema: binary(type) })

export const hexId = Type.String({ pattern: '^[0-9a-f]{64}$' })
/** Keeps the exact schema types, so that the endpoints are typed by them. */
export function table<const T extends Record<string, Route>>(routes: T): T {
  return routes
}
