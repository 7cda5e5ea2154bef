// A file system that fails where a test says, in front of any other.

import type { FileSystem, OpenFile } from '../src/file-system.ts'

export interface Operation {
  name: 'write' | 'truncate' | 'datasync' | 'create' | 'rename' | 'remove' | 'syncDirectory'
  /** Number of the operation, from 1. */
  number: number
  path: string
}

/** Throw to fail the operation; return a number to let a write take only so many bytes. */
export type Fault = (operation: Operation) => number | undefined

export function failing(inner: FileSystem, fault: Fault): FileSystem {
  let number = 0
  const meet = (name: Operation['name'], path: string): number | undefined => {
    number += 1
    return fault({ name, number, path })
  }
  const wrap = (file: OpenFile, path: string): OpenFile => ({
    read: () => file.read(),
    size: () => file.size(),
    readAt: (position, length) => file.readAt(position, length),
    identity: () => file.identity(),
    async write(bytes, position) {
      const limit = meet('write', path) ?? bytes.length
      return await file.write(bytes.subarray(0, limit), position)
    },
    async truncate(size) {
      meet('truncate', path)
      await file.truncate(size)
    },
    async datasync() {
      meet('datasync', path)
      await file.datasync()
    },
    close: () => file.close(),
  })
  return {
    async openExisting(path) {
      const file = await inner.openExisting(path)
      return file && wrap(file, path)
    },
    async create(path) {
      meet('create', path)
      return wrap(await inner.create(path), path)
    },
    readDirectory: (path) => inner.readDirectory(path),
    makeDirectory: (path) => inner.makeDirectory(path),
    async rename(from, to) {
      meet('rename', from)
      await inner.rename(from, to)
    },
    async remove(path) {
      meet('remove', path)
      await inner.remove(path)
    },
    async syncDirectory(path) {
      meet('syncDirectory', path)
      await inner.syncDirectory(path)
    },
  }
}

export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}
