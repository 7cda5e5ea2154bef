// What an organisation used up of governance: a quota of its own, and the rotations of its own keys
// that needed nobody's approval.
//
// Governance pays from another purse than data. Otherwise an organisation whose traffic has used up its
// minute could not approve the change that raises the quota or removes the one who floods it.
//
// A rotation ends an epoch, and every proof carries each epoch since genesis. So a member alone may
// rotate once in ten minutes and twelve times in thirty days; beyond that the others must approve.

import { type Infer, uint, versioned } from '@mooring/codec'
import { timeSchema, type UnixMs } from './parameters.ts'

/** Transactions of governance that one organisation may have in a minute of block time. */
export const GOVERNANCE_PER_MINUTE = 60

const ROTATION_PAUSE_MS = 10 * 60_000
const ROTATION_PERIOD_MS = 30 * 24 * 3_600_000
const ROTATIONS_PER_PERIOD = 12

export const governanceSchema = versioned(1, {
  minute: uint(),
  used: uint(),
  rotatedAt: timeSchema,
  period: uint(),
  rotations: uint(),
})

export type Governance = Infer<typeof governanceSchema>

export const NO_GOVERNANCE: Governance = {
  minute: 0,
  used: 0,
  rotatedAt: 0,
  period: 0,
  rotations: 0,
}

export function mayRotateAlone(governance: Governance, time: UnixMs): boolean {
  const { rotatedAt, period, rotations } = governance
  if (time < rotatedAt + ROTATION_PAUSE_MS) return false
  return period !== periodOf(time) || rotations < ROTATIONS_PER_PERIOD
}

export function countRotation(governance: Governance, time: UnixMs): Governance {
  const period = periodOf(time)
  const before = governance.period === period ? governance.rotations : 0
  return { ...governance, rotatedAt: time, period, rotations: before + 1 }
}

function periodOf(time: UnixMs): number {
  return Math.floor(time / ROTATION_PERIOD_MS)
}
