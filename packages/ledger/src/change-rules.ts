// Whether a change can be made, and what the network looks like after it.
//
// Two halves. What a change says by itself (signatures, good keys, parameters that agree) is checked
// once, when it is proposed. What it means for the present members (ids and keys that are free, the
// size of the next set, heights) is asked again whenever it could pass, for other changes may have
// passed in between.
//
// The next set keeps the order of the present one: who leaves is taken out, who comes stands last.

import { encode, equalBytes, toHex } from '@mooring/codec'
import { verify } from '@mooring/crypto'
import { AUTHORITIES_MAX, type AuthoritySet } from './authority-set.ts'
import { admissionBytes, type Change, type ChangeOf, newKeyBytes } from './change.ts'
import {
  isIdTaken,
  isKeyTaken,
  organisationIds,
  ORGANISATIONS_MAX,
  protocolOf,
} from './membership.ts'
import {
  checkKey,
  checkOrganisationKeys,
  type Duty,
  DUTIES,
  type Organisation,
} from './organisation.ts'
import { checkParameters, parametersSchema } from './parameters.ts'
import { authoritySet, organisationOf, parametersOf, type StateReader } from './state.ts'

/** No change leaves fewer authorities than this, unless there were fewer before. */
const AUTHORITIES_MIN = 4

export type ChangeProblem =
  | { code: 'unknown_organisation'; organisation: string }
  | { code: 'id_taken'; organisation: string }
  | { code: 'too_many_organisations'; limit: number }
  | { code: 'not_an_observer'; organisation: string }
  | { code: 'has_role'; organisation: string; role: 'authority' | 'observer' }
  | { code: 'too_few_authorities'; left: number; least: number }
  | { code: 'too_many_authorities'; limit: number }
  | { code: 'bad_key'; duty: Duty; detail: string }
  | { code: 'key_taken'; duty: Duty; key: Uint8Array }
  | { code: 'bad_admission_signature'; organisation: string }
  | { code: 'bad_key_signature'; duty: Duty }
  | { code: 'contradictory_parameters'; path: string; detail: string }
  | { code: 'no_change' }
  | { code: 'old_protocol'; version: number; current: number }
  | { code: 'height_passed'; height: number; earliest: number }

/** Of an authority set: how many there are, how many decide, and how many may be down. */
export type QuorumArithmetic = { authorities: number; needed: number; tolerates: number }

export type ChangePlan = {
  /** As it will be; null when it leaves, or when the change is about none. */
  organisation: Organisation | null
  /** The next set; an equal one when it stays. */
  authorities: AuthoritySet
  /** Whether other organisations or other keys will vote. */
  isNewSet: boolean
  /** Of the next set, those whose consensus key is not in the present one. */
  newcomers: string[]
}

export type ChangePreview = ChangePlan & { before: QuorumArithmetic; after: QuorumArithmetic }

/** What a change would do now, in a block of this height; or why it cannot be made. */
export function previewChange(
  state: StateReader,
  change: Change,
  context: { genesisDigest: Uint8Array; height: number },
): ChangePreview | ChangeProblem {
  const plan = planChange(state, change, context)
  if ('code' in plan) return plan
  const problem = checkContent(change, context.genesisDigest)
  if (problem !== undefined) return problem
  const before = quorumArithmetic(authoritySet(state).keys.length)
  return { ...plan, before, after: quorumArithmetic(plan.authorities.keys.length) }
}

export function quorumArithmetic(authorities: number): QuorumArithmetic {
  const needed = approvalsNeeded(authorities)
  return { authorities, needed, tolerates: authorities - needed }
}

/** As many as decide a block: whoever can run the chain can repair it. */
export function approvalsNeeded(authorities: number): number {
  return Math.ceil((2 * authorities) / 3)
}

/** What no later block can make right. */
export function checkContent(change: Change, genesisDigest: Uint8Array): ChangeProblem | undefined {
  switch (change.kind) {
    case 'admit':
      return checkAdmission(change.body, genesisDigest)
    case 'rekey':
      return checkNewKeys(change.body, genesisDigest)
    case 'parameters': {
      const [problem] = checkParameters(change.body)
      return problem
    }
    case 'role':
    case 'remove':
    case 'protocol':
      return undefined
  }
}

/** What follows from the present members, for a block of this height. */
export function planChange(
  state: StateReader,
  change: Change,
  { height }: { height: number },
): ChangePlan | ChangeProblem {
  const authorities = authoritySet(state)
  const unchanged: ChangePlan = {
    organisation: null,
    authorities,
    isNewSet: false,
    newcomers: [],
  }
  switch (change.kind) {
    case 'admit':
      return planAdmission(state, change.body, unchanged)
    case 'role':
      return planRole(state, change.body, unchanged)
    case 'remove':
      return planRemoval(state, change.body.organisation, unchanged)
    case 'rekey':
      return planRekey(state, change.body, unchanged)
    case 'parameters': {
      const present = encode(parametersSchema, parametersOf(state))
      const isSame = equalBytes(encode(parametersSchema, change.body), present)
      return isSame ? { code: 'no_change' } : unchanged
    }
    case 'protocol':
      return planProtocol(state, change.body, { unchanged, height })
  }
}

function checkAdmission(
  { organisation, signature }: ChangeOf<'admit'>,
  genesisDigest: Uint8Array,
): ChangeProblem | undefined {
  const { id, roles, keys } = organisation
  if (roles.length !== 1 || roles[0] !== 'observer') {
    return { code: 'not_an_observer', organisation: id }
  }
  const [bad] = checkOrganisationKeys(organisation)
  if (bad !== undefined) return { code: 'bad_key', duty: bad.duty, detail: bad.detail }
  return verify(keys.governance, admissionBytes(genesisDigest, organisation), signature)
    ? undefined
    : { code: 'bad_admission_signature', organisation: id }
}

