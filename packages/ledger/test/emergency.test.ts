import assert from 'node:assert/strict'
import { decode, encode } from '@mooring/codec'
import { domainHash, type KeyPair } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  applyBlock,
  checkTransaction,
  createTransaction,
  decodeTransaction,
  EMERGENCIES_PER_HOUR,
  EMERGENCY_REASON_MS,
  type EmergencyClose,
  emergencyOf,
  type EmergencyOpen,
  firstOpeningOf,
  formatPayloadJson,
  parsePayloadJson,
} from '../src/index.ts'
import { openingsWithin } from '../src/emergency.ts'
import { payloadSchema } from '../src/transaction.ts'
import {
  blockOn,
  contextOf,
  keyOf,
  MINUTE,
  placeOf,
  seedOf,
  START,
  type World,
  world,
} from './fixture.ts'

const HOUR = 60 * MINUTE
const here = world()

const named = (what: string): Uint8Array => domainHash('emergency-fixture', seedOf(what))

type Input = { organisation?: string; key?: KeyPair; time?: number }

function opening(input: Input & Partial<EmergencyOpen> & { request?: string; set?: string } = {}) {
  const { organisation = 'st-mary', time = START, request = 'r', set = 's' } = input
  return createTransaction({
    genesisDigest: here.digest,
    keyPair: input.key ?? keyOf(organisation, 'anchor'),
    kind: 'emergency.open',
    expiresAt: time + MINUTE,
    body: {
      organisation,
      requestId: named(request),
      credentialCommit: named('credential'),
      reason: input.reason ?? 'unconscious',
      setHandle: named(set),
    },
  })
}

function closing(input: Input & Partial<EmergencyClose> & { request?: string } = {}) {
  const { organisation = 'st-mary', time = START, request = 'r' } = input
  return createTransaction({
    genesisDigest: here.digest,
    keyPair: input.key ?? keyOf(organisation, 'anchor'),
    kind: 'emergency.close',
    expiresAt: time + MINUTE,
    body: {
      organisation,
      requestId: named(request),
      outcome: 'treated',
      reasonCommit: named('reason'),
    },
  })
}

function after(at: World, transactions: Uint8Array[], time = START): World {
  const applied = applyBlock(
    at.state,
    at.parent,
    blockOn(at, transactions, { time }),
    contextOf(at),
  )
  if ('code' in applied) assert.fail(`invalid block: ${JSON.stringify(applied)}`)
  return { ...at, state: at.state.after(applied.diff) }
}

function refusalOf(at: World, transaction: Uint8Array, time = START): string | undefined {
  const decoded = decodeTransaction(transaction, at.digest)
  return checkTransaction(at.state, placeOf(at, time), decoded)?.code
}

test('an opening and its close leave what trustees and reviewers go by', () => {
  const open = after(here, [opening()])
  const opened = emergencyOf(open.state, named('r'))
  assert.deepEqual(opened, {
    organisation: 'st-mary',
    credentialCommit: named('credential'),
    reason: 'unconscious',
    setHandle: named('s'),
    openedAt: { height: 1, time: START },
    closed: null,
  })
  const first = firstOpeningOf(open.state, named('s'))
  assert.deepEqual(first, { requestId: named('r'), time: START })
  const time = START + 2 * HOUR
  const closed = after(open, [closing({ time })], time)
  assert.deepEqual(emergencyOf(closed.state, named('r'))?.closed, {
    height: 1,
    time,
    outcome: 'treated',
    reasonCommit: named('reason'),
  })
})

test('each reason to refuse an opening has its code', () => {
  const at = after(here, [opening()])
  const cases: [Uint8Array, string | undefined][] = [
    [opening({ request: 'other', set: 'other' }), undefined],
    [opening({ set: 'other' }), 'emergency_seen'],
    [opening({ organisation: 'county', set: 'other' }), 'emergency_seen'],
    [opening({ request: 'other' }), undefined],
    [
      opening({ request: 'other', set: 'other', key: keyOf('st-mary', 'governance') }),
      'wrong_signer',
    ],
    [opening({ request: 'other', set: 'other', key: keyOf('county', 'anchor') }), 'wrong_signer'],
    [opening({ organisation: 'seaside' }), 'unknown_organisation'],
  ]
  for (const [transaction, code] of cases) assert.equal(refusalOf(at, transaction), code)
})

test('a version may be opened again, and its time runs from the first opening', () => {
  const at = after(here, [opening({ organisation: 'county', request: 'thief' })])
  assert.equal(refusalOf(at, opening()), undefined)
  const both = after(at, [opening({ time: START + MINUTE })], START + MINUTE)
  assert.deepEqual(firstOpeningOf(both.state, named('s')), {
    requestId: named('thief'),
    time: START,
  })
})

