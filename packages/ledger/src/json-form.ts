// The JSON that people read, of values that are CBOR on the chain: digests in lower-case hex, keys
// in base58btc, other bytes in base64url, times in RFC 3339 UTC. The member names are the field
// names of the schema, so that a path means the same in both.
//
// A form reads and writes one shape. Reading notes every problem with its path and goes on, so
// that all of them are told at once; undefined stands for a value that could not be read.

import {
  CodecError,
  decode,
  encode,
  fromHex,
  JsonError,
  type JsonNode,
  parseJson,
  type Schema,
  toHex,
} from '@mooring/codec'
import {
  CryptoError,
  decodeBase58,
  decodeBase64url,
  encodeBase58,
  encodeBase64url,
} from '@mooring/crypto'
import { type DocumentProblem, LedgerError, type LedgerErrorCode } from './errors.ts'

export type JsonValue = string | number | null | JsonValue[] | { [member: string]: JsonValue }

class Reading {
  readonly problems: DocumentProblem[] = []

  refuse(code: LedgerErrorCode, path: string, detail: string): undefined {
    this.problems.push({ code, path, detail })
    return undefined
  }
}

export interface JsonForm<T> {
  format(value: T): JsonValue
  parse(node: JsonNode, path: string, reading: Reading): T | undefined
}

type Forms = Record<string, JsonForm<unknown>>
type ObjectOf<F extends Forms> = {
  [K in keyof F]: F[K] extends JsonForm<infer T> ? T : never
}

const INTEGER = /^(?:0|[1-9][0-9]{0,15})$/
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,3})?Z$/

export const textForm: JsonForm<string> = stringForm(
  (value) => value,
  (text) => text,
  'text',
)

export const hexForm: JsonForm<Uint8Array> = stringForm(toHex, fromHex, 'lower-case hex')

export const base58Form: JsonForm<Uint8Array> = stringForm(encodeBase58, decodeBase58, 'base58btc')

export const base64urlForm: JsonForm<Uint8Array> = stringForm(
  encodeBase64url,
  decodeBase64url,
  'base64url without padding',
)

export const timeForm: JsonForm<number> = stringForm(
  (time) => new Date(time).toISOString(),
  parseTime,
  'a time like 2026-11-20T09:31:07.000Z',
)

export const integerForm: JsonForm<number> = {
  format: (value) => value,
  parse(node, path, reading) {
    if (node.kind !== 'number') return wrongType(reading, node, path, 'a number')
    const value = Number(node.lexeme)
    return INTEGER.test(node.lexeme) && Number.isSafeInteger(value)
      ? value
      : reading.refuse('bad_value', path, `${node.lexeme} is no integer of 0 or more`)
  },
}

export function wordForm<const W extends string>(...words: readonly W[]): JsonForm<W> {
  return {
    format: (value) => value,
    parse(node, path, reading) {
      if (node.kind !== 'string') return wrongType(reading, node, path, words.join(' or '))
      const word = words.find((each) => each === node.value)
      return (
        word ?? reading.refuse('bad_value', path, `${quote(node)} is not ${words.join(' or ')}`)
      )
    },
  }
}

export function nullableForm<T>(form: JsonForm<T>): JsonForm<T | null> {
  return {
    format: (value) => (value === null ? null : form.format(value)),
    parse: (node, path, reading) => (node.kind === 'null' ? null : form.parse(node, path, reading)),
  }
}

export function listForm<T>(form: JsonForm<T>): JsonForm<T[]> {
  return {
    format: (values) => values.map((value) => form.format(value)),
    parse(node, path, reading) {
      if (node.kind !== 'array') return wrongType(reading, node, path, 'a list')
      const items: T[] = []
      for (const [index, item] of node.items.entries()) {
        const value = form.parse(item, `${path}[${index}]`, reading)
        if (value !== undefined) items.push(value)
      }
      return items.length === node.items.length ? items : undefined
    },
  }
}

export function objectForm<F extends Forms>(forms: F): JsonForm<ObjectOf<F>> {
  const entries = Object.entries(forms)
  const isWhole = (value: Record<string, unknown>): value is ObjectOf<F> =>
    entries.every(([name]) => value[name] !== undefined)
  return {
    format(value) {
      const fields: Record<string, unknown> = value
      return Object.fromEntries(entries.map(([name, form]) => [name, form.format(fields[name])]))
    },
    parse(node, path, reading) {
      if (node.kind !== 'object') return wrongType(reading, node, path, 'an object')
      const members = new Map(node.members.map(({ key, value }) => [key, value]))
      const value: Record<string, unknown> = {}
      for (const [name, form] of entries) {
        const member = members.get(name)
        members.delete(name)
        const place = path === '' ? name : `${path}.${name}`
        if (member === undefined) reading.refuse('missing', place, 'this member is not there')
        else value[name] = form.parse(member, place, reading)
      }
      for (const name of members.keys()) {
        const place = path === '' ? name : `${path}.${name}`
        reading.refuse('unknown_member', place, `not one of ${Object.keys(forms).join(', ')}`)
      }
      return isWhole(value) ? value : undefined
    },
  }
}

