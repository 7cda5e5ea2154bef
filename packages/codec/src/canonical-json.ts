// JSON canonicalization (RFC 8785): one text per value, for what people and standards hash.
//
// ECMAScript already writes numbers and strings as the RFC wants; what is left is the order of
// keys, by UTF-16 code units, and refusing what has no JSON: lone surrogates, NaN, undefined.

import { CodecError } from './errors.ts'

const DEPTH_MAX = 128

export function canonicalJson(value: unknown): string {
  return format(value, DEPTH_MAX)
}

export function jcsString(text: string): string {
  if (!text.isWellFormed()) throw new CodecError('not_canonical', 'the text has a lone surrogate')
  return JSON.stringify(text)
}

function format(value: unknown, depthLeft: number): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return jcsString(value)
  if (typeof value === 'number') return formatNumber(value)
  if (typeof value !== 'object') throw new CodecError('wrong_type', `${typeof value} is not JSON`)
  if (depthLeft === 0) throw new CodecError('too_deep', `more than ${DEPTH_MAX} levels`)
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item) => format(item, depthLeft - 1)).join(',')}]`
  }
  return formatObject(value, depthLeft)
}

function formatNumber(value: number): string {
  if (!Number.isFinite(value)) throw new CodecError('out_of_range', `${value} is not JSON`)
  return JSON.stringify(value)
}

function formatObject(value: object, depthLeft: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new CodecError('wrong_type', 'an instance of a class is not JSON')
  }
  const members = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${jcsString(key)}:${format(item, depthLeft - 1)}`)
  return `{${members.join(',')}}`
}
