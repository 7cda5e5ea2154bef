// What transactions and blocks do to the state, and why some are refused.
//
// Everything a block claims is checked here but the state root and the history root: the caller
// owns those trees and compares. All nodes compute the same result from the same block, the
// quota of a minute of block time included. Signatures are checked last, being the dearest step.
//
// A large block is the work of many milliseconds. Whoever has votes to serve meanwhile takes the functions that
// end in `InSteps` and goes on when he likes: nothing is seen of them before their end, and how the steps are
// spread over time changes nothing. The state below must be the same to the end.

import { verifyBatch } from '@mooring/crypto'
import type { AuthoritySet } from './authority-set.ts'
import { type Block, type ParentBlock, roomFor } from './block.ts'
import {
  checkAuthoritySet,
  checkContent,
  checkLinks,
  checkNextSet,
  type InvalidBlock,
} from './block-rules.ts'
import { GOVERNANCE_PER_MINUTE } from './governance.ts'
import { type PayloadOf, type Kind, ruleOf } from './kinds.ts'
import { governanceOf, setGovernance } from './membership.ts'
import { type Parameters, transactionCost, type UnixMs } from './parameters.ts'
import { applyQuota, checkQuota, type QuotaExceeded } from './quota.ts'
import { type Receipt, receiptOf } from './receipts.ts'
import { settle } from './settle.ts'
import { complete, type Steps } from './steps.ts'
import { type State, StateDraft, type StateDiff } from './state.ts'
import {
  decodeTransaction,
  type DecodedTransaction,
  describeMalformed,
  hasValidSignature,
  payerOf,
  placeOf,
  signedBytesOf,
} from './transaction.ts'
import type { Facts, InvalidTransaction } from './transaction-kind.ts'

/** A step in which signatures are verified takes about a millisecond. */
const VERIFIED_AT_ONCE = 32

export type TransactionContext = {
  genesisDigest: Uint8Array
  /** Of the block the transaction would enter. */
  time: UnixMs
  height: number
  parameters: Parameters
}

/**
 * Says that the signature of this very transaction is known to be valid. The id does not cover the
 * signature: a caller that remembers must compare both.
 */
export type IsVerified = (transaction: DecodedTransaction) => boolean

/**
 * The transaction of these very bytes, when it was decoded and its signatures were verified before. What stands in
 * the body is verified with it.
 */
export type FindVerified = (encoded: Uint8Array) => DecodedTransaction | undefined

export type AppliedBlock = {
  diff: StateDiff
  receipts: Receipt[]
  /** The authority set of the next epoch, when a change passes and ends this one. */
  next: AuthoritySet | null
}

export type AppliedTransactions = AppliedBlock & {
  included: DecodedTransaction[]
  rejected: { transaction: DecodedTransaction; reason: InvalidTransaction }[]
  /** How many were looked at before the block was full; the rest may try the next one. */
  considered: number
}

export type BlockContext = {
  genesisDigest: Uint8Array
  parameters: Parameters
  /** Organisation whose turn it is in the view of the block. */
  expectedProposer: string
  isVerified?: IsVerified
  findVerified?: FindVerified
}

export type CheckOptions = {
  /** True unless given: false when the caller has verified this signature, and those in the body. */
  verifySignature?: boolean
  /** True at the door of a mempool: earlier sequences may be waiting there too. */
  acceptsGap?: boolean
}

export function checkTransaction(
  state: State,
  context: TransactionContext,
  transaction: DecodedTransaction,
  options: CheckOptions = {},
): InvalidTransaction | undefined {
  const { verifySignature = true, acceptsGap = false } = options
  const judged = judge({ ...context, draft: new StateDraft(state), acceptsGap }, transaction)
  if ('code' in judged) return judged
  return verifySignature ? checkSignatures(transaction, context.genesisDigest) : undefined
}

/** Its signature, and those in its body: what is wrong with them no state makes right. */
export function checkSignatures(
  transaction: DecodedTransaction,
  genesisDigest: Uint8Array,
): InvalidTransaction | undefined {
  if (!hasValidSignature(transaction, genesisDigest)) return { code: 'bad_signature' }
  return checkBody(transaction, genesisDigest)
}

