// Whether this computer is one that a node can work on. Nothing here needs a node that runs, or one that
// could.

import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getHeapStatistics } from 'node:v8'
import { keyPairFromSeed, sign, verify } from '@mooring/crypto'
import { openDatabase } from '@mooring/storage'
import { doubtful, failed, fine, type Found, type PlannedCheck } from './checks.ts'
import { memoryLimitBytes, softFileLimit } from './host-limits.ts'
import { formatSize } from './option-values.ts'

const NODE_MAJOR_MIN = 24
const FILES_MIN = 4_096
const INODES_MIN = 100_000
const MEMORY_MIN = 512 * 1024 * 1024
const FREE_WARNING = 1.5
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

/** What `statfs` calls the kinds of file systems that promise less than a node needs. */
const RISKY_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0x794c7630, 'overlay'],
  [0x01021994, 'tmpfs'],
  [0x65735546, 'FUSE'],
])

export interface HostPlace {
  dataDir: string
  minFreeBytes: number
}

export function hostChecks({ dataDir, minFreeBytes }: HostPlace): PlannedCheck[] {
  const area = 'host'
  return [
    { area, name: 'node_version', look: versionOf },
    { area, name: 'signatures', look: signaturesOf },
    { area, name: 'database_library', look: libraryOf },
    { area, name: 'disk', look: () => diskOf(dataDir, minFreeBytes) },
    { area, name: 'file_system', look: () => fileSystemOf(dataDir) },
    { area, name: 'open_files', look: filesOf },
    { area, name: 'memory', look: memoryOf },
  ]
}

function versionOf(): Found {
  const { node } = process.versions
  const major = Number(node.split('.', 1)[0])
  return major >= NODE_MAJOR_MIN
    ? fine(`Node ${node}.`)
    : failed(`Node ${node} is too old.`, 'Run it through npx: "npm ci" brings the right one along.')
}

/** The edges at which verifiers are known to differ: all of them must refuse alike. */
function signaturesOf(): Found {
  const keyPair = keyPairFromSeed(new Uint8Array(32).fill(7))
  const { publicKey } = keyPair
  const message = new TextEncoder().encode('mooring doctor')
  const signature = sign(keyPair, message)
  if (!verify(publicKey, message, signature)) throw new Error('A good signature is refused.')
  const bad = [
    { what: 'another message', signature, message: new Uint8Array(3), publicKey },
    {
      what: 'a scalar above the group order',
      signature: aboveOrder(signature),
      message,
      publicKey,
    },
    { what: 'a key of small order', signature, message, publicKey: new Uint8Array(32) },
    { what: 'a signature of 63 bytes', signature: signature.subarray(1), message, publicKey },
  ]
  const taken = bad.filter((each) => accepts(each))
  if (taken.length > 0)
    return failed(`Accepted: ${taken.map(({ what }) => what).join(', ')}.`, 'Install again: npm ci')
  return fine('Signatures are made, and four kinds of bad ones are refused.')
}

function accepts(each: {
  signature: Uint8Array
  message: Uint8Array
  publicKey: Uint8Array
}): boolean {
  try {
    return verify(each.publicKey, each.message, each.signature)
  } catch {
    return false
  }
}

function aboveOrder(signature: Uint8Array): Uint8Array {
  const raised = Uint8Array.from(signature)
  let scalar = 0n
  for (let at = 63; at >= 32; at -= 1) scalar = (scalar << 8n) | BigInt(signature[at] ?? 0)
  scalar += GROUP_ORDER
  for (let at = 32; at < 64; at += 1) {
    raised[at] = Number(scalar & 0xffn)
    scalar >>= 8n
  }
  return raised
}

async function libraryOf(): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-doctor-'))
  try {
    const database = await openDatabase(join(folder, 'chain'), { name: 'chain', home: folder })
    await database.close()
    return fine('A database is made, opened and closed.')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function diskOf(dataDir: string, minFreeBytes: number): Promise<Found> {
  const { bavail, bsize, files, ffree } = await statfs(dataDir)
  const free = bavail * bsize
  const detail = `${formatSize(free)} are free for ${dataDir}; it needs ${formatSize(minFreeBytes)}.`
  const advice = 'Make room, or let old blocks go:   mooring prune plan'
  if (free < minFreeBytes) return failed(detail, advice)
  if (files > 0 && ffree < INODES_MIN)
    return doubtful(`Only ${ffree} more files can be made there.`, advice)
  return free < minFreeBytes * FREE_WARNING ? doubtful(detail, advice) : fine(detail)
}

async function fileSystemOf(dataDir: string): Promise<Found> {
  const { type } = await statfs(dataDir)
  const kind = RISKY_FILE_SYSTEMS.get(type)
  if (kind === undefined) return fine('The data lies on a file system of this computer.')
  const detail = `The data lies on ${kind}, which does not promise that what was synced is kept.`
  return doubtful(detail, 'Put the home on a local disk, or on a volume of the container.')
}

async function filesOf(): Promise<Found> {
  const limit = await softFileLimit()
  if (limit === null) return fine('This system does not tell how many files may be open.')
  const detail = `${limit} files may be open.`
  const advice = 'Allow more:   ulimit -n 65536, or LimitNOFILE=65536 of the unit'
  return limit < FILES_MIN ? doubtful(detail, advice) : fine(detail)
}

async function memoryOf(): Promise<Found> {
  const limit = await memoryLimitBytes()
  const heap = getHeapStatistics().heap_size_limit
  if (limit === null)
    return fine(`The heap may grow to ${formatSize(heap)}; nothing else limits it.`)
  const detail = `The container may take ${formatSize(limit)}, the heap ${formatSize(heap)} of it.`
  if (limit < MEMORY_MIN) return doubtful(detail, 'Give it 512 MiB at least.')
  return heap > limit * 0.8
    ? doubtful(detail, 'Start Node with --max-old-space-size-percentage=60.')
    : fine(detail)
}
