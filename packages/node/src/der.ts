// As much of DER (X.690) as certificates are written in. Each function gives one whole element.

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

const CONTEXT = 0x80
const CONSTRUCTED = 0x20
/** From then on the year takes four digits. */
const GENERALIZED_FROM = Date.UTC(2050, 0)

export const sequence = (...items: readonly Uint8Array[]) => element(TAG.sequence, joined(items))
export const set = (...items: readonly Uint8Array[]) => element(TAG.set, joined(items))
export const octets = (bytes: Uint8Array) => element(TAG.octets, bytes)
export const utf8 = (text: string) => element(TAG.utf8, new TextEncoder().encode(text))
export const boolean = (value: boolean) => element(TAG.boolean, Uint8Array.of(value ? 0xff : 0))

/** Of a whole number that is not negative, its bytes. */
export function integer(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  const shortest = first < 0 ? Uint8Array.of(0) : bytes.subarray(first)
  const isNegative = (shortest[0] ?? 0) >= 0x80
  return element(TAG.integer, isNegative ? joined([Uint8Array.of(0), shortest]) : shortest)
}

export function bitString(bytes: Uint8Array, unusedBits: number): Uint8Array {
  return element(TAG.bitString, joined([Uint8Array.of(unusedBits), bytes]))
}

export function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  return element(TAG.oid, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)))
}

/** To the second. */
export function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(0, 14)
  const isLong = ms >= GENERALIZED_FROM
  const text = new TextEncoder().encode(`${isLong ? digits : digits.slice(2)}Z`)
  return element(isLong ? TAG.time : TAG.utcTime, text)
}

/** With a tag of its context: around an element, or instead of its tag. */
export function tagged(
  number: number,
  bytes: Uint8Array,
  { isConstructed = false }: { isConstructed?: boolean } = {},
): Uint8Array {
  return element(CONTEXT | number | (isConstructed ? CONSTRUCTED : 0), bytes)
}

function element(tag: number, bytes: Uint8Array): Uint8Array {
  return joined([Uint8Array.of(tag), lengthOf(bytes.length), bytes])
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff)
  return Uint8Array.of(0x80 | bytes.length, ...bytes)
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}
