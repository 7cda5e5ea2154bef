// Genesis: the one file a network starts from. Its digest is the network's identity, so it is
// shipped and never made again.
//
// Each founding organisation signs its own entry with its governance key, away from the others, behind
// the network's name: an entry cannot be moved to another network, nor be made by whoever puts
// the file together. The name is an identifier and the entry starts with a byte that no text
// starts with, so the two cannot be cut differently.

import {
  bytes,
  CodecError,
  concatBytes,
  decode,
  encode,
  type Infer,
  list,
  struct,
  toHex,
  uint,
  versioned,
} from '@mooring/codec'
import { domainBytes, domainHash, type KeyPair, sign, verify } from '@mooring/crypto'
import { AUTHORITIES_MAX, authoritySetOf, authoritySetSchema } from './authority-set.ts'
import type { ParentBlock } from './block.ts'
import {
  epochSchema,
  ORGANISATIONS_MAX,
  organisationsSchema,
  registrationsOf,
} from './membership.ts'
import {
  checkOrganisationKeys,
  DUTIES,
  identifierSchema,
  type KeyProblem,
  type Organisation,
  organisationSchema,
} from './organisation.ts'
import {
  checkParameters,
  type ParameterProblem,
  type Parameters,
  parametersSchema,
  timeSchema,
  type UnixMs,
} from './parameters.ts'
import {
  authoritySetKey,
  epochKey,
  organisationKey,
  organisationsKey,
  parametersKey,
} from './state-keys.ts'
import type { StateDiff } from './state.ts'

export const PROTOCOL_VERSION = 1
export const GENESIS_BYTES_MAX = 1024 * 1024

export const genesisEntrySchema = struct({ organisation: organisationSchema, signature: bytes(64) })

export const genesisSchema = versioned(1, {
  networkName: identifierSchema,
  protocolVersion: uint(65_535),
  time: timeSchema,
  parameters: parametersSchema,
  organisations: list(genesisEntrySchema, ORGANISATIONS_MAX),
})

export type Genesis = Infer<typeof genesisSchema>
export type GenesisEntry = Infer<typeof genesisEntrySchema>

export type GenesisProblem = {
  code:
    | ParameterProblem['code']
    | KeyProblem['code']
    | 'out_of_limits'
    | 'unsupported_protocol'
    | 'no_authority'
    | 'too_many_authorities'
    | 'duplicate_id'
    | 'bad_entry_signature'
  /** As in the JSON form: organisations[2].organisation.keys.seal */
  path: string
  detail: string
}

/** A genesis of this protocol version; `checkGenesis` says whether it can start a network. */
export function createGenesis(input: {
  networkName: string
  time: UnixMs
  parameters: Parameters
  organisations: GenesisEntry[]
}): Genesis {
  return { ...input, protocolVersion: PROTOCOL_VERSION }
}

/** An organisation's own entry, signed with its governance key. */
export function signGenesisEntry(
  networkName: string,
  organisation: Organisation,
  governanceKey: KeyPair,
): GenesisEntry {
  const signature = sign(governanceKey, entryBytes(networkName, organisation))
  return { organisation, signature }
}

export function encodeGenesis(genesis: Genesis): Uint8Array {
  return encode(genesisSchema, genesis)
}

/** @throws CodecError */
export function decodeGenesis(encoded: Uint8Array): Genesis {
  return decode(genesisSchema, encoded, GENESIS_BYTES_MAX)
}

export function genesisDigest(genesis: Genesis): Uint8Array {
  return encodedGenesisDigest(encodeGenesis(genesis))
}

export function encodedGenesisDigest(encoded: Uint8Array): Uint8Array {
  return domainHash('genesis', encoded)
}

/** The short name of a network, for people and topics. */
export function networkId(digest: Uint8Array): string {
  return `moor-${toHex(digest.subarray(0, 4))}`
}

/** Genesis as the parent of the block at height 1. */
export function genesisParent(genesis: Genesis, digest: Uint8Array): ParentBlock {
  return { epoch: 0, view: 0, height: 0, time: genesis.time, digest }
}

