/**
 * JSON Schemas that carry their TypeScript type: what is written once is checked by fastify,
 * published in `/openapi.json`, and read back as a type by `Static`.
 *
 * These few forms are all that the table of routes needs. A library of schema types does the same
 * and much more; loading one was 680 of the 1 570 modules of a node, a seventh of its live heap.
 */

declare const held: unique symbol

/** Any JSON Schema. Where it stands instead of `Schema`, the compiler infers the type from what is written. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** One of values of type T; the type is there for the compiler only. */
export interface Schema<T = unknown> extends JsonSchema {
  readonly [held]?: T
}

/** A property that may be missing. */
export interface Optional<S extends JsonSchema = JsonSchema> {
  readonly optional: S
}

export type Properties = Readonly<Record<string, JsonSchema | Optional>>

export interface ObjectSchema<P extends Properties = Properties> extends Schema<ObjectOf<P>> {
  readonly properties: Readonly<Record<string, JsonSchema>>
}

export type Static<S> = S extends Schema<infer T> ? T : never

type ObjectOf<P extends Properties> = Flat<
  { [K in keyof P as P[K] extends Optional ? never : K]: Static<P[K]> } & {
    [K in keyof P as P[K] extends Optional ? K : never]?: P[K] extends Optional<infer S>
      ? Static<S>
      : never
  }
>

type Flat<T> = T extends unknown ? { [K in keyof T]: T[K] } : never

const isOptional = (property: JsonSchema | Optional): property is Optional => 'optional' in property

function objectOf<P extends Properties>(properties: P, keywords: JsonSchema = {}): ObjectSchema<P> {
  const entries = Object.entries(properties)
  const required = entries.filter(([, property]) => !isOptional(property)).map(([name]) => name)
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(
      entries.map(([name, property]) => [
        name,
        isOptional(property) ? property.optional : property,
      ]),
    ),
    ...keywords,
  }
}

export const Type = {
  String: (keywords: JsonSchema = {}): Schema<string> => ({ type: 'string', ...keywords }),
  Integer: (keywords: JsonSchema = {}): Schema<number> => ({ type: 'integer', ...keywords }),
  Boolean: (keywords: JsonSchema = {}): Schema<boolean> => ({ type: 'boolean', ...keywords }),
  Array: <S extends JsonSchema>(items: S, keywords: JsonSchema = {}): Schema<Static<S>[]> => ({
    type: 'array',
    items,
    ...keywords,
  }),
  Union: <S extends JsonSchema>(anyOf: readonly S[]): Schema<Static<S>> => ({ anyOf }),
  Object: objectOf,
  Optional: <S extends JsonSchema>(optional: S): Optional<S> => ({ optional }),
  /** Any other schema, whose type the caller states. */
  Unsafe: <T>(keywords: JsonSchema): Schema<T> => keywords,
}
