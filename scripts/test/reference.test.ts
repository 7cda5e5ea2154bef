import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { referencePages } from '../reference-pages.ts'

const FOLDER = new URL('../../docs/reference/', import.meta.url).pathname

test('the reference pages are what the code says: npm run reference', async () => {
  const pages = await referencePages()
  for (const [path, text] of pages) {
    assert.equal(readFileSync(join(FOLDER, path), 'utf8'), text, `${path}: npm run reference`)
  }
  const found = globSync('**/*.{md,json}', { cwd: FOLDER })
  assert.deepEqual(found.toSorted(), [...pages.keys()].toSorted())
})

test.run()
