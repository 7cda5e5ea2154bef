// What all members agree on by number: limits, windows, rhythm. Set in genesis, kept in the state.
//
// Each field has hard bounds in its schema, so that no set of parameters can ask for a block that
// does not fit a network frame. What fields say together is checked by `checkParameters`.

import { type Infer, refine, type Schema, uint, versioned } from '@mooring/codec'

/** Milliseconds since the Unix epoch. */
export type UnixMs = number

/** What block and proof decoders let through at most; the parameters set limits below these. */
export const TRANSACTION_BYTES_MAX = 1024 * 1024
export const BLOCK_TRANSACTIONS_MAX = 100_000
export const BLOCK_BYTES_MAX = 7 * 1024 * 1024

/** What a block needs beside its transactions: the header and the frame around both. */
export const BLOCK_RESERVE = 1024

const HOUR_MS = 3_600_000
const YEAR_9999_MS = 253_402_300_799_999

/** Times that RFC 3339 can write. */
export const timeSchema = uint(YEAR_9999_MS)

function between(min: number, max: number): Schema<number> {
  return refine(uint(max), (value) => value >= min, `at least ${min}`)
}

export const parametersSchema = versioned(1, {
  deltaMs: between(1, 60_000),
  heartbeatMs: uint(24 * HOUR_MS),
  minBlockIntervalMs: uint(60_000),
  blockBytesMax: between(8 * 1024, BLOCK_BYTES_MAX),
  blockTransactionsMax: between(1, BLOCK_TRANSACTIONS_MAX),
  transactionBytesMax: between(512, TRANSACTION_BYTES_MAX),
  expiryWindowMs: between(1_000, 24 * HOUR_MS),
  quotaPerMinute: between(1, 1_000_000_000),
  precisionMs: between(1, 60_000),
  snapshotInterval: between(1, 1_000_000_000),
})

export type Parameters = Infer<typeof parametersSchema>

export const PRODUCTION_PARAMETERS: Parameters = {
  deltaMs: 500,
  heartbeatMs: 60_000,
  minBlockIntervalMs: 0,
  blockBytesMax: 4 * 1024 * 1024,
  blockTransactionsMax: 20_000,
  transactionBytesMax: 64 * 1024,
  expiryWindowMs: 600_000,
  quotaPerMinute: 6_000,
  precisionMs: 500,
  snapshotInterval: 1_000,
}

export const DEVNET_PARAMETERS: Parameters = {
  ...PRODUCTION_PARAMETERS,
  deltaMs: 150,
  quotaPerMinute: 1_000_000,
}

export type ParameterProblem = {
  code: 'contradictory_parameters'
  path: keyof Parameters
  detail: string
}

export function checkParameters(parameters: Parameters): ParameterProblem[] {
  const { blockBytesMax, transactionBytesMax, heartbeatMs, minBlockIntervalMs } = parameters
  const { deltaMs, precisionMs, expiryWindowMs } = parameters
  const problems: ParameterProblem[] = []
  const note = (path: keyof Parameters, detail: string): void => {
    problems.push({ code: 'contradictory_parameters', path, detail })
  }

  const roomBytes = blockBytesMax - BLOCK_RESERVE
  if (transactionCost(transactionBytesMax) > roomBytes) {
    note(
      'transactionBytesMax',
      `a transaction of ${transactionBytesMax} bytes never fits a block of ${blockBytesMax}`,
    )
  }
  if (heartbeatMs > 0 && heartbeatMs < minBlockIntervalMs) {
    note('heartbeatMs', `${heartbeatMs} is shorter than minBlockIntervalMs ${minBlockIntervalMs}`)
  }
  if (expiryWindowMs <= precisionMs + 3 * deltaMs) {
    note(
      'expiryWindowMs',
      `${expiryWindowMs} is over before a block may be made: precisionMs + 3 deltaMs is ${precisionMs + 3 * deltaMs}`,
    )
  }
  return problems
}

/** The bytes one transaction takes in a block: itself and the CBOR head of its byte string. */
export function transactionCost(length: number): number {
  if (length < 24) return length + 1
  if (length < 0x100) return length + 2
  return length + (length < 0x1_0000 ? 3 : 5)
}
