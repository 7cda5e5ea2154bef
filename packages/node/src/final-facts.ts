// What the final state of this node says about grants, keys of patients and erased records: the facts that
// a decision about access is given. All of it is of the tip, and so is its time.

import { equalBytes } from '@mooring/codec'
import {
  currentKeyOf,
  type GrantHandle,
  grantHandleOf,
  type Identity,
  identityOf,
  patientKeyDigest,
  type StateReader,
  successorOf,
  type Tombstone,
  tombstoneItem,
  tombstoneOf,
  type UnixMs,
} from '@mooring/ledger'

export interface FinalFacts {
  /** Block time of the tip. */
  readonly time: UnixMs
  readonly height: number
  readonly heartbeatMs: number
  /** Undefined when no final block opened it. */
  handle(handle: Uint8Array): GrantHandle | undefined
  /** The digest of what replaced a key at a custodian; null while the key is in force. */
  successorOf(custodian: string, publicKey: Uint8Array): Uint8Array | null
  /** The digest of the key in force where this one was. */
  currentKeyOf(custodian: string, publicKey: Uint8Array): Uint8Array
  /** Whether both are keys of one patient there: one is the other, or came after it. */
  isSuccessor(custodian: string, former: Uint8Array, publicKey: Uint8Array): boolean
  /** A lasting identity of a patient; undefined when the chain has none of that name. */
  identity(id: Uint8Array): Identity | undefined
  tombstone(custodian: string, setId: Uint8Array, salt: Uint8Array): Tombstone | undefined
}

export interface FinalFactsModules {
  chain: { readonly tip: { readonly height: number; readonly time: UnixMs } }
  /** After the last durable block. */
  finalState: () => StateReader
  heartbeatMs: () => number
}

export function createFinalFacts({
  chain,
  finalState,
  heartbeatMs,
}: FinalFactsModules): FinalFacts {
  return {
    get heartbeatMs() {
      return heartbeatMs()
    },
    get time() {
      return chain.tip.time
    },
    get height() {
      return chain.tip.height
    },
    handle: (handle) => grantHandleOf(finalState(), handle),
    successorOf: (custodian, publicKey) => {
      const digest = patientKeyDigest(custodian, publicKey)
      return successorOf(finalState(), custodian, digest)?.successor ?? null
    },
    currentKeyOf: (custodian, publicKey) =>
      currentKeyOf(finalState(), custodian, patientKeyDigest(custodian, publicKey)),
    isSuccessor: (custodian, former, publicKey) => {
      if (equalBytes(former, publicKey)) return true
      const from = patientKeyDigest(custodian, former)
      const wanted = patientKeyDigest(custodian, publicKey)
      return equalBytes(currentKeyOf(finalState(), custodian, from), wanted)
    },
    identity: (id) => identityOf(finalState(), id),
    tombstone: (custodian, setId, salt) =>
      tombstoneOf(finalState(), custodian, tombstoneItem(setId, salt)),
  }
}
