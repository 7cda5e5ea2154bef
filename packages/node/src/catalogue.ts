// The custodian's side of a question: what does this grant open?
//
// The question leaves an entry before it is answered, like a reading. What is told are sealed manifests, so
// even a wrong answer would open nothing without the class keys, and these are sealed to the recipient.

import { equalBytes } from '@mooring/codec'
import {
  type AccessEntry,
  accessEntryCommit,
  type AccessRequest,
  decideQuery,
  type CatalogueItem,
  type LeafPlace,
  type Manifest,
  type SignedAccessRequest,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { Refusal } from '@mooring/api'
import type { Accounts } from './accounts.ts'
import type { Clock } from './clock.ts'

type Question = Extract<VaultRequest, { kind: 'catalogue' }>['body']
type Answer = Extract<VaultAnswer, { kind: 'catalogue' }>['body']

export interface CatalogueEntry {
  readonly arrival: number
  readonly setId: Uint8Array
  /** Encoded. */
  readonly set: Uint8Array
  /** Sealed. */
  readonly manifest: Uint8Array
  readonly holders: readonly string[]
  /** Holders lack a record that is only received: it does not open so far. */
  readonly status: 'received' | 'accepted' | 'batched'
  /** The manifest, opened. */
  readonly metadata: Pick<Manifest, 'facts' | 'recordCommit'>
}

/** Of the custodian's index. */
export interface CatalogueIndex {
  getBySet(setId: Uint8Array): Pick<CatalogueEntry, 'arrival'> | undefined
  /** Of one patient, newest first. */
  listAccount(
    patientKey: Uint8Array,
    before: number | null,
    limit: number,
  ): Promise<readonly CatalogueEntry[]>
}

export interface CatalogueModules {
  readonly self: string
  readonly clock: Pick<Clock, 'wall'>
  readonly accounts: Pick<Accounts, 'findByKey' | 'wrapsFor'>
  readonly index: CatalogueIndex
  /** Where records are in anchored batches, in their order; null for those that wait. */
  readonly placesOf: (records: readonly CatalogueEntry[]) => Promise<(LeafPlace | null)[]>
  readonly anchorKeyOf: (organisation: string) => Uint8Array | undefined
  readonly tip: () => number
  readonly blockDigestAt: (height: number) => Uint8Array | undefined
  /** Durable when it resolves; false when the entry stands for another question. */
  readonly noteQuery: (request: AccessRequest, entry: AccessEntry) => Promise<boolean>
  readonly noteRefusal: (refusal: {
    peer: string
    code: string
    request: AccessRequest
    entry: AccessEntry
  }) => Promise<void>
}

const PAGE_MAX = 500
const LOOKED_THROUGH_MAX = 2_000

/** @throws Refusal */
export async function answerCatalogue(
  modules: CatalogueModules,
  sender: string,
  { signed, entry, after, limit }: Question,
): Promise<Answer> {
  const { request } = signed
  const refused = refusalOf(modules, sender, signed, entry)
  const code = refused ?? ((await modules.noteQuery(request, entry)) ? undefined : 'entry_reused')
  if (code !== undefined) {
    await modules.noteRefusal({ peer: sender, code, request, entry })
    throw new Refusal(code, `The question of ${sender} is refused: ${code}.`)
  }
  const document = request.grant?.document
  if (document === undefined) throw new Error('a question without a grant was permitted')
  const { patientKey, classes } = document
  const keys = after === null ? modules.accounts.wrapsFor(patientKey, sender).slice(0, 256) : []
  const wanted = Math.max(1, Math.min(limit, PAGE_MAX))
  const items: CatalogueEntry[] = []
  let before = after === null ? null : (modules.index.getBySet(after)?.arrival ?? 0)
  let last: Uint8Array | null = null
  for (let looked = 0; looked < LOOKED_THROUGH_MAX && items.length < wanted; ) {
    const page = await modules.index.listAccount(patientKey, before, wanted)
    if (page.length === 0) return { keys: [...keys], items: await told(modules, items), next: null }
    looked += page.length
    for (const found of page) {
      if (items.length === wanted) break
      before = found.arrival
      last = found.setId
      if (found.status === 'received') continue
      if (classes.includes(found.metadata.facts.class)) items.push(found)
    }
  }
  return { keys: [...keys], items: await told(modules, items), next: last }
}

async function told(
  { placesOf }: CatalogueModules,
  entries: readonly CatalogueEntry[],
): Promise<CatalogueItem[]> {
  const places = await placesOf(entries)
  return entries.map(({ set, manifest, holders }, at) => {
    return { set, manifest, holders: [...holders], place: places[at] ?? null }
  })
}

function refusalOf(
  { self, clock, accounts, anchorKeyOf, tip, blockDigestAt }: CatalogueModules,
  sender: string,
  signed: SignedAccessRequest,
  entry: AccessEntry,
): string | undefined {
  const decision = decideQuery({
    signed,
    sender,
    self,
    entry: accessEntryCommit(entry),
    anchorKeyOf,
    tip: tip(),
    blockDigestAt,
    now: clock.wall(),
  })
  if (!decision.permit) return decision.code
  const document = signed.request.grant?.document
  const account = document && accounts.findByKey(document.patientKey)
  if (document === undefined || account === undefined) return 'wrong_patient'
  // The entry must be one that the patient can open.
  return equalBytes(account.logKey, document.logKey) ? undefined : 'wrong_patient'
}
