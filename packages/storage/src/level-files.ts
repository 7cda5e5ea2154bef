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
//   log   = 32 KiB blocks of records: u32 masked crc32c | u16 length | u8 type | data

import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32c } from './crc32c.ts'
import { StorageError, storageErrorOf } from './errors.ts'
import { viewOf } from './integers.ts'

const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const TABLE_MAGIC = 0xdb4775248b80fb57n
const LOG_BLOCK_BYTES = 32 * 1024
const RECORD_HEAD_BYTES = 7
const RECORD_TYPE_MAX = 4

/** Checks logs, and tables from the newest on until so many bytes have been read. */
export async function checkLevelFiles(directory: string, tableBytesMax: number): Promise<void> {
  try {
    const names = await filesOf(directory)
    await checkCurrent(directory, names)
    const logs = numbered(names, /^(\d+)\.log$/)
    for (const [index, name] of logs.entries()) {
      const fault = faultOfLog(await readFile(join(directory, name)), index === 0)
      if (fault !== undefined) throw damaged(directory, name, fault)
    }
    let bytes = 0
    for (const name of numbered(names, /^(\d+)\.(?:ldb|sst)$/)) {
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
  const numberOf = (name: string) => Number(pattern.exec(name)?.[1])
  return names.filter((name) => pattern.test(name)).toSorted((a, b) => numberOf(b) - numberOf(a))
}

async function checkCurrent(directory: string, names: readonly string[]): Promise<void> {
  if (!names.includes('CURRENT')) {
    const left = names.find((name) => /^MANIFEST-|\.(?:ldb|sst|log)$/.test(name))
    if (left === undefined) return
    throw damaged(directory, 'CURRENT', `missing although there is ${left}`)
  }
  const manifest = /^(MANIFEST-\d+)\n$/.exec(
    await readFile(join(directory, 'CURRENT'), 'utf8'),
  )?.[1]
  if (manifest === undefined || !names.includes(manifest)) {
    throw damaged(directory, 'CURRENT', 'it names no manifest that exists')
  }
}

function faultOfTable(table: Uint8Array): string | undefined {
  if (table.length < FOOTER_BYTES) return 'shorter than a footer'
  const footer = table.subarray(table.length - FOOTER_BYTES)
  if (viewOf(footer).getBigUint64(40, true) !== TABLE_MAGIC) return 'no table at all'
  const reader = new HandleReader(footer)
  const metaindex = contentsOf(table, reader.next())
  const index = contentsOf(table, reader.next())
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

/** Undefined when the block is not there whole, or its checksum is another. */
function contentsOf(table: Uint8Array, { offset, size }: BlockHandle): Uint8Array | undefined {
  const end = offset + size
  if (!(end + TRAILER_BYTES <= table.length - FOOTER_BYTES)) return undefined
  const stored = viewOf(table).getUint32(end + 1, true)
  return stored === masked(table.subarray(offset, end + 1))
    ? table.subarray(offset, end)
    : undefined
}

/** The blocks of an index or metaindex: entries of shared, own and value length, key, handle. */
function handlesOf(index: Uint8Array): BlockHandle[] {
  const restarts = viewOf(index).getUint32(index.length - 4, true)
  const reader = new HandleReader(index.subarray(0, index.length - 4 - 4 * restarts))
  const handles: BlockHandle[] = []
  while (!reader.isDone) {
    reader.varint()
    const ownLength = reader.varint()
    reader.varint()
    reader.skip(ownLength)
    handles.push(reader.next())
  }
  return handles
}

class HandleReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** NaN behind the end, so that whatever is computed from it is no offset either. */
  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at]
      this.#at += 1
      if (byte === undefined) return Number.NaN
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  next(): BlockHandle {
    return { offset: this.varint(), size: this.varint() }
  }

  skip(length: number): void {
    this.#at += length
  }
}

/**
 * A record that does not check is the torn end of the newest log if nothing whole follows, neither
 * where the record says that it ends nor at the start of any later block.
 */
function faultOfLog(log: Uint8Array, isNewest: boolean): string | undefined {
  let at = 0
  while (at < log.length) {
    const blockEnd = (Math.floor(at / LOG_BLOCK_BYTES) + 1) * LOG_BLOCK_BYTES
    if (blockEnd - at < RECORD_HEAD_BYTES) {
      at = blockEnd
      continue
    }
    const end = endOfRecord(log, at, blockEnd)
    if (end === undefined) {
      const isTorn = isNewest && !hasRecordAfter(log, at, blockEnd)
      return isTorn ? undefined : `damaged in the record at ${at}`
    }
    at = end
  }
  return undefined
}

function hasRecordAfter(log: Uint8Array, at: number, blockEnd: number): boolean {
  const isHeadThere = at + RECORD_HEAD_BYTES <= log.length
  const claimed = isHeadThere ? at + RECORD_HEAD_BYTES + viewOf(log).getUint16(at + 4, true) : at
  if (claimed > at && endOfRecord(log, claimed, blockEnd) !== undefined) return true
  for (let start = blockEnd; start < log.length; start += LOG_BLOCK_BYTES) {
    if (endOfRecord(log, start, start + LOG_BLOCK_BYTES) !== undefined) return true
  }
  return false
}

/** Undefined when no whole record starts there. */
function endOfRecord(log: Uint8Array, at: number, blockEnd: number): number | undefined {
  if (at + RECORD_HEAD_BYTES > Math.min(log.length, blockEnd)) return undefined
  const view = viewOf(log)
  const type = view.getUint8(at + 6)
  const end = at + RECORD_HEAD_BYTES + view.getUint16(at + 4, true)
  if (type < 1 || type > RECORD_TYPE_MAX || end > Math.min(log.length, blockEnd)) return undefined
  return view.getUint32(at, true) === masked(log.subarray(at + 6, end)) ? end : undefined
}

/** As LevelDB stores a checksum, so that one over bytes that hold checksums stays sound. */
function masked(bytes: Uint8Array): number {
  const c = crc32c(bytes)
  return (((c >>> 15) | (c << 17)) + 0xa282ead8) >>> 0
}

function damaged(directory: string, file: string, fault: string): StorageError {
  return new StorageError('corrupt', `a file of the database is damaged: ${fault}`, {
    path: directory,
    file,
  })
}
