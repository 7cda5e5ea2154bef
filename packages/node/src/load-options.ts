// From a home folder to the one frozen value that starts a node: options resolved, genesis read and
// checked, keys loaded, and all of them shown to belong together.

import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { OpenTo } from '@mooring/api'
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
import { hasCode } from './durable-files.ts'
import { checkHome, homePaths } from './home.ts'
import { finishResealing } from './home-secrets.ts'
import { type FoundKey, type PublicHalf, readKeyFile, readPublicHalf } from './keys.ts'
import { NodeError } from './node-error.ts'
import type { LogLevels, Retention, VerifyOnStart } from './option-values.ts'
import type { Profile } from './option-kinds.ts'
import type { OptionValues } from './options.ts'
import { type PartOptions, partOptions } from './part-options.ts'
import { passphraseFrom, type PassphraseSources } from './passphrase-source.ts'
import {
  type OptionSources,
  type Origin,
  type ResolvedOptions,
  resolveOptions,
} from './resolve-options.ts'
import { type AskPassphrase, SeedLock } from './seed-lock.ts'
import { parseSignerAddress, type SignerAddress } from './signer-address.ts'

// Without a seed where a signer holds it.
export type ConsensusKey = PublicHalf & { seed: Uint8Array | null }

// The governance key never touches the node.
export type NodeKeys = Readonly<
  Record<'transport' | 'anchor' | 'seal', KeyPair> & { consensus: ConsensusKey }
>

export type TlsFiles = { cert: string; key: string }

// What a home says of itself without its passphrase: enough for whatever signs and opens nothing.
export type HomeOptions = {
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
  // What is seen of the keys without a passphrase.
  halves: Readonly<Record<keyof NodeKeys, FoundKey>>
  // Where their files are; the next key of a duty waits beside the present one.
  keyPaths: Readonly<Record<keyof NodeKeys, string>>
  // Opens what is sealed among the keys, also those that come later.
  lock: SeedLock
  // Null: votes are signed here.
  signer: SignerAddress | null
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
  http: {
    listen: string
    // Paths; null for no TLS.
    tls: TlsFiles | null
    clientCa: string | null
    clientRoles: readonly string[]
    hosts: readonly string[]
    open: OpenTo
    // Requests a second; null for any number.
    rate: number | null
    bodyLimitBytes: number
    explorer: 'on' | 'off'
  }
  // Null turns the listener off.
  admin: { socket: string | null }
  patients: { listen: string | null; tls: TlsFiles | null; hosts: readonly string[] }
  metrics: { listen: string | null }
  log: {
    levels: LogLevels
    format: 'auto' | 'pretty' | 'json'
    file: string | null
    redact: readonly string[]
  }
  tracing: { endpoint: string | null; sample: number }
  shutdown: { timeoutMs: number; graceMs: number; onFatal: 'exit' | 'hold' }
  origins: Readonly<Record<string, Origin>>
  // What the configuration says now; keys and genesis stay as they were read.
  reread: () => Promise<PartOptions>
}

export type NodeOptions = HomeOptions & { keys: NodeKeys }

export type LoadSources = Omit<OptionSources, 'file'> & {
  home: string
  configPath?: string | undefined
  // Asks at the terminal, where somebody sits.
  askSecret?: PassphraseSources['askSecret']
}

