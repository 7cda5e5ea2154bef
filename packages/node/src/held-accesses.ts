// The lines of this node's access log about the records of one custodian, as that custodian is told them.
//
// A custodian hears of nobody's records but its own: its name is that of who asks, and no word of the
// request. What it is told is in the order in which this node heard of it.

import type { HeldAccess } from '@mooring/records'
import type { AccessLog, KeptAccess } from './access-log.ts'

export interface HeldAccesses {
  about(
    custodian: string,
    page: { after: number; limit: number },
  ): Promise<{ items: HeldAccess[]; next: number | null; last: number }>
}

/** A page; entries are small, and one that is not shares it with few. */
const BYTES_MAX = 4 * 1024 * 1024
const OVERHEAD_BYTES = 2_048
const SET_BYTES = 34

export function createHeldAccesses(
  log: Pick<AccessLog, 'counts' | 'listAbout' | 'placesOf'>,
): HeldAccesses {
  return {
    about: async (custodian, { after, limit }) => {
      const kept: KeptAccess[] = []
      let bytes = 0
      let isEnd = true
      for await (const each of log.listAbout(custodian, after)) {
        const sets = each.asked?.sets.length ?? 0
        bytes += (each.entry?.sealed.length ?? 0) + sets * SET_BYTES + OVERHEAD_BYTES
        isEnd = kept.length < Math.max(1, limit) && (kept.length === 0 || bytes <= BYTES_MAX)
        if (!isEnd) break
        kept.push(each)
      }
      const places = await log.placesOf(kept)
      const items = kept.map((each, at) => heldOf(each, places[at] ?? null))
      const next = isEnd ? null : (items.at(-1)?.arrival ?? null)
      return { items, next, last: log.counts().entries }
    },
  }
}

function heldOf(
  { arrival, time, leaf, asked, entry, note, served }: KeptAccess,
  place: HeldAccess['place'],
): HeldAccess {
  const told = asked && {
    id: asked.id,
    reader: asked.reader,
    purpose: asked.purpose,
    grant: asked.grant,
    patientKey: asked.patientKey,
    sets: asked.sets,
  }
  return { arrival, time, leaf, asked: told, entry, note, served, place }
}
