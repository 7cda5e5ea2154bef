// Why bytes were refused, as data.
//
// One class for everything that turns bytes or hex into values and back. `path` names the
// field from the outside in (`header.parent`, `transactions[3]`); it is built only when an error
// travels outwards, so that the good path pays nothing for it.

export type CodecErrorCode =
  | 'too_large'
  | 'too_deep'
  | 'too_many'
  | 'not_canonical'
  | 'wrong_type'
  | 'out_of_range'
  | 'unknown_version'
  | 'unknown_variant'
  | 'trailing_bytes'
  | 'truncated'
  | 'not_deflate'

export class CodecError extends Error {
  override readonly name = 'CodecError'
  readonly code: CodecErrorCode
  readonly detail: string
  path = ''

  constructor(code: CodecErrorCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options)
    this.code = code
    this.detail = detail
  }

  within(segment: string): this {
    const joint = this.path === '' || this.path.startsWith('[') ? '' : '.'
    this.path = `${segment}${joint}${this.path}`
    this.message = `${this.code} at ${this.path}: ${this.detail}`
    return this
  }
}
