// Two hospitals that put together all that they have of their patients beside the records themselves, and the
// chain: can they tell which patient of the one is which patient of the other?
//
// Each opens its databases with its own secret. What it finds about one of its patients is a dossier: every
// byte string that stands there, when things happened, and how much there is. Byte strings are put through
// the digests that stand on the chain, and transactions that have one of them belong to the dossier
// too. Then every patient of the one is paired with one of the other by what the dossiers have in common,
// or by what is most alike. A pairing by lot is right once on average, however many there are.

import { fromHex, toHex } from '@mooring/codec'
import { decodeBase58, decodeBase64url } from '@mooring/crypto'
import { handleOfKey, patientKeyDigest } from '@mooring/ledger'
import { loadRecordsSecret } from '../../packages/node/src/local-secret.ts'
import type { Random } from '../simulation/random.ts'
import type { DevnetNode } from './devnet.ts'
import { openSealedValues } from './sealed-values.ts'

export type ChainEvent = { time: number; tokens: Set<string> }

export type Dossier = {
  // The hospital's own number for the patient.
  reference: string
  tokens: Set<string>
  // Of what is on the chain about the patient, in order.
  times: number[]
  // Of everything, the databases included.
  allTimes: number[]
  values: number
}

export const METHODS = [
  'what both have',
  'first on the chain',
  'closest events',
  'how much there is',
] as const
type Method = (typeof METHODS)[number]

const TOKEN_MIN = 12
const TOKEN_MAX = 96
const YEAR_MS = 365 * 86_400_000
const UINT_64 = 0x1b
const BYTES_8 = 0x58
const utf8 = new TextEncoder()

// Of the hospital whose home it is, while its node does not run.
export async function dossiersOf(
  home: string,
  references: readonly string[],
  chain: readonly ChainEvent[],
  custodians: readonly string[],
): Promise<Dossier[]> {
  const secret = await loadRecordsSecret({ home })
  const { opened } = await openSealedValues(home, [secret])
  const found = opened.map((plaintext) => ({ plaintext, tokens: tokensIn(plaintext) }))
  const dossiers = references.map((reference): Dossier => {
    const name = utf8.encode(reference)
    const own = found.filter(({ plaintext }) => includes(plaintext, name))
    const tokens = new Set(own.flatMap((each) => [...each.tokens]))
    const allTimes = own.flatMap(({ plaintext }) => timesIn(plaintext))
    return { reference, tokens, times: [], allTimes, values: own.length }
  })
  leaveOutCommon(dossiers)
  for (const dossier of dossiers) {
    for (const { plaintext, tokens } of found) {
      if (includes(plaintext, utf8.encode(dossier.reference))) continue
      if (![...tokens].some((token) => dossier.tokens.has(token))) continue
      for (const token of tokens) dossier.tokens.add(token)
      dossier.allTimes.push(...timesIn(plaintext))
      dossier.values += 1
    }
  }
  leaveOutCommon(dossiers)
  for (const dossier of dossiers) addChain(dossier, chain, custodians)
  leaveOutCommon(dossiers)
  return dossiers
}

// Every transaction of the chain, with what stands in it.
export async function chainEvents({ client }: DevnetNode): Promise<ChainEvent[]> {
  const tip = (await client.status()).chain.height
  const events: ChainEvent[] = []
  for (let height = 1; height <= tip; height += 1) {
    const { transactions, time } = await client.block(height)
    for (const id of transactions) {
      const { body } = await client.transaction(id)
      events.push({ time: Date.parse(time), tokens: new Set([id, ...textTokens(body)]) })
    }
  }
  return events
}

// How many pairs are right: `theirs` has the patients of `ours` in the same order.
export function rightPairs(
  method: Method,
  ours: readonly Dossier[],
  theirs: readonly Dossier[],
  random: Random,
): number {
  const scores = ours.flatMap((own, row) =>
    theirs.map((their, column) => ({
      row,
      column,
      score: SCORES[method](own, their),
      lot: random.next(),
    })),
  )
  const rows = new Set<number>()
  const columns = new Set<number>()
  let right = 0
  for (const { row, column } of scores.toSorted((a, b) => b.score - a.score || a.lot - b.lot)) {
    if (rows.has(row) || columns.has(column)) continue
    rows.add(row)
    columns.add(column)
    if (row === column) right += 1
  }
  return right
}

// The chance that a pairing by lot has so many right or more; right ones by lot are nearly Poisson with mean 1.
export function chanceOf(right: number): number {
  let term = Math.exp(-1)
  let below = 0
  for (let count = 0; count < right; count += 1) {
    below += term
    term /= count + 1
  }
  return 1 - below
}

