// The bytes of a journal segment, `<epoch>-<sequence>.log`.
//
//   frame   = u32 length | u32 crc32c | u64 epoch | u64 view | u8 type | payload    big-endian
//             length counts what follows the checksum, which covers everything but itself
//   segment = head, group*     head: type 0, epoch and view are those of the file name
//   group   = start, record*   start: type 1; a group is what one sync() makes durable
//
// Head and start carry the same JournalState: which group and which batch this is, and the marks of
// that batch. Groups are numbered without a gap over all segments; batches are the groups that
// raised the marks.
//
// A frame that does not check is one of two things. After a crash anything of the last group may be
// missing, page by page in any order; its sync never returned, so nothing of it was sent, and it is
// cut off. (Should its bytes have rotted later instead, the marks still cover its votes.) Any older
// group was durable once: damage there is not a crash's work, and is guard_corrupt. What tells the
// two apart is whether a later start exists behind the damage; a flipped length hides the next
// frame, so the search goes byte by byte. Block payloads are written by strangers, who could plant
// a start there and turn a torn tail into a refusal to run; hence the random salt of the segment,
// which every start repeats.

import { crc32c } from './crc32c.ts'
import { StorageError } from './errors.ts'
import { readInteger, viewOf, writeInteger } from './integers.ts'
import { decodeMarksAt, encodeMarksAt, MARKS_BYTES, type Marks } from './marks.ts'

export type JournalRecordType = 'vote' | 'certificate' | 'block' | 'finalized' | 'rejoin'

export interface JournalRecord {
  epoch: number
  view: number
  type: JournalRecordType
  payload: Uint8Array
}

export interface JournalState {
  group: number
  batch: number
  marks: Marks
}

export interface SegmentName {
  epoch: number
  sequence: number
}

export interface Segment {
  name: SegmentName
  salt: Uint8Array
  /** Before the first group. */
  before: JournalState
  /** After the last group that can be read. */
  state: JournalState
  records: JournalRecord[]
  /** Where the next group goes; the file is longer when its tail is torn. */
  end: number
  isTorn: boolean
}

export const SALT_BYTES = 8
export const HEAD_BYTES = 25 + 1 + SALT_BYTES + 16 + MARKS_BYTES
export const RECORD_BYTES_MAX = 16 * 1024 * 1024

const FRAME_BYTES = 25
const START_BYTES = FRAME_BYTES + SALT_BYTES + 16 + MARKS_BYTES
const FORMAT_VERSION = 1
const HEAD = 0
const START = 1
const RECORD_TYPES: readonly JournalRecordType[] = [
  'vote',
  'certificate',
  'block',
  'finalized',
  'rejoin',
]
const FIRST_RECORD = 2

interface Frame {
  epoch: number
  view: number
  type: number
  payload: Uint8Array
  end: number
}

export function formatSegmentName({ epoch, sequence }: SegmentName): string {
  return `${epoch}-${sequence}.log`
}

export function parseSegmentName(text: string): SegmentName | undefined {
  const match = /^(\d{1,15})-(\d{1,15})\.log$/.exec(text)
  return match ? { epoch: Number(match[1]), sequence: Number(match[2]) } : undefined
}

export function encodeHead(name: SegmentName, salt: Uint8Array, state: JournalState): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES)
  bytes[FRAME_BYTES] = FORMAT_VERSION
  writeState(bytes, FRAME_BYTES + 1, salt, state)
  sealFrame(bytes, { epoch: name.epoch, view: name.sequence, type: HEAD })
  return bytes
}

export function encodeGroup(
  salt: Uint8Array,
  state: JournalState,
  records: readonly JournalRecord[],
): Uint8Array {
  let size = START_BYTES
  for (const record of records) size += FRAME_BYTES + record.payload.length
  const bytes = new Uint8Array(size)
  writeState(bytes, FRAME_BYTES, salt, state)
  sealFrame(bytes.subarray(0, START_BYTES), { epoch: state.marks.epoch, view: 0, type: START })
  let offset = START_BYTES
  for (const { epoch, view, type, payload } of records) {
    const frame = bytes.subarray(offset, offset + FRAME_BYTES + payload.length)
    frame.set(payload, FRAME_BYTES)
    sealFrame(frame, { epoch, view, type: FIRST_RECORD + RECORD_TYPES.indexOf(type) })
    offset += frame.length
  }
  return bytes
}

