// The few file operations the guard and the blobs need, as an interface with two implementations: the real one
// below, and the one in memory-file-system.ts that simulations run on and that can lose power.
// Writes are positional and may be short; nothing is durable before datasync (contents) and
// syncDirectory (names). Where the system can write and sync in one, a file that is opened for that needs no
// datasync after a write: for the votes it is half of what the event loop and the threads do.

import fs from 'node:fs'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'

/** What tells a file from its copy. */
export interface FileIdentity {
  inode: string
  /** Nanoseconds since 1970; empty where the system does not keep it, or lets anybody set it. */
  birth: string
}

export interface OpenFile {
  /** The whole file. */
  read(): Promise<Uint8Array>
  size(): Promise<number>
  /** Fewer bytes than asked for only where the file ends. */
  readAt(position: number, length: number): Promise<Uint8Array>
  identity(): Promise<FileIdentity>
  /** The number of bytes taken, which may be fewer than given. */
  write(bytes: Uint8Array, position: number): Promise<number>
  truncate(size: number): Promise<void>
  datasync(): Promise<void>
  close(): Promise<void>
  /** What a write has taken is durable when it resolves. */
  readonly isSynced?: boolean
}

/** `synced`: each write is to be durable, with `isSynced` where the system does that by itself. */
export type Writes = 'plain' | 'synced'

export interface FileSystem {
  /** Undefined when there is no such file. */
  openExisting(path: string, writes?: Writes): Promise<OpenFile | undefined>
  /** A new, empty file; an old one of that name is emptied. */
  create(path: string, writes?: Writes): Promise<OpenFile>
  readDirectory(path: string): Promise<string[]>
  makeDirectory(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
}

const open = promisify(fs.open)
const close = promisify(fs.close)
const read = promisify(fs.read)
const write = promisify(fs.write)
const fstat = promisify(fs.fstat)
const fstatBig = promisify(
  (fd: number, done: (error: Error | null, stats: fs.BigIntStats) => void) =>
    fs.fstat(fd, { bigint: true }, done),
)
const ftruncate = promisify(fs.ftruncate)
const fdatasync = promisify(fs.fdatasync)
const fsync = promisify(fs.fsync)

async function readFully(descriptor: number, position: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size)
  let length = 0
  while (length < size) {
    const { bytesRead } = await read(descriptor, bytes, length, size - length, position + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}

const { O_CREAT, O_DSYNC, O_RDWR, O_TRUNC } = fs.constants
/** Elsewhere the flag is not there, or leaves the bytes in the memory of the disk. */
const CAN_SYNC = process.platform === 'linux'

function flagsOf(plain: number, writes: Writes): number {
  return writes === 'synced' && CAN_SYNC ? plain | O_DSYNC : plain
}

// Plain descriptors and callbacks: measured a fifth faster than FileHandle on the path of a vote.
function openFile(descriptor: number, writes: Writes): OpenFile {
  return {
    isSynced: writes === 'synced' && CAN_SYNC,
    async read() {
      const { size } = await fstat(descriptor)
      return await readFully(descriptor, 0, size)
    },
    size: async () => (await fstat(descriptor)).size,
    readAt: (position, length) => readFully(descriptor, position, length),
    async identity() {
      const { ino, birthtimeNs, ctimeNs } = await fstatBig(descriptor)
      // Where there is no birth, Node gives the last change, or the beginning of 1970.
      const isKept = process.platform === 'linux' && birthtimeNs > 0n && birthtimeNs !== ctimeNs
      return { inode: String(ino), birth: isKept ? String(birthtimeNs) : '' }
    },
    async write(bytes, position) {
      const { bytesWritten } = await write(descriptor, bytes, 0, bytes.length, position)
      return bytesWritten
    },
    truncate: (size) => ftruncate(descriptor, size),
    datasync: () => fdatasync(descriptor),
    close: () => close(descriptor),
  }
}

export const nodeFileSystem: FileSystem = {
  async openExisting(path, writes = 'plain') {
    try {
      return openFile(await open(path, flagsOf(O_RDWR, writes)), writes)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  },
  async create(path, writes = 'plain') {
    const flags = flagsOf(O_RDWR | O_CREAT | O_TRUNC, writes)
    return openFile(await open(path, flags, 0o600), writes)
  },
  readDirectory: (path) => fs.promises.readdir(path),
  async makeDirectory(path) {
    const first = await fs.promises.mkdir(path, { recursive: true, mode: 0o700 })
    if (first === undefined) return
    const top = dirname(first)
    for (let made = resolve(path); made !== top; made = dirname(made)) {
      await this.syncDirectory(dirname(made))
    }
  },
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (path) => fs.promises.unlink(path),
  async syncDirectory(path) {
    // Windows cannot open a directory; its file systems journal names by themselves.
    if (process.platform === 'win32') return
    const descriptor = await open(path, 'r')
    try {
      await fsync(descriptor)
    } finally {
      await close(descriptor)
    }
  },
}

/** Two files may get one number, one after the other; no two are born in one nanosecond. */
export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.birth !== '' && b.birth !== '' ? a.birth === b.birth : a.inode === b.inode
}

/** Writes all of the bytes or throws; a disk that takes nothing is an error, not a loop. */
export async function writeFully(
  file: OpenFile,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const written = await file.write(bytes.subarray(done), position + done)
    if (written <= 0) throw new Error('the disk took none of the bytes')
    done += written
  }
}

/** All of the bytes, and on the disk. */
export async function writeDurably(
  file: OpenFile,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  await writeFully(file, bytes, position)
  if (file.isSynced !== true) await file.datasync()
}
