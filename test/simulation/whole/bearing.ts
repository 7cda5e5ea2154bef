/**
 * How many faulty the authority sets of a run may come to hold. Changes that wait may pass in any order, or
 * never, so a set is judged by the worst that they can make of it together: everyone faulty is in, and
 * whoever is honest and may leave has left.
 */
import type { Change } from '@mooring/ledger'
import { nameOf } from './keys.ts'
import type { WholePlan } from './plan.ts'

const AUTHORITIES_MIN = 4

/** Traitors, and the one that is misled. */
export function faultyOf({ actors, misled }: WholePlan): ReadonlySet<string> {
  const indexes = misled === null ? [...actors.keys()] : [...actors.keys(), misled]
  return new Set(indexes.map(nameOf))
}

export function isBearable(
  authorities: readonly string[],
  faulty: ReadonlySet<string>,
  waiting: readonly Change[] = [],
): boolean {
  const coming = waiting.flatMap((change) => moveOf(change, 'authority'))
  const leaving = new Set(waiting.flatMap((change) => moveOf(change, 'observer')))
  const staying = authorities.filter((name) => !leaving.has(name))
  const traitors = [...new Set([...authorities, ...coming])].filter((name) => faulty.has(name))
  const honest = staying.filter((name) => !faulty.has(name))
  return staying.length >= AUTHORITIES_MIN && honest.length > 2 * traitors.length
}

function moveOf({ kind, body }: Change, to: 'authority' | 'observer'): string[] {
  if (kind === 'remove') return to === 'observer' ? [body.organisation] : []
  return kind === 'role' && body.role === to ? [body.organisation] : []
}
