// That a header is final in the network of one genesis, shown to somebody who has its digest alone.
//
// Two steps, shared by all proofs: which authorities counted when the header was made (chained from
// genesis through every change of the set, each final under the set before it), and that a
// quorum of them finalized it. What a quorum is and what its votes look like is agreement's
// business; the caller passes the function that knows.

import {
  bytesMax,
  CodecError,
  encode,
  equalBytes,
  type Infer,
  list,
  struct,
  toHex,
} from '@mooring/codec'
import {
  type AuthoritySet,
  authoritySetDigest,
  authoritySetOf,
  authoritySetSchema,
} from './authority-set.ts'
import { decodeHeader, HEADER_BYTES_MAX, type Header, headerDigest } from './block.ts'
import { decodeGenesis, encodedGenesisDigest, GENESIS_BYTES_MAX } from './genesis.ts'

const FINALIZATION_BYTES_MAX = 64 * 1024
const EPOCHS_MAX = 10_000

export const encodedHeaderSchema = bytesMax(HEADER_BYTES_MAX)
export const encodedGenesisSchema = bytesMax(GENESIS_BYTES_MAX)
export const finalizationSchema = bytesMax(FINALIZATION_BYTES_MAX)

/** The last block of an epoch, final under the set of that epoch, and the set of the next one. */
const epochChangeSchema = struct({
  header: encodedHeaderSchema,
  finalization: finalizationSchema,
  authoritySet: authoritySetSchema,
})

export const epochsSchema = list(epochChangeSchema, EPOCHS_MAX)

export type EpochChange = Infer<typeof epochChangeSchema>

export type CertifiedHeader = {
  genesisDigest: Uint8Array
  finalization: Uint8Array
  header: Header
  headerDigest: Uint8Array
  authoritySet: AuthoritySet
}

/** Who finalized the header, as positions in the set, and how many had to; or why it is not final. */
export type FinalizationVerifier = (
  certified: CertifiedHeader,
) => { signers: number[]; needed: number } | { code: string }

export type StepName = 'transaction' | 'state' | 'finalization' | 'authority set'

/** One line of a printed verification. Steps 1 to 3 are those of a record, before the ledger's. */
export type ProofStep = { number: number; name: StepName; detail: string; ok: boolean }

export type ProofFailure =
  | 'malformed_transaction'
  | 'malformed_header'
  | 'malformed_genesis'
  | 'wrong_network'
  | 'wrong_genesis'
  | 'wrong_count'
  | 'wrong_path'
  | 'wrong_state'
  | 'wrong_history'
  | 'wrong_epoch'
  | 'wrong_authority_set'
  | 'not_final'

export type FailedProof = {
  ok: false
  steps: ProofStep[]
  failed: { number: number; name: StepName; code: ProofFailure }
}

/** A step that held, with what the next ones need, or the reason why it did not. */
export type Outcome<T> = { ok: true; detail: string; value: T } | Refusal
export type Refusal = { ok: false; detail: string; code: ProofFailure }

export type HeaderInProof = { header: Header; headerDigest: Uint8Array }

export function readHeader(encoded: Uint8Array, genesisDigest: Uint8Array): Outcome<HeaderInProof> {
  let header: Header
  try {
    header = decodeHeader(encoded)
  } catch (error) {
    return refuse('malformed_header', `header: ${codecReason(error)}`)
  }
  if (!equalBytes(header.genesisDigest, genesisDigest)) {
    const other = shorten(header.genesisDigest)
    return refuse('wrong_network', `block ${header.height} is of genesis ${other}`)
  }
  return { ok: true, detail: '', value: { header, headerDigest: headerDigest(encoded) } }
}

