import assert from 'node:assert/strict'
import { concatBytes } from '@mooring/codec'
import { domainHash, leafHash, nodeHash, sha256 } from '@mooring/crypto'
import { test } from 'uvu'
import { HEADER_BYTES_MAX, transactionRoot } from '../src/block.ts'
import {
  blockDigest,
  createBlock,
  decodeBlock,
  decodeHeader,
  decodeReceipts,
  encodeBlock,
  encodeHeader,
  readOwnBlock,
  encodeReceipts,
  type Header,
  parentOf,
  type Receipt,
} from '../src/index.ts'
import { BLOCK_BYTES_MAX, BLOCK_RESERVE } from '../src/parameters.ts'
import { anchor, blockOn, seedOf, START, world } from './fixture.ts'

const here = world()
const anchors = [1, 2, 3].map((sequence) => anchor(here, { sequence }))

function refused(bytes: Uint8Array): void {
  assert.throws(() => decodeBlock(bytes), { name: 'CodecError' })
}

test('a block comes back from its bytes, with the digest of its header', () => {
  const block = blockOn(here, anchors)
  const encoded = encodeBlock(block)
  const decoded = decodeBlock(encoded)
  const { header, transactions, digest, encodedHeader, computedRoot } = decoded
  assert.deepEqual({ header, transactions, computedRoot }, block)
  assert.deepEqual(readOwnBlock(block), decoded)
  assert.deepEqual(digest, blockDigest(block.header))
  assert.deepEqual(encodedHeader, encodeHeader(block.header))
  assert.deepEqual(digest, domainHash('block', encodedHeader))
  assert.deepEqual(encodeBlock({ header, transactions }), encoded)
  assert.deepEqual(decodeHeader(encodedHeader), header)
})

test('a header does not lend its name to other transactions', () => {
  const { header, transactions } = blockOn(here, anchors)
  refused(encodeBlock({ header, transactions: transactions.slice(1) }))
  refused(encodeBlock({ header, transactions: transactions.toReversed() }))
  refused(encodeBlock({ header, transactions: [] }))
  refused(encodeBlock({ header, transactions: [...transactions, transactions[0] ?? seedOf('tx')] }))
})

test('a created block extends its parent and commits to its transactions', () => {
  const parent = { epoch: 4, view: 7, height: 12, time: START - 1, digest: seedOf('parent') }
  const { header } = createBlock(parent, {
    genesisDigest: here.digest,
    view: 9,
    time: START,
    proposer: 'county',
    stateRoot: seedOf('state'),
    historyRoot: seedOf('history'),
    authoritySetDigest: seedOf('set'),
    nextAuthoritySetDigest: null,
    transactions: anchors,
  })
  const { epoch, view, parentView, height, time, transactionCount } = header
  assert.deepEqual([epoch, view, parentView, height, time], [4, 9, 7, 13, START])
  assert.deepEqual(header.parent, parent.digest)
  assert.equal(transactionCount, 3)
  const digest = blockDigest(header)
  assert.deepEqual(parentOf(header, digest), { epoch: 4, view: 9, height: 13, time: START, digest })
})

test('the transaction root is the RFC 9162 root, that of nothing for an empty block', () => {
  const [a, b, c] = anchors.map((each) => leafHash(each))
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  assert.deepEqual(transactionRoot(anchors), nodeHash(nodeHash(a, b), c))
  assert.deepEqual(transactionRoot([]), sha256())
})

test('every field of the header changes the digest', () => {
  const { header } = blockOn(here, anchors)
  const changes: Partial<Header>[] = [
    { genesisDigest: seedOf('x') },
    { epoch: 1 },
    { view: 9 },
    { parentView: 9 },
    { height: 9 },
    { parent: seedOf('x') },
    { time: 9 },
    { proposer: 'x' },
    { transactionRoot: seedOf('x') },
    { transactionCount: 9 },
    { stateRoot: seedOf('x') },
    { historyRoot: seedOf('x') },
    { authoritySetDigest: seedOf('x') },
    { nextAuthoritySetDigest: seedOf('x') },
  ]
  assert.deepEqual(changes.flatMap(Object.keys).toSorted(), Object.keys(header).toSorted())
  const digests = changes.map((change) => blockDigest({ ...header, ...change }).join())
  assert.equal(new Set([...digests, blockDigest(header).join()]).size, changes.length + 1)
})

test('the largest header fits, and a block with it stays within its reserve', () => {
  const max = Number.MAX_SAFE_INTEGER
  const largest: Header = {
    ...blockOn(here, []).header,
    epoch: max,
    view: max,
    parentView: max,
    height: max,
    time: 253_402_300_799_999,
    proposer: 'x'.repeat(64),
    transactionCount: 100_000,
    nextAuthoritySetDigest: seedOf('next'),
  }
  const encoded = encodeHeader(largest)
  assert.ok(encoded.length <= HEADER_BYTES_MAX)
  const empty = encodeBlock({ header: largest, transactions: [] })
  assert.ok(empty.length + 4 <= BLOCK_RESERVE)
})

test('bytes that are no block are refused', () => {
  const encoded = encodeBlock(blockOn(here, anchors))
  refused(encoded.subarray(0, -1))
  refused(concatBytes(encoded, Uint8Array.of(0)))
  refused(encoded.with(1, 2))
  refused(new Uint8Array(BLOCK_BYTES_MAX + 1))
  // A block that claims 2^32 - 1 transactions is refused by the claim.
  refused(concatBytes(encoded.subarray(0, 2), Uint8Array.of(0x40, 0x9a, 255, 255, 255, 255)))
})

test('receipts come back from their bytes', () => {
  const receipts: Receipt[] = [
    {
      transaction: seedOf('id'),
      index: 0,
      kind: 'record.anchor',
      outcome: 'applied',
      organisation: 'st-mary',
      sequence: 1,
    },
    {
      transaction: seedOf('id 2'),
      index: 1,
      kind: 'record.anchor',
      outcome: 'applied',
      organisation: 'county',
      sequence: null,
    },
  ]
  assert.deepEqual(decodeReceipts(encodeReceipts(receipts)), receipts)
  assert.deepEqual(decodeReceipts(encodeReceipts([])), [])
})

test.run()
