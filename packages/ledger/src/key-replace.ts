// `key.replace`: at one custodian a key of a patient takes the place of another one.
//
// Keys of patients are on no chain, so both stand here as digests that only those can tell who have seen
// the keys. What the retired key signed is dead at this custodian from that block on, and its records are
// governed by the successor. The custodian says so, for it is the one that has checked who somebody is;
// it can open its own records anyway, so this gives it nothing that it did not have.

import {
  bytes,
  concatBytes,
  encode,
  equalBytes,
  type Infer,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import { checkAnchorSigner } from './anchor-signer.ts'
import { identifierSchema } from './organisation.ts'
import { once, type StateReader } from './state.ts'
import { patientKeyKey } from './state-keys.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const schema = struct({
  /** The custodian. */
  organisation: identifierSchema,
  /** Digests of keys. */
  retired: bytes(32),
  successor: bytes(32),
})

const replacementSchema = versioned(1, { successor: bytes(32), height: uint() })

export type KeyReplace = Infer<typeof schema>
export type Replacement = Infer<typeof replacementSchema>

/** Of one patient at one custodian; a chain of more is followed no further. */
export const REPLACEMENTS_MAX = 64

const readReplacement = once(replacementSchema)

export const keyReplace: TransactionKind<KeyReplace> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'data',
  check,
  apply({ draft, height }, { organisation, retired, successor }) {
    const value = encode(replacementSchema, { successor, height })
    draft.set(patientKeyKey(organisation, retired), value)
  },
}

/** How a key of a patient at a custodian is named on the chain. */
export function patientKeyDigest(custodian: string, publicKey: Uint8Array): Uint8Array {
  const place = new TextEncoder().encode(`${custodian}\0`)
  return domainHash('patient-key', concatBytes(place, publicKey))
}

/** What took the place of a key, by its digest; undefined while it is in force. */
export function successorOf(
  state: StateReader,
  custodian: string,
  digest: Uint8Array,
): Replacement | undefined {
  const value = state.get(patientKeyKey(custodian, digest))
  return value === undefined ? undefined : readReplacement(value)
}

/** The digest of the key in force where this one was: its own, or that of the last that replaced it. */
export function currentKeyOf(
  state: StateReader,
  custodian: string,
  digest: Uint8Array,
): Uint8Array {
  let current = digest
  for (let steps = 0; steps < REPLACEMENTS_MAX; steps += 1) {
    const next = successorOf(state, custodian, current)
    if (next === undefined) return current
    current = next.successor
  }
  return current
}

function check(
  facts: Facts,
  { organisation: custodian, retired, successor }: KeyReplace,
): InvalidTransaction | undefined {
  const refused = checkAnchorSigner(facts)
  if (refused !== undefined) return refused
  const { draft } = facts
  if (successorOf(draft, custodian, retired) !== undefined) {
    return { code: 'key_replaced_already', custodian, key: retired }
  }
  const isCycle = equalBytes(currentKeyOf(draft, custodian, successor), retired)
  return isCycle ? { code: 'key_cycle', custodian, key: retired } : undefined
}
