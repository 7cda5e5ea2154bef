import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  type AppliedBlock,
  applyBlock,
  applyTransactions,
  type Block,
  blockDigest,
  checkTransaction,
  countersOf,
  createTransaction,
  type DecodedTransaction,
  decodeTransaction,
  type Header,
  type InvalidBlock,
  type InvalidTransaction,
  parentOf,
} from '../src/index.ts'
import {
  anchor,
  type AnchorInput,
  AUTHORITIES,
  blockOn,
  contextOf,
  decodedAnchor,
  founders,
  keyOf,
  MINUTE,
  placeOf,
  seedOf,
  START,
  type World,
  world,
} from './fixture.ts'

const here = world()

function applied(result: AppliedBlock | InvalidBlock): AppliedBlock {
  if ('code' in result) assert.fail(`invalid block: ${JSON.stringify(result)}`)
  return result
}

function refusal(result: AppliedBlock | InvalidBlock): InvalidBlock {
  if (!('code' in result)) assert.fail('the block was applied')
  return result
}

function apply(at: World, block: Block): AppliedBlock | InvalidBlock {
  return applyBlock(at.state, at.parent, block, contextOf(at))
}

function check(at: World, transaction: DecodedTransaction, time = START) {
  return checkTransaction(at.state, placeOf(at, time), transaction)
}

/** The world after a block. */
function next(at: World, block: Block): World {
  const { diff, receipts } = applied(apply(at, block))
  const ids = receipts.map(({ transaction }) => transaction)
  const parent = parentOf(block.header, blockDigest(block.header))
  return { ...at, parent, state: at.state.after(diff, ids) }
}

test('a valid anchor is applied: its receipt, its root, its sequence, its quota', () => {
  const bytes = anchor(here)
  const { diff, receipts } = applied(apply(here, blockOn(here, [bytes])))
  const { id } = decodeTransaction(bytes, here.digest)
  assert.deepEqual(receipts, [
    {
      transaction: id,
      index: 0,
      kind: 'record.anchor',
      outcome: 'applied',
      organisation: 'st-mary',
      sequence: 1,
    },
  ])
  assert.equal(diff.size, 2)
  const counters = countersOf(here.state.after(diff), 'st-mary')
  assert.deepEqual(counters, {
    anchorSequence: 1,
    accessSequence: 0,
    minute: START / MINUTE,
    used: 1,
  })
})

test('an empty block changes nothing', () => {
  const { diff, receipts } = applied(apply(here, blockOn(here, [])))
  assert.equal(diff.size, 0)
  assert.deepEqual(receipts, [])
})

test('a block of n anchors of one organisation writes n + 1 keys', () => {
  const anchors = [1, 2, 3, 4, 5].map((sequence) => anchor(here, { sequence }))
  assert.equal(applied(apply(here, blockOn(here, anchors))).diff.size, 6)
})

