// What must not be seen anywhere of what was submitted: every value and every long word in it, as it is, in
// base64 and in hexadecimal; and the unsalted hash of every value and of every whole resource.

import { type JsonNode, parseJson } from '@mooring/codec'
import { createHash } from 'node:crypto'

export type LeakStrings = {
  // What is searched for, with what it is; no two are the same bytes.
  patterns: Map<string, string>
  values: number
}

// Shorter ones turn up by chance.
const BYTES_MIN = 6
const WORD_MIN = 8
const DIGITS_MIN = 9
const KINDS_MIN = 3
const VALUE_BYTES_MAX = 4_096
const LIMITS = { bytesMax: 64 << 20, depthMax: 64, itemsMax: 5_000_000 }

export function valuesOf(raw: Uint8Array): string[] {
  const values: string[] = []
  const visit = (node: JsonNode): void => {
    if (node.kind === 'object') for (const { value } of node.members) visit(value)
    else if (node.kind === 'array') for (const item of node.items) visit(item)
    else if (node.kind === 'string') values.push(node.value)
    else if (node.kind === 'number') values.push(node.lexeme)
  }
  visit(parseJson(raw, LIMITS))
  return values
}

// Patterns are Latin-1 texts: a character is a byte.
export function leakStrings(
  values: ReadonlySet<string>,
  resources: readonly Uint8Array[],
): LeakStrings {
  const patterns = new Map<string, string>()
  const add = (bytes: Buffer, what: string): void => {
    const text = bytes.toString('latin1')
    if (bytes.length >= BYTES_MIN && !isMadeByChance(text)) patterns.set(text, what)
  }
  for (const value of values) {
    addForms(Buffer.from(value).subarray(0, VALUE_BYTES_MAX), value, add)
    for (const word of value.split(/[^\p{L}\p{N}]+/u)) {
      if (word.length >= WORD_MIN) add(Buffer.from(word), `the word ${word}`)
    }
    addHash(Buffer.from(value), value, add)
    addHash(Buffer.from(JSON.stringify(value)), `${value} in quotes`, add)
  }
  for (const [at, raw] of resources.entries()) addHash(Buffer.from(raw), `resource ${at}`, add)
  return { patterns, values: values.size }
}

// Nodes print times, counters and fractions: a few digits, or a row of zeros, are among them.
function isMadeByChance(text: string): boolean {
  return new Set(text).size < KINDS_MIN || (text.length < DIGITS_MIN && /^[\d.-]+$/.test(text))
}

type Add = (bytes: Buffer, what: string) => void

function addForms(bytes: Buffer, what: string, add: Add): void {
  add(bytes, what)
  if (bytes.length < BYTES_MIN) return
  add(Buffer.from(bytes.toString('hex')), `${what} in hex`)
  // Its base64 depends on where in a group of three it begins; the characters that its neighbours change
  // are left out.
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url')
    const first = Math.ceil((before * 8) / 6)
    const last = Math.floor(((before + bytes.length) * 8) / 6)
    const stable = text.slice(first, last)
    add(Buffer.from(stable), `${what} in base64`)
    add(Buffer.from(stable.replaceAll('-', '+').replaceAll('_', '/')), `${what} in base64`)
  }
}

function addHash(bytes: Buffer, what: string, add: Add): void {
  const hash = createHash('sha256').update(bytes).digest()
  add(hash, `the SHA-256 of ${what}`)
  add(Buffer.from(hash.toString('hex')), `the SHA-256 of ${what} in hex`)
  add(Buffer.from(hash.toString('base64url')), `the SHA-256 of ${what} in base64`)
}
