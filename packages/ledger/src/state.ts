// The state as the rules see it: synchronous reads below, one diff on top.
//
// What a block may touch is prefetched by the caller, so that no rule waits. A rule reads through a
// `StateDraft`, which answers with what earlier transactions of the same block wrote and decodes
// each organisation once a block. Keys of the draft are hex strings, for a Map compares those.

import { decode, encode, type Schema, toHex } from '@mooring/codec'
import { type AuthoritySet, authoritySetSchema } from './authority-set.ts'
import { type Organisation, organisationSchema } from './organisation.ts'
import { type Parameters, parametersSchema } from './parameters.ts'
import { type Counters, countersSchema, NO_COUNTERS } from './quota.ts'
import { authoritySetKey, countersKey, organisationKey, parametersKey } from './state-keys.ts'

export interface State {
  get(key: Uint8Array): Uint8Array | undefined
  /**
   * Is this transaction in the chain below the block at hand, its ancestors that are not yet final
   * included? Only blocks later than `blockTime - expiryWindowMs` matter: whatever an earlier one
   * holds has expired.
   */
  wasIncluded(id: Uint8Array): boolean
  /** For a state that never changes: what was read out of it, for whoever asks again. */
  readonly known?: KnownValues
}

export type StateReader = Pick<State, 'get' | 'known'>

/** The few values that every transaction is judged by: of organisations that are there, which are not many. */
export class KnownValues {
  readonly counters = new Map<string, Counters>()
  readonly organisations = new Map<string, Organisation>()
}

/** What changes, by the hex form of the key, in the order of the first write; null deletes. */
export type StateDiff = Map<string, { key: Uint8Array; value: Uint8Array | null }>

export function parametersOf(state: StateReader): Parameters {
  return readParameters(valueOf(state, parametersKey, 'parameters'))
}

export function authoritySet(state: StateReader): AuthoritySet {
  return readAuthoritySet(valueOf(state, authoritySetKey, 'authority set'))
}

export function organisationOf(state: StateReader, id: string): Organisation | undefined {
  const known = state.known?.organisations.get(id)
  if (known !== undefined) return known
  const value = state.get(organisationKey(id))
  const organisation = value === undefined ? undefined : readOrganisation(value)
  if (organisation !== undefined) state.known?.organisations.set(id, organisation)
  return organisation
}

export function countersOf(state: StateReader, id: string): Counters {
  const known = state.known?.counters.get(id)
  if (known !== undefined) return known
  const value = state.get(countersKey(id))
  const counters = value === undefined ? NO_COUNTERS : readCounters(value)
  if (value !== undefined) state.known?.counters.set(id, counters)
  return counters
}

/**
 * Decodes a stored value once for as long as the state hands out the same bytes: the few values that
 * every transaction is judged by. Nobody writes into what a state has returned.
 */
export function once<T>(schema: Schema<T>): (value: Uint8Array) => T {
  const decoded = new WeakMap<Uint8Array, { value: T }>()
  return (bytes) => {
    const known = decoded.get(bytes)
    if (known !== undefined) return known.value
    const value = decode(schema, bytes)
    decoded.set(bytes, { value })
    return value
  }
}

const readParameters = once(parametersSchema)
const readAuthoritySet = once(authoritySetSchema)
const readOrganisation = once(organisationSchema)
const readCounters = once(countersSchema)

export function valueOf(state: StateReader, key: Uint8Array, what: string): Uint8Array {
  const value = state.get(key)
  if (value === undefined)
    throw new Error(`the state has no ${what}: it was not started from a genesis`)
  return value
}

export class StateDraft {
  readonly #base: State
  readonly #writes: StateDiff = new Map()
  readonly #included = new Set<string>()
  readonly #organisations = new Map<string, Organisation | undefined>()
  readonly #counters = new Map<string, Counters>()
  readonly #changedCounters = new Set<string>()

  constructor(base: State) {
    this.#base = base
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const write = this.#writes.get(toHex(key))
    return write === undefined ? this.#base.get(key) : (write.value ?? undefined)
  }

  has(key: Uint8Array): boolean {
    return this.get(key) !== undefined
  }

  set(key: Uint8Array, value: Uint8Array | null): void {
    this.#writes.set(toHex(key), { key, value })
  }

  wasIncluded(id: Uint8Array): boolean {
    return this.#included.has(toHex(id)) || this.#base.wasIncluded(id)
  }

  include(id: Uint8Array): void {
    this.#included.add(toHex(id))
  }

  organisation(id: string): Organisation | undefined {
    if (!this.#organisations.has(id)) this.#organisations.set(id, organisationOf(this.#base, id))
    return this.#organisations.get(id)
  }

  setOrganisation(organisation: Organisation): void {
    const { id } = organisation
    this.#organisations.set(id, organisation)
    this.set(organisationKey(id), encode(organisationSchema, organisation))
  }

  removeOrganisation(id: string): void {
    this.#organisations.set(id, undefined)
    this.set(organisationKey(id), null)
  }

  counters(id: string): Counters {
    let counters = this.#counters.get(id)
    if (counters === undefined) {
      counters = countersOf(this.#base, id)
      this.#counters.set(id, counters)
    }
    return counters
  }

  setCounters(id: string, counters: Counters): void {
    this.#counters.set(id, counters)
    this.#changedCounters.add(id)
  }

  /** Everything written so far; counters are encoded here, once however often they changed. */
  diff(): StateDiff {
    const diff: StateDiff = new Map(this.#writes)
    for (const id of this.#changedCounters) {
      const key = countersKey(id)
      diff.set(toHex(key), { key, value: encode(countersSchema, this.counters(id)) })
    }
    return diff
  }
}
