/**
 * What the shapes of answers are written with: few forms, each with a sentence for the document.
 */

import { type JsonSchema, type Properties, type Static, Type } from './schema.ts'

const SHARED: JsonSchema[] = []

/** Named schemas stand once in the document, under `components`. */
export function named<T extends Properties>(id: string, description: string, properties: T) {
  const schema = Type.Object(properties, { $id: id, description })
  SHARED.push(schema)
  return schema
}

/** Every named schema, for the document and for the serialisers. */
export const sharedSchemas: readonly JsonSchema[] = SHARED

export function ref<T extends JsonSchema>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: `${idOf(schema)}#` })
}

function idOf(schema: JsonSchema): string {
  const id = schema['$id']
  if (typeof id !== 'string') throw new TypeError('schema has no id')
  return id
}

export const text = (description: string) => Type.String({ description })
export const count = (description: string) => Type.Integer({ minimum: 0, description })
export const flag = (description: string) => Type.Boolean({ description })
export const time = (description: string) => Type.String({ format: 'date-time', description })
export const digest = (description: string) =>
  Type.String({ pattern: '^[0-9a-f]{64}$', description })
export const textOrNull = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description })
export const countOrNull = (description: string) =>
  Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 0, description })
export const numberOrNull = (description: string) =>
  Type.Unsafe<number | null>({ type: ['number', 'null'], description })
export const oneOf = <T extends string>(values: readonly T[], description: string) =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], description })
export const nullOr = <T extends JsonSchema>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ anyOf: [ref(schema), { type: 'null' }] })
export const list = <T extends JsonSchema>(schema: T) => Type.Array(ref(schema))

/** Of every list that may be longer than a page. */
export const nextCursor = textOrNull('Pass it as `cursor` for the following page; null at the end.')
