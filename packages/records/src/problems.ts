// What is wrong with a submission, said so that its sender can find the place.
//
// A problem has a code for programs, and entry, line and column for people. Its detail quotes the
// submission (an id, a reference): it is an answer to the sender and never goes into a log.

export type ProblemCode =
  | 'empty'
  | 'not_json'
  | 'invalid_utf8'
  | 'byte_order_mark'
  | 'duplicate_key'
  | 'lone_surrogate'
  | 'too_large'
  | 'too_deep'
  | 'too_many'
  | 'too_many_fields'
  | 'path_too_long'
  | 'not_fhir'
  | 'unsupported_bundle'
  | 'nested_bundle'
  | 'entry_without_resource'
  | 'delete_request'
  | 'read_request'
  | 'patch_request'
  | 'operation_request'
  | 'duplicate_id'
  | 'duplicate_full_url'
  | 'unresolved_reference'

export interface SubmissionProblem {
  readonly code: ProblemCode
  /** Index of the bundle entry or of the NDJSON line with content; null when it is about the whole. */
  readonly entry: number | null
  readonly line: number
  readonly column: number
  readonly detail: string
}

/** Where a problem is: an entry, and a byte offset into the submission. */
export interface Place {
  readonly entry: number | null
  readonly offset: number
}

const PROBLEMS_KEPT = 100
const QUOTE_MAX = 80

/** The first hundred problems that were found, and how many there are. */
export class ProblemList {
  count = 0
  readonly #kept: (Place & { code: ProblemCode; detail: string })[] = []

  add(code: ProblemCode, { entry, offset }: Place, detail: string): void {
    this.count += 1
    if (this.#kept.length < PROBLEMS_KEPT) this.#kept.push({ code, entry, offset, detail })
  }

  /** In the order of the text they are about. */
  in(bytes: Uint8Array): SubmissionProblem[] {
    const positions = new TextPositions(bytes)
    return this.#kept
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ code, entry, offset, detail }) => ({ code, entry, ...positions.at(offset), detail }))
  }
}

/** Lines, and columns in code points, of offsets that are asked for in ascending order. */
export class TextPositions {
  readonly #bytes: Uint8Array
  #offset = 0
  #line = 1
  #column = 1

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  at(offset: number): { line: number; column: number } {
    const end = Math.min(offset, this.#bytes.length)
    for (; this.#offset < end; this.#offset += 1) this.#pass(this.#bytes[this.#offset] ?? 0)
    return { line: this.#line, column: this.#column }
  }

  #pass(byte: number): void {
    if (byte === 0x0a) {
      this.#line += 1
      this.#column = 1
    } else if ((byte & 0xc0) !== 0x80) {
      this.#column += 1
    }
  }
}

export function formatProblem(problem: SubmissionProblem): string {
  const entry = problem.entry === null ? '' : `entry ${problem.entry}  `
  return `${problem.line}:${problem.column}  ${entry}${problem.detail} (${problem.code})`
}

/** Text of the submission inside a sentence: quoted, and not longer than it helps. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTE_MAX ? `${text.slice(0, QUOTE_MAX)}…` : text)
}
