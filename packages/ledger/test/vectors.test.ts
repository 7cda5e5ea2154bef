import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { concatBytes, decode, encode, fromHex, toHex } from '@mooring/codec'
import { sha256, verify } from '@mooring/crypto'
import { test } from 'uvu'
import {
  blockDigest,
  checkGenesis,
  checkSignatures,
  countersKey,
  decodeBlock,
  decodeGenesis,
  decodeReceipts,
  decodeTransaction,
  decodeTransactionProof,
  hasValidSignature,
  encodeBlock,
  encodeGenesis,
  encodeReceipts,
  encodeTransactionProof,
  formatChangeJson,
  formatTransactionProofJson,
  genesisDigest,
  identityKey,
  identityOf,
  parseChangeJson,
  parseGenesisJson,
  parsePayloadJson,
  parseTransactionProofJson,
  verifyTransactionProof,
} from '../src/index.ts'
import { changeSchema, newKeyBytes } from '../src/change.ts'
import { organisationSchema } from '../src/organisation.ts'
import { MemoryState, verifyFinalization } from './fixture.ts'
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

test('the frozen access batches read back, with counters of both versions', () => {
  const vector = frozen('ledger-access.json')
  const { payload } = decodeTransaction(fromHex(textOf(vector, 'transaction')), digest)
  assert.deepEqual(parsePayloadJson(textOf(vector, 'json')), payload)
  const receipts = decodeReceipts(fromHex(textOf(vector, 'receipts')))
  const told = receipts.map(({ kind, organisation, sequence }) => [kind, organisation, sequence])
  assert.deepEqual(told, [
    ['access.log', 'st-mary', 1],
    ['record.anchor', 'st-mary', 1],
    ['record.anchor', 'county', 1],
    ['access.log', 'st-mary', 2],
  ])
  const diff: { key: string; value: string }[] = JSON.parse(JSON.stringify(vector['diff']))
  const versions = ['st-mary', 'county'].map((id) => {
    const value = diff.find(({ key }) => key === toHex(countersKey(id)))?.value ?? ''
    return fromHex(value)[1]
  })
  assert.deepEqual(versions, [2, 1])
})

test('the frozen proof reads back and holds', () => {
  const vector = frozen('ledger-proof.json')
  const proof = decodeTransactionProof(fromHex(textOf(vector, 'bytes')))
  assert.equal(toHex(encodeTransactionProof(proof)), textOf(vector, 'bytes'))
  assert.equal(formatTransactionProofJson(proof), textOf(vector, 'json'))
  assert.deepEqual(parseTransactionProofJson(textOf(vector, 'json')), proof)
  assert.ok(verifyTransactionProof(proof, digest, verifyFinalization).ok)
})

test('the frozen changes read back, and what was signed for them holds', () => {
  const vector = frozen('ledger-changes.json')
  const network = fromHex(textOf(vector, 'genesisDigest'))
  assert.deepEqual(network, digest)
  const changes: Record<string, { json: string; bytes: string }> = JSON.parse(
    JSON.stringify(vector['changes']),
  )
  for (const [name, { json, bytes }] of Object.entries(changes)) {
    const change = decode(changeSchema, fromHex(bytes))
    assert.equal(formatChangeJson(change), json, name)
    assert.equal(toHex(encode(changeSchema, parseChangeJson(json))), bytes, name)
  }
  const admit = parseChangeJson(changes['admit']?.json ?? '')
  assert.ok(admit.kind === 'admit')
  const { organisation, signature } = admit.body
  const domain = new TextEncoder().encode('mooring/admission/v1\0')
  const message = concatBytes(domain, network, encode(organisationSchema, organisation))
  assert.ok(verify(organisation.keys.governance, message, signature))
  const rekey = parseChangeJson(changes['rekey']?.json ?? '')
  assert.ok(rekey.kind === 'rekey')
  for (const { duty, key, signature: own } of rekey.body.keys) {
    if (own === null) continue
    assert.ok(verify(key, newKeyBytes(network, { organisation: 'county', duty, key }), own))
  }
})

test('the frozen transactions of governance read back', () => {
  const vector = frozen('ledger-governance.json')
  const transactions: Record<string, string> = JSON.parse(JSON.stringify(vector['transactions']))
  const kinds = ['change.propose', 'change.approve', 'change.withdraw', 'change.ready']
  assert.deepEqual(Object.keys(transactions).toSorted(), kinds.toSorted())
  for (const [kind, bytes] of Object.entries(transactions)) {
    const transaction = decodeTransaction(fromHex(bytes), digest)
    const { payload } = transaction
    assert.equal(payload.kind, kind)
    assert.ok(hasValidSignature(transaction, digest))
  }
})

test('the frozen transactions for patients read back', () => {
  const vector = frozen('ledger-patients.json')
  const given: { bytes: string; json: string }[] = JSON.parse(
    JSON.stringify(vector['transactions']),
  )
  const kinds = given.map(({ bytes, json }) => {
    const transaction = decodeTransaction(fromHex(bytes), digest)
    assert.deepEqual(parsePayloadJson(json), transaction.payload)
    assert.equal(checkSignatures(transaction, digest), undefined)
    return transaction.payload.kind
  })
  assert.deepEqual(kinds, ['grant.open', 'key.replace', 'record.tombstone', 'grant.revoke'])
})

test('the frozen events of an identity read back, and leave what they left', () => {
  const vector = frozen('ledger-identity.json')
  const events: Record<string, string>[] = JSON.parse(JSON.stringify(vector['events']))
  assert.equal(events.length, 6)
  for (const { kind, json = '', bytes = '', value = '' } of events) {
    const transaction = decodeTransaction(fromHex(bytes), digest)
    const { payload } = transaction
    assert.equal(payload.kind, kind)
    assert.ok(hasValidSignature(transaction, digest))
    assert.deepEqual(parsePayloadJson(json), payload)
    const state = new MemoryState()
    state.values.set(toHex(identityKey(fromHex(textOf(vector, 'identity')))), fromHex(value))
    assert.ok(identityOf(state, fromHex(textOf(vector, 'identity'))) !== undefined)
  }
})

test.run()
