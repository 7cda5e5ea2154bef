// A disk that misbehaves at one operation of its life, or from one on, in front of a file system that can
// lose power.
//
//   eio, enospc   the operation is refused; ENOSPC only where something is written or made
//   short         a write takes a part and says so
//   lost-sync     a sync is acknowledged, and nothing of it is durable
//   lost-name     a rename or a removal happens, and the next sync of its folder does not keep it
//   power         the power fails before the operation
//
// A device that loses every sync is no disk: `lost-sync` loses one.

import type { FileSystem, OpenFile } from '../src/file-system.ts'
import type { MemoryFileSystem } from '../src/memory-file-system.ts'

export type FaultKind = 'eio' | 'enospc' | 'short' | 'lost-sync' | 'lost-name' | 'power'

type Name =
  | 'openExisting'
  | 'read'
  | 'write'
  | 'truncate'
  | 'datasync'
  | 'create'
  | 'readDirectory'
  | 'rename'
  | 'remove'
  | 'syncDirectory'

const GROWS: readonly Name[] = ['write', 'create', 'rename', 'syncDirectory', 'datasync']

export interface Fault {
  kind: FaultKind
  /** The operation at which it happens, from 1. */
  at: number
}

export class PowerLoss extends Error {}

export class FaultyFileSystem implements FileSystem {
  readonly #inner: MemoryFileSystem
  readonly #fault: Fault | null
  #count = 0
  #isDark = false
  #hasHappened = false

  constructor(inner: MemoryFileSystem, fault: Fault | null) {
    this.#inner = inner
    this.#fault = fault
  }

  /** How many operations there were. */
  get operations(): number {
    return this.#count
  }

  get hasHappened(): boolean {
    return this.#hasHappened
  }

  async openExisting(path: string): Promise<OpenFile | undefined> {
    this.#meet('openExisting')
    const file = await this.#inner.openExisting(path)
    return file && this.#wrap(file)
  }

  async create(path: string): Promise<OpenFile> {
    this.#meet('create')
    return this.#wrap(await this.#inner.create(path))
  }

  readDirectory(path: string): Promise<string[]> {
    this.#meet('readDirectory')
    return this.#inner.readDirectory(path)
  }

  makeDirectory(): Promise<void> {
    return this.#inner.makeDirectory()
  }

  rename(from: string, to: string): Promise<void> {
    this.#meet('rename')
    return this.#inner.rename(from, to)
  }

  remove(path: string): Promise<void> {
    this.#meet('remove')
    return this.#inner.remove(path)
  }

  async syncDirectory(path: string): Promise<void> {
    if (this.#meet('syncDirectory') === 'lost-name') return
    await this.#inner.syncDirectory(path)
  }

  #wrap(file: OpenFile): OpenFile {
    return {
      read: async () => {
        this.#meet('read')
        return file.read()
      },
      readAt: async (position, length) => {
        this.#meet('read')
        return file.readAt(position, length)
      },
      size: () => file.size(),
      identity: () => file.identity(),
      write: async (bytes, position) => {
        const isShort = this.#meet('write') === 'short' && bytes.length > 1
        return file.write(isShort ? bytes.subarray(0, bytes.length >> 1) : bytes, position)
      },
      truncate: async (size) => {
        this.#meet('truncate')
        return file.truncate(size)
      },
      datasync: async () => {
        if (this.#meet('datasync') === 'lost-sync') return
        await file.datasync()
      },
      close: () => file.close(),
    }
  }

  #meet(name: Name): FaultKind | undefined {
    if (this.#isDark) throw new PowerLoss('there is no power')
    this.#count += 1
    const fault = this.#fault
    if (fault?.at !== this.#count) return undefined
    switch (fault.kind) {
      case 'power':
        this.#happen()
        this.#isDark = true
        throw new PowerLoss('the power failed')
      case 'eio':
        this.#happen()
        throw Object.assign(new Error(`EIO: ${name}`), { code: 'EIO', syscall: name })
      case 'enospc':
        if (!GROWS.includes(name)) return undefined
        this.#happen()
        throw Object.assign(new Error(`ENOSPC: ${name}`), { code: 'ENOSPC', syscall: name })
      case 'short':
        if (name === 'write') this.#happen()
        return fault.kind
      case 'lost-sync':
        if (name === 'datasync') this.#happen()
        return fault.kind
      case 'lost-name':
        if (name === 'syncDirectory') this.#happen()
        return fault.kind
    }
  }

  #happen(): void {
    this.#hasHappened = true
  }
}
