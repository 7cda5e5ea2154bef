// The other end of record-reader.ts, on a thread of its own: reads submissions, seals their records, and
// keeps nothing of one that is forgotten.

import { randomBytes } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { findRecords, type PreparedRecord, type Reading, sealRecords } from './prepare-records.ts'
import type { ReaderMessage, ReaderRequest } from './record-reader.ts'

const CHUNK = 64

const readings = new Map<number, Reading>()

function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length))
}

function send(message: ReaderMessage): void {
  parentPort?.postMessage(message)
}

function answer(request: ReaderRequest): void {
  const { job } = request
  switch (request.kind) {
    case 'read': {
      const work = findRecords(request.bytes, request.preparation)
      let step = work.next()
      while (step.done !== true) step = work.next()
      readings.set(job, step.value)
      return send({ job, kind: 'found', found: step.value.found })
    }
    case 'seal': {
      const reading = readings.get(job)
      if (reading === undefined) throw new Error('nothing was read under this number')
      let records: PreparedRecord[] = []
      for (const record of sealRecords(reading, request.sealing, random)) {
        records.push(record)
        if (records.length < CHUNK) continue
        send({ job, kind: 'sealed', records })
        records = []
      }
      send({ job, kind: 'sealed', records })
      return send({ job, kind: 'done' })
    }
    case 'forget':
      readings.delete(job)
  }
}

parentPort?.on('message', (request: ReaderRequest) => {
  try {
    answer(request)
  } catch (error) {
    readings.delete(request.job)
    send({ job: request.job, kind: 'failed', error })
  }
})