/** Undefined when the file is the last one and its creation was interrupted. */
export function decodeSegment(
  bytes: Uint8Array,
  name: SegmentName,
  isLast: boolean,
): Segment | undefined {
  const head = readFrame(bytes, 0)
  if (head === undefined) {
    if (isLast && bytes.length <= HEAD_BYTES) return undefined
    throw corrupt(name, 0, 'the head of a journal segment is damaged')
  }
  if (head.type !== HEAD || head.epoch !== name.epoch || head.view !== name.sequence) {
    throw corrupt(name, 0, 'a journal segment has the head of another one')
  }
  if (head.payload[0] !== FORMAT_VERSION) {
    throw new StorageError('format', 'the vote journal was written by another version', {
      segment: formatSegmentName(name),
      version: head.payload[0] ?? 0,
    })
  }
  const { salt, state } = readState(head.payload.subarray(1))
  const segment: Segment = {
    name,
    salt,
    before: state,
    state,
    records: [],
    end: head.end,
    isTorn: false,
  }
  while (segment.end < bytes.length) {
    const frame = readFrame(bytes, segment.end)
    if (frame === undefined) {
      segment.isTorn = isLast && !hasStartAfter(bytes, segment)
      if (segment.isTorn) break
      throw corrupt(name, segment.end, 'a journal record is damaged before the last group')
    }
    takeFrame(segment, frame)
  }
  return segment
}

function takeFrame(segment: Segment, frame: Frame): void {
  const type = RECORD_TYPES[frame.type - FIRST_RECORD]
  if (type !== undefined) {
    segment.records.push({ epoch: frame.epoch, view: frame.view, type, payload: frame.payload })
  } else {
    const start = frame.type === START ? readState(frame.payload) : undefined
    if (start?.state.group !== segment.state.group + 1) {
      throw corrupt(segment.name, segment.end, 'a group of journal records is missing')
    }
    segment.state = start.state
  }
  segment.end = frame.end
}

function hasStartAfter(bytes: Uint8Array, segment: Segment): boolean {
  const view = viewOf(bytes)
  for (let at = segment.end + 1; at + START_BYTES <= bytes.length; at += 1) {
    if (bytes[at + 24] !== START || view.getUint32(at) !== START_BYTES - 8) continue
    const frame = readFrame(bytes, at)
    if (frame === undefined) continue
    const { salt, state } = readState(frame.payload)
    const isOurs = salt.every((byte, index) => byte === segment.salt[index])
    if (isOurs && state.group > segment.state.group) return true
  }
  return false
}

function readFrame(bytes: Uint8Array, offset: number): Frame | undefined {
  if (bytes.length - offset < FRAME_BYTES) return undefined
  const view = viewOf(bytes)
  const end = offset + 8 + view.getUint32(offset)
  if (end < offset + FRAME_BYTES || end > bytes.length) return undefined
  if (view.getUint32(offset + 4) !== checksum(bytes.subarray(offset, end))) return undefined
  return {
    epoch: readInteger(view, offset + 8),
    view: readInteger(view, offset + 16),
    type: view.getUint8(offset + 24),
    payload: bytes.subarray(offset + FRAME_BYTES, end),
    end,
  }
}

function sealFrame(
  frame: Uint8Array,
  { epoch, view, type }: { epoch: number; view: number; type: number },
): void {
  const data = viewOf(frame)
  data.setUint32(0, frame.length - 8)
  writeInteger(data, 8, epoch)
  writeInteger(data, 16, view)
  frame[24] = type
  data.setUint32(4, checksum(frame))
}

function checksum(frame: Uint8Array): number {
  return crc32c(frame.subarray(8), crc32c(frame.subarray(0, 4)))
}

function writeState(
  bytes: Uint8Array,
  offset: number,
  salt: Uint8Array,
  { group, batch, marks }: JournalState,
): void {
  const view = viewOf(bytes)
  bytes.set(salt, offset)
  writeInteger(view, offset + SALT_BYTES, group)
  writeInteger(view, offset + SALT_BYTES + 8, batch)
  encodeMarksAt(view, offset + SALT_BYTES + 16, marks)
}

function readState(payload: Uint8Array): { salt: Uint8Array; state: JournalState } {
  const view = viewOf(payload)
  return {
    salt: payload.subarray(0, SALT_BYTES),
    state: {
      group: readInteger(view, SALT_BYTES),
      batch: readInteger(view, SALT_BYTES + 8),
      marks: decodeMarksAt(view, SALT_BYTES + 16),
    },
  }
}

function corrupt(name: SegmentName, offset: number, message: string): StorageError {
  return new StorageError('guard_corrupt', message, { segment: formatSegmentName(name), offset })
}
