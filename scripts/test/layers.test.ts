/*
 * The floors on small trees of packages, one rule at a time: each breach is found and named, and the
 * nearest thing that is allowed passes.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'

const LAYERS = join(import.meta.dirname, '..', 'layers.ts')

const DEPENDENCIES = {
  dependencies: Object.fromEntries(
    [
      '@chainsafe/libp2p-noise',
      '@mooring/api',
      '@mooring/codec',
      '@mooring/consensus',
      '@mooring/node',
      '@mooring/records',
      '@mooring/storage',
      '@noble/hashes',
      'classic-level',
      'commander',
      'fastify',
      'sodium-native',
    ].map((name) => [name, '1.0.0']),
  ),
  exports: { '.': './src/index.ts', './*': './src/*.ts', './verify': './src/verify.ts' },
  imports: {
    '#sha256': { browser: './src/sha256-browser.ts', node: './src/sha256-node.ts' },
    '#native': { node: './src/native-node.ts' },
  },
}

/** Runs the check over `packages/` made of these files and returns what it finds. */
function problemsIn(files: Record<string, string>, manifest: object = DEPENDENCIES): string[] {
  const root = mkdtempSync(join(tmpdir(), 'mooring-layers-'))
  try {
    for (const [path, source] of Object.entries(files)) {
      const [name = ''] = path.split('/')
      mkdirSync(dirname(join(root, 'packages', path)), { recursive: true })
      writeFileSync(join(root, 'packages', path), source)
      writeFileSync(join(root, 'packages', name, 'package.json'), JSON.stringify(manifest))
    }
    const { status, stderr } = spawnSync(process.execPath, [LAYERS, root], { encoding: 'utf8' })
    const problems = stderr.split('\n').filter((line) => line !== '')
    assert.equal(status, problems.length === 0 ? 0 : 1)
    return problems
  } finally {
    rmSync(root, { recursive: true })
  }
}

