// What the state knows about the network itself: its members in their order, its epoch and protocol,
// the keys and ids that were ever used, and the changes that wait or have passed.

import {
  bytes,
  decode,
  encode,
  type Infer,
  list,
  nullable,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { type ChangeRecord, changeRecordSchema, type RecordedChange } from './change.ts'
import { type Governance, governanceSchema, NO_GOVERNANCE } from './governance.ts'
import { type Duty, DUTIES, identifierSchema, type Organisation } from './organisation.ts'
import { timeSchema } from './parameters.ts'
import { once, organisationOf, type StateDraft, type StateReader, valueOf } from './state.ts'
import {
  changeKey,
  epochKey,
  formerKey,
  governanceKey,
  openChangesKey,
  organisationsKey,
  registeredKey,
  sealKey,
} from './state-keys.ts'

export const ORGANISATIONS_MAX = 1_000
export const OPEN_CHANGES_MAX = 64

const versionSchema = uint(65_535)

export const epochSchema = versioned(1, {
  epoch: uint(),
  protocolVersion: versionSchema,
  /** From the block of this height on. */
  nextProtocol: nullable(struct({ version: versionSchema, height: uint() })),
})

export const organisationsSchema = versioned(1, { ids: list(identifierSchema, ORGANISATIONS_MAX) })

const openChangesSchema = versioned(1, {
  changes: list(
    struct({ id: bytes(32), proposer: identifierSchema, expiresAt: timeSchema }),
    OPEN_CHANGES_MAX,
  ),
})

export const formerSchema = versioned(1, { height: uint() })

export const registrationSchema = versioned(1, { organisation: identifierSchema })

export const sealSchema = versioned(1, { change: bytes(32), height: uint(), time: timeSchema })

/** How an epoch ended. */
export type Seal = Infer<typeof sealSchema>
export type Protocol = { version: number; next: { version: number; height: number } | null }
export type OpenChanges = Infer<typeof openChangesSchema>['changes']
type Epoch = Infer<typeof epochSchema>

const readEpoch = once(epochSchema)
const readOrganisations = once(organisationsSchema)
const readOpenChanges = once(openChangesSchema)
const readChange = once(changeRecordSchema)
const readGovernance = once(governanceSchema)

/** The epoch of the next block. */
export function epochOf(state: StateReader): number {
  return networkOf(state).epoch
}

/** The version that the next block obeys, and the one that is scheduled. */
export function protocolOf(state: StateReader): Protocol {
  const { protocolVersion, nextProtocol } = networkOf(state)
  return { version: protocolVersion, next: nextProtocol }
}

/** All members, in the order in which they came. */
export function organisations(state: StateReader): Organisation[] {
  return organisationIds(state).map((id) => {
    const organisation = organisationOf(state, id)
    if (organisation === undefined) throw new Error(`the state lists ${id} and does not have it`)
    return organisation
  })
}

/** The changes that wait, oldest first. */
export function openChanges(state: StateReader): RecordedChange[] {
  return openList(state).map(({ id }) => {
    const change = changeOf(state, id)
    if (change === undefined) throw new Error('the state lists a change and does not have it')
    return change
  })
}

/** An open or a passed change; those that expired or were withdrawn leave the state. */
export function changeOf(state: StateReader, id: Uint8Array): RecordedChange | undefined {
  const value = state.get(changeKey(id))
  return value === undefined ? undefined : { ...readChange(value), id }
}

/** How an epoch ended; undefined for the running one. */
export function sealOf(state: StateReader, epoch: number): Seal | undefined {
  const value = state.get(sealKey(epoch))
  return value === undefined ? undefined : decode(sealSchema, value)
}

export function networkOf(state: StateReader): Epoch {
  return readEpoch(valueOf(state, epochKey, 'epoch'))
}

export function organisationIds(state: StateReader): string[] {
  return readOrganisations(valueOf(state, organisationsKey, 'list of organisations')).ids
}

export function openList(state: StateReader): OpenChanges {
  const value = state.get(openChangesKey)
  return value === undefined ? [] : readOpenChanges(value).changes
}

export function governanceOf(state: StateReader, id: string): Governance {
  const value = state.get(governanceKey(id))
  return value === undefined ? NO_GOVERNANCE : readGovernance(value)
}

/** Whether the id was ever given to an organisation. */
export function isIdTaken(state: StateReader, id: string): boolean {
  return organisationOf(state, id) !== undefined || state.get(formerKey(id)) !== undefined
}

/** Whether an organisation has or ever had the key. */
export function isKeyTaken(state: StateReader, key: Uint8Array): boolean {
  return state.get(registeredKey(key)) !== undefined
}

/** The organisation that has or once had the key. */
export function ownerOfKey(state: StateReader, key: Uint8Array): string | undefined {
  const value = state.get(registeredKey(key))
  return value === undefined ? undefined : decode(registrationSchema, value).organisation
}

export function setNetwork(draft: StateDraft, epoch: Epoch): void {
  draft.set(epochKey, encode(epochSchema, epoch))
}

export function setOrganisationIds(draft: StateDraft, ids: string[]): void {
  draft.set(organisationsKey, encode(organisationsSchema, { ids }))
}

export function setOpenList(draft: StateDraft, changes: OpenChanges): void {
  const value = changes.length === 0 ? null : encode(openChangesSchema, { changes })
  draft.set(openChangesKey, value)
}

export function setChange(draft: StateDraft, id: Uint8Array, record: ChangeRecord): void {
  draft.set(changeKey(id), encode(changeRecordSchema, record))
}

export function setGovernance(draft: StateDraft, id: string, governance: Governance): void {
  draft.set(governanceKey(id), encode(governanceSchema, governance))
}

/** Key and value of the registry for every key of an organisation. */
export function registrationsOf({ id, keys }: Organisation): [Uint8Array, Uint8Array][] {
  const value = encode(registrationSchema, { organisation: id })
  return DUTIES.flatMap((duty: Duty): [Uint8Array, Uint8Array][] => {
    const key = keys[duty]
    return key === null ? [] : [[registeredKey(key), value]]
  })
}
