// What the package throws: bytes or arguments that cannot be what they claim to be.
//
// Things that may legitimately be wrong, like a submission or a proof that does not verify, are
// returned as values with their reasons; this class is for input that cannot be read at all.

export type RecordsErrorCode =
  | 'wrong_length'
  | 'out_of_range'
  | 'too_large'
  | 'not_json'
  | 'wrong_type'
  | 'missing_member'
  | 'unknown_member'
  | 'unknown_version'
  | 'bad_encoding'
  | 'no_such_field'

export class RecordsError extends Error {
  override readonly name = 'RecordsError'
  readonly code: RecordsErrorCode
  readonly path: string

  constructor(code: RecordsErrorCode, path: string, detail: string, options?: ErrorOptions) {
    super(path === '' ? `${code}: ${detail}` : `${code} at ${path}: ${detail}`, options)
    this.code = code
    this.path = path
  }
}
