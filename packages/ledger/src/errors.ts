// Why a document for people (genesis.json, a proof file) was refused. Bytes are refused by a
// CodecError, and what breaks a rule of the ledger is returned as a reason.

export type LedgerErrorCode =
  /** The text is no JSON that has one reading. */
  'not_json' | 'missing' | 'unknown_member' | 'wrong_type' | 'bad_value'

export type DocumentProblem = {
  code: LedgerErrorCode
  /** From the top of the document: organisations[2].organisation.keys.seal */
  path: string
  detail: string
}

export class LedgerError extends Error {
  override readonly name = 'LedgerError'
  /** Of the first problem. */
  readonly code: LedgerErrorCode
  readonly path: string
  readonly problems: readonly DocumentProblem[]

  constructor(first: DocumentProblem, others: DocumentProblem[] = [], options?: ErrorOptions) {
    const problems = [first, ...others]
    super(problems.map(describe).join('\n'), options)
    this.code = first.code
    this.path = first.path
    this.problems = problems
  }
}

function describe({ code, path, detail }: DocumentProblem): string {
  return path === '' ? `${code}: ${detail}` : `${code} at ${path}: ${detail}`
}
