import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import { problemOf, Refusal } from '../../api/src/errors.ts'
import { failureDocument, failureOf, formatExplanation } from '../src/error-text.ts'
import { allErrors, allTexts, catalogEntry, explain } from '../src/errors.ts'

const ROOT = new URL('../../../', import.meta.url).pathname
const PAGE = readFileSync(`${ROOT}docs/reference/errors.md`, 'utf8')

test('acceptance 11: every code has a text for people, a number, and explain finds it', () => {
  for (const { code, entry } of allTexts()) {
    const found = explain(code)
    assert.equal(found?.entry.mor, entry.mor, code)
    assert.ok(found.codes.includes(code))
    const text = formatExplanation(entry, found.codes)
    assert.ok(text.startsWith(`${entry.mor}  ${entry.title}\n`), code)
  }
})

test('acceptance 11: one number is one text, whatever package says it', () => {
  for (const { code, entry } of allTexts()) {
    const { title, meaning, exitCode } = explain(entry.mor)?.entry ?? {}
    assert.deepEqual([title, meaning, exitCode], [entry.title, entry.meaning, entry.exitCode], code)
  }
})

test('acceptance 11: every number has its place in the reference, once', () => {
  for (const { entry } of allErrors()) {
    const parts = PAGE.split(`\n### ${entry.mor}\n`)
    assert.equal(parts.length, 2, `${entry.mor}: npm run reference`)
    assert.ok(parts[1]?.trimStart().startsWith('**'), entry.mor)
  }
  assert.equal(PAGE.match(/^### MOR-/gm)?.length, allErrors().length)
})

test('acceptance 11: a problem document of the API and one of a command have its number as type', () => {
  for (const { code } of allTexts()) {
    const [, bare = ''] = code.split('/')
    const entry = catalogEntry(bare)
    assert.ok(entry, code)
    const problem = problemOf(new Refusal(bare, 'Why.'), catalogEntry, 'request')
    assert.equal(problem?.body.type, `/errors/${entry.mor}`, code)
    assert.equal(problem.body.mor, entry.mor)
    assert.equal(problem.status, entry.status)
  }
  const document = failureDocument(failureOf(new Error('anything')))
  assert.equal(document['type'], '/errors/MOR-1000')
})

test('a page of docs that a text names is there', () => {
  for (const { code, entry } of allTexts()) {
    for (const step of [entry.meaning, ...entry.fix]) {
      for (const [page] of step.matchAll(/docs\/[\w/-]+\.md/g)) {
        assert.ok(existsSync(`${ROOT}${page}`), `${code}: ${page}`)
      }
    }
  }
})

test.run()
