// What is found in a home whose node does not run: whether it would start, and go on where it was. Nothing
// is changed by looking; the databases are opened as a start does it, so that no node can run meanwhile.

import { chmod, cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { equalBytes, toHex } from '@mooring/codec'
import { blockDigest, decodeHeader, genesisState, networkId } from '@mooring/ledger'
import { ChainStore, Journal } from '@mooring/storage'
import { doubtful, failed, fine, type Found, type PlannedCheck } from './checks.ts'
import { failureOf } from './error-text.ts'
import { openHomeDatabase } from './home-database.ts'
import { checkHome, homePaths } from './home.ts'
import { keyFilesOpen } from './key-permissions.ts'
import {
  type HomeOptions,
  type LoadSources,
  loadHomeOptions,
  loadNodeOptions,
  readConfiguration,
  refuseProblems,
} from './load-options.ts'
import { parseHostPort } from './option-values.ts'
import { readHeader } from './stores.ts'
import { certificateFindings, readCertificates } from './tls-files.ts'

const CLOCK_BEHIND_MS = 500

export interface HomeGround {
  sources: LoadSources
  now: () => number
  /** Mend what can be mended without asking. */
  isMending: boolean
}

export function homeChecks(ground: HomeGround): PlannedCheck[] {
  const { sources } = ground
  const paths = homePaths(sources.home)
  const withOptions = (look: (options: HomeOptions) => Promise<Found>) => async () =>
    look(await loadHomeOptions(sources))
  return [
    { area: 'home', name: 'permissions', look: () => permissionsOf(paths, ground.isMending) },
    { area: 'home', name: 'configuration', look: () => configurationOf(sources) },
    { area: 'home', name: 'genesis', look: withOptions(genesisOf) },
    { area: 'home', name: 'ports', look: withOptions(portsOf) },
    { area: 'home', name: 'certificates', look: withOptions((all) => tlsOf(all, ground.now())) },
    { area: 'keys', name: 'keys', look: () => keysOf(sources) },
    { area: 'data', name: 'guard', look: withOptions((all) => told(guardOf(all))) },
    { area: 'data', name: 'tip', look: withOptions((all) => told(tipOf(all, ground.now()))) },
  ]
}

async function permissionsOf(
  paths: ReturnType<typeof homePaths>,
  isMending: boolean,
): Promise<Found> {
  const open = await keyFilesOpen(paths)
  if (isMending) for (const { path, wanted } of open) await chmod(path, wanted)
  try {
    await checkHome(paths.home)
  } catch (error) {
    const { what, where, fix } = failureOf(error)
    return failed(`${what}: ${where}`, fix[0] ?? '')
  }
  if (open.length === 0) return fine('Only the owner may read keys and guard.')
  const names = open.map(({ path }) => path).join(', ')
  if (isMending) return fine(`Nobody else may read any more: ${names}.`)
  return failed(`Others may read: ${names}.`, 'Close them:   mooring doctor --offline --fix')
}

async function configurationOf(sources: LoadSources): Promise<Found> {
  try {
    const configuration = await readConfiguration(sources)
    refuseProblems(configuration)
    return fine(`${configuration.configPath} can be used.`)
  } catch (error) {
    const { what, rows } = failureOf(error)
    return failed([what, ...rows].join('; '), 'See all of it:   mooring config validate')
  }
}

function genesisOf({ genesisDigest, genesis, genesisPath }: HomeOptions): Promise<Found> {
  const id = networkId(genesisDigest)
  const detail = `${genesisPath} is that of ${genesis.networkName} (${id}), digest ${toHex(genesisDigest)}.`
  return Promise.resolve(fine(detail))
}

async function portsOf({ http, metrics, p2p, admin }: HomeOptions): Promise<Found> {
  const wanted = [http.listen, metrics.listen ?? '', ...p2p.listen.map(addressOf)]
  const taken: string[] = []
  for (const address of wanted) {
    const parsed = parseHostPort(address)
    if (!('value' in parsed) || parsed.value.port === 0) continue
    if (!(await isFree(parsed.value))) taken.push(address)
  }
  if (admin.socket !== null && (await isListening(admin.socket))) taken.push(admin.socket)
  if (taken.length === 0) return fine('Every address that the node listens on is free.')
  const detail = `In use already: ${taken.join(', ')}.`
  return failed(detail, 'See who has it:   ss -ltnp; another port:   mooring config set')
}

/** "/ip4/0.0.0.0/tcp/7420" as host and port. */
function addressOf(multiaddress: string): string {
  const [, , host = '', , port = ''] = multiaddress.split('/')
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

async function isFree({ host, port }: { host: string; port: number }): Promise<boolean> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
  )
  server.listen({ host, port, exclusive: true }, () => resolve(true))
  try {
    return await promise
  } finally {
    server.close()
  }
}

