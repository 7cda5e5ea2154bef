// Records on their way to a node: every file is read and checked before the first one is sent, so that
// a call either sends all it names or nothing. What the node has acknowledged is told at once; waiting
// for the anchor comes after.
//
// FHIR travels as one submission a file; NDJSON that is larger than one goes in parts that end with a
// line, read from the file again when it is their turn. Bytes of any other media type stream through.

import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@mooring/api/client'
import { NodeError } from '@mooring/node/node-error'
import { formatDuration } from '@mooring/node/option-values'
import { formatProblem, readSubmission } from '@mooring/records'
import type { Context } from './context.ts'
import { mediaTypeOf } from './media-types.ts'
import { formatBytes } from './output.ts'
import { bytesOf, type InputFile, openInput, readInput } from './read-input.ts'

export type Submission = Awaited<ReturnType<Client['submitRecords']>>
export type SubmittedRecord = Submission['records'][number]

export type RecordFile = { path: string; size: number; parts: readonly RecordPart[] }

// One submission: FHIR that is in memory or is read again, or bytes that stream.
export type RecordPart =
  | { kind: 'fhir'; contentType: string; bytes: () => Promise<Uint8Array>; size: number }
  | { kind: 'bytes'; contentType: string; patient: string | null; file: InputFile }

export type FileSubmission = { path: string; submission: Submission }

export type ReadHow = { isPartial: boolean; mediaType: string | null; patient: string | null }

// What a node takes in one submission.
const SUBMISSION_BYTES_MAX = 16 * 1024 * 1024
const PART_BYTES = 4 * 1024 * 1024
const POLL_MS = 150
const TELL_MS = 2_000
const IDS_SHOWN = 20
const NEWLINE = 0x0a

type Found = { files: RecordFile[]; rows: string[]; refused: Set<string> }

export async function readRecordFiles(
  context: Context,
  paths: readonly string[],
  how: ReadHow,
): Promise<RecordFile[]> {
  const found: Found = { files: [], rows: [], refused: new Set() }
  for (const path of paths) {
    const contentType = mediaTypeOf(path, how.mediaType)
    if (contentType !== null) {
      const file = await openInput(context, path)
      const part = { kind: 'bytes' as const, contentType, patient: how.patient, file }
      found.files.push({ path, size: file.size ?? 0, parts: [part] })
    } else await readFhir(context, path, { found, how })
  }
  if (found.refused.size > 0) {
    const path = [...found.refused].join(', ')
    throw new NodeError('file_not_fhir', { path }, { rows: found.rows })
  }
  return found.files
}

async function readFhir(
  context: Context,
  path: string,
  { found, how }: { found: Found; how: ReadHow },
): Promise<void> {
  if (how.patient !== null) throw patientOfFhir(path)
  const isLarge =
    path.endsWith('.ndjson') && ((await openInput(context, path)).size ?? 0) > SUBMISSION_BYTES_MAX
  if (isLarge) {
    found.files.push(await readParts(context, path, { found, how }))
    return
  }
  const bytes = await readInput(context, path, SUBMISSION_BYTES_MAX)
  const contentType = checkFhir({ path, bytes, line: 0 }, found, how)
  const part = { kind: 'fhir' as const, contentType, bytes: () => Promise.resolve(bytes) }
  found.files.push({ path, size: bytes.length, parts: [{ ...part, size: bytes.length }] })
}

function patientOfFhir(path: string): NodeError {
  const detail = `--patient is for files that are no FHIR; ${path} says itself whose it is.`
  return new NodeError('usage', { detail, command: 'record submit ' })
}

// The media type, if the bytes can be sent; what is wrong with them is noted otherwise.
function checkFhir(
  { path, bytes, line }: { path: string; bytes: Uint8Array; line: number },
  { rows, refused }: Found,
  { isPartial }: ReadHow,
): string {
  const { format, problems, problemCount, resources } = readSubmission(bytes)
  const isTaken = problemCount === 0 || (isPartial && format === 'ndjson' && resources.length > 0)
  if (!isTaken) {
    refused.add(path)
    const first = problems.slice(0, 10)
    const placed = first.map((problem) => formatProblem({ ...problem, line: problem.line + line }))
    rows.push(...placed.map((text) => `${path}:${text}`))
    if (problemCount > 10) rows.push(`${path}: and ${problemCount - 10} more`)
  }
  return format === 'ndjson' ? 'application/fhir+ndjson' : 'application/fhir+json'
}

async function readParts(
  context: Context,
  path: string,
  { found, how }: { found: Found; how: ReadHow },
): Promise<RecordFile> {
  const file = await openInput(context, path)
  const parts: RecordPart[] = []
  let line = 0
  for await (const { start, bytes } of linesOf(file, path)) {
    // One line alone could be taken for a single resource: it is one all the same.
    checkFhir({ path, bytes, line }, found, how)
    line += bytes.reduce((sum, byte) => sum + (byte === NEWLINE ? 1 : 0), 0)
    const size = bytes.length
    const read = () => bytesOf(file.range(start, size))
    parts.push({ kind: 'fhir', contentType: 'application/fhir+ndjson', bytes: read, size })
  }
  return { path, size: file.size ?? 0, parts }
}

