// A newcomer that does not want to execute the whole chain: fetches a snapshot from the members of the
// genesis, makes its chain of it, and then starts like every other node, following by blocks.
//
// It is the network alone that runs here, for as long as that takes; what peers say otherwise is not
// listened to.

import { mkdir, rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { formatPeerId } from '@mooring/crypto'
import { type Member, type Network, startNetwork } from '@mooring/network'
import { listSnapshots, SnapshotFile, snapshotPath } from '@mooring/storage'
import type { NodeOptions } from './load-options.ts'
import type { Logger, RootLogger } from './logger.ts'
import { NodeError } from './node-error.ts'
import {
  decodeSnapshotList,
  encodeSnapshotRequest,
  type SnapshotRequest,
} from './snapshot-exchange.ts'
import { WIRE_VERSIONS } from './protocol.ts'
import { fetchSnapshot, type SnapshotSource } from './snapshot-fetch.ts'
import { hasChain, importSnapshot } from './snapshot-import.ts'

const REQUEST_MS = 10_000
const GATHER_MS = 3_000
const RETRY_MS = 3_000
const TRIES_MAX = 5
const LINE_MS = 5_000

/** Does nothing where there is a chain, or where no member has a snapshot yet. */
export async function startFromSnapshot(options: NodeOptions, root: RootLogger): Promise<void> {
  const { storage, snapshotsDir } = options
  if (options.sync.mode !== 'snapshot' || (await hasChain(storage.dir))) return
  const logger = root.module('sync')
  await mkdir(snapshotsDir, { recursive: true, mode: 0o700 })
  if (await tryHeld(options, logger)) return
  const network = await startNetwork(networkOptions(options, root), {
    onMessage: () => undefined,
    onTransactions: () => 'ignore',
    onRequest: () => Promise.reject(new NodeError('not_ready', {})),
    onPeer: () => undefined,
    status: () => ({ height: 0 }),
  })
  try {
    await fetchAndImport(options, network, logger)
  } finally {
    await network.close()
  }
}

/** What an earlier start fetched to the end and could not read to the end. */
async function tryHeld(options: NodeOptions, logger: Logger): Promise<boolean> {
  for (const height of await listSnapshots(options.snapshotsDir)) {
    const path = snapshotPath(options.snapshotsDir, height)
    try {
      await readIn(options, path, logger)
      return true
    } catch (error) {
      if (!(error instanceof NodeError) || error.code !== 'snapshot_refused') throw error
      logger.warn('a snapshot in the home cannot be believed', { height, ...error.data })
      await rm(path, { force: true })
    }
  }
  return false
}

async function fetchAndImport(
  options: NodeOptions,
  network: Network,
  logger: Logger,
): Promise<void> {
  const { genesis, genesisDigest, snapshotsDir: folder } = options
  const refusedBy = new Set<string>()
  for (let tries = 1; ; tries += 1) {
    const sources = (await gather(network, logger)).filter(({ name }) => !refusedBy.has(name))
    try {
      const onBad = (peer: string, reason: string): void => {
        if (reason.startsWith('snapshot_refused') || reason.startsWith('wrong_')) {
          refusedBy.add(peer)
        }
        logger.warn('a peer gave no good snapshot', { peer, reason })
      }
      const onProgress = everyFewSeconds(logger)
      await fetchSnapshot(
        sources,
        { folder, genesis, genesisDigest, height: null, onProgress, onBad },
        (path) => readIn(options, path, logger),
      )
      return
    } catch (error) {
      if (!(error instanceof NodeError)) throw error
      const { code, data } = error
      if (code === 'snapshot_unavailable' && data['offers'] === 0 && sources.length > 0) {
        logger.info('no member has a snapshot yet; starting from blocks', {})
        return
      }
      if (tries >= TRIES_MAX) throw error
      logger.warn('no snapshot yet; trying again', { code, detail: String(data['detail'] ?? '') })
      await pause(RETRY_MS)
    }
  }
}

async function readIn(options: NodeOptions, path: string, logger: Logger): Promise<void> {
  const { genesis, genesisDigest, storage } = options
  const file = await SnapshotFile.open(path)
  try {
    const tell = everyFewSeconds(logger)
    const { height } = await importSnapshot(file, {
      genesis,
      genesisDigest,
      dataDir: storage.dir,
      onChunk: (done, total) => tell({ chunks: done, chunksTotal: total }),
    })
    logger.info('the chain begins with a snapshot', { height })
  } finally {
    await file.close()
  }
}

/** Those that are connected, as soon as a few are or some time after the first. */
async function gather(network: Network, logger: Logger): Promise<SnapshotSource[]> {
  const connected = () => network.peers().filter((peer) => peer.connected)
  const tell = everyFewSeconds(logger)
  while (connected().length === 0) {
    tell({ waitingFor: 'members' })
    await pause(100)
  }
  const all = network.peers().length
  const until = performance.now() + GATHER_MS
  while (connected().length < all && performance.now() < until) await pause(100)
  return connected().map(({ peerId, name }) => sourceOf(network, peerId, name))
}

function sourceOf(network: Network, peerId: string, name: string): SnapshotSource {
  const ask = (request: SnapshotRequest): Promise<Uint8Array> =>
    network.request(peerId, 'snapshot', encodeSnapshotRequest(request), { timeoutMs: REQUEST_MS })
  return {
    name,
    list: async () => decodeSnapshotList(await ask({ kind: 'list', body: {} })),
    manifest: (height) => ask({ kind: 'manifest', body: { height } }),
    chunk: (height, index) => ask({ kind: 'chunk', body: { height, index } }),
  }
}

function everyFewSeconds(logger: Logger): (fields: Record<string, string | number>) => void {
  let toldAt = -Infinity
  return (fields) => {
    const now = performance.now()
    if (now - toldAt < LINE_MS) return
    toldAt = now
    logger.info('starting from a snapshot', fields)
  }
}

function networkOptions(options: NodeOptions, root: RootLogger) {
  const { p2p, genesis, keys } = options
  const logger = root.module('p2p')
  const allowed = p2p.allow === 'members' ? [] : p2p.allowList
  const members: Member[] = genesis.organisations.map(({ organisation }) => ({
    peerId: formatPeerId(organisation.keys.transport),
    name: organisation.id,
    authority: organisation.roles.includes('authority'),
  }))
  return {
    listen: [...p2p.listen],
    announce: [...p2p.announce],
    transportSeed: keys.transport.seed,
    networkId: options.networkId,
    genesisDigest: options.genesisDigest,
    protocolVersions: WIRE_VERSIONS,
    members: () => (p2p.allow === 'list' ? [] : members),
    addresses: (peerId: string) =>
      p2p.peers.filter((address) => address.endsWith(`/p2p/${peerId}`)),
    local: () => ({ allowed, banned: [], bannedHosts: [] }),
    limits: { connectionsMax: p2p.maxPeers },
    log: (
      level: 'debug' | 'info' | 'warn' | 'error',
      sentence: string,
      fields: Record<string, string | number | boolean>,
    ) => logger.log(level, sentence, fields),
  }
}
