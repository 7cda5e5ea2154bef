// What a hospital system sent, taken apart into resources without changing a byte of them.
//
// A submission is one resource, one bundle, or NDJSON with a resource per line. Everything that is
// wrong with it is found in one pass and returned together. JSON is all or nothing: with a problem
// nothing of it is taken. The lines of NDJSON stand alone: the good ones are returned beside the
// problems, and the caller says whether part of the file may count.

import { JsonError, type JsonErrorCode, type JsonNode, memberOf, parseJson } from '@mooring/codec'
import { type BundleType, readBundle } from './bundle.ts'
import type { ProblemCode, SubmissionProblem } from './problems.ts'
import { ResourceCollector, type SubmissionLimits, type SubmittedResource } from './resource.ts'

export interface SubmissionOptions {
  readonly format?: 'auto' | 'json' | 'ndjson'
  readonly limits?: Partial<SubmissionLimits>
}

export interface Submission {
  readonly format: 'json' | 'ndjson'
  readonly bundleType: BundleType | null
  readonly resources: readonly SubmittedResource[]
  /** The first hundred; empty when everything was taken. */
  readonly problems: readonly SubmissionProblem[]
  readonly problemCount: number
}

const LIMITS: SubmissionLimits = {
  bytesMax: 16 * 1024 * 1024,
  resourcesMax: 20_000,
  depthMax: 64,
}

const WHOLE = { entry: null, offset: 0 }

const NEWLINE = 0x0a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

export function readSubmission(bytes: Uint8Array, options: SubmissionOptions = {}): Submission {
  const collector = new ResourceCollector(bytes, { ...LIMITS, ...options.limits })
  const { bytesMax } = collector.limits
  if (bytes.length > bytesMax) {
    collector.problems.add('too_large', WHOLE, `${bytes.length} bytes, at most ${bytesMax}`)
    return outcome(collector, options.format === 'ndjson' ? 'ndjson' : 'json', null)
  }
  const format = options.format ?? 'auto'
  const isNdjson = format === 'ndjson' || (format === 'auto' && isNdjsonText(bytes, collector))
  if (isNdjson) {
    readLines(collector)
    return outcome(collector, 'ndjson', null)
  }
  return outcome(collector, 'json', readDocument(collector))
}

/** The bytes of a file without the white space around them: as a resource stands in a bundle. */
export function trimJson(bytes: Uint8Array): Uint8Array {
  const { from, to } = trimmed(bytes, 0, bytes.length)
  return bytes.subarray(from, to)
}

function outcome(
  { bytes, problems, resources }: ResourceCollector,
  format: 'json' | 'ndjson',
  bundleType: BundleType | null,
): Submission {
  const isTaken = format === 'ndjson' || problems.count === 0
  return {
    format,
    bundleType,
    resources: isTaken ? resources : [],
    problems: problems.in(bytes),
    problemCount: problems.count,
  }
}

function readDocument(collector: ResourceCollector): BundleType | null {
  const { from, to } = trimmed(collector.bytes, 0, collector.bytes.length)
  if (from === to) {
    collector.problems.add('empty', WHOLE, 'there is nothing in the submission')
    return null
  }
  const node = parse(collector, { from: 0, to: collector.bytes.length, entry: null })
  if (node === undefined) return null
  if (isBundle(node)) return readBundle(node, collector)
  const alone = { entry: null, base: 0, fullUrl: null, isFullUrlUnique: true, isWhole: true }
  collector.take(node, alone)
  return null
}

function readLines(collector: ResourceCollector): void {
  let entry = 0
  for (const { from, to } of linesOf(collector.bytes)) {
    if (entry === collector.limits.resourcesMax) {
      const detail = `more than ${collector.limits.resourcesMax} resources`
      collector.problems.add('too_many', { entry, offset: from }, detail)
      return
    }
    const node = parse(collector, { from, to, entry })
    if (node !== undefined && isBundle(node)) {
      const detail = 'a line holds one resource; submit a bundle by itself'
      collector.problems.add('nested_bundle', { entry, offset: from + node.start }, detail)
    } else if (node !== undefined) {
      collector.take(node, { entry, base: from, fullUrl: null, isFullUrlUnique: true })
    }
    entry += 1
  }
  if (entry === 0) collector.problems.add('empty', WHOLE, 'there is nothing in the submission')
}

interface Stretch {
  readonly from: number
  readonly to: number
}

function parse(
  collector: ResourceCollector,
  { from, to, entry }: Stretch & { entry: number | null },
): JsonNode | undefined {
  const { bytes, limits, problems } = collector
  try {
    return parseJson(bytes.subarray(from, to), {
      bytesMax: limits.bytesMax,
      depthMax: limits.depthMax,
    })
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    problems.add(problemCode(error.code), { entry, offset: from + error.offset }, error.detail)
    return undefined
  }
}

function problemCode(code: JsonErrorCode): ProblemCode {
  return code === 'syntax' ? 'not_json' : code
}

function isBundle(node: JsonNode): boolean {
  const type = memberOf(node, 'resourceType')
  return type?.kind === 'string' && type.value === 'Bundle'
}

// A line that ends an object, followed by a line that starts one, is never a part of one JSON text.
// Where the second line is broken, a first line that is a whole document by itself decides.
function isNdjsonText(bytes: Uint8Array, { limits }: ResourceCollector): boolean {
  const lines = linesOf(bytes)
  const first = lines.next().value
  const second = lines.next().value
  if (first === undefined || second === undefined) return false
  const isObject = bytes[first.from] === OPEN_BRACE && bytes[first.to - 1] === CLOSE_BRACE
  if (!isObject) return false
  if (bytes[second.from] === OPEN_BRACE) return true
  try {
    parseJson(bytes.subarray(first.from, first.to), { depthMax: limits.depthMax })
    return true
  } catch (error) {
    if (error instanceof JsonError) return false
    throw error
  }
}

/** The lines with content, without the white space around it. */
function* linesOf(bytes: Uint8Array): Generator<Stretch, undefined> {
  let lineStart = 0
  while (lineStart < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, lineStart)
    const lineEnd = newline < 0 ? bytes.length : newline
    const line = trimmed(bytes, lineStart, lineEnd)
    if (line.from < line.to) yield line
    lineStart = lineEnd + 1
  }
}

function trimmed(bytes: Uint8Array, start: number, end: number): Stretch {
  let from = start
  let to = end
  while (from < to && isSpace(bytes[from])) from += 1
  while (to > from && isSpace(bytes[to - 1])) to -= 1
  return { from, to }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}
