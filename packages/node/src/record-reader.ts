// Where a submission is read: a small one here in short turns, a large one on a thread of its own.
//
// JSON can only be read in one go, at some 35 ms a MiB, and votes must not wait that long. A thread
// takes a tenth of a second to start, which a large submission needs many times over anyway.

import { randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import {
  type Preparation,
  type PreparedRecord,
  type PreparedSubmission,
  prepareRecords,
} from './prepare-records.ts'
import { runInSlices } from './time-slices.ts'

export type ReaderMessage =
  | { readonly records: readonly PreparedRecord[] }
  | { readonly result: PreparedSubmission }

export interface ReadRecords extends PreparedSubmission {
  readonly records: readonly PreparedRecord[]
}

export const THREAD_BYTES_MIN = 512 * 1024

export async function readRecords(
  bytes: Uint8Array,
  preparation: Preparation,
): Promise<ReadRecords> {
  if (bytes.length >= THREAD_BYTES_MIN) return readOnThread(bytes, preparation)
  const records: PreparedRecord[] = []
  const work = prepareRecords(bytes, preparation, (length) => new Uint8Array(randomBytes(length)))
  const result = await runInSlices(work, (record) => records.push(record))
  return { ...result, records }
}

function readOnThread(bytes: Uint8Array, preparation: Preparation): Promise<ReadRecords> {
  return new Promise((resolve, reject) => {
    const records: PreparedRecord[] = []
    const worker = new Worker(new URL('./read-worker.ts', import.meta.url), {
      workerData: { bytes, preparation },
    })
    worker.on('message', (message: ReaderMessage) => {
      if ('result' in message) resolve({ ...message.result, records })
      else records.push(...message.records)
    })
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the reading thread ended with ${code}`)))
  })
}
