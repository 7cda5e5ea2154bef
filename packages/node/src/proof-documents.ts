// Proofs as files, built from the chain and, for records, from what their custodian keeps.
//
// A block without a finalization of its own is shown through the next one that has it: that header
// commits to the history below it. Whoever checks it knows genesis alone, so it carries the end of every
// epoch up to the final header. A document is complete or it is not made: what is not final yet is
// `pending`, and what nobody here knows is undefined.

import type { ProofOutcome } from '@mooring/api'
import { fromHex } from '@mooring/codec'
import {
  createTransactionProof,
  decodeAuthoritySet,
  decodeBlock,
  encodeTransactionProof,
  formatTransactionProofJson,
  type TransactionProof,
} from '@mooring/ledger'
import {
  batchPath,
  type FieldsOpening,
  formatRecordProof,
  openingOf,
  type RecordProof,
} from '@mooring/records'
import type { ChainStore, PrivateStore } from '@mooring/storage'
import type { CustodianIndex } from './custodian-index.ts'
import { BatchAnchors, decodeBatch } from './custody.ts'
import { unlessPruned } from './pruned.ts'

export interface ProofModules {
  chain: Pick<
    ChainStore,
    | 'getBlock'
    | 'getHeader'
    | 'getTransaction'
    | 'getFinalization'
    | 'finalizationAtOrAfter'
    | 'historyPath'
    | 'epochs'
  >
  store: Pick<PrivateStore, 'getRecord' | 'getBatch'>
  index: Pick<CustodianIndex, 'get'>
  /** The encoded genesis, which every proof carries, and its digest. */
  genesis: Uint8Array
  genesisDigest: Uint8Array
}

export interface ProofDocuments {
  record(id: string, withOpening: boolean): ProofOutcome | undefined
  /** Shows these fields of the record instead of the way from its bytes. */
  fields(id: string, shown: () => Promise<FieldsOpening>): Promise<ProofOutcome | undefined>
  /** Undefined as well while the transaction is in no final block. */
  transaction(id: string): ProofOutcome | undefined
}

const PENDING: ProofOutcome = { kind: 'pending' }

export function createProofDocuments(modules: ProofModules): ProofDocuments {
  const anchors = new BatchAnchors(modules.store)
  return {
    record: (id, withOpening) => {
      const anchored = anchoredRecord({ ...modules, anchors }, fromHex(id))
      if (anchored === undefined || anchored === 'pending') return anchored && PENDING
      const entry = withOpening ? modules.index.get(anchored.commit) : undefined
      const opening = entry === undefined ? null : openingOf(entry.metadata)
      const { commit, ...rest } = anchored
      const json = formatRecordProof({ version: 1, ...rest, record: { commit, opening } })
      return { kind: 'record', json }
    },
    fields: async (id, shown) => {
      const anchored = anchoredRecord({ ...modules, anchors }, fromHex(id))
      if (anchored === undefined || anchored === 'pending') return anchored && PENDING
      const { commit, ...rest } = anchored
      const record = { commit, opening: await shown() }
      return { kind: 'record', json: formatRecordProof({ version: 2, ...rest, record }) }
    },
    transaction: (id) => {
      const proof = transactionProof(modules, fromHex(id))
      if (proof === undefined || proof === 'pending') return proof && PENDING
      return { kind: 'transaction', json: formatTransactionProofJson(proof) }
    },
  }
}

type AnchoredRecord = Omit<RecordProof, 'version' | 'record'> & { commit: Uint8Array }

function anchoredRecord(
  modules: ProofModules & { anchors: BatchAnchors },
  commit: Uint8Array,
): AnchoredRecord | 'pending' | undefined {
  const { store, anchors, genesisDigest } = modules
  const record = store.getRecord(commit)
  if (record === undefined) return undefined
  const { place } = record
  const anchor = anchors.of(place)
  const stored = place === null ? undefined : store.getBatch(place.sequence)
  if (place === null || anchor === null || stored === undefined) return 'pending'
  const proof = transactionProof(modules, anchor.transaction)
  if (proof === undefined || proof === 'pending') return 'pending'
  const { leaves, root } = decodeBatch(stored.batch)
  const { position } = place
  return {
    commit,
    network: genesisDigest,
    batch: { index: position, size: leaves.length, path: batchPath(leaves, position), root },
    anchor: encodeTransactionProof(proof),
  }
}

/** Undefined when the chain does not have it; pending while no finalization covers its block. */
export function transactionProof(
  { chain, genesis }: Pick<ProofModules, 'chain' | 'genesis'>,
  id: Uint8Array,
): TransactionProof | 'pending' | undefined {
  const location = chain.getTransaction(id)
  if (location === undefined) return undefined
  const { height, index } = location
  const what = `It is final in block ${height}, whose body was dropped, so that nothing is left to prove it with`
  const block = unlessPruned(what, () => chain.getBlock(height))
  const certified = chain.finalizationAtOrAfter(height)
  if (block === undefined || certified === undefined) return 'pending'
  const { encodedHeader, transactions } = decodeBlock(block)
  const { finalization } = certified
  const later = laterHeader(chain, height, certified.height)
  return createTransactionProof(transactions, index, {
    genesis,
    header: encodedHeader,
    finalization,
    later,
    epochs: epochsBefore(chain, certified.height),
  })
}

/** The ends of the epochs before that of the block of this height. */
function epochsBefore(chain: ProofModules['chain'], height: number): TransactionProof['epochs'] {
  const ended = chain.epochs().filter((epoch) => epoch.height < height)
  return ended.map((epoch) => {
    const header = chain.getHeader(epoch.height)
    const finalization = chain.getFinalization(epoch.height)
    if (header === undefined || finalization === undefined)
      throw new Error(`epoch ${epoch.epoch} has ended and nothing shows it`)
    return { header, finalization, authoritySet: decodeAuthoritySet(epoch.authoritySet) }
  })
}

/** The header that is final itself, when it is not the block's own. */
function laterHeader(
  chain: ProofModules['chain'],
  height: number,
  size: number,
): TransactionProof['later'] {
  if (size === height) return null
  const header = chain.getHeader(size)
  if (header === undefined) throw new Error(`block ${size} is final and has no header`)
  return { header, path: chain.historyPath(height, size), index: height, size }
}
