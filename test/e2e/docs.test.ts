// What the documents tell a reader to type, typed: their `sh test` blocks, against a network of their own.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'uvu'
import { testBlocks } from '../../scripts/doc-blocks.ts'
import { commandEnvironment, endOf } from './command.ts'
import { nodeAt, startDevnet } from './devnet.ts'

const DOCUMENT_S = 80

const starting = startDevnet()

test('the commands of the documents do what the documents say', async () => {
  const devnet = await starting
  const names = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  const documents = ['README.md', ...names.map((name) => `docs/${name}`)]
    .filter((path) => path.endsWith('.md'))
    .filter((path) => testBlocks(readFileSync(path, 'utf8')).length > 0)
  assert.ok(documents.length > 0, 'no document has a block to run')
  const { api, home } = nodeAt(devnet, 0)
  const env = { ...commandEnvironment(), MOORING_ENDPOINT: api, MOORING_HOME: home }
  const args = ['scripts/run-docs.ts', ...documents, '--timeout', String(DOCUMENT_S)]
  const child = spawn(process.execPath, args, { env })
  const { code, stdout } = await endOf(child, documents.length * DOCUMENT_S * 1_000)
  assert.equal(code, 0, stdout)
  process.stdout.write(stdout)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
