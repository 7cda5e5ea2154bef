// The other end of record-reader.ts, on a thread of its own: prepares one submission and ends.

import { randomBytes } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { type Preparation, type PreparedRecord, prepareRecords } from './prepare-records.ts'
import type { ReaderMessage } from './record-reader.ts'

const CHUNK = 256

function send(message: ReaderMessage): void {
  parentPort?.postMessage(message)
}

const { bytes, preparation }: { bytes: Uint8Array; preparation: Preparation } = workerData

const work = prepareRecords(bytes, preparation, (length) => new Uint8Array(randomBytes(length)))
let chunk: PreparedRecord[] = []
let step = work.next()
while (step.done !== true) {
  chunk.push(step.value)
  if (chunk.length === CHUNK) {
    send({ records: chunk })
    chunk = []
  }
  step = work.next()
}
send({ records: chunk })
send({ result: step.value })
