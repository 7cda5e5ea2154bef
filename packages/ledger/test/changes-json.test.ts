import assert from 'node:assert/strict'
import { encode, toHex } from '@mooring/codec'
import { test } from 'uvu'
import { changeSchema } from '../src/change.ts'
import {
  type Change,
  changeAsJson,
  DEVNET_PARAMETERS,
  formatAdmissionJson,
  formatChangeJson,
  formatPayloadJson,
  formatRecordedChangeJson,
  LedgerError,
  parseAdmissionJson,
  parseChangeJson,
  parsePayloadJson,
  parseRecordedChangeJson,
  type Payload,
  payloadAsJson,
  recordedChangeAsJson,
} from '../src/index.ts'
import { AUTHORITIES, keyOf, seedOf, START } from './fixture.ts'
import { admission, Chain, newKey } from './governance-world.ts'

const { digest } = new Chain().at
const admit = admission(digest, 'seaside')
const place = { organisation: 'county', duty: 'consensus' } as const
const seal = { duty: 'seal', key: seedOf('county seal 2'), signature: null } as const

const CHANGES: Change[] = [
  admit,
  { kind: 'role', body: { organisation: 'seaside', role: 'authority' } },
  {
    kind: 'remove',
    body: { organisation: 'county', evidence: [Uint8Array.of(1, 2), seedOf('e')] },
  },
  { kind: 'rekey', body: { organisation: 'county', keys: [newKey(digest, place), seal] } },
  { kind: 'parameters', body: DEVNET_PARAMETERS },
  { kind: 'protocol', body: { version: 2, height: 50_000 } },
]
const [change] = CHANGES.slice(1)
assert.ok(change !== undefined)

const about = { organisation: 'county', change: seedOf('change') }
const PAYLOADS: Payload[] = [
  {
    kind: 'record.anchor',
    expiresAt: START,
    body: { organisation: 'county', sequence: 7, batchRoot: seedOf('root'), sizeBucket: 64 },
  },
  {
    kind: 'access.log',
    expiresAt: START,
    body: { organisation: 'county', sequence: 3, batchRoot: seedOf('root'), sizeBucket: 16 },
  },
  ...CHANGES.map(
    (each): Payload => ({
      kind: 'change.propose',
      expiresAt: START,
      body: { organisation: 'county', reason: 'because', expiresAt: START + 1, change: each },
    }),
  ),
  { kind: 'change.approve', expiresAt: START, body: about },
  { kind: 'change.withdraw', expiresAt: START, body: about },
  { kind: 'change.ready', expiresAt: START, body: about },
]

function problemsOf(read: () => unknown): [code: string, path: string][] {
  try {
    read()
  } catch (error) {
    assert.ok(error instanceof LedgerError)
    return error.problems.map(({ code, path }) => [code, path])
  }
  assert.fail('the document was read')
}

test('every change comes back from its JSON', () => {
  for (const each of CHANGES) {
    const text = formatChangeJson(each)
    assert.deepEqual(parseChangeJson(text), each)
    assert.equal(formatChangeJson(parseChangeJson(text)), text)
    assert.deepEqual(encode(changeSchema, parseChangeJson(text)), encode(changeSchema, each))
  }
})

test('every payload comes back from its JSON', () => {
  for (const each of PAYLOADS) assert.deepEqual(parsePayloadJson(formatPayloadJson(each)), each)
})

