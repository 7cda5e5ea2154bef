// What documents tell a reader to type, typed: their `sh test` blocks, against a network of their own.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { testBlocks } from '../../scripts/doc-blocks.ts'
import { commandEnvironment, endOf } from './command.ts'
import { type Devnet, nodeAt } from './devnet.ts'

const DOCUMENT_S = 240

export async function typeDocuments(devnet: Devnet, paths: readonly string[]): Promise<void> {
  const documents = paths
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
}
