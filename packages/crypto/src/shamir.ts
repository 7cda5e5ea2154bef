// Shamir's secret sharing: n shares of which any k give the secret back, and k - 1 say nothing of it.
//
// Bytes are elements of GF(256) modulo x^8 + x^4 + x^3 + x + 1 (0x11b), the field of AES and of SLIP-39.
// Every byte of the secret is the value at 0 of its own random polynomial of degree k - 1; share x
// holds the values at x, and x is never 0. Unlike the shards of a record these are secrets: so products
// are computed without tables and without branches, as no access to memory may depend on a share.
//
// It says what shares give together, not whether they belong together: a wrong share gives a wrong
// secret. Callers recognise theirs by what it opens.

const SHARES_MAX = 255

export interface SecretShare {
  /** From 1 to 255: where the polynomials are evaluated. */
  readonly index: number
  /** As long as the secret. */
  readonly bytes: Uint8Array
}

/** `random` gives that many unpredictable bytes: k - 1 times the length of the secret. */
export function splitSecret(
  secret: Uint8Array,
  { k, n, random }: { k: number; n: number; random: (length: number) => Uint8Array },
): SecretShare[] {
  const isShape = Number.isInteger(k) && Number.isInteger(n) && k >= 1 && k <= n
  if (!isShape || n > SHARES_MAX) throw new RangeError(`no shares ${k} of ${n}`)
  const coefficients = random(secret.length * (k - 1))
  if (coefficients.length !== secret.length * (k - 1)) {
    throw new RangeError(`${coefficients.length} random bytes, not ${secret.length * (k - 1)}`)
  }
  return Array.from({ length: n }, (_, at) => {
    const index = at + 1
    const bytes = secret.map((byte, position) =>
      valueAt(index, byte, coefficients.subarray(position * (k - 1), (position + 1) * (k - 1))),
    )
    return { index, bytes }
  })
}

/** The secret, when at least k shares of one splitting are given; further ones change nothing. */
export function combineShares(shares: readonly SecretShare[]): Uint8Array {
  const [first] = shares
  if (first === undefined) throw new RangeError('no shares')
  const indices = shares.map(({ index }) => index)
  if (new Set(indices).size !== indices.length || !indices.every(isIndex)) {
    throw new RangeError(`shares ${indices.join(' ')}`)
  }
  if (shares.some(({ bytes }) => bytes.length !== first.bytes.length)) {
    throw new RangeError('shares of different lengths')
  }
  const secret = new Uint8Array(first.bytes.length)
  for (const { index, bytes } of shares) {
    const weight = weightAtZero(index, indices)
    for (const [at, byte] of bytes.entries())
      secret[at] = (secret[at] ?? 0) ^ multiply(weight, byte)
  }
  return secret
}

function isIndex(at: number): boolean {
  return Number.isInteger(at) && at >= 1 && at <= SHARES_MAX
}

/** Horner, from the highest coefficient; the secret's byte is the constant one. */
function valueAt(x: number, constant: number, coefficients: Uint8Array): number {
  let value = 0
  for (let at = coefficients.length - 1; at >= 0; at -= 1) {
    value = multiply(value, x) ^ (coefficients[at] ?? 0)
  }
  return multiply(value, x) ^ constant
}

/** Lagrange at 0: the product of other / (other - own), where minus is XOR. */
function weightAtZero(index: number, indices: readonly number[]): number {
  let weight = 1
  for (const other of indices) {
    if (other !== index) weight = multiply(weight, multiply(other, invert(other ^ index)))
  }
  return weight
}

function multiply(a: number, b: number): number {
  let product = 0
  let factor = a
  for (let bit = 0; bit < 8; bit += 1) {
    product ^= factor & -((b >>> bit) & 1)
    factor = ((factor << 1) ^ (0x11b & -(factor >>> 7))) & 0xff
  }
  return product
}

/** a^254, which is 1/a. */
function invert(a: number): number {
  let power = a
  let inverse = 1
  for (let step = 0; step < 7; step += 1) {
    power = multiply(power, power)
    inverse = multiply(inverse, power)
  }
  return inverse
}