/** Step 6: the authorities of the epoch of `header`. */
export function checkAuthoritySet(
  input: { genesis: Uint8Array; epochs: EpochChange[]; genesisDigest: Uint8Array; header: Header },
  verifyFinalization: FinalizationVerifier,
): Outcome<AuthoritySet> {
  const { genesis, epochs, genesisDigest, header } = input
  const founders = readFounders(genesis, genesisDigest)
  if (!founders.ok) return founders
  let authoritySet = founders.value
  for (const [epoch, change] of epochs.entries()) {
    const sealing = readHeader(change.header, genesisDigest)
    if (!sealing.ok) return sealing
    const refusal =
      checkEpoch(sealing.value.header, epoch, authoritySet) ??
      checkNextSet(sealing.value.header, change.authoritySet)
    if (refusal !== undefined) return refusal
    const { finalization } = change
    const final = checkFinalization(
      { ...sealing.value, genesisDigest, finalization, authoritySet },
      verifyFinalization,
    )
    if (!final.ok) return final
    authoritySet = change.authoritySet
  }
  const refusal = checkEpoch(header, epochs.length, authoritySet)
  if (refusal !== undefined) return refusal
  const changes = `${epochs.length} signed change${epochs.length === 1 ? '' : 's'}`
  const detail = `epoch ${header.epoch}, chained from genesis ${shorten(genesisDigest)} through ${changes}`
  return { ok: true, detail, value: authoritySet }
}

/** Step 5: a quorum of the set finalized the header. */
export function checkFinalization(
  certified: CertifiedHeader,
  verifyFinalization: FinalizationVerifier,
): Outcome<number[]> {
  const { organisations } = certified.authoritySet
  const verdict = verifyFinalization(certified)
  if ('code' in verdict) {
    return refuse('not_final', `block ${certified.header.height} is not final: ${verdict.code}`)
  }
  const { signers, needed } = verdict
  const names = signers.map((signer) => organisations[signer] ?? `authority ${signer}`).join(', ')
  const detail = `${signers.length} of ${organisations.length} authorities valid (need ${needed}): ${names}`
  return { ok: true, detail, value: signers }
}

export function shorten(digest: Uint8Array): string {
  const hex = toHex(digest)
  return `${hex.slice(0, 4)}…${hex.slice(-2)}`
}

export function codecReason(error: unknown): string {
  if (error instanceof CodecError) return error.message
  throw error
}

export function refuse(code: ProofFailure, detail: string): Refusal {
  return { ok: false, code, detail }
}

function readFounders(encoded: Uint8Array, genesisDigest: Uint8Array): Outcome<AuthoritySet> {
  const digest = encodedGenesisDigest(encoded)
  if (!equalBytes(digest, genesisDigest)) {
    const detail = `the genesis in the proof is ${shorten(digest)}, not ${shorten(genesisDigest)}`
    return refuse('wrong_genesis', detail)
  }
  try {
    const { organisations } = decodeGenesis(encoded)
    const founders = authoritySetOf(organisations.map(({ organisation }) => organisation))
    encode(authoritySetSchema, founders)
    return { ok: true, detail: '', value: founders }
  } catch (error) {
    return refuse('malformed_genesis', `genesis: ${codecReason(error)}`)
  }
}

function checkEpoch(header: Header, epoch: number, set: AuthoritySet): Refusal | undefined {
  const block = `block ${header.height}`
  if (header.epoch !== epoch) {
    const detail = `${block} is of epoch ${header.epoch}, the proof reaches ${epoch}`
    return refuse('wrong_epoch', detail)
  }
  return equalBytes(header.authoritySetDigest, authoritySetDigest(set))
    ? undefined
    : refuse('wrong_authority_set', `${block} names another set for epoch ${epoch}`)
}

function checkNextSet(header: Header, next: AuthoritySet): Refusal | undefined {
  const announced = header.nextAuthoritySetDigest
  if (announced !== null && equalBytes(announced, authoritySetDigest(next))) return undefined
  const detail = `block ${header.height} does not announce the set of epoch ${header.epoch + 1}`
  return refuse('wrong_authority_set', detail)
}
