// From a home folder to the one frozen value that starts a node: options resolved, genesis read and
// checked, keys loaded, and all of them shown to belong together.

import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { equalBytes } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import {
  checkGenesis,
  type Genesis,
  genesisDigest,
  LedgerError,
  networkId,
  type Organisation,
  parseGenesisJson,
} from '@mooring/ledger'
import type { Retention as RecordRetention } from '@mooring/records'
import type { BlobPlace } from '@mooring/storage'
import { readBlobPlace } from './blob-place.ts'
import { type ConfigFile, parseConfigFile } from './config-file.ts'
import { checkHome, homePaths } from './home.ts'
import { type KeyDuty, readKeyFile } from './keys.ts'
import { NodeError } from './node-error.ts'
import type { LogLevels, Retention, VerifyOnStart } from './option-values.ts'
import type { Profile } from './option-kinds.ts'
import type { OptionValues } from './options.ts'
import { partOptions } from './part-options.ts'
import { type OptionSources, type Origin, resolveOptions } from './resolve-options.ts'

// The governance key never touches the node.
export type NodeKeys = Readonly<Record<Exclude<KeyDuty, 'governance'>, KeyPair>>

export type NodeOptions = {
  home: string
  name: string
  role: 'authority' | 'observer'
  profile: Profile
  // Null when there is no configuration file.
  configPath: string | null
  genesisPath: string
  genesis: Genesis
  genesisDigest: Uint8Array
  networkId: string
  // The organisation of the genesis that these keys belong to; null for a mere observer.
  organisation: Organisation | null
  keys: NodeKeys
  // Where their files are; the next key of a duty waits beside the present one.
  keyPaths: Readonly<Record<keyof NodeKeys, string>>
  p2p: {
    listen: readonly string[]
    announce: readonly string[]
    peers: readonly string[]
    maxPeers: number
    allow: 'members' | 'members+list' | 'list'
    allowList: readonly string[]
  }
  mempool: { maxCount: number; maxBytes: number; perClient: number }
  // Null: the high-water marks are in the guard.
  consensus: { marksPath: string | null }
  storage: {
    dir: string
    guardDir: string
    runDir: string
    cacheBytes: number
    retention: Retention
    verifyOnStart: VerifyOnStart
    // With less room nothing new is taken.
    minFreeBytes: number
  }
  // Null: no backup is made by itself.
  backup: { schedule: string | null; dir: string; keep: number }
  // Null: as many bytes as there is room.
  vault: {
    quotaBytes: number | null
    reserveBytes: number
    repairAfterMs: number
    auditEveryMs: number
  }
  // How long the law keeps records, in years.
  retention: RecordRetention
  blobs: BlobPlace
  snapshotsDir: string
  sync: { mode: 'blocks' | 'snapshot' }
  // host:port
  http: { listen: string; bodyLimitBytes: number; explorer: 'on' | 'off' }
  // Null turns the listener off.
  admin: { socket: string | null }
  patients: { listen: string | null; hosts: readonly string[] }
  metrics: { listen: string | null }
  log: {
    levels: LogLevels
    format: 'auto' | 'pretty' | 'json'
    file: string | null
    redact: readonly string[]
  }
  shutdown: { timeoutMs: number; graceMs: number; onFatal: 'exit' | 'hold' }
  origins: Readonly<Record<string, Origin>>
}

