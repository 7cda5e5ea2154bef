// What test/vectors/ledger-*.json hold: every encoded type of the ledger, made from fixed seeds.

import { toHex } from '@mooring/codec'
import { leafHash, MerkleFrontier } from '@mooring/crypto'
import {
  applyBlock,
  authoritySet,
  authoritySetDigest,
  blockDigest,
  createTransactionProof,
  decodeTransaction,
  encodeBlock,
  encodeGenesis,
  encodeHeader,
  encodeReceipts,
  encodeTransactionProof,
  formatGenesisJson,
  formatTransactionProofJson,
  genesisState,
  networkId,
  type StateDiff,
} from '../src/index.ts'
import { anchor, blockOn, contextOf, finalize, keyOf, seedOf, world } from './fixture.ts'

const here = world({}, 'vectors')

function diffLines(diff: StateDiff): { key: string; value: string | null }[] {
  return [...diff.values()].map(({ key, value }) => ({
    key: toHex(key),
    value: value === null ? null : toHex(value),
  }))
}

function genesisVector() {
  return {
    json: formatGenesisJson(here.genesis),
    bytes: toHex(encodeGenesis(here.genesis)),
    digest: toHex(here.digest),
    networkId: networkId(here.digest),
    authoritySetDigest: toHex(authoritySetDigest(authoritySet(here.state))),
    state: diffLines(genesisState(here.genesis)),
  }
}

function transactionVector() {
  const bytes = anchor(here)
  const { id, signedBytes, signer, signature } = decodeTransaction(bytes, here.digest)
  return {
    genesisDigest: toHex(here.digest),
    signerSeed: toHex(keyOf('st-mary', 'anchor').seed),
    signer: toHex(signer),
    bytes: toHex(bytes),
    signedBytes: toHex(signedBytes),
    signature: toHex(signature),
    id: toHex(id),
  }
}

function firstBlock() {
  const anchors = [
    anchor(here),
    anchor(here, { organisation: 'county' }),
    anchor(here, { sequence: 2 }),
  ]
  const frontier = MerkleFrontier.from(0, [])
  frontier.append(leafHash(here.digest))
  return blockOn(here, anchors, { historyRoot: frontier.root(), stateRoot: seedOf('state root') })
}

function blockVector() {
  const block = firstBlock()
  const applied = applyBlock(here.state, here.parent, block, contextOf(here))
  if ('code' in applied) throw new Error(`the block of the vectors is invalid: ${applied.code}`)
  return {
    header: toHex(encodeHeader(block.header)),
    digest: toHex(blockDigest(block.header)),
    transactionRoot: toHex(block.header.transactionRoot),
    block: toHex(encodeBlock(block)),
    diff: diffLines(applied.diff),
    receipts: toHex(encodeReceipts(applied.receipts)),
  }
}

function proofVector() {
  const block = firstBlock()
  const proof = createTransactionProof(block.transactions, 1, {
    genesis: encodeGenesis(here.genesis),
    header: encodeHeader(block.header),
    finalization: finalize(block),
    later: null,
    epochs: [],
  })
  return { json: formatTransactionProofJson(proof), bytes: toHex(encodeTransactionProof(proof)) }
}

export const vectors: Record<string, Record<string, unknown>> = {
  'ledger-genesis.json': genesisVector(),
  'ledger-transaction.json': transactionVector(),
  'ledger-block.json': blockVector(),
  'ledger-proof.json': proofVector(),
}

export const vectorFolder = new URL('../../../test/vectors/', import.meta.url)