/** A socket that a killed process left behind is none that anybody listens on. */
async function isListening(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ path })
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

async function tlsOf({ http, patients }: HomeOptions, now: number): Promise<Found> {
  const files = [http.tls?.cert, http.clientCa, patients.tls?.cert].flatMap((path) => path ?? [])
  if (files.length === 0) return fine('No listener has a certificate.')
  const certificates = (await Promise.all([...new Set(files)].map(readCertificates))).flat()
  const [first] = certificateFindings(certificates, now)
  if (first === undefined) return fine(`${certificates.length} certificates are good for a month.`)
  const advice = 'See all of them:   mooring tls check'
  return first.severity === 'page' ? failed(first.detail, advice) : doubtful(first.detail, advice)
}

async function keysOf(sources: LoadSources): Promise<Found> {
  try {
    const { keys, keyPaths } = await loadNodeOptions(sources)
    const count = Object.keys(keys).length
    return fine(`${count} keys of ${dirname(keyPaths.consensus)} can be used.`)
  } catch (error) {
    const { what, where, fix, code } = failureOf(error)
    const tell = code === 'keys_passphrase_missing' ? doubtful : failed
    return tell(where === '' ? `${what}.` : `${what}: ${where}`, fix[0] ?? '')
  }
}

/** A copy is looked at: opening the journal itself would mend what a crash has left. */
async function guardOf({ storage, consensus }: HomeOptions): Promise<Found> {
  const { guardDir } = storage
  if ((await namesIn(guardDir)).length === 0)
    return doubtful(
      `There is no guard in ${guardDir}.`,
      'A node that has voted never goes on without it:   mooring start --rejoin',
    )
  const copy = await mkdtemp(join(tmpdir(), 'mooring-doctor-'))
  try {
    await cp(guardDir, copy, { recursive: true })
    const marksPath = join(copy, 'signer.state')
    if (consensus.marksPath !== null) await cp(consensus.marksPath, marksPath)
    const { journal, records, marks } = await Journal.open({ directory: copy, marksPath })
    await journal.close()
    const { epoch, notarized, finalized } = marks
    const reached = `epoch ${epoch}, notarized up to view ${notarized}, finalized up to ${finalized}`
    return fine(`The vote journal has ${records.length} records and its marks agree: ${reached}.`)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

/** What the catalogue says of an error, instead of its bare words. */
async function told(looking: Promise<Found>): Promise<Found> {
  try {
    return await looking
  } catch (error) {
    const { what, where, fix } = failureOf(error)
    return failed(where === '' ? `${what}.` : `${what}: ${where}`, fix[0] ?? '')
  }
}

async function tipOf(options: HomeOptions, now: number): Promise<Found> {
  const { storage, home, genesis, genesisDigest } = options
  const path = join(storage.dir, 'chain')
  if ((await namesIn(path)).length === 0) return fine('There is no chain yet.')
  const database = await openHomeDatabase({ home, dataDir: storage.dir }, 'chain')
  try {
    const chain = await ChainStore.open(database, {
      genesis: { digest: genesisDigest, time: genesis.time, state: genesisState(genesis).values() },
      decodeHeader: readHeader,
    })
    const { height, digest, time } = chain.tip
    const encoded = height === 0 ? undefined : chain.getHeader(height)
    if (encoded !== undefined && !equalBytes(blockDigest(decodeHeader(encoded)), digest))
      return failed(`Block ${height} is not the one that its digest names.`, REPAIR)
    if (time - now > CLOCK_BEHIND_MS) {
      const seconds = ((time - now) / 1_000).toFixed(1)
      const detail = `The clock of this computer is ${seconds} s before the last block.`
      return failed(detail, 'Let chrony, ntpd or systemd-timesyncd keep the time.')
    }
    return fine(`The chain is at height ${height}, and its last block is what its digest says.`)
  } finally {
    await database.close()
  }
}

const REPAIR = 'See what is damaged:   mooring db verify; mend it:   mooring db repair --from-peers'

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await stat(folder)).isDirectory() ? await readdir(folder) : []
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
