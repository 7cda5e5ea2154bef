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

/** Checks logs, and tables from the newest on until so many bytes have been read. */
export async function checkLevelFiles(directory: string, tableBytesMax: number): Promise<void> {
  try {
    const names = await filesOf(directory)
    const manifest = await checkCurrent(directory, names)
    const live = await liveTables(directory, manifest)
    const logs = numbered(names, /^(\d+)\.log$/)
    for (const [index, name] of logs.entries()) {
      const fault = faultOfLog(await readFile(join(directory, name)), index === 0)
      if (fault !== undefined) throw damaged(directory, name, fault)
    }
    let bytes = 0
    for (const name of numbered(names, TABLE)) {
      if (!live.has(numberOf(name))) continue
      const path = join(directory, name)
      bytes += (await stat(path)).size
      if (bytes > tableBytesMax) break
      const fault = faultOfTable(await readFile(path))
      if (fault !== undefined) throw damaged(directory, name, fault)
    }
  } catch (error) {
    throw storageErrorOf(error, 'the files of the database cannot be read', directory)
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

async function liveTables(directory: string, manifest: string | null): Promise<Set<number>> {
  if (manifest === null) return new Set()
  const live = liveTablesOf(await readFile(join(directory, manifest)))
  if (live === undefined) throw damaged(directory, manifest, 'it cannot be read')
  return live
}

/** The name of the manifest; null where there is no database yet. */
async function checkCurrent(directory: string, names: readonly string[]): Promise<string | null> {
  if (!names.includes('CURRENT')) {
    const left = names.find((name) => /^MANIFEST-|\.(?:ldb|sst|log)$/.test(name))
    if (left === undefined) return null
    throw damaged(directory, 'CURRENT', `missing although there is ${left}`)
  }
  const manifest = /^(MANIFEST-\d+)\n$/.exec(
    await readFile(join(directory, 'CURRENT'), 'utf8'),
  )?.[1]
  if (manifest === undefined || !names.includes(manifest)) {
    throw damaged(directory, 'CURRENT', 'it names no manifest that exists')
  }
  return manifest
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