/** The state before the first block, as a diff on an empty one. */
export function genesisState(genesis: Genesis): StateDiff {
  const { parameters, organisations, protocolVersion } = genesis
  const diff: StateDiff = new Map()
  const set = (key: Uint8Array, value: Uint8Array): void => {
    diff.set(toHex(key), { key, value })
  }
  const founders = organisations.map(({ organisation }) => organisation)
  set(parametersKey, encode(parametersSchema, parameters))
  set(authoritySetKey, encode(authoritySetSchema, authoritySetOf(founders)))
  set(epochKey, encode(epochSchema, { epoch: 0, protocolVersion, nextProtocol: null }))
  set(organisationsKey, encode(organisationsSchema, { ids: founders.map(({ id }) => id) }))
  for (const organisation of founders) {
    set(organisationKey(organisation.id), encode(organisationSchema, organisation))
    for (const [key, value] of registrationsOf(organisation)) set(key, value)
  }
  return diff
}

/** Everything that keeps this genesis from starting a network; empty when nothing does. */
export function checkGenesis(genesis: Genesis): GenesisProblem[] {
  const malformed = checkLimits(genesis)
  if (malformed !== undefined) return [malformed]
  const problems: GenesisProblem[] = []
  if (genesis.protocolVersion !== PROTOCOL_VERSION) {
    const detail = `this software speaks version ${PROTOCOL_VERSION}, not ${genesis.protocolVersion}`
    problems.push({ code: 'unsupported_protocol', path: 'protocolVersion', detail })
  }
  for (const problem of checkParameters(genesis.parameters)) {
    problems.push({ ...problem, path: `parameters.${problem.path}` })
  }
  return [...problems, ...checkFounders(genesis)]
}

function checkLimits(genesis: Genesis): GenesisProblem | undefined {
  try {
    encodeGenesis(genesis)
    return undefined
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    return { code: 'out_of_limits', path: error.path, detail: error.detail }
  }
}

function checkFounders({ networkName, organisations }: Genesis): GenesisProblem[] {
  const problems: GenesisProblem[] = []
  const authorities = organisations.filter(({ organisation }) =>
    organisation.roles.includes('authority'),
  ).length
  if (authorities === 0) {
    const detail = 'nobody may vote: at least one organisation needs the role authority'
    problems.push({ code: 'no_authority', path: 'organisations', detail })
  }
  if (authorities > AUTHORITIES_MAX) {
    const detail = `${authorities} authorities, at most ${AUTHORITIES_MAX}`
    problems.push({ code: 'too_many_authorities', path: 'organisations', detail })
  }
  for (const [index, { organisation, signature }] of organisations.entries()) {
    const path = `organisations[${index}]`
    for (const problem of checkOrganisationKeys(organisation)) {
      const { code, detail } = problem
      problems.push({ code, path: `${path}.organisation.${problem.path}`, detail })
    }
    const message = entryBytes(networkName, organisation)
    if (!verify(organisation.keys.governance, message, signature)) {
      const detail = `not a signature of ${organisation.id}'s governance key over this entry for ${networkName}`
      problems.push({ code: 'bad_entry_signature', path: `${path}.signature`, detail })
    }
  }
  return [...problems, ...checkUnique(organisations)]
}

function checkUnique(organisations: GenesisEntry[]): GenesisProblem[] {
  const problems: GenesisProblem[] = []
  const ids = new Map<string, number>()
  const holders = new Map<string, { index: number; path: string }>()
  for (const [index, { organisation }] of organisations.entries()) {
    const path = `organisations[${index}].organisation`
    const first = ids.get(organisation.id)
    if (first === undefined) ids.set(organisation.id, index)
    else {
      const detail = `${organisation.id} is organisations[${first}] already`
      problems.push({ code: 'duplicate_id', path: `${path}.id`, detail })
    }
    for (const duty of DUTIES) {
      const key = organisation.keys[duty]
      if (key === null) continue
      const keyPath = `${path}.keys.${duty}`
      const holder = holders.get(toHex(key))
      if (holder === undefined) holders.set(toHex(key), { index, path: keyPath })
      else if (holder.index !== index) {
        const detail = `the same key as ${holder.path}`
        problems.push({ code: 'duplicate_key', path: keyPath, detail })
      }
    }
  }
  return problems
}

/** What a founder signs of its entry. */
export function entryBytes(networkName: string, organisation: Organisation): Uint8Array {
  const name = new TextEncoder().encode(networkName)
  return concatBytes(domainBytes('genesis-entry'), name, encode(organisationSchema, organisation))
}
