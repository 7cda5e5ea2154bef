// Reed-Solomon: n fragments of which any k give the rest back.
//
// Bytes are elements of GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11d), addition is XOR. The k data
// bytes at one position are the values of a polynomial of degree below k at 0, 1, ..., k - 1, and parity
// byte j is its value at j. Hence one rule, Lagrange's interpolation, does everything: fragment
// `target` is a fixed linear combination of any k others. It is the systematic Vandermonde code that
// Backblaze, klauspost/reedsolomon and reed-solomon-erasure use, so the parity is the same bytes.
//
// It corrects what is missing, not what is wrong: the caller knows each fragment by its digest.
//
// A word of four bytes at a time through one row of 256 products reaches memory-bound speed in plain
// TypeScript, without alignment and without copies; bench/sealing.ts has the figures and what else
// was measured.

const FRAGMENTS_MAX = 256
const EXP = new Uint8Array(510)
const LOG = new Uint8Array(256)
for (let power = 0, value = 1; power < 255; power += 1) {
  EXP[power] = value
  EXP[power + 255] = value
  LOG[value] = power
  value = value < 128 ? value << 1 : (value << 1) ^ 0x11d
}

const products = Array.from({ length: 256 }, (_, a) => productsOf(a))

function productsOf(a: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, b) => gfMultiply(a, b))
}

export function gfMultiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0
  return EXP[(LOG[a] ?? 0) + (LOG[b] ?? 0)] ?? 0
}

function gfDivide(a: number, b: number): number {
  if (a === 0) return 0
  return EXP[(LOG[a] ?? 0) + 255 - (LOG[b] ?? 0)] ?? 0
}

/** Adds `coefficient` times the source to the sum, in place; both have one length. */
export function scaleInto(sum: Uint8Array, source: Uint8Array, coefficient: number): void {
  if (sum.length !== source.length) {
    throw new RangeError(`fragments of ${sum.length} and of ${source.length} bytes`)
  }
  const row = products[coefficient]
  if (row === undefined) throw new RangeError(`${coefficient} is no element of GF(256)`)
  if (coefficient === 0) return
  const to = new DataView(sum.buffer, sum.byteOffset, sum.length)
  const from = new DataView(source.buffer, source.byteOffset, source.length)
  const wordEnd = sum.length & ~3
  if (coefficient === 1) addWords(to, from, wordEnd)
  else scaleWords(to, from, wordEnd, row)
  for (let at = wordEnd; at < sum.length; at += 1) {
    to.setUint8(at, to.getUint8(at) ^ (row[from.getUint8(at)] ?? 0))
  }
}

function addWords(to: DataView, from: DataView, end: number): void {
  for (let at = 0; at < end; at += 4) to.setInt32(at, to.getInt32(at) ^ from.getInt32(at))
}

function scaleWords(to: DataView, from: DataView, end: number, row: Uint8Array): void {
  for (let at = 0; at < end; at += 4) {
    to.setInt32(at, to.getInt32(at) ^ scaled(row, from.getInt32(at)))
  }
}

function scaled(row: Uint8Array, word: number): number {
  return (
    (row[word & 255] ?? 0) |
    ((row[(word >>> 8) & 255] ?? 0) << 8) |
    ((row[(word >>> 16) & 255] ?? 0) << 16) |
    ((row[word >>> 24] ?? 0) << 24)
  )
}

/**
 * The coefficients, in the order of `present` (k different positions), with which those fragments add
 * up to the fragment at `target`.
 */
export function combinationFor(
  k: number,
  n: number,
  present: readonly number[],
  target: number,
): number[] {
  checkShape(k, n)
  const isPosition = (at: number): boolean => Number.isInteger(at) && at >= 0 && at < n
  if (present.length !== k || new Set(present).size !== k || !present.every(isPosition)) {
    throw new RangeError(`positions ${present.join(' ')} where ${k} of ${n} are needed`)
  }
  if (!isPosition(target)) throw new RangeError(`no position ${target} of ${n}`)
  return present.map((at) => {
    let product = 1
    for (const other of present) {
      if (other === at) continue
      product = gfDivide(gfMultiply(product, target ^ other), at ^ other)
    }
    return product
  })
}

/** The n - k parity fragments of k data fragments of one length. */
export function encodeParity(k: number, n: number, data: readonly Uint8Array[]): Uint8Array[] {
  checkShape(k, n)
  if (data.length !== k) throw new RangeError(`${data.length} data fragments, not ${k}`)
  const positions = data.map((_, at) => at)
  return Array.from({ length: n - k }, (_, at) =>
    combine(data, combinationFor(k, n, positions, k + at)),
  )
}

/** The k data fragments, from any k of the n; what was there is given back as it is. */
export function reconstruct(
  k: number,
  n: number,
  fragments: readonly (Uint8Array | null)[],
): Uint8Array[] {
  checkShape(k, n)
  if (fragments.length !== n) throw new RangeError(`${fragments.length} fragments, not ${n}`)
  const present: number[] = []
  const sources: Uint8Array[] = []
  for (const [at, fragment] of fragments.entries()) {
    if (fragment === null || sources.length === k) continue
    present.push(at)
    sources.push(fragment)
  }
  if (sources.length < k) throw new RangeError(`${sources.length} fragments, ${k} are needed`)
  return Array.from(
    { length: k },
    (_, at) => fragments[at] ?? combine(sources, combinationFor(k, n, present, at)),
  )
}

function combine(sources: readonly Uint8Array[], coefficients: readonly number[]): Uint8Array {
  const sum = new Uint8Array(sources[0]?.length ?? 0)
  for (const [at, source] of sources.entries()) scaleInto(sum, source, coefficients[at] ?? 0)
  return sum
}

function checkShape(k: number, n: number): void {
  const isShape = Number.isInteger(k) && Number.isInteger(n) && k >= 1 && k <= n
  if (!isShape || n > FRAGMENTS_MAX) throw new RangeError(`no code of ${k} of ${n}`)
}
