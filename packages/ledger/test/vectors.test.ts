import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import { test } from 'uvu'
import {
  blockDigest,
  checkGenesis,
  decodeBlock,
  decodeGenesis,
  decodeReceipts,
  decodeTransaction,
  decodeTransactionProof,
  encodeBlock,
  encodeGenesis,
  encodeReceipts,
  encodeTransactionProof,
  formatTransactionProofJson,
  genesisDigest,
  parseGenesisJson,
  parseTransactionProofJson,
  verifyTransactionProof,
} from '../src/index.ts'
import { verifyFinalization } from './fixture.ts'
import { vectorFolder, vectors } from './vectors.ts'

/** A frozen vector; every value in it that a test asks for by name is a text. */
function frozen(name: string): Record<string, unknown> {
  const vector: Record<string, unknown> = JSON.parse(
    readFileSync(new URL(name, vectorFolder), 'utf8'),
  )
  return vector
}

function textOf(vector: Record<string, unknown>, member: string): string {
  const value = vector[member]
  assert.ok(typeof value === 'string', `${member} is a text`)
  return value
}

const genesis = frozen('ledger-genesis.json')
const digest = fromHex(textOf(genesis, 'digest'))

for (const [name, made] of Object.entries(vectors)) {
  test(`${name} is what the ledger encodes today`, () => {
    assert.deepEqual(frozen(name), made)
  })
}

test('the frozen genesis reads back, from bytes and from JSON', () => {
  const decoded = decodeGenesis(fromHex(textOf(genesis, 'bytes')))
  assert.deepEqual(checkGenesis(decoded), [])
  assert.equal(toHex(encodeGenesis(decoded)), textOf(genesis, 'bytes'))
  assert.deepEqual(genesisDigest(parseGenesisJson(textOf(genesis, 'json'))), digest)
  const domain = new TextEncoder().encode('mooring/genesis/v1\0')
  assert.deepEqual(sha256(domain, fromHex(textOf(genesis, 'bytes'))), digest)
})

test('the frozen transaction and block read back', () => {
  const vector = frozen('ledger-transaction.json')
  const { id } = decodeTransaction(fromHex(textOf(vector, 'bytes')), digest)
  assert.equal(toHex(id), textOf(vector, 'id'))
  assert.deepEqual(sha256(fromHex(textOf(vector, 'signedBytes'))), id)

  const block = frozen('ledger-block.json')
  const decoded = decodeBlock(fromHex(textOf(block, 'block')))
  assert.equal(toHex(encodeBlock(decoded)), textOf(block, 'block'))
  assert.equal(toHex(blockDigest(decoded.header)), textOf(block, 'digest'))
  assert.equal(toHex(decoded.transactions[0] ?? digest), textOf(vector, 'bytes'))
  const receipts = decodeReceipts(fromHex(textOf(block, 'receipts')))
  assert.equal(receipts.length, 3)
  assert.equal(toHex(encodeReceipts(receipts)), textOf(block, 'receipts'))
})

test('the frozen proof reads back and holds', () => {
  const vector = frozen('ledger-proof.json')
  const proof = decodeTransactionProof(fromHex(textOf(vector, 'bytes')))
  assert.equal(toHex(encodeTransactionProof(proof)), textOf(vector, 'bytes'))
  assert.equal(formatTransactionProofJson(proof), textOf(vector, 'json'))
  assert.deepEqual(parseTransactionProofJson(textOf(vector, 'json')), proof)
  assert.ok(verifyTransactionProof(proof, digest, verifyFinalization).ok)
})

test.run()
