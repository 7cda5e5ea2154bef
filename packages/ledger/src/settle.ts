// What happens at the end of every block, after its transactions: changes expire, at most one passes,
// a scheduled protocol version comes into force.
//
// Whether a change passes is asked of the oldest first. It needs approvals from a quorum of the present
// authorities; and where it gives the network another set of authorities, or asks them for other
// software, the word of a quorum of the next set that they are ready, among them everyone whose consensus
// key is new: nobody counts in a set before it has shown that it runs.
//
// A block in which a change passes ends its epoch, whatever the change was about. So members, keys
// and parameters stand still within an epoch, and the state after a sealing block is that of the
// next one from the start.

import { encode, equalBytes } from '@mooring/codec'
import { type AuthoritySet, authoritySetSchema } from './authority-set.ts'
import type { ChangeRecord, RecordedChange } from './change.ts'
import { approvalsNeeded, type ChangePlan, type ChangeProblem, planChange } from './change-rules.ts'
import { countRotation, mayRotateAlone } from './governance.ts'
import {
  changeOf,
  formerSchema,
  governanceOf,
  networkOf,
  openChanges,
  openList,
  organisationIds,
  registrationsOf,
  sealSchema,
  setChange,
  setGovernance,
  setNetwork,
  setOpenList,
  setOrganisationIds,
} from './membership.ts'
import { parametersSchema, type UnixMs } from './parameters.ts'
import { authoritySet, type StateDraft, type StateReader } from './state.ts'
import { authoritySetKey, changeKey, formerKey, parametersKey, sealKey } from './state-keys.ts'

/** Of the block at whose end is counted. */
export type BlockPlace = { time: UnixMs; height: number }

export type Tally = {
  approvals: { given: string[]; needed: number }
  /** Null when nobody has to be ready. `required` are those who must be, whoever else is. */
  ready: { given: string[]; needed: number; required: string[] } | null
}

/** How far an open change is; or why it cannot pass as things stand. */
export function tallyOf(
  state: StateReader,
  record: ChangeRecord,
  place: BlockPlace,
): Tally | ChangeProblem {
  const plan = planChange(state, record.change, place)
  return 'code' in plan ? plan : count(state, record, { plan, time: place.time })
}

/** The change that a block at this place would pass if it had no transactions of its own. */
export function dueChange(state: StateReader, place: BlockPlace): RecordedChange | undefined {
  return openChanges(state).find((record) => planToPass(state, record, place) !== undefined)
}

/** Writes what the end of the block brings; the set of the next epoch when one begins. */
export function settle(draft: StateDraft, place: BlockPlace): AuthoritySet | null {
  expire(draft, place.time)
  const next = passOne(draft, place)
  activateProtocol(draft, place.height)
  return next
}

/** Whether an organisation renews keys of its own that cannot change who votes on changes. */
export function isOwnRotation({ proposer, change }: ChangeRecord): boolean {
  if (change.kind !== 'rekey' || change.body.organisation !== proposer) return false
  return change.body.keys.every(({ duty }) => duty !== 'governance')
}

/** Whether members have to say that they are ready before it passes. */
export function needsReady({ change }: ChangeRecord, { isNewSet }: ChangePlan): boolean {
  return isNewSet || change.kind === 'protocol'
}

function expire(draft: StateDraft, time: UnixMs): void {
  const open = openList(draft)
  const left = open.filter(({ expiresAt }) => expiresAt > time)
  if (left.length === open.length) return
  for (const { id, expiresAt } of open) if (expiresAt <= time) draft.set(changeKey(id), null)
  setOpenList(draft, left)
}

function passOne(draft: StateDraft, place: BlockPlace): AuthoritySet | null {
  for (const { id } of openList(draft)) {
    const record = changeOf(draft, id)
    if (record === undefined) throw new Error('the state lists a change and does not have it')
    const plan = planToPass(draft, record, place)
    if (plan === undefined) continue
    pass(draft, record, plan, place)
    return plan.authorities
  }
  return null
}

function planToPass(
  state: StateReader,
  record: ChangeRecord,
  place: BlockPlace,
): ChangePlan | undefined {
  if (record.expiresAt <= place.time) return undefined
  const plan = planChange(state, record.change, place)
  if ('code' in plan) return undefined
  return isComplete(count(state, record, { plan, time: place.time })) ? plan : undefined
}

