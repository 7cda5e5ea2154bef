// Selective disclosure for JSON claims (RFC 9901): an issuer signs digests, a holder shows what it likes.
//
// A disclosure is the base64url of [salt, name, value], or of [salt, value] for an item of a list; its
// digest stands in `_sd`, or in `{"...": digest}`. Values may hold digests themselves. Unpacking puts in
// what was shown and leaves out the rest; a disclosure that nothing refers to, a digest that occurs twice
// and a claim that is shown over another one are refused, as the RFC demands.
//
// Here are the claims alone: signatures are in practitioner-credential.ts.

import { canonicalJson, JsonError, type JsonNode, parseJson } from '@mooring/codec'
import { CryptoError, decodeBase64url, encodeBase64url, sha256 } from '@mooring/crypto'

export type ClaimValue = string | number | boolean | null | ClaimValue[] | Claims
export type Claims = { [name: string]: ClaimValue }

/** Which names or positions can be shown one by one; further members say it of what is below. */
export type DisclosureFrame = { _sd?: readonly (string | number)[]; [name: string]: unknown }

/** What to show: true is the claim with all below it. */
export type ClaimSelection = true | { [name: string]: ClaimSelection }

export interface PackedClaims {
  readonly claims: Claims
  readonly disclosures: readonly string[]
}

export class SdJwtError extends Error {
  override readonly name = 'SdJwtError'
}

const DISCLOSURE_BYTES_MAX = 8 * 1024
const SALT_BYTES = 16
const DIGESTS = '_sd'
const ITEM = '...'
const RESERVED = new Set([DIGESTS, ITEM])
const utf8 = new TextEncoder()
const LIMITS = { bytesMax: 32 * 1024, depthMax: 16, itemsMax: 1_024 }

/** `random` gives the salts: sixteen bytes for each claim that can be shown. */
export function packClaims(
  claims: Claims,
  frame: DisclosureFrame,
  random: (length: number) => Uint8Array,
): PackedClaims {
  const disclosures: string[] = []
  const disclose = (...content: ClaimValue[]): string => {
    const salted = [encodeBase64url(random(SALT_BYTES)), ...content]
    const disclosure = encodeBase64url(utf8.encode(canonicalJson(salted)))
    disclosures.push(disclosure)
    return digestOf(disclosure)
  }
  return { claims: packObject(claims, frame, disclose), disclosures }
}

type Disclose = (...content: ClaimValue[]) => string

function packValue(value: ClaimValue, frame: unknown, disclose: Disclose): ClaimValue {
  const inner = isFrame(frame) ? frame : {}
  if (Array.isArray(value)) {
    return value.map((item, at) => {
      const packed = packValue(item, inner[at], disclose)
      return isNamed(inner, at) ? { [ITEM]: disclose(packed) } : packed
    })
  }
  return isClaims(value) ? packObject(value, inner, disclose) : value
}

function packObject(value: Claims, frame: DisclosureFrame, disclose: Disclose): Claims {
  const shown: [string, ClaimValue][] = []
  const digests: string[] = []
  for (const [name, member] of Object.entries(value)) {
    if (RESERVED.has(name)) throw new SdJwtError(`a claim may not be named ${name}`)
    const packed = packValue(member, frame[name], disclose)
    if (isNamed(frame, name)) digests.push(disclose(name, packed))
    else shown.push([name, packed])
  }
  // Sorted, so that their order does not tell which claim is which.
  if (digests.length > 0) shown.push([DIGESTS, digests.toSorted()])
  return Object.fromEntries(shown)
}

/** Those disclosures that show what is wanted. */
export function selectDisclosures(
  { claims, disclosures }: PackedClaims,
  wanted: ClaimSelection,
): string[] {
  const known = readDisclosures(disclosures)
  const chosen: string[] = []
  const visit = (value: ClaimValue, selection: ClaimSelection | undefined): void => {
    if (selection === undefined) return
    if (Array.isArray(value)) {
      for (const [at, item] of value.entries()) visitItem(item, below(selection, String(at)))
    } else if (isClaims(value)) visitClaims(value, selection)
  }
  const visitItem = (item: ClaimValue, selection: ClaimSelection | undefined): void => {
    const digest = itemDigest(item)
    const found = digest === undefined ? undefined : known.get(digest)
    if (digest === undefined) visit(item, selection)
    else if (found !== undefined && selection !== undefined) {
      chosen.push(found.text)
      visit(found.value, selection)
    }
  }
  const visitClaims = (value: Claims, selection: ClaimSelection): void => {
    for (const [name, member] of Object.entries(value)) {
      if (name !== DIGESTS) visit(member, below(selection, name))
    }
    for (const digest of digestsIn(value)) {
      const found = known.get(digest)
      const inner = found?.name === undefined ? undefined : below(selection, found.name)
      if (found === undefined || inner === undefined) continue
      chosen.push(found.text)
      visit(found.value, inner)
    }
  }
  visit(claims, wanted)
  return chosen
}