test('an admission is a document of its own, for a newcomer to hand on', () => {
  assert.ok(admit.kind === 'admit')
  const text = formatAdmissionJson(admit.body)
  assert.match(text, /^\{\n {2}"version": 1,\n {2}"organisation": \{\n {4}"id": "seaside",/)
  assert.deepEqual(parseAdmissionJson(text), admit.body)
})

test('an open and a passed change come back from their JSON', () => {
  const chain = new Chain()
  const proposal = chain.propose({ by: 'laboratory', change })
  const rotation = chain.propose({
    by: 'county',
    change: { kind: 'rekey', body: { organisation: 'county', keys: [newKey(digest, place)] } },
  })
  const [first = '', ...others] = AUTHORITIES
  chain.pass(admit, [first, ...others])
  chain.block(proposal, rotation)
  chain.block(chain.ready('county', rotation.id, keyOf('county', 'consensus 2')))
  const [open, waiting] = chain.open()
  assert.ok(open !== undefined && waiting !== undefined)
  const records = [open, waiting, chain.recordOf(open.id)]
  for (const record of records) {
    assert.deepEqual(parseRecordedChangeJson(formatRecordedChangeJson(record)), record)
  }
  assert.deepEqual(recordedChangeAsJson(open), {
    id: toHex(proposal.id),
    proposer: 'laboratory',
    reason: 'agreed by telephone',
    proposedAt: { height: 2, time: new Date(open.proposedAt.time).toISOString() },
    expiresAt: new Date(open.expiresAt).toISOString(),
    change: changeAsJson(change),
    approvals: [],
    ready: [],
    passedAt: null,
  })
})

test('the JSON is for people and programs: words, hex digests, base58 keys, times', () => {
  assert.deepEqual(changeAsJson(change), {
    kind: 'role',
    body: { organisation: 'seaside', role: 'authority' },
  })
  const approve = { kind: 'change.approve', expiresAt: START, body: about } as const
  assert.deepEqual(payloadAsJson(approve), {
    kind: 'change.approve',
    expiresAt: new Date(START).toISOString(),
    body: { organisation: 'county', change: toHex(about.change) },
  })
  const rekey = formatChangeJson(CHANGES[3] ?? change)
  assert.match(rekey, /"key": "[1-9A-HJ-NP-Za-km-z]{43,44}"/)
  assert.match(rekey, /"signature": "[0-9a-f]{128}"/)
  assert.match(rekey, /"signature": null/)
})

test('each problem of a change has a code and a path', () => {
  const text = formatChangeJson(change)
  const cases: [from: string, to: string, code: string, path: string][] = [
    ['"role"', '"rôle"', 'bad_value', 'kind'],
    ['"kind": "role",', '', 'missing', 'kind'],
    ['"kind": "role"', '"kind": 7', 'wrong_type', 'kind'],
    ['"kind": "role"', '"kind": "toString"', 'bad_value', 'kind'],
    ['"authority"', '"chair"', 'bad_value', 'body.role'],
    ['"seaside"', 'null', 'wrong_type', 'body.organisation'],
    ['"seaside"', '"Sea Side"', 'bad_value', 'role.organisation'],
    ['"version": 1', '"version": 2', 'bad_value', 'version'],
    ['"body"', '"why": 1, "body"', 'unknown_member', 'why'],
  ]
  for (const [from, to, code, path] of cases) {
    const changed = text.replace(from, to)
    assert.notEqual(changed, text)
    assert.deepEqual(problemsOf(() => parseChangeJson(changed))[0], [code, path], to)
  }
})

test('a change whose keys or signatures have the wrong length is refused', () => {
  const text = formatChangeJson(CHANGES[3] ?? change)
  const short = text.replace(/"signature": "[0-9a-f]{2}/, '"signature": "')
  assert.equal(problemsOf(() => parseChangeJson(short))[0]?.[0], 'bad_value')
  const unsigned = text.replace(/"signature": "[0-9a-f]+"/, '"signature": null')
  assert.equal(problemsOf(() => parseChangeJson(unsigned))[0]?.[0], 'bad_value')
})

test('a kind or a shape that does not fit names every problem', () => {
  const text = formatPayloadJson({ kind: 'change.ready', expiresAt: START, body: about })
  const mixed = text.replace('"change.ready"', '"change.propose"')
  const paths = problemsOf(() => parsePayloadJson(mixed)).map(([, path]) => path)
  assert.deepEqual(paths, ['body.reason', 'body.expiresAt', 'body.change'])
})

test.run()
