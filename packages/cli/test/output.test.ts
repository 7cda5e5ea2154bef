import assert from 'node:assert/strict'
import { test } from 'uvu'
import { hasColour, widthOf } from '../src/context.ts'
import {
  createOutput,
  formatAge,
  formatBytes,
  formatCount,
  formatFields,
  formatSeconds,
  formatTable,
  shortDigest,
  shortPeerId,
} from '../src/output.ts'
import { inWorld } from './world.ts'

test('a table has one line a row, columns as wide as their longest cell, numbers to the right', () => {
  const rows = [
    { name: 'st-mary', height: 7 },
    { name: 'zoë', height: 1207 },
  ]
  const text = formatTable(rows, [
    { title: 'node', value: (row) => row.name },
    { title: 'height', value: (row) => String(row.height), align: 'right' },
  ])
  assert.equal(text, 'node     height\nst-mary       7\nzoë        1207\n')
  assert.equal(formatTable([], [{ title: 'node', value: String }]), 'node\n')
})

test('names and values stand in two columns', () => {
  assert.equal(
    formatFields([
      ['a', '1'],
      ['long', '2'],
      ['none', ''],
    ]),
    'a     1\nlong  2\nnone',
  )
})

test('what others wrote neither steers the terminal nor makes a line of its own', () => {
  const written: string[] = []
  const sink = { write: (text: string) => written.push(text) > 0, isTTY: true }
  const output = createOutput({ stdout: sink, stderr: sink, env: {} }, {})
  const evil = 'Ada\u001b[2J\u009b31m\u202e\r\u0007\u001b[8m\u001b]0;x\u0007\nforged'
  output.text(`${output.bad('FAILED')} ${evil}`)
  output.note(evil)
  const shown = 'Ada\\u001b[2J\\u009b31m\\u202e\\u000d\\u0007\\u001b[8m\\u001b]0;x\\u0007'
  assert.deepEqual(written, [`\u001b[31mFAILED\u001b[0m ${shown}\nforged\n`, `${shown}\nforged\n`])
  const table = formatTable([evil], [{ title: 'who', value: (row) => row }])
  assert.equal(table, `who\n${shown}\\u000aforged\n`)
})

test('digests, counts, sizes and times are short', () => {
  assert.equal(shortDigest(`9f3c${'0'.repeat(58)}a1`), '9f3c…a1')
  assert.equal(shortDigest('abc'), 'abc')
  assert.equal(shortPeerId('12D3KooWQbLf4sTqKGqXqVvJfZ5'), '12D3KooWQbLf…')
  assert.deepEqual([0, 999, 1_000, 1_234_567].map(formatCount), ['0', '999', '1 000', '1 234 567'])
  assert.deepEqual([0, 1023, 1024, 222_298_112].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '212 MiB',
  ])
  assert.deepEqual([0, 400, 47_000, 600_000, 8_000_000].map(formatSeconds), [
    '0.0 s',
    '0.4 s',
    '47 s',
    '10 min',
    '2 h',
  ])
  const now = new Date('2026-11-20T09:31:09Z')
  assert.equal(formatAge('2026-11-20T09:31:07Z', now), '2.0 s ago')
  assert.equal(formatAge('2026-11-20T09:31:10Z', now), 'now')
})

test('colour is for a terminal, and for nothing that asks to do without', () =>
  inWorld(async ({ run }) => {
    const escape = '\u001b['
    const stdout = { write: () => true, isTTY: true }
    const context = { stdout, env: {} }
    assert.equal(hasColour(context, {}), true)
    assert.equal(hasColour({ ...context, stdout: { write: () => true } }, {}), false)
    assert.equal(hasColour({ ...context, env: { NO_COLOR: '1' } }, {}), false)
    assert.equal(hasColour({ ...context, env: { TERM: 'dumb' } }, {}), false)
    assert.equal(hasColour(context, { color: false }), false)
    assert.equal(hasColour(context, { json: true }), false)
    assert.ok(!(await run('explain MOR-1010')).stdout.includes(escape))
  }))

test('COLUMNS decides the width of a help', () => {
  assert.equal(widthOf({ write: () => true, columns: 120 }, {}), 120)
  assert.equal(widthOf({ write: () => true, columns: 120 }, { COLUMNS: '60' }), 60)
  assert.equal(widthOf({ write: () => true }, { COLUMNS: 'wide' }), 80)
})

test.run()
