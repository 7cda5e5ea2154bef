import assert from 'node:assert/strict'
import { ACCESS_REFUSALS } from '@mooring/records'
import { StorageError } from '@mooring/storage'
import { NetworkError } from '@mooring/network'
import { test } from 'uvu'
import {
  failureDocument,
  failureOf,
  formatExplanation,
  formatFailure,
  wrap,
} from '../src/error-text.ts'
import { allErrors, catalogEntry, entryOf, explain } from '../src/errors.ts'
import { NodeError } from '../src/node-error.ts'

test('every number has one text, in its range, with something to do about it', () => {
  const ranges: Record<string, RegExp> = {
    node: /^MOR-[1345]/,
    access: /^MOR-54/,
    holder: /^MOR-54/,
    peer: /^MOR-54/,
    storage: /^MOR-1/,
    network: /^MOR-2/,
    alert: /^MOR-2/,
    halt: /^MOR-3/,
    block: /^MOR-3/,
    api: /^MOR-(4|51)/,
    transaction: /^MOR-[45]/,
    submission: /^MOR-5/,
    custody: /^MOR-5/,
    codec: /^MOR-5/,
    crypto: /^MOR-5/,
  }
  for (const { entry, codes } of allErrors()) {
    assert.match(entry.mor, /^MOR-[1-6]\d{3}$/)
    assert.ok(entry.fix.length > 0, entry.mor)
    assert.match(entry.title, /^[A-Z].*[^.]$/)
    assert.match(entry.meaning, /[.}]$/)
    assert.ok(entry.status >= 400 && entry.status < 600, entry.mor)
    const exitCodes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert.ok(exitCodes.includes(entry.exitCode), entry.mor)
    for (const code of codes) {
      const range = ranges[code.split('/')[0] ?? '']
      if (range !== undefined) assert.match(entry.mor, range, code)
    }
  }
  const titles = allErrors().map(({ entry }) => entry.title)
  assert.equal(new Set(allErrors().map(({ entry }) => entry.mor)).size, titles.length)
})

test('a text is found by number, by code and by table and code', () => {
  for (const word of ['MOR-1010', '1010', 'mor-1010', 'locked', 'storage/locked']) {
    assert.equal(explain(word)?.entry.mor, 'MOR-1010', word)
  }
  assert.equal(explain('MOR-9999'), undefined)
  assert.equal(explain('toString'), undefined)
  assert.equal(catalogEntry('toString'), undefined)
  const text = formatExplanation(...entryAndCodes('MOR-1012'))
  assert.match(text, /^MOR-1012 {2}Others on this computer may read a key\n/)
  assert.match(text, /<path> has mode <mode>/)
  assert.match(text, /exit code 3, HTTP status 500/)
})

function entryAndCodes(word: string) {
  const found = explain(word)
  assert.ok(found)
  return [found.entry, found.codes] as const
}

test('every reason of a holder to give out nothing has a text of its own, and no other table hides it', () => {
  const numbers = ACCESS_REFUSALS.map((code) => {
    const found = catalogEntry(code)
    assert.ok(found !== undefined, code)
    assert.match(found.mor, /^MOR-54/, code)
    assert.ok([5, 6, 7, 8].includes(found.exitCode), code)
    return found.mor
  })
  assert.equal(new Set(numbers).size, ACCESS_REFUSALS.length)
})

test('one word of two packages is told apart by the class of the error', () => {
  const ours = entryOf(new StorageError('wrong_network', 'another genesis'))
  const theirs = entryOf(new NetworkError('wrong_network', 'another genesis'))
  assert.equal(ours?.mor, 'MOR-1025')
  assert.equal(theirs?.mor, 'MOR-2004')
  assert.equal(ours?.exitCode, 13)
})

test('an error is told in four parts, no line longer than 80 unless it is a command', () => {
  const path = '/srv/mooring/keys/consensus.json'
  const text = formatFailure(failureOf(new NodeError('key_open', { path, mode: '0644' })))
  assert.equal(
    text,
    `error: others on this computer may read a key (MOR-1012)
  /srv/mooring/keys/consensus.json has mode 0644. Who has read it can act as
  this node.
  → Close it:
      chmod 0600 /srv/mooring/keys/consensus.json   (and replace the key if anyone may have looked)
  More: mooring explain MOR-1012
`,
  )
  for (const { entry, codes } of allErrors()) {
    const [table = '', code = ''] = (codes[0] ?? '').split('/')
    if (table !== 'node' && table !== 'command') continue
    const failure = {
      entry,
      code,
      what: entry.title,
      where: entry.meaning,
      rows: [],
      fix: entry.fix,
    }
    for (const line of formatFailure({ ...failure, stack: undefined }).split('\n')) {
      assert.ok(line.length <= 80 || /^ {4,6}/.test(line) || line.includes('→'), line)
    }
  }
})

test('problems of a configuration are told one a line, with place and source', () => {
  const problems = [
    { where: '12:1', source: '[http] listn = "0.0.0.0:7421"', sentence: 'unknown key "listn".' },
    { where: 'env', source: 'MOORING_P2P_MAX_PEERS=lots', sentence: 'expected an integer 1..1000' },
  ]
  const error = new NodeError('options_invalid', { path: '/srv/m.toml' }, { problems })
  assert.equal(
    formatFailure(failureOf(error)).split('  →')[0],
    `error: 2 problems in /srv/m.toml (MOR-1003)
  12:1  [http] listn = "0.0.0.0:7421"  unknown key "listn".
  env   MOORING_P2P_MAX_PEERS=lots     expected an integer 1..1000
`,
  )
  const document = failureDocument(failureOf(error))
  assert.equal(document['mor'], 'MOR-1003')
  assert.equal(document['exitCode'], 3)
  assert.equal(Array.isArray(document['errors']) && document['errors'].length, 2)
})

test('a bug is told without its stack, unless that is asked for twice', () => {
  const failure = failureOf(new TypeError('x is not a function'))
  assert.equal(failure.entry.mor, 'MOR-1000')
  assert.equal(failure.entry.exitCode, 1)
  assert.ok(!formatFailure(failure, 1).includes('errors.test.ts'))
  assert.ok(formatFailure(failure, 2).includes('errors.test.ts'))
  assert.equal(failureOf('thrown text').where, 'thrown text')
})

test('what the operating system refuses is no bug', () => {
  const denied = Object.assign(new Error("EACCES: permission denied, open '/srv/x'"), {
    code: 'EACCES',
    syscall: 'open',
  })
  assert.equal(failureOf(denied).entry.mor, 'MOR-1035')
  assert.match(formatFailure(failureOf(denied)), /EACCES: permission denied, open '\/srv\/x'/)
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' })
  assert.equal(failureOf(full).entry.exitCode, 11)
})

test('wrapping keeps words whole and never loses one', () => {
  const words = Array.from({ length: 60 }, (_, index) => 'w'.repeat((index * 7) % 23) + index)
  const lines = wrap(words.join(' '), '    ')
  assert.deepEqual(lines.join(' ').split(' ').filter(Boolean), words)
  for (const line of lines) assert.ok(line.length <= 80 && line.startsWith('    '))
  assert.deepEqual(wrap('x'.repeat(100), '  '), [`  ${'x'.repeat(100)}`])
})

test.run()
