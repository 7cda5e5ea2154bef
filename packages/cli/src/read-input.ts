// Files and stdin as bytes, with errors that name them.

import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { NodeError } from '@mooring/node/node-error'
import type { Context } from './context.ts'
import { formatBytes } from './output.ts'

// More than any proof or record has.
const FILE_BYTES_MAX = 50 * 1024 * 1024
const PIECE_BYTES = 256 * 1024

function tooLarge(path: string, bytes: number, bytesMax: number): NodeError {
  const size = formatBytes(bytes)
  return new NodeError('file_too_large', { path, size, limit: formatBytes(bytesMax) })
}

async function readStdin(context: Context, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of context.stdin) {
    chunks.push(chunk)
    size += chunk.length
    if (size > bytesMax) throw tooLarge('stdin', size, bytesMax)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

// A file that is read in pieces, as often as it is needed; stdin once, and nobody knows its size.
export type InputFile = {
  size: number | null
  pieces: () => AsyncIterable<Uint8Array>
  range: (start: number, length: number) => AsyncIterable<Uint8Array>
}

// `-` is stdin.
export async function openInput(context: Context, path: string): Promise<InputFile> {
  if (path === '-') {
    const range = () => context.stdin
    return { size: null, pieces: () => context.stdin, range }
  }
  const file = resolve(context.cwd, path)
  return naming(path, async () => {
    const found = await stat(file)
    if (!found.isFile()) throw Object.assign(new Error('no file'), { code: 'EISDIR' })
    const { size } = found
    return {
      size,
      pieces: () => createReadStream(file, { highWaterMark: PIECE_BYTES }),
      range: (start, length) =>
        createReadStream(file, { start, end: start + length - 1, highWaterMark: PIECE_BYTES }),
    }
  })
}

// `-` is stdin.
export async function readInput(
  context: Context,
  path: string,
  bytesMax = FILE_BYTES_MAX,
): Promise<Uint8Array> {
  if (path === '-') return readStdin(context, bytesMax)
  const file = resolve(context.cwd, path)
  return naming(path, async () => {
    const { size } = await stat(file)
    if (size > bytesMax) throw tooLarge(path, size, bytesMax)
    return new Uint8Array(await readFile(file))
  })
}

async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof NodeError || !(error instanceof Error)) throw error
    const code = 'code' in error ? error.code : undefined
    if (code === 'ENOENT') throw new NodeError('file_missing', { path }, { cause: error })
    const detail = code === 'EISDIR' ? 'it is a folder' : error.message
    throw new NodeError('file_unreadable', { path, detail }, { cause: error })
  }
}

export async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return new Uint8Array(Buffer.concat(all))
}
