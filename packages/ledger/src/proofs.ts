// Proofs that a stranger checks offline, with the genesis digest and nothing else.
//
// A TransactionProof shows that a transaction is in a final block, a StateProof that a key had a
// value, or none, after a final block. Both carry genesis and every change of the authorities
// since. A block without a finalization of its own is shown through a later final header, whose
// history commits to it. The digest of each earlier block is the data of a leaf of that history,
// that of genesis first; hence leaf index = height, and tree size = height of the later header.

import {
  bytes,
  bytesMax,
  decode,
  encode,
  type Infer,
  list,
  nullable,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { checkInclusion, checkStateProof, inclusionProof, leafHash } from '@mooring/crypto'
import {
  checkAuthoritySet,
  checkFinalization,
  codecReason,
  encodedGenesisSchema,
  encodedHeaderSchema,
  epochsSchema,
  type FailedProof,
  type FinalizationVerifier,
  finalizationSchema,
  type HeaderInProof,
  type Outcome,
  type ProofStep,
  readHeader,
  type Refusal,
  refuse,
  shorten,
  type StepName,
} from './finality.ts'
import { BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX, type UnixMs } from './parameters.ts'
import { type DecodedTransaction, decodeTransaction } from './transaction.ts'

const PATH_MAX = 64
const STATE_PATH_MAX = 256
const STATE_BYTES_MAX = 1024 * 1024

const pathSchema = list(bytes(32), PATH_MAX)

export const transactionProofSchema = versioned(1, {
  genesis: encodedGenesisSchema,
  transaction: bytesMax(TRANSACTION_BYTES_MAX),
  index: uint(BLOCK_TRANSACTIONS_MAX),
  count: uint(BLOCK_TRANSACTIONS_MAX),
  path: pathSchema,
  header: encodedHeaderSchema,
  /** Of `later.header` if there is one, else of `header`. */
  finalization: finalizationSchema,
  later: nullable(
    struct({ header: encodedHeaderSchema, path: pathSchema, index: uint(), size: uint() }),
  ),
  epochs: epochsSchema,
})

export const stateProofSchema = versioned(1, {
  genesis: encodedGenesisSchema,
  key: bytesMax(STATE_BYTES_MAX),
  value: nullable(bytesMax(STATE_BYTES_MAX)),
  siblings: list(bytes(32), STATE_PATH_MAX),
  leaf: nullable(struct({ keyHash: bytes(32), valueHash: bytes(32) })),
  header: encodedHeaderSchema,
  finalization: finalizationSchema,
  epochs: epochsSchema,
})

export type TransactionProof = Infer<typeof transactionProofSchema>
export type StateProof = Infer<typeof stateProofSchema>

export type VerifiedTransaction = {
  ok: true
  steps: ProofStep[]
  transaction: DecodedTransaction
  height: number
  blockTime: UnixMs
}

export type VerifiedState = { ok: true; steps: ProofStep[]; height: number; blockTime: UnixMs }

export function encodeTransactionProof(proof: TransactionProof): Uint8Array {
  return encode(transactionProofSchema, proof)
}

/** @throws CodecError */
export function decodeTransactionProof(encoded: Uint8Array): TransactionProof {
  return decode(transactionProofSchema, encoded)
}

export function encodeStateProof(proof: StateProof): Uint8Array {
  return encode(stateProofSchema, proof)
}

/** @throws CodecError */
export function decodeStateProof(encoded: Uint8Array): StateProof {
  return decode(stateProofSchema, encoded)
}

/** The proof of one transaction of a block, from all of its transactions. */
export function createTransactionProof(
  transactions: Uint8Array[],
  index: number,
  finality: Pick<TransactionProof, 'genesis' | 'header' | 'finalization' | 'later' | 'epochs'>,
): TransactionProof {
  const transaction = transactions[index]
  if (transaction === undefined) throw new RangeError(`no transaction ${index} in the block`)
  const path = inclusionProof(transactions.map(leafHash), index)
  return { ...finality, transaction, index, count: transactions.length, path }
}

export function verifyTransactionProof(
  proof: TransactionProof,
  genesisDigest: Uint8Array,
  verifyFinalization: FinalizationVerifier,
): VerifiedTransaction | FailedProof {
  const inclusion = checkTransactionPath(proof, genesisDigest)
  if (!inclusion.ok) return fail([], { number: 4, name: 'transaction' }, inclusion)
  const { transaction, ...block } = inclusion.value
  const first: ProofStep = { number: 4, name: 'transaction', detail: inclusion.detail, ok: true }

  const history = checkHistory(proof.later, block, genesisDigest)
  if (!history.ok) return fail([first], { number: 5, name: 'finalization' }, history)
  const final = checkFinal(proof, history, genesisDigest, verifyFinalization)
  if (!final.ok) return { ...final, steps: [first, ...final.steps] }
  const { height, time } = block.header
  return { ok: true, steps: [first, ...final.steps], transaction, height, blockTime: time }
}

export function verifyStateProof(
  proof: StateProof,
  genesisDigest: Uint8Array,
  verifyFinalization: FinalizationVerifier,
): VerifiedState | FailedProof {
  const state = checkStatePath(proof, genesisDigest)
  if (!state.ok) return fail([], { number: 4, name: 'state' }, state)
  const first: ProofStep = { number: 4, name: 'state', detail: state.detail, ok: true }
  const certified = { detail: '', value: state.value }
  const final = checkFinal(proof, certified, genesisDigest, verifyFinalization)
  if (!final.ok) return { ...final, steps: [first, ...final.steps] }
  const { height, time } = state.value.header
  return { ok: true, steps: [first, ...final.steps], height, blockTime: time }
}

/** That a header is final, by itself or through a later one: steps 5 and 6 of the other proofs. */
export function verifyFinalHeader(
  proof: Pick<TransactionProof, 'genesis' | 'header' | 'finalization' | 'later' | 'epochs'>,
  genesisDigest: Uint8Array,
  verifyFinalization: FinalizationVerifier,
): { ok: true; steps: ProofStep[] } | FailedProof {
  const block = readHeader(proof.header, genesisDigest)
  const history = block.ok ? checkHistory(proof.later, block.value, genesisDigest) : block
  if (!history.ok) return fail([], { number: 5, name: 'finalization' }, history)
  return checkFinal(proof, history, genesisDigest, verifyFinalization)
}

/** Steps 5 and 6. The set is checked first, for the finalization is counted by it. */
function checkFinal(
  proof: Pick<TransactionProof, 'genesis' | 'finalization' | 'epochs'>,
  certified: { detail: string; value: HeaderInProof },
  genesisDigest: Uint8Array,
  verifyFinalization: FinalizationVerifier,
): { ok: true; steps: ProofStep[] } | FailedProof {
  const { genesis, epochs, finalization } = proof
  const { header, headerDigest } = certified.value
  const chain = { genesis, epochs, genesisDigest, header }
  const authoritySet = checkAuthoritySet(chain, verifyFinalization)
  if (!authoritySet.ok) return fail([], { number: 6, name: 'authority set' }, authoritySet)
  const final = checkFinalization(
    { genesisDigest, finalization, header, headerDigest, authoritySet: authoritySet.value },
    verifyFinalization,
  )
  if (!final.ok) return fail([], { number: 5, name: 'finalization' }, final)
  return {
    ok: true,
    steps: [
      { number: 5, name: 'finalization', detail: `${certified.detail}${final.detail}`, ok: true },
      { number: 6, name: 'authority set', detail: authoritySet.detail, ok: true },
    ],
  }
}

function checkTransactionPath(
  proof: TransactionProof,
  genesisDigest: Uint8Array,
): Outcome<HeaderInProof & { transaction: DecodedTransaction }> {
  const { index, count, path } = proof
  const block = readHeader(proof.header, genesisDigest)
  if (!block.ok) return block
  const { transactionRoot, transactionCount, height } = block.value.header
  let transaction: DecodedTransaction
  try {
    transaction = decodeTransaction(proof.transaction, genesisDigest)
  } catch (error) {
    return refuse('malformed_transaction', `transaction: ${codecReason(error)}`)
  }
  if (count !== transactionCount) {
    const detail = `block ${height} has ${transactionCount} transactions, the proof says ${count}`
    return refuse('wrong_count', detail)
  }
  const leaf = leafHash(proof.transaction)
  const inclusion = { leafHash: leaf, index, size: count, path, root: transactionRoot }
  const problem = checkInclusion(inclusion)
  if (problem !== undefined) {
    const detail = `the inclusion path does not lead to block ${height}: ${problem.code}`
    return refuse('wrong_path', detail)
  }
  const detail = `inclusion path = ${shorten(transactionRoot)}, matches block ${height} header`
  return { ok: true, detail, value: { ...block.value, transaction } }
}

function checkStatePath(proof: StateProof, genesisDigest: Uint8Array): Outcome<HeaderInProof> {
  const { key, value, siblings, leaf } = proof
  const block = readHeader(proof.header, genesisDigest)
  if (!block.ok) return block
  const { stateRoot, height } = block.value.header
  const problem = checkStateProof(stateRoot, key, value, { siblings, leaf })
  if (problem !== undefined) {
    const detail = `the state path does not lead to block ${height}: ${problem.code}`
    return refuse('wrong_state', detail)
  }
  const what = value === null ? 'absence path' : 'state path'
  const detail = `${what} = ${shorten(stateRoot)}, matches block ${height} header`
  return { ok: true, detail, value: block.value }
}

/** The header that is final itself: the block's own, or a later one that commits to it. */
function checkHistory(
  later: TransactionProof['later'],
  block: HeaderInProof,
  genesisDigest: Uint8Array,
): Outcome<HeaderInProof> {
  if (later === null) return { ok: true, detail: '', value: block }
  const certified = readHeader(later.header, genesisDigest)
  if (!certified.ok) return certified
  const { index, size, path } = later
  const { height } = block.header
  const { header } = certified.value
  const isPlaced = index === height && size === header.height
  const inclusion = {
    leafHash: leafHash(block.headerDigest),
    index,
    size,
    path,
    root: header.historyRoot,
  }
  const problem = isPlaced ? checkInclusion(inclusion) : { code: 'wrong_place' }
  if (problem !== undefined) {
    const detail = `block ${height} is not in the history of block ${header.height}: ${problem.code}`
    return refuse('wrong_history', detail)
  }
  return { ...certified, detail: `in the history of block ${header.height}; ` }
}

function fail(
  steps: ProofStep[],
  at: { number: number; name: StepName },
  { detail, code }: Refusal,
): FailedProof {
  return { ok: false, steps: [...steps, { ...at, detail, ok: false }], failed: { ...at, code } }
}