test('each reason to refuse a transaction has its code', () => {
  const ahead = next(here, blockOn(here, [anchor(here)]))
  const elsewhere = world({}, 'elsewhere')
  const poor = world({ quotaPerMinute: 1 })
  const busy = next(poor, blockOn(poor, [anchor(poor)]))
  const tiny = world({ transactionBytesMax: 512 })
  const longest = START + here.genesis.parameters.expiryWindowMs
  const governance = keyOf('st-mary', 'governance')
  const cases: [World, DecodedTransaction, InvalidTransaction['code'] | undefined][] = [
    [here, decodedAnchor(here), undefined],
    [here, decodedAnchor(here, { expiresAt: START - 1 }), 'expired'],
    [here, decodedAnchor(here, { expiresAt: START }), 'expired'],
    [here, decodedAnchor(here, { expiresAt: START + 1 }), undefined],
    [here, decodedAnchor(here, { expiresAt: longest }), undefined],
    [here, decodedAnchor(here, { expiresAt: longest + 1 }), 'expires_too_late'],
    [ahead, decodedAnchor(here), 'already_included'],
    [here, decodedAnchor(here, { organisation: 'nowhere' }), 'unknown_organisation'],
    [here, decodedAnchor(here, { organisation: '' }), 'unknown_organisation'],
    [here, decodedAnchor(here, { key: governance }), 'wrong_signer'],
    [here, decodedAnchor(here, { key: keyOf('st-mary', 'consensus') }), 'wrong_signer'],
    [here, decodedAnchor(here, { key: keyOf('county', 'anchor') }), 'wrong_signer'],
    [here, decodedAnchor(here, { sequence: 0 }), 'wrong_sequence'],
    [here, decodedAnchor(here, { sequence: 2 }), 'wrong_sequence'],
    [ahead, decodedAnchor(here, { root: 'fresh', sequence: 1 }), 'wrong_sequence'],
    [ahead, decodedAnchor(here, { root: 'fresh', sequence: 2 }), undefined],
    [ahead, decodedAnchor(here, { root: 'st-mary 1', sequence: 2 }), 'root_seen'],
    [ahead, decodedAnchor(here, { root: 'st-mary 1', organisation: 'county' }), undefined],
    [busy, decodedAnchor(poor, { sequence: 2 }), 'quota_exceeded'],
    [busy, decodedAnchor(poor, { organisation: 'county' }), undefined],
    [tiny, decodedAnchor(tiny), undefined],
    [here, decodeTransaction(anchor(elsewhere), here.digest), 'bad_signature'],
  ]
  for (const [index, [at, transaction, code]] of cases.entries()) {
    assert.equal(check(at, transaction)?.code, code, `case ${index}`)
  }
})

test('a refusal says what was expected', () => {
  const ahead = next(here, blockOn(here, [anchor(here)]))
  assert.deepEqual(check(ahead, decodedAnchor(here, { sequence: 7, root: 'x' })), {
    code: 'wrong_sequence',
    organisation: 'st-mary',
    expected: 2,
    got: 7,
  })
  const poor = world({ quotaPerMinute: 1 })
  const busy = next(poor, blockOn(poor, [anchor(poor)]))
  assert.deepEqual(check(busy, decodedAnchor(poor, { sequence: 2 })), {
    code: 'quota_exceeded',
    organisation: 'st-mary',
    limit: 1,
    resetsAt: START + MINUTE,
  })
  assert.deepEqual(check(here, decodedAnchor(here, { expiresAt: START })), {
    code: 'expired',
    expiresAt: START,
    time: START,
  })
})

test('a transaction above the limit is too large, whatever else it is', () => {
  const transaction = decodedAnchor(here)
  const limit = transaction.bytes.length - 1
  const parameters = { ...here.genesis.parameters, transactionBytesMax: limit }
  const reason = checkTransaction(here.state, { ...placeOf(here), parameters }, transaction)
  assert.deepEqual(reason, { code: 'too_large', bytes: limit + 1, limit })
})

test('the door of a mempool lets later sequences in, not earlier ones', () => {
  const ahead = next(here, blockOn(here, [anchor(here)]))
  const context = placeOf(here)
  const door = (sequence: number) =>
    checkTransaction(ahead.state, context, decodedAnchor(here, { sequence, root: 'door' }), {
      acceptsGap: true,
    })?.code
  assert.equal(door(1), 'wrong_sequence')
  assert.equal(door(2), undefined)
  assert.equal(door(40), undefined)
})

test('a caller that has verified the signature is believed', () => {
  const forged = decodedAnchor(here, { key: { ...keyOf('st-mary', 'anchor'), seed: seedOf('x') } })
  const context = placeOf(here)
  assert.equal(checkTransaction(here.state, context, forged)?.code, 'bad_signature')
  const believed = checkTransaction(here.state, context, forged, { verifySignature: false })
  assert.equal(believed, undefined)
})

test('a transaction enters the chain once', () => {
  const bytes = anchor(here)
  const ahead = next(here, blockOn(here, [bytes]))
  const replay = refusal(apply(ahead, blockOn(ahead, [bytes])))
  assert.deepEqual(replay, {
    code: 'invalid_transaction',
    index: 0,
    reason: { code: 'already_included' },
  })
  const twice = refusal(apply(here, blockOn(here, [bytes, bytes])))
  assert.deepEqual(twice, {
    code: 'invalid_transaction',
    index: 1,
    reason: { code: 'already_included' },
  })
})

