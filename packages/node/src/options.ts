// Every option of a node. Flags, environment variables, the configuration file, the help texts, the
// schema and the reference page are made from these tables, so that a name exists once:
// `[p2p] max_peers` in the file, MOORING_P2P_MAX_PEERS in the environment, --p2p-max-peers as a flag.
// Sections are tables of their own in options-<area>.ts; an option without a default in every profile is
// no option. What must be equal on all nodes (block limits, the heartbeat, Δ) is in the genesis.

import type { Option } from './option-kinds.ts'
import { CONSENSUS_OPTIONS, MEMPOOL_OPTIONS, SYNC_OPTIONS } from './options-chain.ts'
import { ADMIN_OPTIONS, HTTP_OPTIONS, PATIENTS_OPTIONS } from './options-http.ts'
import { KEYS_OPTIONS, SIGNER_OPTIONS } from './options-keys.ts'
import { NETWORK_OPTIONS, NODE_OPTIONS, SHUTDOWN_OPTIONS } from './options-node.ts'
import { LOG_OPTIONS, METRICS_OPTIONS, TRACING_OPTIONS } from './options-observing.ts'
import { P2P_OPTIONS } from './options-p2p.ts'
import { BACKUP_OPTIONS, RETENTION_OPTIONS, STORAGE_OPTIONS } from './options-storage.ts'
import { VAULT_OPTIONS } from './options-vault.ts'

export const OPTIONS = {
  node: NODE_OPTIONS,
  network: NETWORK_OPTIONS,
  keys: KEYS_OPTIONS,
  signer: SIGNER_OPTIONS,
  p2p: P2P_OPTIONS,
  consensus: CONSENSUS_OPTIONS,
  mempool: MEMPOOL_OPTIONS,
  storage: STORAGE_OPTIONS,
  backup: BACKUP_OPTIONS,
  vault: VAULT_OPTIONS,
  retention: RETENTION_OPTIONS,
  sync: SYNC_OPTIONS,
  http: HTTP_OPTIONS,
  admin: ADMIN_OPTIONS,
  patients: PATIENTS_OPTIONS,
  metrics: METRICS_OPTIONS,
  log: LOG_OPTIONS,
  tracing: TRACING_OPTIONS,
  shutdown: SHUTDOWN_OPTIONS,
}

type Options = typeof OPTIONS

export type OptionValues = {
  [S in keyof Options]: {
    [K in keyof Options[S]]: Options[S][K] extends Option<infer T> ? T : never
  }
}

export type OptionEntry = Option<unknown> & {
  name: string
  section: string
  key: string
  variable: string
  flag: string
}

function entryOf(section: string, key: string, option: Option<unknown>): OptionEntry {
  return {
    ...option,
    name: `${section}.${key}`,
    section,
    key,
    variable: `MOORING_${section}_${key}`.toUpperCase(),
    flag: `--${section}-${key}`.replaceAll('_', '-'),
  }
}

export const OPTION_ENTRIES: readonly OptionEntry[] = Object.entries(OPTIONS).flatMap(
  ([section, group]) =>
    Object.entries<Option<unknown>>(group).map(([key, option]) => entryOf(section, key, option)),
)

const LIST_ITEMS_MAX = 1000

// Whether a value is one that this option can have.
export function isOptionValue(entry: OptionEntry, value: unknown): boolean {
  switch (entry.kind) {
    case 'integer':
    case 'duration':
    case 'size': {
      const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = entry
      return Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum
    }
    case 'list':
      return (
        Array.isArray(value) &&
        value.length <= LIST_ITEMS_MAX &&
        value.every((item) => isTextOf(entry, item))
      )
    case 'text':
    case 'path':
    case 'choice':
    case 'address':
    case 'levels':
    case 'retention':
      return isTextOf(entry, value)
  }
}

function isTextOf({ pattern, enum: choices }: OptionEntry, value: unknown): boolean {
  if (typeof value !== 'string') return false
  if (choices !== undefined && !choices.includes(value)) return false
  return pattern === undefined || new RegExp(pattern, 'u').test(value)
}