const SCORES: Record<Method, (own: Dossier, their: Dossier) => number> = {
  'what both have': (own, their) =>
    [...own.tokens].filter((token) => their.tokens.has(token)).length,
  'first on the chain': (own, their) => -Math.abs((own.times[0] ?? 0) - (their.times[0] ?? 0)),
  'closest events': (own, their) => -closest(own.allTimes, their.allTimes),
  'how much there is': (own, their) => -Math.abs(own.values - their.values),
}

function closest(own: readonly number[], their: readonly number[]): number {
  let least = Number.MAX_SAFE_INTEGER
  for (const one of own) {
    for (const other of their) least = Math.min(least, Math.abs(one - other))
  }
  return least
}

function addChain(
  dossier: Dossier,
  chain: readonly ChainEvent[],
  custodians: readonly string[],
): void {
  const derived = [...dossier.tokens].flatMap((token) => digestsOf(token, custodians))
  const known = new Set([...dossier.tokens, ...derived])
  for (const { time, tokens } of chain) {
    if (![...tokens].some((token) => known.has(token))) continue
    for (const token of tokens) dossier.tokens.add(token)
    dossier.times.push(time)
  }
  for (const token of derived) dossier.tokens.add(token)
  dossier.times.sort((a, b) => a - b)
  dossier.allTimes.push(...dossier.times)
}

function digestsOf(token: string, custodians: readonly string[]): string[] {
  if (token.length !== 64) return []
  const key = fromHex(token)
  const replaced = custodians.map((custodian) => toHex(patientKeyDigest(custodian, key)))
  return [toHex(handleOfKey(key)), ...replaced]
}

// What stands in several dossiers of one hospital names nobody.
function leaveOutCommon(dossiers: readonly Dossier[]): void {
  const counts = new Map<string, number>()
  for (const { tokens } of dossiers) {
    for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1)
  }
  for (const { tokens } of dossiers) {
    for (const token of tokens) if ((counts.get(token) ?? 0) > 1) tokens.delete(token)
  }
}

// Byte strings of CBOR of that size wherever they may begin, and texts that stand for bytes.
function tokensIn(plaintext: Uint8Array): Set<string> {
  const tokens = new Set<string>()
  for (let at = 0; at + 1 < plaintext.length; at += 1) {
    const head = plaintext[at] ?? 0
    const isShort = head >= 0x40 + TOKEN_MIN && head <= 0x57
    const length = isShort ? head - 0x40 : (plaintext[at + 1] ?? 0)
    const start = at + (isShort ? 1 : 2)
    if (!isShort && head !== BYTES_8) continue
    if (length < TOKEN_MIN || length > TOKEN_MAX || start + length > plaintext.length) continue
    tokens.add(toHex(plaintext.subarray(start, start + length)))
  }
  const text = Buffer.from(plaintext).toString('latin1')
  for (const [word] of text.matchAll(/[0-9A-Za-z_-]{16,}/g)) {
    for (const token of bytesOf(word)) tokens.add(token)
    for (const inner of textsIn(word)) tokens.add(inner)
  }
  return tokens
}

// JSON inside of base64url, as in a signed grant.
function textsIn(word: string): string[] {
  if (word.length < 64) return []
  const text = Buffer.from(word, 'base64url').toString('latin1')
  return [...text.matchAll(/[0-9A-Za-z]{24,}/g)].flatMap(([inner]) => bytesOf(inner))
}

function textTokens(value: unknown): string[] {
  if (typeof value === 'string') return bytesOf(value)
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textTokens)
}

function bytesOf(word: string): string[] {
  const readings = [
    () => fromHex(word),
    () => decodeBase58(word.startsWith('z') ? word.slice(1) : word),
    () => decodeBase64url(word),
  ]
  return readings.flatMap((read) => {
    try {
      const bytes = read()
      const isToken = bytes.length >= TOKEN_MIN && bytes.length <= TOKEN_MAX
      return isToken ? [toHex(bytes)] : []
    } catch {
      return []
    }
  })
}

function timesIn(plaintext: Uint8Array): number[] {
  const view = new DataView(plaintext.buffer, plaintext.byteOffset, plaintext.length)
  const now = Date.now()
  const times: number[] = []
  for (let at = 0; at + 9 <= plaintext.length; at += 1) {
    if (plaintext[at] !== UINT_64) continue
    const value = Number(view.getBigUint64(at + 1))
    if (Math.abs(value - now) < YEAR_MS) times.push(value)
  }
  return times
}

function includes(plaintext: Uint8Array, part: Uint8Array): boolean {
  return Buffer.from(plaintext).includes(Buffer.from(part))
}
