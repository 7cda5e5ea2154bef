// What an operator must act on, for as long as it lasts: each alarm once, with the time when it began.

import type { Status } from '@mooring/api'
import type { Clock } from './clock.ts'
import { catalogEntry } from './errors.ts'

export type Alarm = Status['alarms'][number]

export type Finding = Pick<Alarm, 'code' | 'severity' | 'detail'>

type Kept = Pick<Alarm, 'since' | 'acknowledged'>

export class Alarms {
  readonly #clock: Clock
  readonly #onChange: (alarm: Alarm, isActive: boolean) => void
  #active: readonly Alarm[] = []

  constructor(clock: Clock, onChange: (alarm: Alarm, isActive: boolean) => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  /** What is wrong now; whatever is not among it is over. */
  update(findings: readonly Finding[]): readonly Alarm[] {
    const before = this.#active
    this.#active = findings.map(({ code, severity, detail }) => ({
      code,
      mor: catalogEntry(code)?.mor ?? null,
      severity,
      detail,
      ...this.#kept(find(before, code)),
    }))
    for (const alarm of this.#active) {
      if (find(before, alarm.code) === undefined) this.#onChange(alarm, true)
    }
    for (const alarm of before) {
      if (find(this.#active, alarm.code) === undefined) this.#onChange(alarm, false)
    }
    return this.#active
  }

  /** For as long as it is raised; undefined when it is not. */
  acknowledge(code: string, words: string): { again: boolean } | undefined {
    const alarm = find(this.#active, code)
    if (alarm === undefined) return undefined
    const noted = { ...alarm, acknowledged: words }
    this.#active = this.#active.map((each) => (each === alarm ? noted : each))
    return { again: alarm.acknowledged !== null }
  }

  #kept(before: Alarm | undefined): Kept {
    const since = before?.since ?? new Date(this.#clock.wall()).toISOString()
    return { since, acknowledged: before?.acknowledged ?? null }
  }
}

function find(alarms: readonly Alarm[], code: string): Alarm | undefined {
  return alarms.find((alarm) => alarm.code === code)
}
