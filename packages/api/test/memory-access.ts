/** An access log of the memory node: pages of a list, oldest first, as the API asks for them. */

import type { Access } from '../src/access-answers.ts'
import type { AccessQuery } from '../src/handlers.ts'

export function accessPage(
  accesses: readonly Access[],
  query: AccessQuery,
): { items: Access[]; next: number | null } {
  const { before, limit, organisation, custodian, outcome } = query
  const matching = accesses
    .map((access, index) => ({ access, position: index + 1 }))
    .filter(
      ({ access, position }) =>
        (before === null || position < before) &&
        (organisation === null || access.organisation === organisation) &&
        (custodian === null || access.custodian === custodian) &&
        (outcome === null || access.outcome === outcome),
    )
    .toReversed()
  const shown = matching.slice(0, limit)
  const next = matching.length > shown.length ? (shown.at(-1)?.position ?? null) : null
  return { items: shown.map(({ access }) => shownAccess(access, query.isOpen)), next }
}

export function shownAccess(access: Access, isOpen: boolean): Access {
  return isOpen ? access : { ...access, event: null }
}
