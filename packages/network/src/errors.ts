// Why a peer was refused or a message did not arrive, as a code with its data.
//
// `lastError` of a peer is one of these, so that an operator reads both sides of a mismatch in one
// sentence; `node` maps every code to its text in the catalogue.

export type NetworkErrorCode =
  | 'bad_address'
  | 'busy'
  | 'closed'
  | 'dial_failed'
  | 'disconnected'
  | 'hello_malformed'
  | 'hello_timeout'
  | 'listen_failed'
  | 'no_address'
  | 'not_admitted'
  | 'not_connected'
  | 'refused'
  | 'silent'
  | 'timeout'
  | 'too_large'
  | 'wrong_network'
  | 'wrong_protocol_version'

export type NetworkErrorData = Record<string, string | number>

export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: NetworkErrorCode
  readonly data: NetworkErrorData

  constructor(
    code: NetworkErrorCode,
    message: string,
    data: NetworkErrorData = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.data = data
  }
}

/** What a failed call has to say, with the parts of an aggregate joined into one line. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map(messageOf).join('; ')
  }
  return error instanceof Error ? error.message : String(error)
}