/** What is wrong, whatever the state, with the body of a transaction whose own signature holds. */
export function checkBody(
  { payload }: DecodedTransaction,
  genesisDigest: Uint8Array,
): InvalidTransaction | undefined {
  return checkKindContent(payload, genesisDigest)
}

/** The proposer's selection: leaves out what is invalid, stops when the block is full, keeps order. */
export function applyTransactions(
  state: State,
  context: TransactionContext & { isVerified?: IsVerified },
  transactions: DecodedTransaction[],
): AppliedTransactions {
  return complete(applyTransactionsInSteps(state, context, transactions))
}

export function* applyTransactionsInSteps(
  state: State,
  context: TransactionContext & { isVerified?: IsVerified },
  transactions: readonly DecodedTransaction[],
): Steps<AppliedTransactions> {
  const { parameters, isVerified } = context
  const run = { ...context, draft: new StateDraft(state), acceptsGap: false }
  const included: DecodedTransaction[] = []
  const rejected: AppliedTransactions['rejected'] = []
  const receipts: Receipt[] = []
  let room = roomFor(parameters)
  let considered = 0
  for (const transaction of transactions) {
    yield
    if (included.length === parameters.blockTransactionsMax) break
    const judged = judge(run, transaction)
    if ('code' in judged) {
      rejected.push({ transaction, reason: judged })
      considered += 1
      continue
    }
    const cost = transactionCost(transaction.bytes.length)
    if (cost > room) break
    considered += 1
    const forged =
      isVerified?.(transaction) === true
        ? checkKindContent(transaction.payload, context.genesisDigest)
        : checkSignatures(transaction, context.genesisDigest)
    if (forged !== undefined) {
      rejected.push({ transaction, reason: forged })
      continue
    }
    receipts.push(applyEffect(run, judged, transaction, included.length))
    included.push(transaction)
    room -= cost
  }
  const next = settle(run.draft, context)
  return { diff: run.draft.diff(), receipts, next, included, rejected, considered }
}

/** Everything but the state root and the history root, which the caller compares. */
export function applyBlock(
  state: State,
  parent: ParentBlock,
  block: Block,
  context: BlockContext,
): AppliedBlock | InvalidBlock {
  return complete(applyBlockInSteps(state, parent, block, context))
}

export function* applyBlockInSteps(
  state: State,
  parent: ParentBlock,
  block: Block,
  context: BlockContext,
): Steps<AppliedBlock | InvalidBlock> {
  const invalid =
    checkLinks(parent, block.header, context) ??
    checkAuthoritySet(state, block.header) ??
    checkContent(block, context.parameters)
  if (invalid !== undefined) return invalid

  const { genesisDigest, parameters, isVerified, findVerified } = context
  const draft = new StateDraft(state)
  const { time, height } = block.header
  const run = { genesisDigest, time, height, parameters, draft, acceptsGap: false }
  const receipts: Receipt[] = []
  const unverified: Unverified[] = []
  for (const [index, encoded] of block.transactions.entries()) {
    yield
    const verified = findVerified?.(encoded)
    const transaction = verified ?? readTransaction(encoded, genesisDigest)
    if ('code' in transaction) return { code: 'invalid_transaction', index, reason: transaction }
    const judged = judge(run, transaction)
    if ('code' in judged) return { code: 'invalid_transaction', index, reason: judged }
    if (verified === undefined) {
      const reason = checkKindContent(transaction.payload, genesisDigest)
      if (reason !== undefined) return { code: 'invalid_transaction', index, reason }
      if (isVerified?.(transaction) !== true) unverified.push({ index, transaction })
    }
    receipts.push(applyEffect(run, judged, transaction, index))
  }
  const next = settle(draft, { time, height })
  const unannounced = checkNextSet(next, block.header)
  if (unannounced !== undefined) return unannounced
  const forged = yield* findForged(unverified, genesisDigest)
  if (forged !== undefined) {
    return { code: 'invalid_transaction', index: forged.index, reason: { code: 'bad_signature' } }
  }
  return { diff: draft.diff(), receipts, next }
}

interface Unverified {
  readonly index: number
  readonly transaction: DecodedTransaction
}

