// The table of features names, for each, the test that shows it: that test is there.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(ROOT, 'docs/features.md'), 'utf8')
const ROW = /^\| (?<number>\d+) \|.*\| \[(?<title>[^\]]+)\]\(\.\.\/(?<path>[^)]+)\) \|$/gm

function rows(): { number: number; title: string; path: string }[] {
  return [...page.matchAll(ROW)].map(({ groups = {} }) => ({
    number: Number(groups['number']),
    title: (groups['title'] ?? '').replaceAll('`', ''),
    path: (groups['path'] ?? '').replaceAll('`', ''),
  }))
}

test('every feature names a test that is there', () => {
  const features = rows().filter(({ title, path }) => title !== path)
  assert.deepEqual(
    features.map(({ number }) => number),
    Array.from({ length: 38 }, (_, index) => index + 1),
  )
  for (const { title, path } of features)
    assert.ok(
      readFileSync(join(ROOT, path), 'utf8').includes(title),
      `"${title}" is not in ${path}`,
    )
})

test('every acceptance test is where the page says, with its number', () => {
  const accepted = rows().filter(({ title, path }) => title === path)
  assert.equal(accepted.length, 21)
  for (const { number, path } of accepted)
    assert.ok(readFileSync(join(ROOT, path), 'utf8').includes(`acceptance ${number}: `), path)
})

test.run()