test('each reason to refuse a close has its code', () => {
  const open = after(here, [opening()])
  const closed = after(open, [closing()])
  const due = START + EMERGENCY_REASON_MS
  assert.equal(refusalOf(here, closing()), 'unknown_emergency')
  assert.equal(refusalOf(open, closing({ organisation: 'county' })), 'not_the_opener')
  assert.equal(refusalOf(open, closing({ key: keyOf('county', 'anchor') })), 'wrong_signer')
  assert.equal(refusalOf(closed, closing()), 'emergency_closed')
  assert.equal(refusalOf(open, closing({ time: due }), due), undefined)
  assert.equal(refusalOf(open, closing({ time: due + 1 }), due + 1), 'emergency_overdue')
})

test('thirty openings within an hour, and one more as soon as the first is an hour old', () => {
  let at = here
  for (let count = 0; count < EMERGENCIES_PER_HOUR; count += 1) {
    const time = START + count * MINUTE
    at = after(at, [opening({ request: `r${count}`, set: `s${count}`, time })], time)
  }
  const last = START + (EMERGENCIES_PER_HOUR - 1) * MINUTE
  const next = (time: number) => opening({ request: 'next', set: 'next', time })
  assert.equal(refusalOf(at, next(last), last), 'emergency_rate')
  const hourLater = START + HOUR
  assert.equal(refusalOf(at, next(hourLater - 1), hourLater - 1), 'emergency_rate')
  assert.equal(refusalOf(at, next(hourLater), hourLater), undefined)
  const others = opening({ organisation: 'county', request: 'c', set: 'c', time: last })
  assert.equal(refusalOf(at, others, last), undefined)
  const decoded = decodeTransaction(next(last), at.digest)
  assert.deepEqual(checkTransaction(at.state, placeOf(at, last), decoded), {
    code: 'emergency_rate',
    organisation: 'st-mary',
    limit: EMERGENCIES_PER_HOUR,
    resetsAt: hourLater,
  })
})

test('an organisation whose traffic has used up its minute can still open', () => {
  const narrow = world({ quotaPerMinute: 1 })
  const body = {
    organisation: 'st-mary',
    requestId: named('r'),
    credentialCommit: named('c'),
    reason: 'disaster',
    setHandle: named('s'),
  } as const
  const shared = { genesisDigest: narrow.digest, keyPair: keyOf('st-mary', 'anchor') }
  const open = createTransaction({
    ...shared,
    kind: 'emergency.open',
    expiresAt: START + MINUTE,
    body,
  })
  const anchor = createTransaction({
    ...shared,
    kind: 'record.anchor',
    expiresAt: START + MINUTE,
    body: { organisation: 'st-mary', sequence: 1, batchRoot: named('batch'), sizeBucket: 64 },
  })
  const used = after(narrow, [anchor])
  assert.equal(refusalOf(used, open), undefined)
})

test('whatever the times, no hour has more openings than the limit', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 3 * MINUTE }), { minLength: 35, maxLength: 60 })
  fc.assert(
    fc.property(gaps, (steps) => {
      let at = here
      let time = START
      const taken: number[] = []
      for (const [count, step] of steps.entries()) {
        time += step
        const transaction = opening({ request: `r${count}`, set: `s${count}`, time })
        if (refusalOf(at, transaction, time) !== undefined) continue
        at = after(at, [transaction], time)
        taken.push(time)
        const recent = taken.filter((each) => each > time - HOUR)
        assert.ok(recent.length <= EMERGENCIES_PER_HOUR)
        assert.deepEqual(openingsWithin(at.state, 'st-mary', time), recent)
      }
    }),
    { numRuns: 20 },
  )
})

test('both kinds have a JSON form, and reasons that are no code are refused', () => {
  for (const bytes of [opening(), closing()]) {
    const { payload } = decodeTransaction(bytes, here.digest)
    assert.deepEqual(parsePayloadJson(formatPayloadJson(payload)), payload)
  }
  const { payload } = decodeTransaction(opening(), here.digest)
  const encoded = encode(payloadSchema, payload)
  const at = Buffer.from(encoded).indexOf('unconscious')
  assert.deepEqual(decode(payloadSchema, encoded), payload)
  encoded.set(new TextEncoder().encode('Mr Smith ok'), at)
  assert.throws(() => decode(payloadSchema, encoded), { code: 'unknown_variant' })
})

test.run()
