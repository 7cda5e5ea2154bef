// Looking at one thing after the other: each check says how it is, in one sentence, and what to do about it.
// One that cannot be carried out has failed, and keeps no other from being made.

import type { Check } from '@mooring/api'

export interface Found {
  result: 'ok' | 'warn' | 'fail'
  detail: string
  advice?: string
}

export interface PlannedCheck {
  area: string
  name: string
  look: () => Promise<Found> | Found
}

export const fine = (detail: string): Found => ({ result: 'ok', detail })
export const doubtful = (detail: string, advice: string): Found => ({
  result: 'warn',
  detail,
  advice,
})
export const failed = (detail: string, advice: string): Found => ({
  result: 'fail',
  detail,
  advice,
})

/** In their order; `skip` holds names of checks or of areas. */
export async function runChecks(
  planned: readonly PlannedCheck[],
  skip: ReadonlySet<string> = new Set(),
): Promise<Check[]> {
  const done: Check[] = []
  for (const { area, name, look } of planned) {
    if (skip.has(name) || skip.has(area)) {
      done.push({ area, name, result: 'skip', detail: 'Left out as asked.', advice: null })
      continue
    }
    done.push({ area, name, ...(await outcomeOf(look)) })
  }
  return done
}

async function outcomeOf(look: PlannedCheck['look']): Promise<Omit<Check, 'area' | 'name'>> {
  try {
    const { result, detail, advice = null } = await look()
    return { result, detail, advice }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { result: 'fail', detail, advice: 'This could not be looked at; mend that first.' }
  }
}
