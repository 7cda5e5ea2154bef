// `change.propose`: an organisation asks for a change of the network. Its transaction's id is the
// change's id, and from an authority the proposal is its approval too.
//
// The room for open changes is shared out so that nobody can keep the others from governing: the
// faulty, fewer than a third of the authorities, never fill what authorities have together, and
// observers have a part of their own.

import { equalBytes, type Infer, struct } from '@mooring/codec'
import { type ChangeRecord, changeSchema, reasonSchema } from './change.ts'
import { type ChangeProblem, checkContent, planChange } from './change-rules.ts'
import { openList, OPEN_CHANGES_MAX, setChange, setOpenList } from './membership.ts'
import { identifierSchema } from './organisation.ts'
import { timeSchema } from './parameters.ts'
import { authoritySet } from './state.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

/** For how long a change may be open at most. */
export const CHANGE_OPEN_MAX_MS = 30 * 24 * 3_600_000

const OBSERVERS_ROOM = 16
const AUTHORITIES_ROOM = OPEN_CHANGES_MAX - OBSERVERS_ROOM
const OWN_CHANGES_MAX = 8

const schema = struct({
  organisation: identifierSchema,
  reason: reasonSchema,
  /** Of the change; that of the transaction says until when it may be proposed. */
  expiresAt: timeSchema,
  change: changeSchema,
})

export type ChangePropose = Infer<typeof schema>

export const changePropose: TransactionKind<ChangePropose> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'governance',
  check,
  checkContent: ({ change }, genesisDigest) => refusedFor(checkContent(change, genesisDigest)),
  apply,
}

function check(facts: Facts, body: ChangePropose): InvalidTransaction | undefined {
  const { draft, time } = facts
  const { expiresAt, change } = body
  const latest = time + CHANGE_OPEN_MAX_MS
  if (expiresAt <= time) return { code: 'change_expired', expiresAt, time }
  if (expiresAt > latest) return { code: 'change_expires_too_late', expiresAt, latest }
  const refused = checkSigner(facts) ?? checkRoom(facts)
  if (refused !== undefined) return refused
  const plan = planChange(draft, change, facts)
  return refusedFor('code' in plan ? plan : undefined)
}

function refusedFor(problem: ChangeProblem | undefined): InvalidTransaction | undefined {
  return problem === undefined ? undefined : { code: 'invalid_change', problem }
}

function apply({ draft, organisation, id, time, height }: Facts, body: ChangePropose): void {
  const { reason, expiresAt, change } = body
  const proposer = organisation.id
  const record: ChangeRecord = {
    proposer,
    reason,
    proposedAt: { height, time },
    expiresAt,
    change,
    approvals: authoritySet(draft).organisations.includes(proposer) ? [proposer] : [],
    ready: [],
    passedAt: null,
  }
  setChange(draft, id, record)
  setOpenList(draft, [...openList(draft), { id, proposer, expiresAt }])
}

/** Governance is by the governance key alone. */
export function checkSigner({ organisation, signer }: Facts): InvalidTransaction | undefined {
  const { id, keys } = organisation
  const expected = keys.governance
  if (equalBytes(signer, expected)) return undefined
  return { code: 'wrong_signer', organisation: id, duty: 'governance', expected, got: signer }
}

function checkRoom({ draft, organisation }: Facts): InvalidTransaction | undefined {
  const { organisations } = authoritySet(draft)
  const isAuthority = (id: string): boolean => organisations.includes(id)
  const proposers = openList(draft).map(({ proposer }) => proposer)
  const { id } = organisation
  const own = proposers.filter((proposer) => proposer === id).length
  const limit = isAuthority(id) ? shareOf(organisations.length) : OWN_CHANGES_MAX
  if (own >= limit) return { code: 'too_many_own_changes', organisation: id, limit, open: own }
  const open = proposers.length
  if (open >= OPEN_CHANGES_MAX) return { code: 'too_many_changes', limit: OPEN_CHANGES_MAX, open }
  const byObservers = proposers.filter((proposer) => !isAuthority(proposer)).length
  return !isAuthority(id) && byObservers >= OBSERVERS_ROOM
    ? { code: 'too_many_changes', limit: OBSERVERS_ROOM, open: byObservers }
    : undefined
}

function shareOf(authorities: number): number {
  return Math.min(OWN_CHANGES_MAX, Math.max(1, Math.floor(AUTHORITIES_ROOM / authorities)))
}