test('two anchors of one block see each other: sequence and root', () => {
  const first = anchor(here, { root: 'shared' })
  const sameRoot = anchor(here, { root: 'shared', sequence: 2 })
  const sameSequence = anchor(here, { root: 'other' })
  const codes = [sameRoot, sameSequence].map((second) => {
    const result = refusal(apply(here, blockOn(here, [first, second])))
    return result.code === 'invalid_transaction' ? [result.index, result.reason.code] : result.code
  })
  assert.deepEqual(codes, [
    [1, 'root_seen'],
    [1, 'wrong_sequence'],
  ])
})

test('the quota holds within a minute of block time and is whole again in the next', () => {
  const at = world({ quotaPerMinute: 3 })
  const end = START + MINUTE - 1
  const anchors = [1, 2, 3, 4, 5, 6, 7].map((sequence) =>
    anchor(at, { sequence, expiresAt: START + 3 * MINUTE }),
  )
  const two = next(at, blockOn(at, anchors.slice(0, 2), { time: end - 1 }))
  const over = refusal(apply(two, blockOn(two, anchors.slice(2, 4), { time: end })))
  assert.equal(over.code === 'invalid_transaction' && over.index, 1)
  assert.equal(over.code === 'invalid_transaction' && over.reason.code, 'quota_exceeded')
  const three = next(two, blockOn(two, anchors.slice(2, 3), { time: end }))
  const fresh = next(three, blockOn(three, anchors.slice(3, 6), { time: end + 1 }))
  const counters = countersOf(fresh.state, 'st-mary')
  assert.deepEqual(counters, {
    anchorSequence: 6,
    accessSequence: 0,
    minute: START / MINUTE + 1,
    used: 3,
  })
  const again = refusal(apply(fresh, blockOn(fresh, anchors.slice(6))))
  assert.equal(again.code === 'invalid_transaction' && again.reason.code, 'quota_exceeded')
})

test('an observer anchors too, and pays with its own quota', () => {
  const at = world({ quotaPerMinute: 1 })
  const mine = anchor(at)
  const theirs = anchor(at, { organisation: 'laboratory' })
  assert.equal(applied(apply(at, blockOn(at, [mine, theirs]))).receipts.length, 2)
})

test('each reason to refuse a header has its code', () => {
  const good = blockOn(here, [anchor(here)])
  const other = seedOf('other')
  const cases: [Partial<Header>, InvalidBlock['code']][] = [
    [{ genesisDigest: other }, 'wrong_network'],
    [{ epoch: 1 }, 'wrong_epoch'],
    [{ height: 2 }, 'wrong_height'],
    [{ height: 0 }, 'wrong_height'],
    [{ parent: other }, 'wrong_parent'],
    [{ parentView: 1 }, 'wrong_parent_view'],
    [{ view: 0 }, 'view_not_later'],
    [{ time: here.parent.time }, 'time_not_later'],
    [{ proposer: 'county' }, 'wrong_proposer'],
    [{ authoritySetDigest: other }, 'wrong_authority_set'],
    [{ nextAuthoritySetDigest: other }, 'unexpected_authority_change'],
    [{ transactionCount: 2 }, 'wrong_transaction_count'],
    [{ transactionRoot: other }, 'wrong_transaction_root'],
  ]
  for (const [change, code] of cases) {
    const result = refusal(apply(here, { ...good, header: { ...good.header, ...change } }))
    assert.equal(result.code, code, JSON.stringify(Object.keys(change)))
  }
})

test('a block over its limits is refused before its transactions are read', () => {
  const anchors = [1, 2, 3].map((sequence) => anchor(here, { sequence }))
  const few = { ...contextOf(here), parameters: { ...here.genesis.parameters } }
  few.parameters.blockTransactionsMax = 2
  const many = applyBlock(here.state, here.parent, blockOn(here, anchors), few)
  assert.deepEqual(many, { code: 'too_many_transactions', count: 3, limit: 2 })
  const garbage = Array.from({ length: 8 }, () => new Uint8Array(1_000))
  const small = { ...contextOf(here), parameters: { ...here.genesis.parameters } }
  small.parameters.blockBytesMax = 8_192
  const large = applyBlock(here.state, here.parent, blockOn(here, garbage), small)
  assert.deepEqual(large, { code: 'block_too_large', bytes: 8_024, limit: 8_192 - 1_024 })
})

