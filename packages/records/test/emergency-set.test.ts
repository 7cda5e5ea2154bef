import assert from 'node:assert/strict'
import { keyPairFromSeed } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  checkDeposit,
  type EmergencyDeposit,
  formatCard,
  genesisPrefixOf,
  locatorIdOf,
  openEmergencySet,
  openTrusteeShare,
  parseCard,
  RecordsError,
  sealEmergencySet,
  setHandleOf,
  withdrawEmergencySet,
} from '../src/index.ts'
import {
  answerOf,
  CONTENT,
  deposits,
  headerOf,
  locator,
  NOW,
  randomOf,
  readerSecret,
  request,
  sealing,
  secretOf,
  TRUSTEES,
} from './emergency-world.ts'

const { requestId } = request()
const opening = { locator, requestId, readerSecret }

test('any two of five trustees open the set, and one is down without loss', () => {
  for (const first of TRUSTEES) {
    for (const second of TRUSTEES.filter((each) => each !== first)) {
      const opened = openEmergencySet([answerOf(first), answerOf(second)], opening)
      assert.ok(opened.ok)
      assert.deepEqual(opened.content, CONTENT)
    }
  }
})

test('k - 1 trustees open nothing, and k trustees that collude open nothing without the card', () => {
  const one = openEmergencySet([answerOf('alder')], opening)
  assert.deepEqual(one, { ok: false, code: 'too_few_shares', liars: [] })
  const twice = openEmergencySet([answerOf('alder'), answerOf('alder')], opening)
  assert.equal(twice.ok, false)
  const all = TRUSTEES.map((each) => answerOf(each))
  const guessed = openEmergencySet(all, { ...opening, locator: secretOf('guess').subarray(0, 16) })
  assert.deepEqual(guessed, { ok: false, code: 'another_set', liars: [] })
  // Colluding trustees need not ask for the handle: still the key lacks the card's half.
  const header = { ...headerOf(0), setHandle: setHandleOf(new Uint8Array(16), 0) }
  const bent = all.map((each) => ({ ...each, header }))
  assert.equal(openEmergencySet(bent, { ...opening, locator: new Uint8Array(16) }).ok, false)
})

test('a share that was given for one request or version opens no other', () => {
  const old = ['alder', 'birch'].map((each) => answerOf(each, 0))
  const next = ['cedar', 'dogwood'].map((each) => answerOf(each, 1))
  const mixed = openEmergencySet([...old.slice(0, 1), ...next], opening)
  assert.ok(mixed.ok)
  assert.deepEqual(mixed.liars, ['alder'])
  const replayed = openEmergencySet(old, { ...opening, requestId: secretOf('another request') })
  assert.deepEqual(replayed, { ok: false, code: 'too_few_shares', liars: ['alder', 'birch'] })
  // After the end the header is that of the next version: the shares of the last one do not fit it.
  const stale = old.map((each) => ({ ...each, header: headerOf(1) }))
  assert.equal(openEmergencySet(stale, opening).ok, false)
})

test('a trustee that lies is named, and stops nothing', () => {
  const honest = ['alder', 'birch'].map((each) => answerOf(each))
  const lie = answerOf('cedar')
  const wrongShare = { ...lie, share: lie.share.map((byte) => byte ^ 1) }
  const wrongBytes = { ...lie, ciphertext: lie.ciphertext.map((byte) => byte ^ 1) }
  const wrongHeader = { ...lie, header: { ...lie.header, madeAt: 1 } }
  const stranger = { ...lie, organisation: 'willow' }
  for (const liar of [wrongShare, wrongBytes, wrongHeader, stranger]) {
    const opened = openEmergencySet([liar, ...honest], opening)
    assert.ok(opened.ok)
    assert.deepEqual(opened.liars, [liar.organisation])
    assert.deepEqual(opened.content, CONTENT)
  }
})

test('a trustee opens its own share only, of the version it is for', () => {
  const part = deposits[0]?.parts[0]
  assert.ok(part !== undefined)
  const secrets = [secretOf('seal alder')]
  const own = openTrusteeShare(headerOf(0), part.share, { self: 'alder', secrets })
  assert.equal(own?.index, 1)
  assert.equal(openTrusteeShare(headerOf(1), part.share, { self: 'alder', secrets }), undefined)
  assert.equal(openTrusteeShare(headerOf(0), part.share, { self: 'birch', secrets }), undefined)
  const rotated = [secretOf('seal alder 2'), ...secrets]
  assert.ok(openTrusteeShare(headerOf(0), part.share, { self: 'alder', secrets: rotated }))
})

