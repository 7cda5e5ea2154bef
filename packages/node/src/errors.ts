// The catalogue of errors: every code of every package with its number, title, HTTP status, exit code
// and what to do about it; and how an error looks in a terminal. A code without a text is a type error
// in the tables this file puts together.

import type { CatalogEntry } from './error-entry.ts'
import { ALERT_CODES, isAlertName } from './alerts.ts'
import { ACCESS_TEXTS } from './errors-access.ts'
import { ALERT_TEXTS } from './errors-alerts.ts'
import {
  BLOCK_TEXTS,
  CODEC_TEXTS,
  CRYPTO_TEXTS,
  LEDGER_TEXTS,
  RECORDS_TEXTS,
  SUBMISSION_TEXTS,
  TRANSACTION_TEXTS,
} from './errors-content.ts'
import { CUSTODY_TEXTS } from './errors-custody.ts'
import { RECOVERY_TEXTS } from './errors-identity.ts'
import { DESK_TEXTS } from './errors-desk.ts'
import { EMERGENCY_TEXTS } from './errors-emergency.ts'
import { ERASURE_TEXTS } from './errors-erasure.ts'
import { TIMELINE_REFUSALS } from './errors-timeline.ts'
import { HOLDER_TEXTS, PEER_TEXTS } from './errors-holder.ts'
import { COMMAND_TEXTS, HALT_TEXTS, NODE_TEXTS } from './errors-local.ts'
import { MEMBERSHIP_TEXTS } from './errors-membership.ts'
import { API_TEXTS, NETWORK_TEXTS } from './errors-network.ts'
import { SEEING_TEXTS } from './errors-seeing.ts'
import { STORAGE_TEXTS } from './errors-storage.ts'
import { NodeError } from './node-error.ts'

// In the order in which a bare code is looked up: two packages may use one word, and what a client
// is told comes from the first of these. An Error names its package, so that it is never ambiguous.
const TABLES = {
  command: COMMAND_TEXTS,
  node: NODE_TEXTS,
  membership: MEMBERSHIP_TEXTS,
  custody: CUSTODY_TEXTS,
  desk: DESK_TEXTS,
  erasure: ERASURE_TEXTS,
  timeline: TIMELINE_REFUSALS,
  transaction: TRANSACTION_TEXTS,
  submission: SUBMISSION_TEXTS,
  api: API_TEXTS,
  storage: STORAGE_TEXTS,
  halt: HALT_TEXTS,
  network: NETWORK_TEXTS,
  ledger: LEDGER_TEXTS,
  records: RECORDS_TEXTS,
  access: ACCESS_TEXTS,
  emergency: EMERGENCY_TEXTS,
  recovery: RECOVERY_TEXTS,
  holder: HOLDER_TEXTS,
  peer: PEER_TEXTS,
  codec: CODEC_TEXTS,
  crypto: CRYPTO_TEXTS,
  block: BLOCK_TEXTS,
  alert: ALERT_TEXTS,
} as const

type Tables = typeof TABLES
type TableName = keyof Tables

// "storage/locked": a code with the table it belongs to.
export type ErrorCode = { [T in TableName]: `${T}/${keyof Tables[T] & string}` }[TableName]

function lookUp(table: TableName, code: string): CatalogEntry | undefined {
  const entries: Readonly<Record<string, CatalogEntry>> = TABLES[table]
  return Object.hasOwn(entries, code) ? entries[code] : undefined
}

const NAMES: readonly TableName[] = [
  'command',
  'node',
  'membership',
  'custody',
  'desk',
  'erasure',
  'timeline',
  'transaction',
  'submission',
  'api',
  'storage',
  'halt',
  'network',
  'ledger',
  'records',
  'access',
  'emergency',
  'recovery',
  'holder',
  'peer',
  'codec',
  'crypto',
  'block',
  'alert',
]

// The text of a bare code, as the API asks for it.
export function catalogEntry(code: string): CatalogEntry | undefined {
  for (const name of NAMES) {
    const found = lookUp(name, code)
    if (found !== undefined) return found
  }
  return undefined
}

const CLASSES: Readonly<Record<string, TableName>> = {
  StorageError: 'storage',
  NetworkError: 'network',
  ApiError: 'api',
  LedgerError: 'ledger',
  RecordsError: 'records',
  CodecError: 'codec',
  JsonError: 'codec',
  CryptoError: 'crypto',
  HaltError: 'halt',
  VaultPeerError: 'peer',
}

function codeOf(error: object): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

// Whatever was to be opened: that nothing more may be is what somebody has to know.
function isOutOfFiles(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    const code = codeOf(each)
    if (code === 'EMFILE' || code === 'ENFILE') return true
    if (each.message.includes('Too many open files')) return true
  }
  return false
}

// The text of an error of this project; undefined for everything else, which is then a bug.
export function entryOf(error: unknown): CatalogEntry | undefined {
  if (!(error instanceof Error)) return undefined
  if (isOutOfFiles(error)) return SEEING_TEXTS.descriptors_exhausted
  if (error instanceof NodeError) {
    const { code } = error
    return lookUp('command', code) ?? lookUp('node', code) ?? lookUp('membership', code)
  }
  const code = codeOf(error)
  // What the operating system refused: an errno has a syscall.
  if ('syscall' in error) {
    return code === 'ENOSPC' ? STORAGE_TEXTS.full : COMMAND_TEXTS.file_unreadable
  }
  const table = CLASSES[error.name]
  return table === undefined || code === undefined ? undefined : lookUp(table, code)
}

export type Explanation = { entry: CatalogEntry; codes: string[] }

// Every code with its own text; codes of one number have one text.
export function allTexts(): { code: string; entry: CatalogEntry }[] {
  return NAMES.flatMap((name) =>
    Object.entries<CatalogEntry>(TABLES[name]).map(([code, entry]) => {
      return { code: `${name}/${code}`, entry }
    }),
  )
}

export function allErrors(): Explanation[] {
  const byNumber = new Map<string, { entry: CatalogEntry; codes: string[] }>()
  for (const { code, entry } of allTexts()) {
    const known = byNumber.get(entry.mor) ?? { entry, codes: [] }
    known.codes.push(code)
    byNumber.set(entry.mor, known)
  }
  return [...byNumber.values()].toSorted((a, b) => a.entry.mor.localeCompare(b.entry.mor))
}

// "MOR-1010", "1010", "locked", "storage/locked", or the name of an alert.
export function explain(asked: string): Explanation | undefined {
  const word = isAlertName(asked) ? ALERT_CODES[asked] : asked
  const mor = /^(?:MOR-)?(\d{4})$/i.exec(word)?.[1]
  return allErrors().find(
    ({ entry, codes }) =>
      (mor !== undefined && entry.mor === `MOR-${mor}`) ||
      codes.some((code) => code === word || code.endsWith(`/${word}`)),
  )
}