export async function readConfigFile(path: string): Promise<ConfigFile | null> {
  try {
    return parseConfigFile(await readFile(path, 'utf8'))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

export async function readGenesisFile(path: string): Promise<Genesis> {
  let genesis: Genesis
  try {
    genesis = parseGenesisJson(await readFile(path, 'utf8'))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw new NodeError('genesis_missing', { path }, { cause: error })
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

type Halves = HomeOptions['halves']

function findOrganisation(genesis: Genesis, { consensus }: Halves): Organisation | null {
  const found = genesis.organisations.find(({ organisation }) =>
    equalBytes(organisation.keys.consensus, consensus.publicKey),
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
    halves,
  }: { genesis: Genesis; organisation: Organisation | null; halves: Halves },
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
    if (equalBytes(organisation.keys[duty], halves[duty].publicKey)) continue
    throw new NodeError('key_not_in_genesis', { name, detail: `the ${duty} key is another one` })
  }
}

function keyPathsOf(home: string, values: OptionValues): HomeOptions['keyPaths'] {
  const { consensus, transport, anchor, seal } = values.keys
  return {
    consensus: resolve(home, consensus),
    transport: resolve(home, transport),
    anchor: resolve(home, anchor),
    seal: resolve(home, seal),
  }
}

async function readHalves(paths: HomeOptions['keyPaths']): Promise<Halves> {
  return {
    consensus: await readPublicHalf(paths.consensus, 'consensus'),
    transport: await readPublicHalf(paths.transport, 'transport'),
    anchor: await readPublicHalf(paths.anchor, 'anchor'),
    seal: await readPublicHalf(paths.seal, 'seal'),
  }
}

async function readKeys({ keyPaths, halves, lock, signer }: HomeOptions): Promise<NodeKeys> {
  const consensus =
    signer === null
      ? await readKeyFile(keyPaths.consensus, 'consensus', lock)
      : { publicKey: halves.consensus.publicKey, seed: null }
  return {
    consensus,
    transport: await readKeyFile(keyPaths.transport, 'transport', lock),
    anchor: await readKeyFile(keyPaths.anchor, 'anchor', lock),
    seal: await readKeyFile(keyPaths.seal, 'seal', lock),
  }
}

/** From where the passphrase of a home's keys comes, as its options say. */
export function keysPassphrase(
  home: string,
  values: OptionValues,
  sources: Omit<PassphraseSources, 'file'>,
): AskPassphrase {
  const { passphrase_file: file } = values.keys
  return passphraseFrom({ ...sources, file: file === '' ? null : resolve(home, file) })
}

// A chain that goes on knows more than genesis: keys have been renewed, members have come and gone.
async function hasChain({ dir }: HomeOptions['storage']): Promise<boolean> {
  try {
    await stat(join(dir, 'chain'))
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

export type Configuration = ResolvedOptions & {
  configPath: string
  // Null when there is no such file.
  file: ConfigFile | null
}

/** What the sources say together, with every problem of it; of the home nothing but the file is read. */
export async function readConfiguration(sources: LoadSources): Promise<Configuration> {
  const home = resolve(sources.home)
  const configPath = resolve(sources.configPath ?? homePaths(home).configFile)
  const file = await readConfigFile(configPath)
  if (file === null && sources.configPath !== undefined) {
    throw new NodeError('config_missing', { path: configPath, home })
  }
  return { ...resolveOptions({ ...sources, file }), configPath, file }
}

/** @throws NodeError with all problems at once */
export function refuseProblems({ problems, configPath }: Configuration): void {
  if (problems.length === 0) return
  const [first] = problems
  const isOne = problems.every((problem) => problem.code === first?.code)
  const code = isOne ? (first?.code ?? 'options_invalid') : 'options_invalid'
  throw new NodeError(code, { path: configPath }, { problems })
}

/** The genesis that the configuration names. @throws NodeError also when it is that of another network */
export async function readNetwork({ configPath, values }: Configuration) {
  const genesisPath = resolve(dirname(configPath), values.network.genesis)
  const genesis = await readGenesisFile(genesisPath)
  const digest = genesisDigest(genesis)
  const actual = networkId(digest)
  if (values.network.id !== '' && values.network.id !== actual) {
    const configured = values.network.id
    throw new NodeError('network_mismatch', { configured, actual, path: genesisPath })
  }
  return { genesisPath, genesis, genesisDigest: digest, networkId: actual }
}

/** @throws NodeError also when the passphrase of the keys is missing or wrong. */
export async function loadNodeOptions(sources: LoadSources): Promise<NodeOptions> {
  return await loadNodeKeys(await loadHomeOptions(sources))
}

/** What a command on a stopped home needs as soon as it signs, opens or connects. */
export async function loadNodeKeys(options: HomeOptions): Promise<NodeOptions> {
  return deepFreeze({ ...options, keys: await readKeys(options) })
}

async function reread(sources: LoadSources): Promise<PartOptions> {
  const configuration = await readConfiguration(sources)
  refuseProblems(configuration)
  return partOptions(resolve(sources.home), configuration.values)
}

/** For commands on a stopped home, which work whether or not anybody knows the passphrase. */
export async function loadHomeOptions(sources: LoadSources): Promise<HomeOptions> {
  const home = resolve(sources.home)
  await checkHome(home)
  await finishResealing(home)
  const configuration = await readConfiguration(sources)
  refuseProblems(configuration)
  const { configPath, file, values, origins } = configuration
  const network = await readNetwork(configuration)
  const { genesis } = network
  const keyPaths = keyPathsOf(home, values)
  const lock = new SeedLock(keysPassphrase(home, values, sources))
  const signer = parseSignerAddress(home, values.keys)
  const halves = await readHalves(keyPaths)
  const organisation = findOrganisation(genesis, halves)
  const rest = partOptions(home, values)
  const blobs = await readBlobPlace(home, rest.storage.dir, values)
  if (!(await hasChain(rest.storage))) checkFounder(values, { genesis, organisation, halves })

  return deepFreeze({
    home,
    name: values.node.name,
    role: values.node.role,
    profile: values.node.profile,
    configPath: file === null ? null : configPath,
    ...network,
    organisation,
    halves,
    keyPaths,
    lock,
    signer,
    ...rest,
    blobs,
    origins,
    reread: () => reread(sources),
  })
}

// Bytes stay as they are: a typed array cannot be frozen.
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
