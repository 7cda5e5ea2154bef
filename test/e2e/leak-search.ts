// Thousands of strings, looked for at once at every byte of what nodes write and say.
//
// Six bytes are the shortest. For each place a table says whether any string may begin so; where one may, all
// that begin with these six are compared.

import { Buffer } from 'node:buffer'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { ClassicLevel } from 'classic-level'

export type Finding = { where: string; what: string }

const PREFIX = 6
const TABLE_BITS = 24
const OVERLAP = 8_192

export class LeakSearch {
  readonly #table = new Uint8Array(1 << (TABLE_BITS - 3))
  readonly #byPrefix = new Map<string, { pattern: Buffer; what: string }[]>()
  readonly findings: Finding[] = []
  bytes = 0

  constructor(patterns: ReadonlyMap<string, string>) {
    for (const [text, what] of patterns) {
      const pattern = Buffer.from(text, 'latin1')
      if (pattern.length < PREFIX) throw new RangeError(`too short to be looked for: ${what}`)
      const slot = slotOf(pattern, 0)
      this.#table[slot >> 3] = (this.#table[slot >> 3] ?? 0) | (1 << (slot & 7))
      const prefix = text.slice(0, PREFIX)
      const known = this.#byPrefix.get(prefix)
      if (known === undefined) this.#byPrefix.set(prefix, [{ pattern, what }])
      else known.push({ pattern, what })
    }
  }

  in(data: Buffer, where: string): void {
    this.bytes += data.length
    const table = this.#table
    for (let at = 0; at + PREFIX <= data.length; at += 1) {
      const slot = slotOf(data, at)
      if (((table[slot >> 3] ?? 0) & (1 << (slot & 7))) !== 0) this.#compare(data, at, where)
    }
  }

  #compare(data: Buffer, at: number, where: string): void {
    const candidates = this.#byPrefix.get(data.toString('latin1', at, at + PREFIX)) ?? []
    for (const { pattern, what } of candidates) {
      const end = at + pattern.length
      if (end > data.length || data.compare(pattern, 0, pattern.length, at, end) !== 0) continue
      this.findings.push({ where, what })
    }
  }

  // Every file as it is.
  inFiles(folder: string): void {
    for (const name of filesOf(folder)) this.in(readFileSync(join(folder, name)), name)
  }

  // Every key and value of the databases in a folder; their files are compressed.
  async inDatabases(folder: string, scratch: string): Promise<void> {
    for (const path of databasesOf(folder)) {
      // A copy: opening one changes it.
      const copy = mkdtempSync(join(scratch, 'level-'))
      cpSync(path, copy, { recursive: true })
      rmSync(join(copy, 'LOCK'), { force: true })
      const options = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
      const level = new ClassicLevel<Buffer, Buffer>(copy, options)
      await level.open()
      for await (const [key, value] of level.iterator()) {
        this.in(Buffer.concat([key, value]), `${relative(folder, path)} (values)`)
      }
      await level.close()
      rmSync(copy, { recursive: true })
    }
  }
}

// A stream in pieces: what lies across two of them is found as well.
export class StreamSearch {
  readonly #search: LeakSearch
  readonly #where: string
  #rest = Buffer.alloc(0)

  constructor(search: LeakSearch, where: string) {
    this.#search = search
    this.#where = where
  }

  take(piece: Uint8Array): void {
    const data = Buffer.concat([this.#rest, piece])
    this.#search.in(data, this.#where)
    this.#search.bytes -= this.#rest.length
    this.#rest = Buffer.from(data.subarray(Math.max(0, data.length - OVERLAP)))
  }
}

export function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    return statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true
  })
}

function databasesOf(folder: string): string[] {
  return filesOf(folder)
    .filter((name) => name.endsWith('/CURRENT'))
    .map((name) => join(folder, name, '..'))
}

function slotOf(data: Buffer, at: number): number {
  const low =
    (data[at] ?? 0) |
    ((data[at + 1] ?? 0) << 8) |
    ((data[at + 2] ?? 0) << 16) |
    ((data[at + 3] ?? 0) << 24)
  const high = (data[at + 4] ?? 0) | ((data[at + 5] ?? 0) << 8)
  return Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> (32 - TABLE_BITS)
}
