// What a grant opens as a timeline, for its recipient: each record with the proof that this node makes from
// its own chain.

import type { TimelineHandlers } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { type LeafPlace, parseGrant } from '@mooring/records'
import type { LocatedRecord } from './access-session.ts'
import type { GrantReader } from './grant-reader.ts'
import type { GrantedRecords } from './granted-records.ts'
import type { PractitionerDesk } from './practitioner-desk.ts'
import { callOf, personOf } from './vault-reading-answers.ts'
import { anchorsOf, keptItem, type TimelineGround } from './timeline-items.ts'

export interface GrantedTimelineModules extends TimelineGround {
  readonly desk: Pick<PractitionerDesk, 'run'>
  readonly grants: Pick<GrantReader, 'read'>
  readonly granted: Pick<GrantedRecords, 'list'>
  /** Where a record is on this node's chain; null while nobody knows. */
  readonly placeOf: (record: LocatedRecord) => Promise<LeafPlace | null>
}

export function createGrantedTimeline(
  modules: GrantedTimelineModules,
): Pick<TimelineHandlers, 'granted'> {
  return {
    granted: async ({ grant: file, purpose, after, limit, signal, ...by }) => {
      const { person = null, practitioner = null } = by
      const { desk, granted, grants, placeOf } = modules
      const grant = grants.read(parseGrant(file))
      const what = callOf('timeline', { purpose, file, person, after, limit })
      const page = await desk.run(practitioner, { what, signal }, (signer, whileHere) => {
        const use = { grant, purpose, person: personOf(person, signer), signal: whileHere }
        return granted.list(use, { after, limit, only: null })
      })
      const places = await Promise.all(page.items.map((record) => placeOf(record)))
      const items = page.items.map(({ set, manifest }, at) =>
        keptItem(modules, { custodian: set.custodian, manifest, place: places[at] ?? null }),
      )
      const entry = page.entry && toHex(page.entry)
      return { head: null, items, anchors: anchorsOf(modules, places), entry, next: page.next }
    },
  }
}
