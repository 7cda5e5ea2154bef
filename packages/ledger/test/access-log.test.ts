import assert from 'node:assert/strict'
import { CodecError, decode, encode } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  accessKey,
  anchorKey,
  applyBlock,
  checkTransaction,
  countersOf,
  decodeTransaction,
  payerOf,
  placeOf,
} from '../src/index.ts'
import { type Counters, countersSchema } from '../src/quota.ts'
import {
  accessBatch,
  anchor,
  type AnchorInput,
  blockOn,
  contextOf,
  keyOf,
  placeOf as placeIn,
  START,
  type World,
  world,
} from './fixture.ts'

const here = world()

function after(at: World, transactions: Uint8Array[]): World {
  const applied = applyBlock(at.state, at.parent, blockOn(at, transactions), contextOf(at))
  if ('code' in applied) assert.fail(`invalid block: ${JSON.stringify(applied)}`)
  return { ...at, state: at.state.after(applied.diff) }
}

function refusalOf(at: World, input: AnchorInput): string | undefined {
  const transaction = decodeTransaction(accessBatch(at, input), at.digest)
  return checkTransaction(at.state, placeIn(at, START), transaction)?.code
}

test('access batches have a sequence of their own, and so have anchors', () => {
  const at = after(here, [anchor(here), accessBatch(here), accessBatch(here, { sequence: 2 })])
  const { anchorSequence, accessSequence, used } = countersOf(at.state, 'st-mary')
  assert.deepEqual([anchorSequence, accessSequence, used], [1, 2, 3])
  const transaction = decodeTransaction(accessBatch(here), here.digest)
  assert.equal(payerOf(transaction), 'st-mary')
  assert.deepEqual(placeOf(transaction), { counter: 'accessSequence', sequence: 1 })
})

test('each reason to refuse an access batch has its code', () => {
  const at = after(here, [accessBatch(here)])
  const cases: [AnchorInput, string | undefined][] = [
    [{ sequence: 2 }, undefined],
    [{ sequence: 1, root: 'another' }, 'wrong_sequence'],
    [{ sequence: 3 }, 'wrong_sequence'],
    [{ sequence: 2, root: 'st-mary 1' }, 'root_seen'],
    [{ sequence: 2, key: keyOf('st-mary', 'governance') }, 'wrong_signer'],
    [{ sequence: 2, key: keyOf('county', 'anchor') }, 'wrong_signer'],
    [{ organisation: 'seaside' }, 'unknown_organisation'],
  ]
  for (const [input, code] of cases) assert.equal(refusalOf(at, input), code, `${code}`)
})

test('one root may stand in an anchor, in an access batch, and in those of others', () => {
  const root = 'the same'
  const at = after(here, [
    anchor(here, { root }),
    accessBatch(here, { root }),
    accessBatch(here, { organisation: 'county', root }),
  ])
  const { payload } = decodeTransaction(accessBatch(here, { root }), here.digest)
  assert.ok(payload.kind === 'access.log')
  const { batchRoot } = payload.body
  assert.ok(at.state.get(anchorKey('st-mary', batchRoot)) !== undefined)
  assert.ok(at.state.get(accessKey('st-mary', batchRoot)) !== undefined)
  assert.ok(at.state.get(accessKey('county', batchRoot)) !== undefined)
  assert.equal(at.state.get(anchorKey('county', batchRoot)), undefined)
})

const counter = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const counters: fc.Arbitrary<Counters> = fc.record(
  {
    anchorSequence: counter,
    accessSequence: fc.oneof(fc.constant(0), counter),
    minute: counter,
    used: counter,
  },
  { noNullPrototype: true },
)

test('counters come back, and without an access batch are what they were before there were any', () =>
  fc.assert(
    fc.property(counters, (value) => {
      const bytes = encode(countersSchema, value)
      assert.deepEqual(decode(countersSchema, bytes), value)
      assert.equal(bytes[1], value.accessSequence === 0 ? 1 : 2)
      assert.equal((bytes[0] ?? 0) & 0x1f, value.accessSequence === 0 ? 4 : 5)
    }),
  ))

test('counters have one spelling', () => {
  const cases: [number[], string][] = [
    [[0x85, 2, 1, 1, 1, 0], 'not_canonical'],
    [[0x84, 2, 1, 1, 1], 'wrong_type'],
    [[0x85, 1, 1, 1, 1, 1], 'wrong_type'],
    [[0x84, 0, 1, 1, 1], 'unknown_version'],
    [[0x86, 3, 1, 1, 1, 1, 1], 'unknown_version'],
  ]
  for (const [bytes, code] of cases) {
    assert.throws(
      () => decode(countersSchema, Uint8Array.from(bytes)),
      (error) => error instanceof CodecError && error.code === code,
    )
  }
})

test.run()
