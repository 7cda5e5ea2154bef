/** How the node in memory is doing. */

import { Readable } from 'node:stream'
import type { AdminSeeingHandlers } from '../src/admin-seeing-handlers.ts'
import { Refusal } from '../src/errors.ts'

const level = { now: 'info' }

export const memorySeeing: AdminSeeingHandlers = {
  checks: (skip) =>
    Promise.resolve(
      [
        { area: 'node', name: 'api', result: 'ok' as const, detail: 'It answers.', advice: null },
      ].filter(({ name }) => !skip.has(name)),
    ),
  logLevel: () => level.now,
  setLogLevel: (text) => {
    if (!/^[a-z0-9=,]+$/.test(text)) throw new Refusal('level_invalid', 'It is no level.')
    level.now = text
    return text
  },
  acknowledge: (code, note, { name }) => {
    if (code !== 'disk_low') throw new Refusal('alarm_unknown', 'No such alarm is raised.')
    return { code, by: name, note, again: false }
  },
  bundle: () => Readable.from([new Uint8Array([0x1f, 0x8b])]),
}
