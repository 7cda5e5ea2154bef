// The bytes of a record on their way to a file: beside it first, and in its place only when all of them
// are there. Progress of a large one, and who gave bad shards, go to stderr.

import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Client } from '@mooring/api/client'
import type { Context, Sink } from './context.ts'
import type { Output } from './output.ts'
import { formatProgress } from './submit-records.ts'

export type RecordStream = Awaited<ReturnType<Client['openRecord']>>

const TELL_MS = 2_000

// Gives how many bytes there were.
export async function saveRecord(
  context: Context,
  { record, path }: { record: RecordStream; path: string },
  output: Output,
): Promise<number> {
  const target = resolve(context.cwd, path)
  const beside = join(dirname(target), `.${basename(target)}.${process.pid}.part`)
  const file = await open(beside, 'w', 0o600)
  try {
    let size = 0
    for await (const piece of told(record, path, output)) {
      await file.write(piece)
      size += piece.length
    }
    await file.sync()
    await file.close()
    await rename(beside, target)
    return size
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(beside, { force: true })
    throw error
  }
}

export async function printRecord(sink: Sink, record: RecordStream, output: Output): Promise<void> {
  for await (const piece of told(record, 'stdout', output)) {
    if (sink.write(piece) === false) await drained(sink)
  }
}

function drained(sink: Sink): Promise<void> {
  return new Promise((resolved) => {
    if (sink.once === undefined) resolved()
    else sink.once('drain', () => resolved())
  })
}

async function* told(
  record: RecordStream,
  path: string,
  output: Output,
): AsyncGenerator<Uint8Array> {
  for (const { holder, code } of record.badHolders) {
    output.note(output.bad(`${holder} gave a bad shard (${code}); others were asked instead`))
  }
  const started = performance.now()
  let tellAt = started + TELL_MS
  let done = 0
  for await (const piece of record.body) {
    yield piece
    done += piece.length
    const now = performance.now()
    if (now < tellAt) continue
    tellAt = now + TELL_MS
    output.note(`reading ${path}  ${formatProgress(done, record.size, now - started)}`)
  }
}
