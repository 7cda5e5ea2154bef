import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'

const SOURCE = new URL('../src/', import.meta.url)
const IMPORT = /^(?<kind>import|export)\s(?<what>type\s)?[^'"]*?from\s'(?<from>[^']+)'/gms

/** What running a module loads: imports of types alone are erased. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const source = readFileSync(new URL(file, SOURCE), 'utf8')
  for (const { groups } of source.matchAll(IMPORT)) {
    const from = groups?.['from'] ?? ''
    if (groups?.['what'] !== undefined) continue
    if (from.startsWith('./')) loadedBy(from, seen)
    else seen.add(from)
  }
  return seen
}

test('the client loads nothing but its own parts', () => {
  const parts = [...loadedBy('./client.ts')]
  assert.deepEqual(
    parts.filter((name) => !/^\.\/([a-z-]+-)?client\.ts$/.test(name)),
    ['./event-reader.ts'],
  )
})

test('the verifier loads floors 0 and 1 and nothing else', () => {
  assert.deepEqual(
    loadedBy('./verify.ts'),
    new Set([
      './verify.ts',
      '@mooring/codec',
      '@mooring/consensus',
      '@mooring/crypto',
      '@mooring/ledger',
      '@mooring/records',
    ]),
  )
})

test('neither names what a browser does not have', () => {
  for (const file of ['client.ts', 'event-reader.ts', 'vault-client.ts', 'verify.ts']) {
    const source = readFileSync(new URL(file, SOURCE), 'utf8')
    assert.doesNotMatch(source, /\bBuffer\b|\bprocess\.|'node:/, file)
  }
})

test.run()
