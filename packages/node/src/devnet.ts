// A network on one computer: n homes with keys and configuration around one genesis. `mooring devnet
// up` runs them as processes, the tests and the benchmarks in one; all get them from here.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { formatPeerId, hkdfSha256 } from '@mooring/crypto'
import {
  type Admission,
  createGenesis,
  DEVNET_PARAMETERS,
  formatGenesisJson,
  type Genesis,
  genesisDigest,
  networkId,
  type Organisation,
  type Parameters,
  parseGenesisJson,
  signAdmission,
  signGenesisEntry,
} from '@mooring/ledger'
import { formatConfigFile } from './config-file.ts'
import { createHome, type HomePaths, homePaths } from './home.ts'
import { makeFirstGuard } from './first-guard.ts'
import {
  createKeyRing,
  keepKeyRing,
  keyFileName,
  type KeyRing,
  readPublicHalf,
  replaceKeyFile,
  writeKeyFile,
  writeKeyRing,
} from './keys.ts'
import { NodeError } from './node-error.ts'

export type DevnetPorts = { p2p: number; http: number; metrics: number }

export type DevnetNode = {
  index: number
  // Also the id of its organisation.
  name: string
  home: string
  peerId: string
  ports: DevnetPorts
}

export type Devnet = {
  dir: string
  name: string
  networkId: string
  genesisDigest: Uint8Array
  parameters: Parameters
  nodes: DevnetNode[]
}

export type DevnetInput = {
  dir: string
  nodes: number
  // Node i listens on basePort + 10·i, +1 (API) and +3 (metrics).
  basePort: number
  name: string
  heartbeatMs: number
  // The same seed and time give the same keys and the same genesis.
  seed?: Uint8Array
  time?: number
  parameters?: Partial<Parameters>
  // Each votes through a signer, whose home is in the folder `signer` of its own.
  hasSigners?: boolean
}

const PORT_STEP = 10
const HOST = '127.0.0.1'
const SIGNER = 'unix:signer/run/signer.sock'

export function portsOf(basePort: number, index: number): DevnetPorts {
  const first = basePort + PORT_STEP * index
  return { p2p: first, http: first + 1, metrics: first + 3 }
}

function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: HOST }, () => server.close(() => resolve(true)))
  })
}

// The ports of a block that another program holds.
export async function takenPorts(basePort: number, nodes: number): Promise<number[]> {
  const taken: number[] = []
  for (let index = 0; index < nodes; index += 1) {
    for (const port of Object.values(portsOf(basePort, index))) {
      if (!(await portIsFree(port))) taken.push(port)
    }
  }
  return taken
}

export type PortBlock = { basePort: number; skipped: { basePort: number; taken: number[] }[] }

// Below 32768, from where on Linux gives ports to whoever connects: a node that stops for a moment would find
// its own with somebody else.
const ANY_PORT_MIN = 12_000
const ANY_PLACES = 2_000

// The first block from `basePort` on in which every port is free; 0 starts anywhere.
export async function findPortBlock(basePort: number, nodes: number): Promise<PortBlock> {
  const size = PORT_STEP * nodes
  const skipped: PortBlock['skipped'] = []
  let candidate =
    basePort === 0 ? ANY_PORT_MIN + (randomBytes(2).readUInt16BE() % ANY_PLACES) * 10 : basePort
  while (candidate + size < 65_536) {
    const taken = await takenPorts(candidate, nodes)
    if (taken.length === 0) return { basePort: candidate, skipped }
    skipped.push({ basePort: candidate, taken })
    candidate += Math.max(size, 100)
  }
  const address = `${HOST}:${basePort}`
  throw new NodeError('port_taken', { what: 'The devnet', address })
}

function organisationOf(index: number, name: string, keys: KeyRing): Organisation {
  return {
    id: name,
    name: `Hospital ${index}`,
    legalGroup: `Group ${index}`,
    roles: ['authority'],
    keys: {
      governance: keys.governance.publicKey,
      consensus: keys.consensus.publicKey,
      transport: keys.transport.publicKey,
      anchor: keys.anchor.publicKey,
      seal: keys.seal.publicKey,
      issuer: null,
    },
  }
}

function createKeys(input: Pick<DevnetInput, 'name' | 'seed'>, name: string): KeyRing {
  const { seed } = input
  if (seed === undefined) return createKeyRing()
  const info = (duty: string) => new TextEncoder().encode(`devnet/${input.name}/${name}/${duty}`)
  return createKeyRing((duty) => hkdfSha256(seed, new Uint8Array(), info(duty), 32))
}