/** @throws SdJwtError */
export function unpackClaims({ claims, disclosures }: PackedClaims): Claims {
  const known = readDisclosures(disclosures)
  const unused = new Set(known.keys())
  const seen = new Set<string>()
  const take = (digest: string): Disclosure | undefined => {
    if (seen.has(digest)) throw new SdJwtError('a digest occurs twice')
    seen.add(digest)
    unused.delete(digest)
    return known.get(digest)
  }
  const unpacked = unpackObject(claims, take)
  if (unused.size > 0) throw new SdJwtError('a disclosure belongs to no digest')
  const { _sd_alg: algorithm, ...rest } = unpacked
  if (algorithm !== undefined && algorithm !== 'sha-256') {
    throw new SdJwtError('another digest than sha-256')
  }
  return rest
}

type Take = (digest: string) => Disclosure | undefined

function unpackValue(value: ClaimValue, take: Take): ClaimValue {
  if (isClaims(value)) return unpackObject(value, take)
  if (!Array.isArray(value)) return value
  return value.flatMap((item) => {
    const digest = itemDigest(item)
    if (digest === undefined) return [unpackValue(item, take)]
    const found = take(digest)
    if (found === undefined) return []
    if (found.name !== undefined) throw new SdJwtError('an item of a list was shown with a name')
    return [unpackValue(found.value, take)]
  })
}

function unpackObject(value: Claims, take: Take): Claims {
  const members = new Map<string, ClaimValue>()
  for (const [name, member] of Object.entries(value)) {
    if (name === ITEM) throw new SdJwtError('a digest of an item outside of a list')
    if (name !== DIGESTS) members.set(name, unpackValue(member, take))
  }
  for (const digest of digestsIn(value)) {
    const found = take(digest)
    if (found === undefined) continue
    const { name } = found
    if (name === undefined) throw new SdJwtError('a claim was shown without a name')
    if (RESERVED.has(name) || members.has(name)) throw new SdJwtError(`${name} is shown twice`)
    members.set(name, unpackValue(found.value, take))
  }
  return Object.fromEntries(members)
}

interface Disclosure {
  readonly text: string
  /** Undefined for an item of a list. */
  readonly name: string | undefined
  readonly value: ClaimValue
}

function readDisclosures(disclosures: readonly string[]): Map<string, Disclosure> {
  const known = new Map<string, Disclosure>()
  for (const text of disclosures) {
    const digest = digestOf(text)
    if (known.has(digest)) throw new SdJwtError('a disclosure is there twice')
    known.set(digest, readDisclosure(text))
  }
  return known
}

function readDisclosure(text: string): Disclosure {
  const content = parseClaim(decoded(text))
  if (!Array.isArray(content)) throw new SdJwtError('a disclosure is no list')
  const [salt, first, second] = content
  if (typeof salt !== 'string') throw new SdJwtError('a disclosure without a salt')
  if (content.length === 2 && first !== undefined) return { text, name: undefined, value: first }
  if (content.length !== 3 || typeof first !== 'string' || second === undefined) {
    throw new SdJwtError('a disclosure is neither a claim nor an item')
  }
  return { text, name: first, value: second }
}

/** JSON with one reading. @throws SdJwtError */
export function parseClaim(bytes: Uint8Array): ClaimValue {
  try {
    return valueOf(parseJson(bytes, LIMITS))
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause
    throw new SdJwtError('not JSON that has one reading', { cause })
  }
}

function valueOf(node: JsonNode): ClaimValue {
  switch (node.kind) {
    case 'null':
      return null
    case 'number':
      return Number(node.lexeme)
    case 'string':
    case 'boolean':
      return node.value
    case 'array':
      return node.items.map(valueOf)
    case 'object':
      return Object.fromEntries(node.members.map(({ key, value }) => [key, valueOf(value)]))
  }
}

function decoded(text: string): Uint8Array {
  if (text.length > DISCLOSURE_BYTES_MAX) throw new SdJwtError('a disclosure is too long')
  try {
    return decodeBase64url(text)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new SdJwtError('a disclosure is not base64url', { cause })
  }
}

function digestOf(disclosure: string): string {
  return encodeBase64url(sha256(utf8.encode(disclosure)))
}

function digestsIn(value: Claims): string[] {
  const digests = value[DIGESTS] ?? []
  const isList = Array.isArray(digests) && digests.every((each) => typeof each === 'string')
  if (!isList) throw new SdJwtError('_sd is no list of digests')
  return digests
}

function itemDigest(item: ClaimValue): string | undefined {
  if (!isClaims(item)) return undefined
  const digest = item[ITEM]
  if (digest === undefined) return undefined
  if (typeof digest !== 'string' || Object.keys(item).length > 1) {
    throw new SdJwtError('a digest of an item with something beside it')
  }
  return digest
}

function below(selection: ClaimSelection, name: string): ClaimSelection | undefined {
  return selection === true ? true : selection[name]
}

function isNamed(frame: DisclosureFrame, name: string | number): boolean {
  const { _sd: names } = frame
  return names?.includes(name) ?? false
}

function isFrame(value: unknown): value is DisclosureFrame {
  return typeof value === 'object' && value !== null
}

export function isClaims(value: ClaimValue | undefined): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
