// What can go wrong before and around a running node: options, the home folder, key files. The code
// chooses the text in errors.ts; `data` fills it in.

import type { OptionProblem } from './config-file.ts'

export type NodeErrorCode =
  | 'options_invalid'
  | 'http_not_loopback'
  | 'config_missing'
  | 'home_missing'
  | 'home_exists'
  | 'home_open'
  | 'home_foreign'
  | 'key_missing'
  | 'key_open'
  | 'key_malformed'
  | 'key_encrypted'
  | 'key_not_in_genesis'
  | 'genesis_missing'
  | 'genesis_invalid'
  | 'network_mismatch'
  | 'port_taken'

export type ErrorData = Readonly<Record<string, string | number | boolean | null>>

export class NodeError extends Error {
  readonly code: NodeErrorCode
  readonly data: ErrorData
  readonly problems: readonly OptionProblem[]

  constructor(
    code: NodeErrorCode,
    data: ErrorData,
    details: { cause?: unknown; problems?: readonly OptionProblem[] } = {},
  ) {
    super(`${code} ${JSON.stringify(data)}`, { cause: details.cause })
    this.name = 'NodeError'
    this.code = code
    this.data = data
    this.problems = details.problems ?? []
  }
}
