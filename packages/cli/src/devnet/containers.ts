// A devnet as containers: the homes stay where they are, so that every key and its guard exist once, and
// each container gets a configuration with the addresses that hold among containers. A home is run by a
// process or by a container, never by both: the lock of its databases is one for them.

import { chown, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { formatConfigFile } from '@mooring/node/config-file'
import { homePaths } from '@mooring/node/home'
import { formatCompose, formatPrometheus } from './compose.ts'
import { activeNodes, type DevnetState } from './state.ts'

/** Paths are as the compose file says them, relative to its own folder. */
export type ContainerNetwork = {
  title: string
  version: string
  hospitals: readonly string[]
  homes: string
  configs: string
  /** Where the sources are, when the image is to be built from them. */
  source: string | null
  /** The folder with the alerts and dashboards, when it is there. */
  docker: string | null
  prometheusFile: string
  user: string
}

export type ContainerFiles = { composeFile: string; user: string; isGivenAway: boolean }

/** The user of the image. */
export const IMAGE_USER = 10_001

const P2P_PORT = 7420

export type ContainerConfig = {
  name: string
  networkId: string
  /** Everybody of the network, this one included. */
  members: readonly { name: string; peerId: string }[]
  /** Under which name the others reach one. */
  hostOf: (name: string) => string
}

export function containerConfig({ name, networkId, members, hostOf }: ContainerConfig): string {
  const addressOf = (member: string) => `/dns4/${hostOf(member)}/tcp/${P2P_PORT}`
  const others = members.filter((member) => member.name !== name)
  return formatConfigFile({
    'node.name': name,
    'node.role': 'authority',
    'node.profile': 'devnet',
    'network.id': networkId,
    'p2p.listen': [`/ip4/0.0.0.0/tcp/${P2P_PORT}`],
    'p2p.announce': [addressOf(name)],
    'p2p.peers': others.map((member) => `${addressOf(member.name)}/p2p/${member.peerId}`),
    'metrics.listen': '0.0.0.0:7423',
    'log.format': 'json',
    'shutdown.timeout': 20_000,
  })
}

// Root runs no node for others: its homes go to the user of the image. Anybody else is that user.
function userOf(): { uid: number; gid: number; isRoot: boolean } {
  const uid = process.getuid?.() ?? IMAGE_USER
  const gid = process.getgid?.() ?? IMAGE_USER
  return uid === 0
    ? { uid: IMAGE_USER, gid: IMAGE_USER, isRoot: true }
    : { uid, gid, isRoot: false }
}

async function giveAway(folder: string, uid: number, gid: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), uid, gid)
  }
  await chown(folder, uid, gid)
}

async function writeConfig(state: DevnetState, name: string, folder: string): Promise<void> {
  const { networkId } = state
  const members = activeNodes(state)
  const config = containerConfig({ name, networkId, members, hostOf: (member) => member })
  await mkdir(folder, { recursive: true, mode: 0o755 })
  await writeFile(join(folder, 'mooring.toml'), config, { mode: 0o644 })
  const genesis = join(folder, 'genesis.json')
  await rm(genesis, { force: true })
  await copyFile(homePaths(join(state.dir, name)).genesisFile, genesis)
}

export async function exportCompose(
  state: DevnetState,
  folder: string,
  { sources, version }: { sources: string | null; version: string },
): Promise<ContainerFiles> {
  const hospitals = activeNodes(state).map(({ name }) => name)
  const { uid, gid, isRoot } = userOf()
  const configs = join(folder, 'containers')
  await mkdir(folder, { recursive: true })
  for (const { name, home } of activeNodes(state)) {
    await writeConfig(state, name, join(configs, name))
    // A folder of its own on tmpfs in the container; made here, so that nobody else's is left behind.
    await mkdir(homePaths(home).run, { recursive: true, mode: 0o700 })
    if (isRoot) await giveAway(home, uid, gid)
  }
  await writeFile(join(configs, 'prometheus.yml'), formatPrometheus(hospitals))
  const composeFile = join(folder, 'compose.yaml')
  const text = formatCompose({
    title: `The devnet "${state.name}" as containers, made by mooring devnet export.`,
    version,
    hospitals,
    homes: pathFrom(folder, state.dir),
    configs: './containers',
    source: sources === null ? null : pathFrom(folder, sources),
    docker: sources === null ? null : pathFrom(folder, join(sources, 'docker')),
    prometheusFile: './containers/prometheus.yml',
    user: `${uid}:${gid}`,
  })
  await writeFile(composeFile, text)
  return { composeFile, user: `${uid}:${gid}`, isGivenAway: isRoot }
}

// Compose takes a path for a volume only when it begins with a dot or a slash.
function pathFrom(folder: string, path: string): string {
  const way = relative(resolve(folder), resolve(path))
  return way === '' ? '.' : way.startsWith('..') ? way : `./${way}`
}
