import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import { shellBlocks } from '../doc-blocks.ts'

// "<file>" and "…" are for the reader to fill in.
const isForm = (line: string) => /<[a-z][a-z -]*>|…/.test(line)

const isRun = (flags: string) => /^(test|container)\b/.test(flags)

test('acceptance 16: what pages tell to type is run, is run by the test it names, or is a form', () => {
  const pages = globSync(['docs/*.md', 'docs/how-to/**/*.md'])
  assert.ok(pages.length > 10)
  for (const page of pages) {
    for (const { flags, lines } of shellBlocks(readFileSync(page, 'utf8'))) {
      const place = `${page}: ${lines[0]}`
      if (flags.startsWith('by=')) assert.ok(existsSync(flags.slice('by='.length)), place)
      // test/e2e/docs.test.ts starts the network with it.
      else if (lines.join() !== 'npm run devnet')
        assert.ok(isRun(flags) || lines.some(isForm), place)
    }
  }
})

test('a block is found with its mark, without remarks', () => {
  const page = '```sh test\necho a # b\n\n# c\n```\n  ```sh\n  d #e\n  ```\n```text\nno\n```\n'
  assert.deepEqual(shellBlocks(page), [
    { flags: 'test', lines: ['echo a'] },
    { flags: '', lines: ['d #e'] },
  ])
})

test.run()
