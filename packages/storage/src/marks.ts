// High-water marks, `signer.state`: the highest views this authority signed, per kind of vote, in
// its newest epoch.
//
// The file has two slots of 512 bytes, each whole in one disk sector, and its size never changes,
// so that writing it costs one synced write and touches no directory. A write goes to
// the slot that does not hold the newest marks: when it is torn, the previous marks are still
// there. The newest valid slot counts; that no slot is valid is damage, because the file comes into
// being by rename, complete.
//
//   slot = u32 crc32c of the rest | u32 version | u64 batch
//          | u64 epoch | u64 notarized | u64 nullified | u64 finalized
//
// The batch counter ties the marks to the journal: see journal.ts.

import { dirname } from 'node:path'
import { crc32c } from './crc32c.ts'
import { StorageError } from './errors.ts'
import { type FileSystem, type OpenFile, writeDurably } from './file-system.ts'
import { readInteger, viewOf, writeInteger } from './integers.ts'

/** Highest views signed in the epoch; 0 = none, since view 0 is genesis. */
export interface Marks {
  epoch: number
  notarized: number
  nullified: number
  finalized: number
}

export interface NumberedMarks {
  batch: number
  marks: Marks
}

export const NO_MARKS: Marks = { epoch: 0, notarized: 0, nullified: 0, finalized: 0 }
export const MARKS_BYTES = 32

const SLOT_BYTES = 512
const SLOT_USED = 16 + MARKS_BYTES
const FORMAT_VERSION = 1

export class MarksFile {
  readonly #file: OpenFile
  #next: 0 | 1

  private constructor(file: OpenFile, next: 0 | 1) {
    this.#file = file
    this.#next = next
  }

  /** Undefined when there is no file. */
  static async open(
    fileSystem: FileSystem,
    path: string,
  ): Promise<{ file: MarksFile; newest: NumberedMarks } | undefined> {
    const file = await fileSystem.openExisting(path, 'synced')
    if (file === undefined) return undefined
    const bytes = await file.read()
    const first = decodeSlot(bytes.subarray(0, SLOT_BYTES))
    const second = decodeSlot(bytes.subarray(SLOT_BYTES))
    const newest =
      first && second ? (first.batch > second.batch ? first : second) : (first ?? second)
    if (newest === undefined) {
      await file.close()
      throw new StorageError('guard_corrupt', 'the high-water marks are damaged', { path })
    }
    return { file: new MarksFile(file, newest === first ? 1 : 0), newest }
  }

  static async create(
    fileSystem: FileSystem,
    path: string,
    marks: NumberedMarks,
  ): Promise<MarksFile> {
    const temporary = `${path}.new`
    const file = await fileSystem.create(temporary, 'synced')
    const bytes = new Uint8Array(2 * SLOT_BYTES)
    bytes.set(encodeSlot(marks))
    await writeDurably(file, bytes, 0)
    await fileSystem.rename(temporary, path)
    await fileSystem.syncDirectory(dirname(path))
    return new MarksFile(file, 1)
  }

  /** Resolves when they are on the disk. */
  async write(marks: NumberedMarks): Promise<void> {
    await writeDurably(this.#file, encodeSlot(marks), this.#next * SLOT_BYTES)
    this.#next = this.#next === 0 ? 1 : 0
  }

  /** What was read may be in the memory of the system only. */
  datasync(): Promise<void> {
    return this.#file.datasync()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** Whether no view of the first is below that of the second, or its epoch is newer. */
export function isAtLeast(marks: Marks, other: Marks): boolean {
  if (marks.epoch !== other.epoch) return marks.epoch > other.epoch
  return (
    marks.notarized >= other.notarized &&
    marks.nullified >= other.nullified &&
    marks.finalized >= other.finalized
  )
}

export function isSame(marks: Marks, other: Marks): boolean {
  return isAtLeast(marks, other) && isAtLeast(other, marks)
}

export function encodeMarksAt(view: DataView, offset: number, marks: Marks): void {
  writeInteger(view, offset, marks.epoch)
  writeInteger(view, offset + 8, marks.notarized)
  writeInteger(view, offset + 16, marks.nullified)
  writeInteger(view, offset + 24, marks.finalized)
}

export function decodeMarksAt(view: DataView, offset: number): Marks {
  return {
    epoch: readInteger(view, offset),
    notarized: readInteger(view, offset + 8),
    nullified: readInteger(view, offset + 16),
    finalized: readInteger(view, offset + 24),
  }
}

function encodeSlot({ batch, marks }: NumberedMarks): Uint8Array {
  const bytes = new Uint8Array(SLOT_BYTES)
  const view = viewOf(bytes)
  view.setUint32(4, FORMAT_VERSION)
  writeInteger(view, 8, batch)
  encodeMarksAt(view, 16, marks)
  view.setUint32(0, crc32c(bytes.subarray(4, SLOT_USED)))
  return bytes
}

function decodeSlot(bytes: Uint8Array): NumberedMarks | undefined {
  if (bytes.length < SLOT_USED) return undefined
  const view = viewOf(bytes)
  if (view.getUint32(0) !== crc32c(bytes.subarray(4, SLOT_USED))) return undefined
  if (view.getUint32(4) !== FORMAT_VERSION) {
    throw new StorageError('format', 'the high-water marks were written by another version', {
      version: view.getUint32(4),
    })
  }
  return { batch: readInteger(view, 8), marks: decodeMarksAt(view, 16) }
}
