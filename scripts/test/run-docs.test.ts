/*
 * Which blocks of a document are commands to run, and what happens when one of them fails.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { testBlocks } from '../doc-blocks.ts'

const RUN_DOCS = join(import.meta.dirname, '..', 'run-docs.ts')

const block = (info: string, ...lines: string[]) => ['```' + info, ...lines, '```', ''].join('\n')

function runDocument(text: string, ...args: string[]): { status: number | null; lines: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-docs-'))
  try {
    writeFileSync(join(folder, 'page.md'), text)
    const all = [RUN_DOCS, 'page.md', ...args]
    const { status, stdout } = spawnSync(process.execPath, all, { cwd: folder, encoding: 'utf8' })
    return { status, lines: stdout.trimEnd().split('\n') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('only sh blocks that say test are taken, with their line', () => {
  const text = [
    '# Title',
    block('sh', 'echo shown'),
    block('sh test', 'echo one', 'echo two'),
    block('text', 'sh test'),
    block('sh test slow', 'echo three'),
    block('ts test', 'import x'),
  ].join('\n')
  assert.deepEqual(testBlocks(text), [
    { line: 6, commands: 'echo one\necho two' },
    { line: 15, commands: 'echo three' },
  ])
})

test('a fence inside a longer fence is text', () => {
  assert.deepEqual(testBlocks(['````md', block('sh test', 'echo no'), '````'].join('\n')), [])
  assert.deepEqual(testBlocks(['~~~', block('sh test', 'echo no'), '~~~'].join('\n')), [])
})

test('a block inside a list loses the indent of its fence and keeps its own', () => {
  const text = [
    '1. Do this:',
    '',
    '   ```sh test',
    '   if true; then',
    '     echo',
    '   fi',
    '   ```',
  ]
  assert.deepEqual(testBlocks(text.join('\n')), [
    { line: 3, commands: 'if true; then\n  echo\nfi' },
  ])
})

test('a block that is not closed is an error', () => {
  assert.throws(() => testBlocks('```sh test\necho one\n'), /line 1 is not closed/)
})

test('blocks share one shell, and all of them count', () => {
  const text = block('sh test', 'name=county') + block('sh test', 'test "$name" = county')
  const { status, lines } = runDocument(text)
  assert.equal(status, 0)
  assert.deepEqual(lines, ['ok    page.md  2', '2 passed, 0 failed'])
})

test('the first failing command ends the document and is named', () => {
  const text = block('sh test', 'true') + block('sh test', 'false | cat', 'true') + block('sh test')
  const { status, lines } = runDocument(text)
  assert.equal(status, 1)
  assert.equal(lines[0], 'FAIL  page.md:4  exit code 1')
  assert.equal(lines.at(-1), '1 passed, 1 failed')
})

test('a document that ends the shell before its last block is red', () => {
  const { status, lines } = runDocument(block('sh test', 'exit 0') + block('sh test', 'false'))
  assert.equal(status, 1)
  assert.equal(lines.at(-1), '0 passed, 1 failed')
})

test('a document that hangs is red after its time', () => {
  const { status, lines } = runDocument(block('sh test', 'read -r < <(sleep 60)'), '--timeout', '1')
  assert.equal(status, 1)
  assert.equal(lines[0], 'FAIL  page.md:1  not finished after 1 s')
})

test('a document without a block to run is red', () => {
  const { status, lines } = runDocument('# Nothing here\n')
  assert.equal(status, 1)
  assert.deepEqual(lines, ['FAIL  page.md  has no block that ran', '0 passed, 1 failed'])
})

test.run()