const BREACHES: [string, Record<string, string>, string][] = [
  [
    'an import upwards',
    { 'ledger/src/a.ts': "import { open } from '@mooring/storage'" },
    "packages/ledger/src/a.ts: may not import '@mooring/storage'",
  ],
  [
    'an import of a sibling',
    { 'ledger/src/a.ts': "import { step } from '@mooring/consensus'" },
    "packages/ledger/src/a.ts: may not import '@mooring/consensus'",
  ],
  [
    'a type-only import over several lines',
    { 'records/src/a.ts': "import type {\n  Block,\n  Header,\n} from '@mooring/consensus'" },
    "packages/records/src/a.ts: may not import '@mooring/consensus'",
  ],
  [
    'an import for its effect alone',
    { 'storage/src/a.ts': "import 'fastify'" },
    "packages/storage/src/a.ts: may not import 'fastify'",
  ],
  [
    'a name that only begins like an allowed one',
    { 'storage/src/a.ts': "import { x } from 'classic-level-fork'" },
    "packages/storage/src/a.ts: may not import 'classic-level-fork'",
  ],
  [
    'a node: module on a pure floor',
    { 'codec/src/a.ts': "import { Buffer } from 'node:buffer'" },
    "packages/codec/src/a.ts: may not import 'node:buffer'",
  ],
  [
    'sodium-native outside a -node file',
    { 'crypto/src/hash.ts': "import sodium from 'sodium-native'" },
    "packages/crypto/src/hash.ts: may not import 'sodium-native'",
  ],
  [
    'sodium-native in a -node file of another package',
    { 'ledger/src/hash-node.ts': "import sodium from 'sodium-native'" },
    "packages/ledger/src/hash-node.ts: may not import 'sodium-native'",
  ],
  [
    'a -node file imported past its # name',
    { 'crypto/src/hash.ts': "import { sha256 } from './sha256-node.ts'" },
    "packages/crypto/src/hash.ts: './sha256-node.ts' without a # name",
  ],
  [
    'a # name without a browser branch',
    { 'crypto/src/hash.ts': "import { sha256 } from '#native'" },
    "packages/crypto/src/hash.ts: '#native' has no browser branch in the imports of package.json",
  ],
  [
    'a # name that is not declared',
    { 'crypto/src/hash.ts': "import { sha256 } from '#nothing'" },
    "packages/crypto/src/hash.ts: '#nothing' has no browser branch in the imports of package.json",
  ],
  [
    'a relative import that leaves the package',
    { 'node/src/a.ts': "import { open } from '../../storage/src/index.ts'" },
    "packages/node/src/a.ts: '../../storage/src/index.ts' leaves the package",
  ],
  [
    'a relative import of a package whose name begins the same',
    { 'node/src/a.ts': "import { open } from '../../node-tools/src/a.ts'" },
    "packages/node/src/a.ts: '../../node-tools/src/a.ts' leaves the package",
  ],
  [
    'the client half of api with the server library',
    {
      'api/src/client.ts': "import { paths } from './routes.ts'",
      'api/src/routes.ts': "import { fastify } from 'fastify'",
    },
    "packages/api/src/routes.ts: may not import 'fastify'",
  ],
  [
    'the verifier of api with Node',
    { 'api/src/verify.ts': "import { readFileSync } from 'node:fs'" },
    "packages/api/src/verify.ts: may not import 'node:fs'",
  ],
  [
    'a page that loads the server half of api',
    { 'web/src/a.ts': "import { startApi } from '@mooring/api'" },
    "packages/web/src/a.ts: may not import '@mooring/api'",
  ],
  [
    'storage in the command line',
    { 'cli/src/commands/a.ts': "import { open } from '@mooring/storage'" },
    "packages/cli/src/commands/a.ts: may not import '@mooring/storage'",
  ],
  [
    'a package that is not in the table',
    { 'utils/src/a.ts': 'export const a = 1' },
    'packages/utils: not in the table of floors',
  ],
  [
    'an end of the process outside cli',
    { 'node/src/a.ts': 'export const stop = () => process.exit(1)' },
    'packages/node/src/a.ts: process.exit outside cli',
  ],
  [
    'a sub-path that index.ts offers nothing of',
    {
      'cli/src/a.ts': "import { b } from '@mooring/node/b'",
      'node/src/index.ts': "export { a } from './a.ts'",
    },
    "packages/cli/src/a.ts: '@mooring/node/b' is no part of what index.ts offers",
  ],
  [
    'a dynamic import',
    { 'node/src/a.ts': "export const load = () => import('pino')" },
    'packages/node/src/a.ts: dynamic import',
  ],
  [
    'a re-export outside index.ts',
    { 'codec/src/a.ts': "export { b } from './b.ts'" },
    "packages/codec/src/a.ts: re-exports './b.ts'; only index.ts does, by name",
  ],
  [
    'a re-export of everything',
    { 'codec/src/index.ts': "export * from './b.ts'" },
    "packages/codec/src/index.ts: re-exports './b.ts'; only index.ts does, by name",
  ],
]

for (const [what, files, problem] of BREACHES) {
  test(`${what} is found`, () => {
    assert.deepEqual(problemsIn(files), [problem])
  })
}

test('an import that package.json does not declare is found', () => {
  assert.deepEqual(problemsIn({ 'codec/src/a.ts': "import { deflateSync } from 'fflate'" }, {}), [
    "packages/codec/src/a.ts: 'fflate' is not among the dependencies of package.json",
  ])
})

test('what the table allows passes', () => {
  const problems = problemsIn({
    'codec/src/index.ts': "export { a } from './a.ts'",
    'codec/src/a.ts': "export const a = 'from'",
    'crypto/src/hash.ts':
      "import { sha256 } from '@noble/hashes/sha2.js'\nimport { b } from '#sha256'",
    'crypto/src/sha256-node.ts': "import sodium from 'sodium-native'\nimport 'node:os'",
    'network/src/a.ts':
      "import { noise } from '@chainsafe/libp2p-noise'\nimport net from 'node:net'",
    'api/src/server.ts': "import { fastify } from 'fastify'\nimport { a } from './client.ts'",
    'api/src/client.ts': "import type { Route } from './server.ts'\nimport '@mooring/codec'",
    'web/src/a.ts': '',
    'cli/src/commands/a.ts':
      "import { a } from '../start-node.ts'\nimport { Command } from 'commander'",
    'cli/src/start-node.ts':
      "import { verify } from '@mooring/api/verify'\nimport { a } from '@mooring/api/client'\nprocess.exit(0)",
    'api/src/index.ts': "export { a } from './client.ts'",
    'api/src/verify.ts': '',
  })
  assert.deepEqual(problems, [])
})

test.run()