// Pieces that end with a line.
async function* linesOf(
  file: InputFile,
  path: string,
): AsyncGenerator<{ start: number; bytes: Uint8Array }> {
  const size = file.size ?? 0
  let start = 0
  while (start < size) {
    let length = Math.min(PART_BYTES, size - start)
    let bytes = await bytesOf(file.range(start, length))
    if (start + length < size) {
      const end = bytes.lastIndexOf(NEWLINE) + 1
      if (end === 0) {
        const limit = formatBytes(PART_BYTES)
        throw new NodeError('file_too_large', { path, size: `a line of more than ${limit}`, limit })
      }
      bytes = bytes.subarray(0, end)
      length = end
    }
    yield { start, bytes }
    start += length
  }
}

export type Telling = { note: (text: string) => void; isPartial: boolean }

export async function submitPart(
  client: Client,
  { path, part }: { path: string; part: RecordPart },
  { note, isPartial }: Telling,
): Promise<Submission> {
  if (part.kind === 'fhir') {
    const { contentType } = part
    return client.submitRecords(await part.bytes(), { contentType, isPartial })
  }
  const { contentType, patient, file } = part
  return client.uploadRecord(toldPieces(file, path, note), {
    contentType,
    ...(patient === null ? {} : { patient }),
    ...(file.size === null ? {} : { size: file.size }),
  })
}

// Says how far a large file is, every two seconds.
async function* toldPieces(
  file: InputFile,
  path: string,
  note: (text: string) => void,
): AsyncGenerator<Uint8Array> {
  const started = performance.now()
  let told = started
  let sent = 0
  for await (const piece of file.pieces()) {
    yield piece
    sent += piece.length
    const now = performance.now()
    if (now - told < TELL_MS) continue
    told = now
    note(`sending ${path}  ${formatProgress(sent, file.size, now - started)}`)
  }
}

// "128 MiB of 1.0 GiB (12 %), 45 MiB a second"
export function formatProgress(done: number, total: number | null, ms: number): string {
  const pace = `${formatBytes(done / Math.max(ms / 1_000, 0.001))} a second`
  if (total === null) return `${formatBytes(done)}, ${pace}`
  const percent = Math.floor((done / Math.max(total, 1)) * 100)
  return `${formatBytes(done)} of ${formatBytes(total)} (${percent} %), ${pace}`
}

// Asks for one record at a time: those of a submission are anchored together, so that the first one
// that is final is rarely alone.
export async function waitForAnchors(
  client: Client,
  submissions: readonly FileSubmission[],
  { timeoutMs, note }: { timeoutMs: number; note?: (text: string) => void },
): Promise<FileSubmission[]> {
  const deadline = performance.now() + timeoutMs
  const all = submissions.reduce((sum, { submission }) => sum + submission.records.length, 0)
  const anchored: FileSubmission[] = []
  let done = 0
  let told = performance.now()
  for (const { path, submission } of submissions) {
    const records: SubmittedRecord[] = []
    for (const record of submission.records) {
      const onWait = (status: string) => {
        if (performance.now() - told < TELL_MS) return
        told = performance.now()
        note?.(`anchored ${done} of ${all}; the next one is ${status}`)
      }
      const final = await anchoredRecord(client, record, { deadline, onWait })
      if (final === undefined) throw stillWaiting(record.id, submissions, timeoutMs)
      records.push(final)
      done += 1
    }
    anchored.push({ path, submission: { ...submission, records } })
  }
  return anchored
}

// The records are safe with the node: their ids are the way back to them.
function stillWaiting(id: string, submissions: readonly FileSubmission[], timeoutMs: number) {
  const ids = submissions.flatMap(({ submission }) => submission.records.map((each) => each.id))
  const more = ids.length > IDS_SHOWN ? [`and ${ids.length - IDS_SHOWN} more`] : []
  const data = { what: `Record ${id}`, timeout: formatDuration(timeoutMs) }
  return new NodeError('wait_timeout', data, { rows: [...ids.slice(0, IDS_SHOWN), ...more] })
}

async function anchoredRecord(
  client: Client,
  record: SubmittedRecord,
  { deadline, onWait }: { deadline: number; onWait: (status: string) => void },
): Promise<SubmittedRecord | undefined> {
  if (record.height !== null) return record
  for (;;) {
    const { status, height } = await client.record(record.id)
    if (status === 'anchored') return { ...record, status, height }
    if (performance.now() >= deadline) return undefined
    onWait(status)
    await pause(POLL_MS)
  }
}