export type LoadSources = Omit<OptionSources, 'file'> & {
  home: string
  configPath?: string | undefined
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

export async function readConfigFile(path: string): Promise<ConfigFile | null> {
  try {
    return parseConfigFile(await readFile(path, 'utf8'))
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export async function readGenesisFile(path: string): Promise<Genesis> {
  let genesis: Genesis
  try {
    genesis = parseGenesisJson(await readFile(path, 'utf8'))
  } catch (error) {
    if (isMissing(error)) throw new NodeError('genesis_missing', { path }, { cause: error })
    if (!(error instanceof LedgerError)) throw error
    const rows = error.problems.map(
      (problem) => `${problem.path === '' ? 'document' : problem.path}: ${problem.detail}`,
    )
    throw new NodeError('genesis_invalid', { path, detail: 'it cannot be read' }, { rows })
  }
  const problems = checkGenesis(genesis)
  if (problems.length > 0) {
    const rows = problems.map((problem) => `${problem.path}: ${problem.detail}`)
    const detail = 'it cannot start a network'
    throw new NodeError('genesis_invalid', { path, detail }, { rows })
  }
  return genesis
}

function findOrganisation(genesis: Genesis, keys: NodeKeys): Organisation | null {
  const found = genesis.organisations.find(({ organisation }) =>
    equalBytes(organisation.keys.consensus, keys.consensus.publicKey),
  )
  return found?.organisation ?? null
}

// Where genesis is all there is to know, a founder must be what it says. Whoever it does not name may be
// a newcomer, and waits for the chain to name it.
function checkFounder(
  values: OptionValues,
  {
    genesis,
    organisation,
    keys,
  }: { genesis: Genesis; organisation: Organisation | null; keys: NodeKeys },
) {
  const { name, role } = values.node
  if (role === 'observer') return
  if (organisation === null) {
    if (genesis.organisations.every((founder) => founder.organisation.id !== name)) return
    const detail = 'no consensus key of it is ours'
    throw new NodeError('key_not_in_genesis', { name, detail })
  }
  if (organisation.id !== name) {
    const detail = `the consensus key is that of "${organisation.id}"`
    throw new NodeError('key_not_in_genesis', { name, detail })
  }
  if (!organisation.roles.includes('authority')) {
    throw new NodeError('key_not_in_genesis', { name, detail: 'it has no role authority' })
  }
  for (const duty of ['transport', 'anchor', 'seal'] as const) {
    if (equalBytes(organisation.keys[duty], keys[duty].publicKey)) continue
    throw new NodeError('key_not_in_genesis', { name, detail: `the ${duty} key is another one` })
  }
}

function keyPathsOf(home: string, values: OptionValues): NodeOptions['keyPaths'] {
  const { consensus, transport, anchor, seal } = values.keys
  return {
    consensus: resolve(home, consensus),
    transport: resolve(home, transport),
    anchor: resolve(home, anchor),
    seal: resolve(home, seal),
  }
}

async function readKeys(paths: NodeOptions['keyPaths']): Promise<NodeKeys> {
  return {
    consensus: await readKeyFile(paths.consensus, 'consensus'),
    transport: await readKeyFile(paths.transport, 'transport'),
    anchor: await readKeyFile(paths.anchor, 'anchor'),
    seal: await readKeyFile(paths.seal, 'seal'),
  }
}

// A chain that goes on knows more than genesis: keys have been renewed, members have come and gone.
async function hasChain({ dir }: NodeOptions['storage']): Promise<boolean> {
  try {
    await stat(join(dir, 'chain'))
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

export async function loadNodeOptions(sources: LoadSources): Promise<NodeOptions> {
  const home = resolve(sources.home)
  const paths = homePaths(home)
  const configPath = resolve(sources.configPath ?? paths.configFile)
  await checkHome(home)
  const file = await readConfigFile(configPath)
  if (file === null && sources.configPath !== undefined) {
    throw new NodeError('config_missing', { path: configPath, home })
  }
  const { values, origins, problems } = resolveOptions({ ...sources, file })
  if (problems.length > 0) {
    const [first] = problems
    const isOne = problems.every((problem) => problem.code === first?.code)
    const code = isOne ? (first?.code ?? 'options_invalid') : 'options_invalid'
    throw new NodeError(code, { path: configPath }, { problems })
  }

  const genesisPath = resolve(dirname(configPath), values.network.genesis)
  const genesis = await readGenesisFile(genesisPath)
  const digest = genesisDigest(genesis)
  const actual = networkId(digest)
  if (values.network.id !== '' && values.network.id !== actual) {
    const configured = values.network.id
    throw new NodeError('network_mismatch', { configured, actual, path: genesisPath })
  }
  const keyPaths = keyPathsOf(home, values)
  const keys = await readKeys(keyPaths)
  const organisation = findOrganisation(genesis, keys)
  const rest = partOptions(home, values)
  const blobs = await readBlobPlace(home, rest.storage.dir, values)
  if (!(await hasChain(rest.storage))) checkFounder(values, { genesis, organisation, keys })

  return deepFreeze({
    home,
    name: values.node.name,
    role: values.node.role,
    profile: values.node.profile,
    configPath: file === null ? null : configPath,
    genesisPath,
    genesis,
    genesisDigest: digest,
    networkId: actual,
    organisation,
    keys,
    keyPaths,
    ...rest,
    blobs,
    origins,
  })
}

// Bytes stay as they are: a typed array cannot be frozen.
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