export async function createDevnet(input: DevnetInput): Promise<Devnet> {
  const time = input.time ?? Date.now()
  const names = Array.from({ length: input.nodes }, (_, index) => `hospital-${index}`)
  const members = names.map((name, index) => {
    const keys = createKeys(input, name)
    return { name, keys, organisation: organisationOf(index, name, keys) }
  })
  const networkName = `devnet-${input.name}`
  const genesis = createGenesis({
    networkName,
    time,
    parameters: { ...DEVNET_PARAMETERS, heartbeatMs: input.heartbeatMs, ...input.parameters },
    organisations: members.map(({ organisation, keys }) =>
      signGenesisEntry(networkName, organisation, keys.governance),
    ),
  })
  const digest = genesisDigest(genesis)
  const nodes = members.map(({ name, keys }, index) => ({
    index,
    name,
    home: join(input.dir, name),
    peerId: formatPeerId(keys.transport.publicKey),
    ports: portsOf(input.basePort, index),
  }))
  for (const { name, keys } of members) {
    const paths = await createHome(join(input.dir, name))
    await writeKeyRing(paths.keys, keys, { created: new Date(time) })
    await makeFirstGuard(paths.guard)
    await writeFile(paths.genesisFile, formatGenesisJson(genesis), { mode: 0o444, flag: 'wx' })
    if (input.hasSigners === true) await moveToSigner(paths, { name, time, genesis, keys })
  }
  const devnet = {
    dir: input.dir,
    name: input.name,
    networkId: networkId(digest),
    genesisDigest: digest,
    parameters: genesis.parameters,
    nodes,
  }
  await writeDevnetConfigs(devnet)
  return devnet
}

/** Where the signer of a devnet's node has its home. */
export function signerHome(home: string): string {
  return join(home, 'signer')
}

async function moveToSigner(
  node: HomePaths,
  {
    name,
    time,
    genesis,
    keys: { consensus },
  }: { name: string; time: number; genesis: Genesis; keys: KeyRing },
): Promise<void> {
  const { publicKey } = consensus
  const paths = await createHome(signerHome(node.home))
  const file = keyFileName('consensus')
  const created = new Date(time)
  await writeKeyFile(join(paths.keys, file), 'consensus', consensus, { created })
  await replaceKeyFile(join(node.keys, file), 'consensus', { publicKey, seed: null }, { created })
  await makeFirstGuard(paths.guard)
  await writeFile(paths.genesisFile, formatGenesisJson(genesis), { mode: 0o444, flag: 'wx' })
  const text = formatConfigFile({ 'node.name': name, 'node.profile': 'devnet' })
  await writeFile(paths.configFile, text, { mode: 0o600, flag: 'wx' })
}

export type NewcomerInput = {
  index: number
  firstPort: number
  seed?: Uint8Array
  time?: number
}

// One more hospital, which the network does not know yet: its home, and its wish to be admitted. What is
// there of an earlier attempt is kept: its keys may be known to the others already.
export async function createNewcomer(
  devnet: Devnet,
  { index, firstPort, ...input }: NewcomerInput,
): Promise<{ node: DevnetNode; admission: Admission }> {
  const name = `hospital-${index}`
  const paths = await createHome(join(devnet.dir, name))
  const fresh = createKeys({ ...input, name: devnet.name }, name)
  const keys = await keepKeyRing(paths.keys, fresh, new Date(input.time ?? Date.now()))
  const organisation: Organisation = { ...organisationOf(index, name, keys), roles: ['observer'] }
  const admission = signAdmission(devnet.genesisDigest, organisation, keys.governance)
  const { genesisFile } = homePaths(join(devnet.dir, 'hospital-0'))
  await rm(paths.genesisFile, { force: true })
  await copyFile(genesisFile, paths.genesisFile)
  const node = {
    index,
    name,
    home: paths.home,
    peerId: formatPeerId(keys.transport.publicKey),
    ports: portsOf(firstPort, 0),
  }
  return { node, admission }
}

// Written again when a devnet moves to other ports: addresses of peers are hints, keys stay.
export async function writeDevnetConfigs(devnet: Devnet): Promise<void> {
  for (const node of devnet.nodes) {
    const { configFile } = homePaths(node.home)
    const text = formatConfigFile({
      'node.name': node.name,
      'node.role': 'authority',
      'node.profile': 'devnet',
      'network.id': devnet.networkId,
      'p2p.listen': [`/ip4/${HOST}/tcp/${node.ports.p2p}`],
      'p2p.peers': devnet.nodes
        .filter((other) => other !== node)
        .map((other) => `/ip4/${HOST}/tcp/${other.ports.p2p}/p2p/${other.peerId}`),
      'http.listen': `${HOST}:${node.ports.http}`,
      'metrics.listen': `${HOST}:${node.ports.metrics}`,
      ...(existsSync(signerHome(node.home)) ? { 'keys.signer': SIGNER } : {}),
    })
    const temporary = `${configFile}.new`
    await writeFile(temporary, text, { mode: 0o600 })
    await rename(temporary, configFile)
  }
}

// The devnet that stands in a folder, with its keys and genesis, on the given ports.
export async function readDevnet(
  dir: string,
  name: string,
  count: number,
  basePort: number,
): Promise<Devnet> {
  const nodes: DevnetNode[] = []
  for (let index = 0; index < count; index += 1) {
    const home = join(dir, `hospital-${index}`)
    const transport = await readPublicHalf(
      join(homePaths(home).keys, 'transport.json'),
      'transport',
    )
    const peerId = formatPeerId(transport.publicKey)
    nodes.push({ index, name: `hospital-${index}`, home, peerId, ports: portsOf(basePort, index) })
  }
  const { genesisFile } = homePaths(join(dir, 'hospital-0'))
  const genesis = parseGenesisJson(await readFile(genesisFile, 'utf8'))
  const digest = genesisDigest(genesis)
  const { parameters } = genesis
  return { dir, name, networkId: networkId(digest), genesisDigest: digest, parameters, nodes }
}