function checkNewKeys(
  { organisation, keys }: ChangeOf<'rekey'>,
  genesisDigest: Uint8Array,
): ChangeProblem | undefined {
  const seen = new Set<string>()
  for (const { duty, key } of keys) {
    const fault = checkKey(duty, key)
    if (fault !== undefined) return { code: 'bad_key', duty, detail: fault.detail }
    if (seen.has(toHex(key))) return { code: 'key_taken', duty, key }
    seen.add(toHex(key))
  }
  for (const { duty, key, signature } of keys) {
    const message = newKeyBytes(genesisDigest, { organisation, duty, key })
    if (signature !== null && !verify(key, message, signature)) {
      return { code: 'bad_key_signature', duty }
    }
  }
  return undefined
}

function planAdmission(
  state: StateReader,
  { organisation }: ChangeOf<'admit'>,
  unchanged: ChangePlan,
): ChangePlan | ChangeProblem {
  const { id, keys } = organisation
  if (isIdTaken(state, id)) return { code: 'id_taken', organisation: id }
  if (organisationIds(state).length >= ORGANISATIONS_MAX) {
    return { code: 'too_many_organisations', limit: ORGANISATIONS_MAX }
  }
  for (const duty of DUTIES) {
    const key = keys[duty]
    if (key !== null && isKeyTaken(state, key)) return { code: 'key_taken', duty, key }
  }
  return { ...unchanged, organisation }
}

function planRole(
  state: StateReader,
  { organisation: id, role }: ChangeOf<'role'>,
  unchanged: ChangePlan,
): ChangePlan | ChangeProblem {
  const organisation = organisationOf(state, id)
  if (organisation === undefined) return { code: 'unknown_organisation', organisation: id }
  const isAuthority = organisation.roles.includes('authority')
  if (isAuthority === (role === 'authority')) return { code: 'has_role', organisation: id, role }
  const changed: Organisation = { ...organisation, roles: [role] }
  const { authorities } = unchanged
  if (role === 'observer') {
    const next = without(authorities, id)
    const plan = { ...unchanged, organisation: changed, authorities: next, isNewSet: true }
    return checkSize(authorities, next) ?? plan
  }
  if (authorities.keys.length >= AUTHORITIES_MAX) {
    return { code: 'too_many_authorities', limit: AUTHORITIES_MAX }
  }
  const next = {
    organisations: [...authorities.organisations, id],
    keys: [...authorities.keys, organisation.keys.consensus],
  }
  return { organisation: changed, authorities: next, isNewSet: true, newcomers: [id] }
}

function planRemoval(
  state: StateReader,
  id: string,
  unchanged: ChangePlan,
): ChangePlan | ChangeProblem {
  if (organisationOf(state, id) === undefined) {
    return { code: 'unknown_organisation', organisation: id }
  }
  const { authorities } = unchanged
  if (!authorities.organisations.includes(id)) return unchanged
  const next = without(authorities, id)
  return checkSize(authorities, next) ?? { ...unchanged, authorities: next, isNewSet: true }
}

function planRekey(
  state: StateReader,
  { organisation: id, keys }: ChangeOf<'rekey'>,
  unchanged: ChangePlan,
): ChangePlan | ChangeProblem {
  const organisation = organisationOf(state, id)
  if (organisation === undefined) return { code: 'unknown_organisation', organisation: id }
  const taken = keys.find(({ key }) => isKeyTaken(state, key))
  if (taken !== undefined) return { code: 'key_taken', duty: taken.duty, key: taken.key }
  const changed: Organisation = { ...organisation, keys: { ...organisation.keys } }
  for (const { duty, key } of keys) changed.keys[duty] = key
  const { authorities } = unchanged
  const place = authorities.organisations.indexOf(id)
  const consensus = keys.find(({ duty }) => duty === 'consensus')
  if (place === -1 || consensus === undefined) return { ...unchanged, organisation: changed }
  return {
    organisation: changed,
    authorities: { ...authorities, keys: authorities.keys.with(place, consensus.key) },
    isNewSet: true,
    newcomers: [id],
  }
}

/** The version in force again takes back what is scheduled. */
function planProtocol(
  state: StateReader,
  { version, height }: ChangeOf<'protocol'>,
  context: { unchanged: ChangePlan; height: number },
): ChangePlan | ChangeProblem {
  const { version: current, next } = protocolOf(state)
  if (version < current) return { code: 'old_protocol', version, current }
  if (version === current) return next === null ? { code: 'no_change' } : context.unchanged
  if (next !== null && next.version === version && next.height === height) {
    return { code: 'no_change' }
  }
  const earliest = context.height + 1
  return height < earliest ? { code: 'height_passed', height, earliest } : context.unchanged
}

function without({ organisations, keys }: AuthoritySet, id: string): AuthoritySet {
  const place = organisations.indexOf(id)
  return {
    organisations: organisations.toSpliced(place, 1),
    keys: keys.toSpliced(place, 1),
  }
}

function checkSize(present: AuthoritySet, next: AuthoritySet): ChangeProblem | undefined {
  const least = Math.min(AUTHORITIES_MIN, present.keys.length)
  const left = next.keys.length
  return left < least ? { code: 'too_few_authorities', left, least } : undefined
}
