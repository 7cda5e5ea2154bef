// What an organisation used up: its quota of the running minute of block time, and its sequences.
//
// Both change with every transaction of the organisation and stand in one value, so that a block
// of n anchors writes few keys. Block time only grows, hence a new minute starts from zero and an
// old one is never asked for again.

import { CodecError, type Schema, uint } from '@mooring/codec'
import type { UnixMs } from './parameters.ts'

const MINUTE_MS = 60_000

export type SequenceCounter = 'anchorSequence' | 'accessSequence'

type Usage = { minute: number; used: number }
export type Counters = Usage & Record<SequenceCounter, number>

const number = uint()

/**
 * Of an organisation that has logged no access the value is that of version 1, which knows of no access
 * log: blocks from before it keep their state roots.
 */
export const countersSchema: Schema<Counters> = {
  read(reader) {
    const count = reader.array()
    const version = number.read(reader)
    if (version !== 1 && version !== 2) {
      throw new CodecError('unknown_version', `version ${version}, expected 1 or 2`)
    }
    if (count !== version + 3) {
      throw new CodecError('wrong_type', `an array of ${count}, expected ${version + 3}`)
    }
    const anchorSequence = number.read(reader)
    const minute = number.read(reader)
    const used = number.read(reader)
    if (version === 1) return { anchorSequence, accessSequence: 0, minute, used }
    const accessSequence = number.read(reader)
    if (accessSequence > 0) return { anchorSequence, accessSequence, minute, used }
    throw new CodecError('not_canonical', 'without an access log the version is 1')
  },
  write({ anchorSequence, accessSequence, minute, used }) {
    const common = [anchorSequence, minute, used].map((value) => number.write(value))
    return accessSequence === 0 ? [1, ...common] : [2, ...common, number.write(accessSequence)]
  },
}

export const NO_COUNTERS: Counters = { anchorSequence: 0, accessSequence: 0, minute: 0, used: 0 }

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