type VariantsOf<F extends Forms> = {
  [K in keyof F & string]: { kind: K; body: F[K] extends JsonForm<infer T> ? T : never }
}[keyof F & string]

/** One of several shapes, told apart by the member `kind`; further members stand beside both. */
export function variantForm<F extends Forms, M extends Forms>(
  shapes: F,
  beside: M,
): JsonForm<VariantsOf<F> & ObjectOf<M>> {
  const bodies = new Map<string, JsonForm<unknown>>(Object.entries(shapes))
  const kinds = [...bodies.keys()]
  const whole = (kind: string) =>
    objectForm({
      kind: wordForm(...kinds),
      ...beside,
      body: bodies.get(kind) ?? neverForm(kinds),
    })
  return {
    format: (value) => whole(value.kind).format(value),
    parse(node, path, reading) {
      const tag =
        node.kind === 'object' ? node.members.find(({ key }) => key === 'kind') : undefined
      const kind = tag?.value.kind === 'string' ? tag.value.value : ''
      const value = whole(kind).parse(node, path, reading)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the body is of its kind
      return value as (VariantsOf<F> & ObjectOf<M>) | undefined
    },
  }
}

/** The body of a kind that nobody knows, which its kind is refused for. */
function neverForm(kinds: string[]): JsonForm<never> {
  return {
    format: () => {
      throw new TypeError(`not one of ${kinds.join(', ')}`)
    },
    parse: () => undefined,
  }
}

/** A whole document with its version first. */
export type Document<T> = { version: number; form: JsonForm<T>; schema: Schema<T> }

export function formatDocument<T>({ version, form }: Document<T>, value: T): string {
  const body = form.format(value)
  const members =
    typeof body === 'object' && body !== null && !Array.isArray(body) ? body : { body }
  return `${JSON.stringify({ version, ...members }, null, 2)}\n`
}

/** @throws LedgerError with every problem of the text. */
export function parseDocument<T>({ version, form, schema }: Document<T>, text: string): T {
  const node = parseText(text)
  const reading = new Reading()
  const value = form.parse(withoutVersion(node, version, reading), '', reading)
  const [first, ...others] = reading.problems
  if (first !== undefined) throw new LedgerError(first, others)
  if (value === undefined) throw new Error('a form found nothing to read and no problem')
  try {
    return decode(schema, encode(schema, value))
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause
    const problem = { code: 'bad_value', path: cause.path, detail: cause.detail } as const
    throw new LedgerError(problem, [], { cause })
  }
}

function parseText(text: string): JsonNode {
  try {
    return parseJson(new TextEncoder().encode(text))
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause
    throw new LedgerError({ code: 'not_json', path: '', detail: cause.message }, [], { cause })
  }
}

function withoutVersion(node: JsonNode, version: number, reading: Reading): JsonNode {
  if (node.kind !== 'object') return node
  const found = node.members.find(({ key }) => key === 'version')
  if (found === undefined) reading.refuse('missing', 'version', `expected ${version}`)
  else if (found.value.kind !== 'number' || found.value.lexeme !== String(version)) {
    reading.refuse('bad_value', 'version', `this software reads version ${version} only`)
  }
  return { ...node, members: node.members.filter((member) => member !== found) }
}

function stringForm<T>(
  format: (value: T) => string,
  parse: (text: string) => T,
  what: string,
): JsonForm<T> {
  return {
    format,
    parse(node, path, reading) {
      if (node.kind !== 'string') return wrongType(reading, node, path, what)
      try {
        return parse(node.value)
      } catch (error) {
        if (!(error instanceof CodecError || error instanceof CryptoError)) throw error
        return reading.refuse('bad_value', path, `${quote(node)} is not ${what}`)
      }
    },
  }
}

function parseTime(text: string): number {
  const time = TIME.test(text) ? Date.parse(text) : Number.NaN
  // Date.parse moves 30 February to March: only a date that comes back is one.
  const isDate = Number.isFinite(time) && new Date(time).toISOString().startsWith(text.slice(0, 19))
  if (!isDate) throw new CodecError('out_of_range', `${text} is no time`)
  return time
}

function wrongType(reading: Reading, node: JsonNode, path: string, expected: string): undefined {
  return reading.refuse('wrong_type', path, `expected ${expected}, found ${node.kind}`)
}

function quote(node: JsonNode & { kind: 'string' }): string {
  const { value } = node
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
}