test('a block that just reaches its limits is applied', () => {
  const anchors = [1, 2, 3].map((sequence) => anchor(here, { sequence }))
  const bytes = anchors.reduce((total, each) => total + each.length + 2, 0)
  const parameters = { ...here.genesis.parameters, blockTransactionsMax: 3 }
  parameters.blockBytesMax = bytes + 1_024
  const full = { ...contextOf(here), parameters }
  const block = blockOn(here, anchors)
  assert.equal(applied(applyBlock(here.state, here.parent, block, full)).receipts.length, 3)
  const less = { ...full, parameters: { ...parameters, blockBytesMax: bytes + 1_023 } }
  const result = refusal(applyBlock(here.state, here.parent, block, less))
  assert.equal(result.code, 'block_too_large')
})

test('bytes that are no transaction are named by their index', () => {
  const bytes = anchor(here)
  const result = refusal(apply(here, blockOn(here, [bytes, bytes.subarray(1)])))
  assert.equal(result.code === 'invalid_transaction' && result.index, 1)
  assert.equal(result.code === 'invalid_transaction' && result.reason.code, 'malformed')
})

test('a forged signature is found, unless the caller vouches for that very transaction', () => {
  const good = anchor(here)
  const forged = good.with(good.length - 1, (good.at(-1) ?? 0) ^ 1)
  const result = apply(here, blockOn(here, [anchor(here, { organisation: 'county' }), forged]))
  assert.deepEqual(result, {
    code: 'invalid_transaction',
    index: 1,
    reason: { code: 'bad_signature' },
  })
  const { id, signature } = decodeTransaction(good, here.digest)
  const isVerified = (seen: DecodedTransaction): boolean =>
    toHex(seen.id) === toHex(id) && toHex(seen.signature) === toHex(signature)
  const context = { ...contextOf(here), isVerified }
  assert.ok('code' in applyBlock(here.state, here.parent, blockOn(here, [forged]), context))
  assert.ok('diff' in applyBlock(here.state, here.parent, blockOn(here, [good]), context))
})

test('the predicate is asked with the decoded transaction, and what it covers is not verified', () => {
  const forged = decodedAnchor(here, { key: { ...keyOf('st-mary', 'anchor'), seed: seedOf('x') } })
  const asked: string[] = []
  const isVerified = (seen: DecodedTransaction): boolean => asked.push(toHex(seen.id)) > 0
  const context = { ...contextOf(here), isVerified }
  const result = applyBlock(here.state, here.parent, blockOn(here, [forged.bytes]), context)
  assert.ok('diff' in result)
  assert.deepEqual(asked, [toHex(forged.id)])
})

test('the proposer stops when the block is full, by count and by bytes', () => {
  const anchors = [1, 2, 3, 4].map((sequence) => decodedAnchor(here, { sequence }))
  const { parameters } = here.genesis
  const byCount = applyTransactions(
    here.state,
    { ...placeOf(here), parameters: { ...parameters, blockTransactionsMax: 2 } },
    anchors,
  )
  assert.deepEqual([byCount.included.length, byCount.considered], [2, 2])
  const size = (anchors[0]?.bytes.length ?? 0) + 2
  const room = (count: number, spare: number) => ({
    ...placeOf(here),
    parameters: { ...parameters, blockBytesMax: 1_024 + count * size + spare },
  })
  const included = (count: number, spare: number) =>
    applyTransactions(here.state, room(count, spare), anchors).included.length
  assert.equal(included(3, 0), 3)
  assert.equal(included(3, -1), 2)
  assert.equal(included(3, size - 1), 3)
})

