// What a running node finds when it looks at itself. What it takes other members to see is in
// member-checks.ts.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { openFiles } from './bundle-sources.ts'
import { doubtful, failed, fine, type Found, type PlannedCheck } from './checks.ts'
import type { Health } from './health.ts'
import { softFileLimit } from './host-limits.ts'

const LAG_LOOK_MS = 500
const LAG_WARN_MS = 100
const LAG_FAIL_MS = 500
const FILES_MIN = 4_096
const FILES_USED_WARN = 0.8

export function nodeChecks(health: Pick<Health, 'live' | 'ready' | 'alarms'>): PlannedCheck[] {
  return [
    { area: 'node', name: 'live', look: () => conditionsOf(health.live()) },
    ...health.ready().map(({ name }) => ({
      area: 'ready',
      name,
      look: () => conditionsOf(health.ready().filter((condition) => condition.name === name)),
    })),
    { area: 'node', name: 'alarms', look: () => alarmsOf(health) },
    { area: 'node', name: 'event_loop_lag', look: lagOf },
    { area: 'node', name: 'open_files', look: filesOf },
  ]
}

function conditionsOf(conditions: readonly { ok: boolean; detail: string }[]): Found {
  const failing = conditions.filter(({ ok }) => !ok)
  const detail = (failing.length > 0 ? failing : conditions).map((each) => each.detail).join(' ')
  return failing.length === 0
    ? fine(detail)
    : failed(detail, 'The alarms say more:   mooring alarm list')
}

function alarmsOf(health: Pick<Health, 'alarms'>): Found {
  const alarms = health.alarms()
  if (alarms.length === 0) return fine('No alarm is raised.')
  const codes = alarms.map(({ code }) => code).join(', ')
  const isUrgent = alarms.some(({ severity }) => severity === 'page')
  const tell = isUrgent ? failed : doubtful
  return tell(`Raised: ${codes}.`, 'What each of them means:   mooring alarm list')
}

async function lagOf(): Promise<Found> {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  await pause(LAG_LOOK_MS)
  delay.disable()
  const ms = Math.max(0, delay.percentile(99) / 1e6 - 10)
  const detail = `A timer was late by ${ms.toFixed(0)} ms at most in half a second.`
  if (ms < LAG_WARN_MS) return fine(detail)
  const advice = 'Give the process a core of its own; see what it does:   mooring debug bundle'
  return ms < LAG_FAIL_MS ? doubtful(detail, advice) : failed(detail, advice)
}

async function filesOf(): Promise<Found> {
  const [used, limit] = [await openFiles(), await softFileLimit()]
  if (used === null || limit === null)
    return fine('This system does not tell how many files are open.')
  const detail = `${used} files are open, of at most ${limit}.`
  const advice = 'Allow more:   ulimit -n 65536, or LimitNOFILE=65536 of the unit'
  if (used > limit * FILES_USED_WARN) return failed(detail, advice)
  return limit < FILES_MIN ? doubtful(detail, advice) : fine(detail)
}
