// What an organisation used up: its quota of the running minute of block time, and its sequences.
//
// Both change with every transaction of the organisation and stand in one value, so that a block
// of n anchors writes few keys. Block time only grows, hence a new minute starts from zero and an
// old one is never asked for again.

import { type Infer, uint, versioned } from '@mooring/codec'
import type { UnixMs } from './parameters.ts'

const MINUTE_MS = 60_000

export const countersSchema = versioned(1, {
  anchorSequence: uint(),
  minute: uint(),
  used: uint(),
})

export type Counters = Infer<typeof countersSchema>
type Usage = { minute: number; used: number }

export const NO_COUNTERS: Counters = { anchorSequence: 0, minute: 0, used: 0 }

export type QuotaExceeded = {
  code: 'quota_exceeded'
  organisation: string
  limit: number
  /** Start of the next minute, when the quota is whole again. */
  resetsAt: UnixMs
}

export function checkQuota(
  usage: Usage,
  payment: { organisation: string; time: UnixMs; limit: number },
): QuotaExceeded | undefined {
  const { organisation, time, limit } = payment
  const minute = minuteOf(time)
  if (usage.minute !== minute || usage.used < limit) return undefined
  return { code: 'quota_exceeded', organisation, limit, resetsAt: (minute + 1) * MINUTE_MS }
}

export function applyQuota<T extends Usage>(usage: T, time: UnixMs): T {
  const minute = minuteOf(time)
  return { ...usage, minute, used: usage.minute === minute ? usage.used + 1 : 1 }
}

function minuteOf(time: UnixMs): number {
  return Math.floor(time / MINUTE_MS)
}