const groupOf = (organisation: string): string | undefined =>
  TRUSTEES.includes(organisation) ? `group of ${organisation}` : undefined

function refusalOf(deposit: EmergencyDeposit | undefined, changes: object = {}) {
  assert.ok(deposit !== undefined)
  return checkDeposit(deposit, { self: 'alder', known: undefined, groupOf, ...changes })
}

test('a deposit is taken from its owner, newer than the last, whole and over separate owners', () => {
  const [deposit] = deposits
  assert.ok(deposit !== undefined)
  const { signed, parts } = deposit
  const { statement } = signed
  const thief = sealEmergencySet(
    CONTENT,
    sealing({ owner: keyPairFromSeed(secretOf('thief')), sequence: 9 }),
  )
  const of = (changes: object): EmergencyDeposit => ({
    parts,
    signed: { ...signed, statement: { ...statement, ...changes } },
  })
  const few = sealing({ trustees: sealing().trustees.slice(0, 2) })
  assert.equal(refusalOf(deposit), undefined)
  assert.equal(refusalOf(deposit, { known: { ...statement, sequence: 0 } }), undefined)
  assert.equal(refusalOf(deposit, { known: statement }), 'statement_old')
  assert.equal(refusalOf(thief[0], { known: statement }), 'statement_of_another')
  assert.equal(refusalOf(of({ sequence: 5 })), 'statement_forged')
  assert.equal(refusalOf(of({ home: 'elm' })), 'statement_incomplete')
  assert.equal(refusalOf(of({ isOptedOut: true })), 'statement_incomplete')
  assert.equal(refusalOf({ signed, parts: parts.slice(1) }), 'statement_incomplete')
  assert.equal(refusalOf({ signed, parts: parts.toReversed() }), 'statement_incomplete')
  assert.equal(refusalOf(deposit, { self: 'willow' }), 'statement_incomplete')
  assert.equal(refusalOf(sealEmergencySet(CONTENT, few)[0]), 'trustees_too_few')
  assert.equal(refusalOf(deposit, { groupOf: () => 'one owner' }), 'trustees_of_one_group')
  assert.equal(refusalOf(deposit, { groupOf: () => undefined }), 'trustees_of_one_group')
})

test('a patient takes it all back with a statement that has no versions', () => {
  const given = { ...sealing(), sequence: 2 }
  const [deposit] = deposits
  const known = deposit?.signed.statement
  assert.equal(refusalOf(withdrawEmergencySet(given, true), { known }), undefined)
  assert.equal(withdrawEmergencySet(given, true).signed.statement.isOptedOut, true)
})

test('what is sealed has no length of its own, and a bound', () => {
  const short = sealEmergencySet(new Uint8Array(10), sealing())[0]?.parts[0]
  const long = sealEmergencySet(randomOf('content')(3_000), sealing())[0]?.parts[0]
  assert.equal(short?.ciphertext.length, long?.ciphertext.length)
  const size = 300 * 1024
  assert.throws(() => sealEmergencySet(randomOf('large')(size), sealing()), RecordsError)
  assert.throws(() => sealEmergencySet(new Uint8Array(600 * 1024), sealing()), RecordsError)
})

test('a card comes back from its text, and what is no card is refused', () => {
  const card = { locator, genesisPrefix: genesisPrefixOf(secretOf('genesis')) }
  const text = formatCard(card)
  assert.deepEqual(parseCard(` ${text}\n`), card)
  assert.match(text, /^mooring-emergency:1:[\w-]{22}:[0-9a-f]{16}$/)
  for (const wrong of ['', 'mooring-ticket:1:a:b', text.slice(0, -1), `${text}:more`]) {
    assert.throws(() => parseCard(wrong), RecordsError)
  }
  assert.throws(() => parseCard(text.replace(/1:.{4}/, '1:')), RecordsError)
  assert.throws(() => parseCard(text.replace(/1:.{4}/, '1:????')), RecordsError)
})

test('names of versions do not tell that they belong together', () => {
  const handles = [0, 1, 2].map((version) => headerOf(version).setHandle)
  assert.equal(new Set(handles.map(String)).size, 3)
  assert.deepEqual(headerOf(0).locatorId, locatorIdOf(locator))
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (a, b) => {
      const isSame = String(setHandleOf(locator, a)) === String(setHandleOf(locator, b))
      assert.equal(isSame, a === b)
    }),
    { numRuns: 50 },
  )
})

test('the time of a deposit is the wallet’s, and every version has it', () => {
  assert.ok([0, 1, 2].every((version) => headerOf(version).madeAt === NOW))
})

test.run()
