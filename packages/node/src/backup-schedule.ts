// When backups are due: a line of cron, in the time zone of the computer.

import { Cron } from 'croner'

/** Why it is no schedule; undefined when it is one. */
export function faultOfSchedule(line: string): string | undefined {
  try {
    const next = new Cron(line, { mode: '5-part' }).nextRun()
    return next === null ? 'it never comes' : undefined
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error)
  }
}

/** The next moments that it names, soonest first. */
export function nextRuns(line: string, after: Date, count: number): Date[] {
  return new Cron(line, { mode: '5-part' }).nextRuns(count, after)
}
