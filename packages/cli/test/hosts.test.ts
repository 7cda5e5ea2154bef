// Whatever Node a computer has: npm brings the right one, and the wrong one says so.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'uvu'

const ROOT = new URL('../../../', import.meta.url).pathname
const MOORING = join(ROOT, 'packages/cli/bin/mooring.js')

// Those of this computer, not of the project.
const OTHERS = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'))
  .map((folder) => join(folder, 'node'))
  .filter((path) => existsSync(path))

function versionOf(node: string): number {
  const { stdout } = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' })
  return Number.parseInt(stdout, 10)
}

// A Node of that version as the program sees it: the file decides by nothing else.
function runAs(version: string, args: string[]) {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`
  return spawnSync(process.execPath, ['--import', preload, MOORING, ...args], { encoding: 'utf8' })
}

function isRefusal({ status, stdout, stderr }: ReturnType<typeof runAs>, version: string): void {
  assert.equal(status, 3)
  assert.equal(stdout, '')
  assert.match(stderr, /^error: Mooring needs Node 24 or newer, this is [\d.]+ \(MOR-1001\)$/m)
  assert.ok(stderr.includes(`this is ${version}`))
  assert.match(stderr, /npx mooring version/)
}

test('acceptance 21: Node 20 and 22 are told that they are too old, and what to type', () => {
  for (const version of ['20.19.5', '22.21.0', '23.11.1']) {
    isRefusal(runAs(version, ['version']), version)
  }
  const newer = runAs('26.0.0', ['version', '--json'])
  assert.equal(newer.status, 0, newer.stderr)
})

test('acceptance 21: the Nodes of this computer are refused or work, each by its version', () => {
  for (const node of OTHERS) {
    const ended = spawnSync(node, [MOORING, 'version'], { encoding: 'utf8' })
    if (versionOf(node) >= 24) assert.equal(ended.status, 0, `${node}: ${ended.stderr}`)
    else isRefusal(ended, `${versionOf(node)}.`)
  }
  process.stdout.write(`on this computer: ${OTHERS.map(versionOf).join(', ') || 'no other Node'}\n`)
})

test('acceptance 21: npx and npm scripts run with Node 24 from node_modules, whatever is installed', () => {
  const own = join(ROOT, 'node_modules/.bin/node')
  assert.ok(existsSync(own), 'npm ci has put a Node into node_modules')
  assert.equal(versionOf(own), 24)
  const env: Record<string, string | undefined> = { ...process.env }
  // As from a shell of the computer: nothing of the project is on the path yet.
  env['PATH'] = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'))
    .join(delimiter)
  for (const name of Object.keys(env)) if (/^npm_/i.test(name)) delete env[name]
  const found = spawnSync('npx', ['mooring', 'version'], { cwd: ROOT, env, encoding: 'utf8' })
  assert.equal(found.status, 0, found.stderr)
  assert.match(found.stdout, /^node +24\./m)
  const manifest: { optionalDependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  )
  for (const version of Object.values(manifest.optionalDependencies)) assert.match(version, /^24\./)
})

test.run()
