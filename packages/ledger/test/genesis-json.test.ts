import assert from 'node:assert/strict'
import { test } from 'uvu'
import {
  encodeGenesis,
  formatGenesisJson,
  genesisDigest,
  type DocumentProblem,
  LedgerError,
  parseGenesisJson,
} from '../src/index.ts'
import { world } from './fixture.ts'

const { genesis } = world()
const text = formatGenesisJson(genesis)

function problemsOf(changed: string): readonly DocumentProblem[] {
  try {
    parseGenesisJson(changed)
  } catch (error) {
    assert.ok(error instanceof LedgerError)
    assert.equal(error.code, error.problems[0]?.code)
    assert.equal(error.path, error.problems[0]?.path)
    for (const { path } of error.problems) assert.ok(error.message.includes(path))
    return error.problems
  }
  assert.fail('the document was read')
}

function codesOf(changed: string): [code: string, path: string][] {
  return problemsOf(changed).map(({ code, path }) => [code, path])
}

/** The document with the first occurrence of a text replaced. */
function replaced(from: string | RegExp, to: string): string {
  const changed = text.replace(from, to)
  assert.notEqual(changed, text)
  return changed
}

test('the text parses back to the same canonical bytes', () => {
  const parsed = parseGenesisJson(text)
  assert.deepEqual(encodeGenesis(parsed), encodeGenesis(genesis))
  assert.deepEqual(genesisDigest(parsed), genesisDigest(genesis))
  assert.equal(formatGenesisJson(parsed), text)
})

test('the text is for people: times, names, base58 keys, hex signatures', () => {
  assert.match(text, /^\{\n {2}"version": 1,\n {2}"networkName": "fixture",/)
  assert.match(text, /"time": "2026-11-19T09:59:50\.000Z"/)
  assert.match(text, /"id": "st-mary"/)
  assert.match(text, /"governance": "[1-9A-HJ-NP-Za-km-z]{43,44}"/)
  assert.match(text, /"issuer": null/)
  assert.match(text, /"signature": "[0-9a-f]{128}"/)
})

test('order of members and layout do not matter', () => {
  const document: Record<string, unknown> = JSON.parse(text)
  const { organisations, ...rest } = document
  const shuffled = JSON.stringify({ organisations, ...rest })
  assert.deepEqual(encodeGenesis(parseGenesisJson(shuffled)), encodeGenesis(genesis))
})

test('a time may leave out the fraction', () => {
  const parsed = parseGenesisJson(replaced('59:50.000Z', '59:50Z'))
  assert.equal(parsed.time, genesis.time)
})

test('each problem has a code and the path in the document', () => {
  const cases: [changed: string, code: string, path: string][] = [
    [replaced('"version": 1,', ''), 'missing', 'version'],
    [replaced('"version": 1', '"version": 2'), 'bad_value', 'version'],
    [replaced('"version": 1', '"version": "1"'), 'bad_value', 'version'],
    [replaced('"networkName": "fixture",', ''), 'missing', 'networkName'],
    [replaced('"fixture"', '7'), 'wrong_type', 'networkName'],
    [replaced('"fixture"', '"Fixture"'), 'bad_value', 'networkName'],
    [replaced('"deltaMs": 150', '"deltaMs": 150.0'), 'bad_value', 'parameters.deltaMs'],
    [replaced('"deltaMs": 150', '"deltaMs": -1'), 'bad_value', 'parameters.deltaMs'],
    [replaced('"deltaMs": 150', '"deltaMs": 1e2'), 'bad_value', 'parameters.deltaMs'],
    [replaced('"deltaMs": 150', '"deltaMs": "150"'), 'wrong_type', 'parameters.deltaMs'],
    [replaced('"deltaMs": 150', '"deltaMs": 60001'), 'bad_value', 'parameters.deltaMs'],
    [replaced('"deltaMs": 150', '"deltaMs": 9007199254740993'), 'bad_value', 'parameters.deltaMs'],
    [replaced('"deltaMs"', '"delta"'), 'missing', 'parameters.deltaMs'],
    [replaced('-11-19T', '-02-30T'), 'bad_value', 'time'],
    [replaced('T09:59', ' 09:59'), 'bad_value', 'time'],
    [replaced('50.000Z', '50.000+01:00'), 'bad_value', 'time'],
    [replaced('T09:59', 'T24:59'), 'bad_value', 'time'],
    [replaced('"authority"', '"chair"'), 'bad_value', 'organisations[0].organisation.roles[0]'],
    [replaced('"st-mary"', '"St Mary"'), 'bad_value', 'organisations[0].organisation.id'],
    [
      replaced(/"governance": ".{4}/, '"governance": "0OIl'),
      'bad_value',
      'organisations[0].organisation.keys.governance',
    ],
    [
      replaced(/"seal": ".{8}/, '"seal": "'),
      'bad_value',
      'organisations[0].organisation.keys.seal',
    ],
    [replaced(/"signature": ".{2}/, '"signature": "AB'), 'bad_value', 'organisations[0].signature'],
    [replaced(/"signature": ".{2}/, '"signature": "'), 'bad_value', 'organisations[0].signature'],
  ]
  for (const [changed, code, path] of cases) assert.deepEqual(codesOf(changed)[0], [code, path])
})

test('members nobody knows are refused wherever they stand', () => {
  assert.deepEqual(codesOf(replaced('"deltaMs"', '"chainId": 1, "deltaMs"')), [
    ['unknown_member', 'parameters.chainId'],
  ])
  assert.deepEqual(codesOf(replaced('"id"', '"__proto__": 1, "id"')), [
    ['unknown_member', 'organisations[0].organisation.__proto__'],
  ])
})

test('all problems are told at once', () => {
  const changed = replaced('"deltaMs": 150', '"deltaMS": 150').replace('"county"', '9')
  assert.deepEqual(codesOf(changed), [
    ['missing', 'parameters.deltaMs'],
    ['unknown_member', 'parameters.deltaMS'],
    ['wrong_type', 'organisations[2].organisation.id'],
  ])
})

test('text with two readings is no document', () => {
  assert.deepEqual(codesOf(`{${text}`), [['not_json', '']])
  assert.deepEqual(codesOf(replaced('"version": 1', '"version": 1, "version": 1')), [
    ['not_json', ''],
  ])
  assert.match(problemsOf('{')[0]?.detail ?? '', /line 1/)
  assert.deepEqual(codesOf('[]'), [['wrong_type', '']])
})

test.run()