function* findForged(
  unverified: readonly Unverified[],
  genesisDigest: Uint8Array,
): Steps<Unverified | undefined> {
  for (let from = 0; from < unverified.length; from += VERIFIED_AT_ONCE) {
    yield
    const part = unverified.slice(from, from + VERIFIED_AT_ONCE)
    const verdicts = verifyBatch(
      part.map(({ transaction }) => ({
        publicKey: transaction.signer,
        message: signedBytesOf(genesisDigest, transaction),
        signature: transaction.signature,
      })),
    )
    const forged = part[verdicts.indexOf(false)]
    if (forged !== undefined) return forged
  }
  return undefined
}

type Run = TransactionContext & { draft: StateDraft; acceptsGap: boolean }

/** What the effect needs, or why there is none. */
function judge(run: Run, transaction: DecodedTransaction): Facts | InvalidTransaction {
  const { draft, time, parameters } = run
  const { id, bytes, payload, signer } = transaction
  const { expiresAt } = payload
  if (bytes.length > parameters.transactionBytesMax) {
    return { code: 'too_large', bytes: bytes.length, limit: parameters.transactionBytesMax }
  }
  if (expiresAt <= time) return { code: 'expired', expiresAt, time }
  const latest = time + parameters.expiryWindowMs
  if (expiresAt > latest) return { code: 'expires_too_late', expiresAt, latest }
  if (mayBeIncluded(draft, transaction) && draft.wasIncluded(id))
    return { code: 'already_included' }
  const payer = payerOf(transaction)
  const organisation = draft.organisation(payer)
  if (organisation === undefined) return { code: 'unknown_organisation', organisation: payer }
  const { genesisDigest, height, acceptsGap } = run
  const facts = { draft, organisation, id, signer, genesisDigest, time, height, acceptsGap }
  return checkKind(facts, payload) ?? checkPurse(run, payload.kind, payer) ?? facts
}

/** A sequence above all that its organisation has used is in no block yet, and neither is its transaction. */
function mayBeIncluded(draft: StateDraft, transaction: DecodedTransaction): boolean {
  const place = placeOf(transaction)
  return place === null || place.sequence <= draft.counters(payerOf(transaction))[place.counter]
}

function checkPurse(run: Run, kind: Kind, organisation: string): QuotaExceeded | undefined {
  const { draft, time, parameters } = run
  return ruleOf(kind).quota === 'governance'
    ? checkQuota(governanceOf(draft, organisation), {
        organisation,
        time,
        limit: GOVERNANCE_PER_MINUTE,
      })
    : checkQuota(draft.counters(organisation), {
        organisation,
        time,
        limit: parameters.quotaPerMinute,
      })
}

function pay({ draft, time }: Run, kind: Kind, organisation: string): void {
  if (ruleOf(kind).quota === 'governance') {
    setGovernance(draft, organisation, applyQuota(governanceOf(draft, organisation), time))
  } else draft.setCounters(organisation, applyQuota(draft.counters(organisation), time))
}

function applyEffect(
  run: Run,
  facts: Facts,
  transaction: DecodedTransaction,
  index: number,
): Receipt {
  const { id, payload } = transaction
  applyKind(facts, payload)
  pay(run, payload.kind, payerOf(transaction))
  run.draft.include(id)
  return receiptOf(transaction, index)
}

function checkKind<K extends Kind>(
  facts: Facts,
  payload: PayloadOf<K>,
): InvalidTransaction | undefined {
  return ruleOf(payload.kind).check(facts, payload.body)
}

function checkKindContent<K extends Kind>(
  payload: PayloadOf<K>,
  genesisDigest: Uint8Array,
): InvalidTransaction | undefined {
  return ruleOf(payload.kind).checkContent?.(payload.body, genesisDigest)
}

function applyKind<K extends Kind>(facts: Facts, payload: PayloadOf<K>): void {
  ruleOf(payload.kind).apply(facts, payload.body)
}

function readTransaction(
  encoded: Uint8Array,
  genesisDigest: Uint8Array,
): DecodedTransaction | InvalidTransaction {
  try {
    return decodeTransaction(encoded, genesisDigest)
  } catch (error) {
    return describeMalformed(error)
  }
}
