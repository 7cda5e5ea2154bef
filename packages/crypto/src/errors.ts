// Why a text is no key, id, seed or bytes. Checks of proofs and signatures return reasons instead.

export type CryptoErrorCode =
  | 'not_base58'
  | 'not_base64url'
  | 'not_did_key'
  | 'too_long'
  | 'words_count'
  | 'words_unknown'
  | 'words_checksum'
  | 'scrypt_cost'

export class CryptoError extends Error {
  override readonly name = 'CryptoError'
  readonly code: CryptoErrorCode

  constructor(code: CryptoErrorCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options)
    this.code = code
  }
}
