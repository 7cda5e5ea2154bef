// Records on their way to a node: every file is read and checked before the first one is sent, so that
// a call either sends all it names or nothing. What the node has acknowledged is told at once; waiting
// for the anchor comes after.

import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@mooring/api/client'
import { formatDuration, NodeError } from '@mooring/node'
import { formatProblem, readSubmission } from '@mooring/records'
import type { Context } from './context.ts'
import { readInput } from './read-input.ts'

export type Submission = Awaited<ReturnType<Client['submitRecords']>>
export type SubmittedRecord = Submission['records'][number]

export type RecordFile = {
  path: string
  bytes: Uint8Array
  format: 'json' | 'ndjson'
  resources: number
}

export type FileSubmission = { path: string; submission: Submission }

// What a node takes in one submission.
const SUBMISSION_BYTES_MAX = 16 * 1024 * 1024
const POLL_MS = 150
const IDS_SHOWN = 20

export async function readRecordFiles(
  context: Context,
  paths: readonly string[],
  isPartial: boolean,
): Promise<RecordFile[]> {
  const files: RecordFile[] = []
  const rows: string[] = []
  const refused: string[] = []
  for (const path of paths) {
    const bytes = await readInput(context, path, SUBMISSION_BYTES_MAX)
    const { format, problems, problemCount, resources } = readSubmission(bytes)
    const isTaken = problemCount === 0 || (isPartial && format === 'ndjson' && resources.length > 0)
    if (!isTaken) {
      refused.push(path)
      rows.push(...problems.slice(0, 10).map((problem) => `${path}:${formatProblem(problem)}`))
      if (problemCount > 10) rows.push(`${path}: and ${problemCount - 10} more`)
    }
    files.push({ path, bytes, format, resources: resources.length })
  }
  if (refused.length > 0)
    throw new NodeError('file_not_fhir', { path: refused.join(', ') }, { rows })
  return files
}

export function submitFile(
  client: Client,
  file: RecordFile,
  isPartial: boolean,
): Promise<Submission> {
  const contentType = file.format === 'ndjson' ? 'application/fhir+ndjson' : 'application/fhir+json'
  return client.submitRecords(file.bytes, { contentType, isPartial })
}

// Asks for one record at a time: those of a submission are anchored together, so that the first one
// that is final is rarely alone.
export async function waitForAnchors(
  client: Client,
  submissions: readonly FileSubmission[],
  timeoutMs: number,
): Promise<FileSubmission[]> {
  const deadline = performance.now() + timeoutMs
  const anchored: FileSubmission[] = []
  for (const { path, submission } of submissions) {
    const records: SubmittedRecord[] = []
    for (const record of submission.records) {
      const final = await anchoredRecord(client, record, deadline)
      if (final === undefined) throw stillWaiting(record.id, submissions, timeoutMs)
      records.push(final)
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
  deadline: number,
): Promise<SubmittedRecord | undefined> {
  if (record.height !== null) return record
  for (;;) {
    const { status, height } = await client.record(record.id)
    if (status === 'anchored') return { ...record, status, height }
    if (performance.now() >= deadline) return undefined
    await pause(POLL_MS)
  }
}
