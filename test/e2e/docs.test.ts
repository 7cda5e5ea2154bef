// What the documents tell a reader to type, typed: their `sh test` blocks, against a network of their own.

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'uvu'
import { testBlocks } from '../../scripts/doc-blocks.ts'
import { runProcess } from '../../scripts/run-process.ts'
import { nodeAt, startDevnet } from './devnet.ts'

const DOCUMENTS_MS = 100_000

const starting = startDevnet()

test('the commands of the documents do what the documents say', async () => {
  const devnet = await starting
  const documents = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)]
    .filter((path) => path.endsWith('.md'))
    .filter((path) => testBlocks(readFileSync(path, 'utf8')).length > 0)
  assert.ok(documents.length > 0, 'no document has a block to run')
  // The runner hands its own environment on.
  const { api, home } = nodeAt(devnet, 0)
  Object.assign(process.env, { MOORING_ENDPOINT: api, MOORING_HOME: home })
  const args = ['scripts/run-docs.ts', ...documents, '--timeout', String(DOCUMENTS_MS / 1_000)]
  const { code, output } = await runProcess(process.execPath, args, DOCUMENTS_MS)
  assert.equal(code, 0, output)
  process.stdout.write(output)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