test('what does not fit is left for the next block, not rejected', () => {
  const anchors = [1, 2, 3].map((sequence) => decodedAnchor(here, { sequence }))
  const bad = decodedAnchor(here, { organisation: 'nowhere' })
  const parameters = { ...here.genesis.parameters, blockTransactionsMax: 1 }
  const queue = [bad, ...anchors]
  const result = applyTransactions(here.state, { ...placeOf(here), parameters }, queue)
  assert.deepEqual(result.included, anchors.slice(0, 1))
  assert.deepEqual(result.rejected, [
    { transaction: bad, reason: { code: 'unknown_organisation', organisation: 'nowhere' } },
  ])
  assert.equal(result.considered, 2)
})

test('applying leaves the state it reads as it was', () => {
  const before = [...here.state.values.entries()].map(([name, value]) => [name, toHex(value)])
  applied(apply(here, blockOn(here, [anchor(here), anchor(here, { organisation: 'county' })])))
  const after = [...here.state.values.entries()].map(([name, value]) => [name, toHex(value)])
  assert.deepEqual(after, before)
})

const recipe: fc.Arbitrary<AnchorInput> = fc.record({
  organisation: fc.constantFrom('st-mary', 'county', 'laboratory', 'nowhere'),
  sequence: fc.integer({ min: 0, max: 4 }),
  root: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  expiresAt: fc.constantFrom(START, START + 1, START + MINUTE, START + 100 * MINUTE),
})

test('a block of what the proposer included gives the same diff and receipts', () => {
  const at = world({ quotaPerMinute: 3 })
  fc.assert(
    fc.property(fc.array(recipe, { maxLength: 12 }), (recipes) => {
      const queue = recipes.map((each) => decodedAnchor(at, each))
      const proposed = applyTransactions(at.state, placeOf(at), queue)
      const block = blockOn(
        at,
        proposed.included.map(({ bytes }) => bytes),
        { time: START },
      )
      const { diff, receipts } = applied(apply(at, block))
      assert.deepEqual([...diff], [...proposed.diff])
      assert.deepEqual(receipts, proposed.receipts)

      const order = proposed.included.map((each) => queue.indexOf(each))
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
      assert.equal(proposed.included.length + proposed.rejected.length, queue.length)
      const used = new Map<string, number>()
      for (const { organisation, sequence } of receipts) {
        assert.equal(sequence, (used.get(organisation) ?? 0) + 1)
        used.set(organisation, sequence)
      }
      assert.ok([...used.values()].every((count) => count <= 3))
    }),
    { numRuns: 60 },
  )
})

test('one altered byte anywhere in a transaction makes its block invalid', () => {
  const bytes = anchor(here)
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: bytes.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      (position, flip) => {
        const altered = bytes.with(position, (bytes[position] ?? 0) ^ flip)
        const result = refusal(apply(here, blockOn(here, [altered])))
        assert.equal(result.code, 'invalid_transaction')
      },
    ),
    { numRuns: 300 },
  )
})

test('sequences stay gapless over many blocks', () => {
  let at = here
  const seen: number[] = []
  for (const size of [2, 1, 3]) {
    const first = seen.length + 1
    const anchors = Array.from({ length: size }, (_, step) =>
      anchor(at, { sequence: first + step }),
    )
    const block = blockOn(at, anchors)
    for (const { sequence } of applied(apply(at, block)).receipts) seen.push(sequence ?? -1)
    at = next(at, block)
  }
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6])
  assert.equal(at.parent.height, 3)
})

test('the authorities of the fixture are those of genesis', () => {
  const voting = founders().filter(({ roles }) => roles.includes('authority'))
  assert.deepEqual(
    voting.map(({ id }) => id),
    AUTHORITIES,
  )
})

test('an expiry beyond what a time may be is refused when it is written', () => {
  const body = { organisation: 'st-mary', sequence: 1, batchRoot: seedOf('r'), sizeBucket: 1 }
  const keyPair = keyOf('st-mary', 'anchor')
  assert.throws(
    () =>
      createTransaction({
        genesisDigest: here.digest,
        keyPair,
        kind: 'record.anchor',
        expiresAt: 1e15,
        body,
      }),
    { name: 'CodecError', code: 'out_of_range' },
  )
})

test.run()
