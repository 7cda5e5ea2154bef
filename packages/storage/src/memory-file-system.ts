// A file system in memory that can lose power. Simulations run the vote journal on it, so that a
// simulated crash loses what a real one may lose: of the writes since the last datasync any subset
// survives, each perhaps only in part and in any order; of the names made, moved or removed since
// the last syncDirectory any subset as well.

import { dirname } from 'node:path'
import type { FileSystem, OpenFile } from './file-system.ts'

interface Change {
  position: number
  /** Undefined: the file is cut (or filled up with zeros) at the position. */
  bytes: Uint8Array | undefined
}

interface Inode {
  number: number
  current: Contents
  durable: Contents
  pending: Change[]
}

let inodes = 0

class Contents {
  #buffer: Uint8Array
  #size: number

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#buffer = bytes.slice()
    this.#size = bytes.length
  }

  get bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#size)
  }

  apply({ position, bytes }: Change): void {
    const end = position + (bytes?.length ?? 0)
    this.#reserve(end)
    if (bytes === undefined) this.#buffer.fill(0, position)
    else this.#buffer.set(bytes, position)
    this.#size = bytes === undefined ? position : Math.max(this.#size, end)
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return
    const larger = new Uint8Array(Math.max(size, this.#buffer.length * 2))
    larger.set(this.#buffer)
    this.#buffer = larger
  }
}

export class MemoryFileSystem implements FileSystem {
  readonly #names = new Map<string, Inode>()
  readonly #durableNames = new Map<string, Inode>()

  openExisting(path: string): Promise<OpenFile | undefined> {
    const inode = this.#names.get(path)
    return Promise.resolve(inode && openInode(inode))
  }

  create(path: string): Promise<OpenFile> {
    const existing = this.#names.get(path)
    if (existing !== undefined) {
      change(existing, { position: 0, bytes: undefined })
      return Promise.resolve(openInode(existing))
    }
    inodes += 1
    const inode = {
      number: inodes,
      current: new Contents(),
      durable: new Contents(),
      pending: [],
    }
    this.#names.set(path, inode)
    return Promise.resolve(openInode(inode))
  }

  readDirectory(path: string): Promise<string[]> {
    const names = new Set<string>()
    for (const name of this.#names.keys()) {
      const [below] = name.startsWith(`${path}/`) ? name.slice(path.length + 1).split('/') : []
      if (below !== undefined) names.add(below)
    }
    return Promise.resolve([...names])
  }

  makeDirectory(): Promise<void> {
    return Promise.resolve()
  }

  rename(from: string, to: string): Promise<void> {
    const inode = this.#names.get(from)
    if (inode === undefined) return Promise.reject(notFound(from))
    this.#names.set(to, inode)
    this.#names.delete(from)
    return Promise.resolve()
  }

  remove(path: string): Promise<void> {
    return this.#names.delete(path) ? Promise.resolve() : Promise.reject(notFound(path))
  }

  syncDirectory(path: string): Promise<void> {
    for (const name of this.#durableNames.keys()) {
      if (dirname(name) === path && !this.#names.has(name)) this.#durableNames.delete(name)
    }
    for (const [name, inode] of this.#names) {
      if (dirname(name) === path) this.#durableNames.set(name, inode)
    }
    return Promise.resolve()
  }

  /** What a machine finds after its power failed now; random draws from [0, 1) what was lucky. */
  afterPowerLoss(random: () => number): MemoryFileSystem {
    const survivor = new MemoryFileSystem()
    const copies = new Map<Inode, Inode>()
    for (const name of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      const now = this.#names.get(name)
      const durable = this.#durableNames.get(name)
      const inode = now === durable || random() < 0.5 ? now : durable
      if (inode === undefined) continue
      const copy = copies.get(inode) ?? surviving(inode, random)
      copies.set(inode, copy)
      survivor.#names.set(name, copy)
      survivor.#durableNames.set(name, copy)
    }
    return survivor
  }
}

function openInode(inode: Inode): OpenFile {
  return {
    read: () => Promise.resolve(inode.current.bytes),
    size: () => Promise.resolve(inode.current.bytes.length),
    readAt: (position, length) =>
      Promise.resolve(inode.current.bytes.subarray(position, position + length)),
    identity: () => Promise.resolve({ inode: String(inode.number), birth: String(inode.number) }),
    write(bytes, position) {
      change(inode, { position, bytes: bytes.slice() })
      return Promise.resolve(bytes.length)
    },
    truncate(size) {
      change(inode, { position: size, bytes: undefined })
      return Promise.resolve()
    },
    datasync() {
      for (const made of inode.pending) inode.durable.apply(made)
      inode.pending = []
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
}

function change(inode: Inode, made: Change): void {
  inode.current.apply(made)
  inode.pending.push(made)
}

function notFound(path: string): Error {
  return Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
}

/** The same file after the power failure, so it keeps its number. */
function surviving(inode: Inode, random: () => number): Inode {
  const contents = new Contents(inode.durable.bytes)
  for (const { position, bytes } of inode.pending) {
    const luck = random()
    if (luck < 0.4) contents.apply({ position, bytes })
    else if (luck < 0.7 && bytes !== undefined) {
      contents.apply({ position, bytes: bytes.subarray(0, Math.floor(random() * bytes.length)) })
    }
  }
  const { number } = inode
  return { number, current: new Contents(contents.bytes), durable: contents, pending: [] }
}
