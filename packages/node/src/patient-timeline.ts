// The timeline of one patient at this custodian, for the patient: all records by their numbers, the signed
// head, and the content of each.

import {
  Refusal,
  type PatientCaller,
  type TimelineHandlers,
  type VaultHandlers,
} from '@mooring/api'
import { encode, fromHex } from '@mooring/codec'
import { encodeBase64url, type KeyPair } from '@mooring/crypto'
import {
  type LeafPlace,
  signedTimelineHeadSchema,
  signTimelineHead,
  timelineRoot,
} from '@mooring/records'
import type { AccountOrder } from '@mooring/storage'
import { orderName } from './account-order.ts'
import type { Account, Accounts } from './accounts.ts'
import type { AtRest } from './at-rest.ts'
import type { Clock } from './clock.ts'
import type { CustodianIndex } from './custodian-index.ts'
import { anchorsOf, erasedItem, keptItem, type TimelineGround } from './timeline-items.ts'

export interface PatientTimelineModules extends TimelineGround {
  readonly self: string
  readonly anchorKey: KeyPair
  readonly accounts: Pick<Accounts, 'findByKey'>
  readonly index: Pick<CustodianIndex, 'get'>
  readonly order: Pick<AccountOrder, 'list'>
  readonly atRest: AtRest
  /** Where records are in anchored batches; null for one that waits. */
  readonly placesOf: (ids: readonly Uint8Array[]) => Promise<(LeafPlace | null)[]>
  readonly recordContent: VaultHandlers['recordContent']
  readonly clock: Pick<Clock, 'wall'>
}

/** What a patient reads their own records for; a representative by the role that the delegation gives. */
const OWN_PURPOSE = 'PATRQT'
const ROLES = ['FAMRQT', 'PWATRNY']
const ORDER_PAGE = 10_000

export function createPatientTimeline(
  modules: PatientTimelineModules,
): Pick<TimelineHandlers, 'own' | 'content'> {
  return {
    own: async (caller, { after, limit }) => {
      const account = accountOf(modules.accounts, caller)
      const { self, index, order, atRest, placesOf } = modules
      const name = orderName(atRest, account.reference)
      const page = await order.list(name, { after, limit })
      const places = await placesOf(page.map(({ id }) => id))
      const items = page.map(({ sequence, id }, at) => {
        const place = places[at] ?? null
        const entry = index.get(id)
        return entry === undefined
          ? erasedItem(modules, { custodian: self, sequence, id, place })
          : keptItem(modules, { custodian: self, manifest: entry.metadata, place })
      })
      const last = page.at(-1)
      return {
        head: after === 0 ? await headOf(modules, account, name) : null,
        items,
        anchors: anchorsOf(modules, places),
        entry: null,
        next: last === undefined || page.length < limit ? null : last.sequence,
      }
    },
    content: async (caller, id, signal) => {
      const account = accountOf(modules.accounts, caller)
      const entry = modules.index.get(fromHex(id))
      const isOwn = entry !== undefined && entry.metadata.patient === account.reference
      if (!isOwn) return undefined
      const role = ROLES.find((each) => each === caller.delegation?.role)
      const purpose = role ?? OWN_PURPOSE
      const person = whoReads(caller)
      return await modules.recordContent({ id, purpose, grant: null, person, signal })
    },
  }
}

export function accountOf(
  accounts: Pick<Accounts, 'findByKey'>,
  { patientKey }: Pick<PatientCaller, 'patientKey'>,
): Account {
  const account = accounts.findByKey(patientKey)
  if (account !== undefined) return account
  throw new Refusal('unknown_patient', 'This hospital knows no patient by this key.')
}

/** For the log: a wallet is a person, whoever holds it. */
function whoReads({ delegation }: PatientCaller): string {
  if (delegation === null) return 'the patient'
  return `the patient, through a ${delegation.kind}`
}

async function headOf(
  { self, anchorKey, order, clock }: PatientTimelineModules,
  { patientKey }: Account,
  name: Uint8Array,
): Promise<string> {
  const commitments: Uint8Array[] = []
  let after = 0
  while (true) {
    const page = await order.list(name, { after, limit: ORDER_PAGE })
    commitments.push(...page.map(({ id }) => id))
    const last = page.at(-1)
    if (last === undefined || page.length < ORDER_PAGE) break
    after = last.sequence
  }
  const root = timelineRoot(commitments)
  const count = commitments.length
  const head = { custodian: self, patientKey, count, root, time: clock.wall() }
  return encodeBase64url(encode(signedTimelineHeadSchema, signTimelineHead(anchorKey, head)))
}
