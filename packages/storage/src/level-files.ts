// The files of a LevelDB, checked before it is opened.
//
// LevelDB writes a checksum behind every block of a table and every record of a log, and compares
// few of them. A table with a flipped key makes it lose keys silently or abort the process during
// compaction; a damaged record in the middle of a log makes it drop what follows; without its file
// CURRENT it starts a new database and deletes the old one. So this reads the checksums first. Only
// the end of the newest log may be torn, which is what a crash leaves.
//
//   table = block* | footer            footer: handles of metaindex and index | padding | magic
//   block = contents | u8 type | u32 masked crc32c of both             handle: offset, size
//
// A crash may also leave a table half written, or whole and not used yet: LevelDB deletes at its next start
// what its manifest does not name, so only the named ones are looked at. Logs are in level-log.ts.

import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StorageError, storageErrorOf } from './errors.ts'
import { viewOf } from './integers.ts'
import { faultOfLog, maskedChecksum } from './level-log.ts'
import { liveTablesOf } from './level-manifest.ts'
import { VarintReader } from './varint-reader.ts'

const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const TABLE = /^(\d+)\.(?:ldb|sst)$/
const TABLE_MAGIC = 0xdb4775248b80fb57n

/** What is wrong with one file of a database. */
export interface LevelFault {
  file: string
  fault: string
}

/**
 * Checks logs, and tables from the newest on until so many bytes have been read.
 * @throws StorageError corrupt for the first that does not hold
 */
export async function checkLevelFiles(directory: string, tableBytesMax: number): Promise<void> {
  try {
    for await (const { file, fault } of faultsOfFiles(directory, tableBytesMax)) {
      throw damaged(directory, file, fault)
    }
  } catch (error) {
    throw storageErrorOf(error, 'the files of the database cannot be read', directory)
  }
}

/** All that is wrong with the files of a database. */
export async function faultsOfLevel(directory: string): Promise<LevelFault[]> {
  try {
    const faults: LevelFault[] = []
    for await (const fault of faultsOfFiles(directory, Number.POSITIVE_INFINITY)) faults.push(fault)
    return faults
  } catch (error) {
    throw storageErrorOf(error, 'the files of the database cannot be read', directory)
  }
}

async function* faultsOfFiles(
  directory: string,
  tableBytesMax: number,
): AsyncGenerator<LevelFault> {
  const names = await filesOf(directory)
  const current = await readCurrent(directory, names)
  if (current !== null && 'fault' in current) {
    yield current
    return
  }
  const live = await liveTables(directory, current)
  if (live !== null && 'fault' in live) {
    yield live
    return
  }
  for (const [index, file] of numbered(names, /^(\d+)\.log$/).entries()) {
    const fault = faultOfLog(await readFile(join(directory, file)), index === 0)
    if (fault !== undefined) yield { file, fault }
  }
  let bytes = 0
  for (const file of numbered(names, TABLE)) {
    if (live?.has(numberOf(file)) !== true) continue
    const path = join(directory, file)
    bytes += (await stat(path)).size
    if (bytes > tableBytesMax) break
    const fault = faultOfTable(await readFile(path))
    if (fault !== undefined) yield { file, fault }
  }
  for (const number of live ?? []) {
    const file = `${String(number).padStart(6, '0')}.ldb`
    const isThere = names.some((name) => TABLE.test(name) && numberOf(name) === number)
    if (!isThere) yield { file, fault: 'it is gone although the manifest names it' }
  }
}

async function filesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** Newest first. */
function numbered(names: readonly string[], pattern: RegExp): string[] {
  return names.filter((name) => pattern.test(name)).toSorted((a, b) => numberOf(b) - numberOf(a))
}

function numberOf(name: string): number {
  return Number.parseInt(name, 10)
}

async function liveTables(
  directory: string,
  current: { manifest: string } | null,
): Promise<Set<number> | LevelFault | null> {
  if (current === null) return null
  const { manifest } = current
  const live = liveTablesOf(await readFile(join(directory, manifest)))
  return live ?? { file: manifest, fault: 'it cannot be read' }
}

/** Which manifest is in force; null where there is no database yet. */
async function readCurrent(
  directory: string,
  names: readonly string[],
): Promise<{ manifest: string } | LevelFault | null> {
  const file = 'CURRENT'
  if (!names.includes(file)) {
    const left = names.find((name) => /^MANIFEST-|\.(?:ldb|sst|log)$/.test(name))
    return left === undefined ? null : { file, fault: `missing although there is ${left}` }
  }
  const text = await readFile(join(directory, file), 'utf8')
  const manifest = /^(MANIFEST-\d+)\n$/.exec(text)?.[1]
  if (manifest === undefined || !names.includes(manifest)) {
    return { file, fault: 'it names no manifest that exists' }
  }
  return { manifest }
}

function faultOfTable(table: Uint8Array): string | undefined {
  if (table.length < FOOTER_BYTES) return 'shorter than a footer'
  const footer = table.subarray(table.length - FOOTER_BYTES)
  if (viewOf(footer).getBigUint64(40, true) !== TABLE_MAGIC) return 'no table at all'
  const reader = new VarintReader(footer)
  const metaindex = contentsOf(table, handleAt(reader))
  const index = contentsOf(table, handleAt(reader))
  if (metaindex === undefined || index === undefined) return 'damaged in its index'
  for (const handle of [...handlesOf(metaindex), ...handlesOf(index)]) {
    if (contentsOf(table, handle) === undefined) return `damaged in the block at ${handle.offset}`
  }
  return undefined
}

interface BlockHandle {
  offset: number
  size: number
}

function handleAt(reader: VarintReader): BlockHandle {
  return { offset: reader.varint(), size: reader.varint() }
}

/** Undefined when the block is not there whole, or its checksum is another. */
function contentsOf(table: Uint8Array, { offset, size }: BlockHandle): Uint8Array | undefined {
  const end = offset + size
  if (!(end + TRAILER_BYTES <= table.length - FOOTER_BYTES)) return undefined
  const stored = viewOf(table).getUint32(end + 1, true)
  return stored === maskedChecksum(table.subarray(offset, end + 1))
    ? table.subarray(offset, end)
    : undefined
}

/** The blocks of an index or metaindex: entries of shared, own and value length, key, handle. */
function handlesOf(index: Uint8Array): BlockHandle[] {
  const restarts = viewOf(index).getUint32(index.length - 4, true)
  const reader = new VarintReader(index.subarray(0, index.length - 4 - 4 * restarts))
  const handles: BlockHandle[] = []
  while (!reader.isDone) {
    reader.varint()
    const ownLength = reader.varint()
    reader.varint()
    reader.pass(ownLength)
    handles.push(handleAt(reader))
  }
  return handles
}

function damaged(directory: string, file: string, fault: string): StorageError {
  return new StorageError('corrupt', `a file of the database is damaged: ${fault}`, {
    path: directory,
    file,
  })
}
