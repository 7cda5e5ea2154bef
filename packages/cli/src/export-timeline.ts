// A timeline with its content, as one FHIR document: each record is read from its holders, and what does not
// match its proof is not written.

import { concatBytes, toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import {
  type ExportedLine,
  formatTimelineBundle,
  type Timeline,
  type TimelineLine,
} from '@mooring/records'
import type { Context } from './context.ts'
import { writeNew } from './grant-file.ts'
import { formatAmount, formatBytes, type Output, shortDigest } from './output.ts'
import type { RecordStream } from './record-file.ts'
import { type ProvenEntry, provesBytes, type TimelineTrust } from './timelines.ts'

// Together in memory, and in one document.
const EXPORT_BYTES_MAX = 256 * 1024 * 1024
const TELL_EVERY = 50

export async function exportTimeline(
  context: Context,
  {
    timeline,
    path,
    trust,
  }: { timeline: Timeline<ProvenEntry>; path: string; trust: TimelineTrust },
  read: (line: TimelineLine<ProvenEntry>) => Promise<Uint8Array>,
  output: Output,
): Promise<number> {
  const proves = provesBytes(trust)
  const kept = timeline.lines.filter(({ entry }) => entry.state === 'kept')
  const lines: ExportedLine[] = []
  let size = 0
  for (const [at, line] of kept.entries()) {
    if (at > 0 && at % TELL_EVERY === 0) output.note(`${at} of ${kept.length} records are read`)
    const { custodian, record, proof } = line.entry
    size += line.entry.size
    if (size > EXPORT_BYTES_MAX) throw tooLarge()
    const raw = await read(line)
    if (proof !== null && !proves(proof, raw)) {
      const detail = `record ${toHex(record)} is not what its proof is about`
      throw new NodeError('timeline_forged', { organisation: custodian, detail })
    }
    lines.push({ line, raw })
  }
  await writeNew(context, path, formatTimelineBundle(lines, context.now().getTime()))
  const last = lines.at(-1)
  const until =
    last === undefined ? '' : `, up to record ${shortDigest(toHex(last.line.entry.record))}`
  output.note(`${formatAmount(lines.length, 'record')} with proofs written to ${path}${until}`)
  return lines.length
}

export async function wholeOf({ body }: RecordStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return concatBytes(...pieces)
}

function tooLarge(): NodeError {
  const detail = `More than ${formatBytes(EXPORT_BYTES_MAX)} do not go into one document: take one hospital at a time.`
  return new NodeError('usage', { detail, command: 'patient timeline ' })
}