function count(
  state: StateReader,
  record: ChangeRecord,
  { plan, time }: { plan: ChangePlan; time: UnixMs },
): Tally {
  const isAlone =
    isOwnRotation(record) && mayRotateAlone(governanceOf(state, record.proposer), time)
  const approvals = {
    given: record.approvals,
    needed: isAlone ? 0 : approvalsNeeded(authoritySet(state).keys.length),
  }
  if (!needsReady(record, plan)) return { approvals, ready: null }
  const { organisations, keys } = plan.authorities
  const given = record.ready.filter(({ organisation, key }) => {
    const expected = keys[organisations.indexOf(organisation)]
    return expected !== undefined && equalBytes(expected, key)
  })
  const ready = {
    given: given.map(({ organisation }) => organisation),
    needed: approvalsNeeded(keys.length),
    required: plan.newcomers,
  }
  return { approvals, ready }
}

function isComplete({ approvals, ready }: Tally): boolean {
  if (approvals.given.length < approvals.needed) return false
  if (ready === null) return true
  const { given, needed, required } = ready
  return given.length >= needed && required.every((id) => given.includes(id))
}

function pass(
  draft: StateDraft,
  record: RecordedChange,
  plan: ChangePlan,
  { time, height }: BlockPlace,
): void {
  const { id, ...content } = record
  const { epoch, ...protocol } = networkOf(draft)
  if (isOwnRotation(record)) {
    const { proposer } = record
    setGovernance(draft, proposer, countRotation(governanceOf(draft, proposer), time))
  }
  writeEffect(draft, record, plan, height)
  if (plan.isNewSet) {
    draft.set(authoritySetKey, encode(authoritySetSchema, plan.authorities))
  }
  setChange(draft, id, { ...content, passedAt: { epoch, height } })
  draft.set(sealKey(epoch), encode(sealSchema, { change: id, height, time }))
  const { change } = record
  const scheduled = change.kind === 'protocol' ? schedule(change.body, protocol) : protocol
  setNetwork(draft, { epoch: epoch + 1, ...scheduled })
  const others = openList(draft).filter((other) => !equalBytes(other.id, id))
  setOpenList(draft, others)
  if (plan.isNewSet) dropApprovals(draft, plan.authorities)
}

type ProtocolState = Omit<ReturnType<typeof networkOf>, 'epoch'>

function schedule(
  next: { version: number; height: number },
  { protocolVersion }: ProtocolState,
): ProtocolState {
  const nextProtocol = next.version === protocolVersion ? null : next
  return { protocolVersion, nextProtocol }
}

function writeEffect(
  draft: StateDraft,
  { change }: ChangeRecord,
  { organisation }: ChangePlan,
  height: number,
): void {
  switch (change.kind) {
    case 'admit':
      setOrganisationIds(draft, [...organisationIds(draft), change.body.organisation.id])
      break
    case 'remove': {
      const id = change.body.organisation
      setOrganisationIds(
        draft,
        organisationIds(draft).filter((other) => other !== id),
      )
      draft.removeOrganisation(id)
      draft.set(formerKey(id), encode(formerSchema, { height }))
      break
    }
    case 'parameters':
      draft.set(parametersKey, encode(parametersSchema, change.body))
      break
    case 'role':
    case 'rekey':
    case 'protocol':
      break
  }
  if (organisation === null) return
  draft.setOrganisation(organisation)
  for (const [key, value] of registrationsOf(organisation)) {
    if (!draft.has(key)) draft.set(key, value)
  }
}

/** Who is no authority any more has approved nothing, also should it come back. */
function dropApprovals(draft: StateDraft, { organisations }: AuthoritySet): void {
  for (const { id, ...record } of openChanges(draft)) {
    const approvals = record.approvals.filter((name) => organisations.includes(name))
    if (approvals.length < record.approvals.length) setChange(draft, id, { ...record, approvals })
  }
}

function activateProtocol(draft: StateDraft, height: number): void {
  const network = networkOf(draft)
  const { nextProtocol } = network
  if (nextProtocol === null || nextProtocol.height > height + 1) return
  setNetwork(draft, { ...network, protocolVersion: nextProtocol.version, nextProtocol: null })
}
