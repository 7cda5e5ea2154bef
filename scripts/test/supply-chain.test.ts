// What others wrote and we run: from where, under which licence, and that none of it is known to be weak.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { compareVersions, lockedPackages } from '../lockfile.ts'

const LICENCES = [
  'MIT',
  'Apache-2.0',
  'Apache-2.0 OR MIT',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  '0BSD',
]

const LINT =
  '--path package-lock.json --type npm --format plain --validate-https --validate-integrity --validate-package-names --allowed-hosts npm'

type Advisory = { name: string; least: string }

// The table of SECURITY.md whose last column is a version or "none".
function advisoriesIn(markdown: string): Advisory[] {
  const rows = markdown.matchAll(/^\| ([@a-z][^ |]*) \| [^|]+ \| (\d+\.\d+\.\d+|none) \|$/gm)
  return [...rows].map(([, name = '', least = '']) => ({ name, least }))
}

const packages = lockedPackages()
const weak = ({ name, least }: Advisory, all = packages) =>
  all.filter(
    (each) => each.name === name && (least === 'none' || compareVersions(each.version, least) < 0),
  )

test('nothing of the lockfile is older than SECURITY.md says is safe', () => {
  const advisories = advisoriesIn(readFileSync('SECURITY.md', 'utf8'))
  assert.ok(advisories.length >= 8, `only ${advisories.length} rows were read`)
  for (const advisory of advisories) {
    assert.deepEqual(
      weak(advisory).map(({ name, version }) => `${name} ${version}`),
      [],
    )
  }
})

test('the check of advisories finds what is too old, and what is not to be there', () => {
  const [first] = packages
  assert.ok(first !== undefined)
  const all = [
    { ...first, name: 'fastify', version: '5.8.2' },
    { ...first, name: 'fastify', version: '5.10.0' },
    { ...first, name: '@fastify/static', version: '10.1.0' },
  ]
  assert.deepEqual(
    weak({ name: 'fastify', least: '5.8.3' }, all).map(({ version }) => version),
    ['5.8.2'],
  )
  assert.equal(weak({ name: '@fastify/static', least: 'none' }, all).length, 1)
})

test('every package is locked by its SHA-512, and none comes from a place of its own', () => {
  assert.ok(packages.length > 300, `only ${packages.length} packages were read`)
  for (const { name, version, integrity, resolved } of packages) {
    assert.match(integrity ?? '', /^sha512-/, `${name} ${version}`)
    assert.equal(resolved, null, `${name} ${version}`)
  }
  const lint = spawnSync(
    process.execPath,
    `node_modules/lockfile-lint/bin/lockfile-lint.js ${LINT}`.split(' '),
    { encoding: 'utf8' },
  )
  assert.equal(lint.status, 0, lint.stdout + lint.stderr)
})

test('no script of a package runs when it is installed, and versions are exact', () => {
  const settings = readFileSync('.npmrc', 'utf8').split('\n')
  assert.ok(settings.includes('ignore-scripts=true'))
  assert.ok(settings.includes('save-exact=true'))
  const { workspaces }: { workspaces: string[] } = JSON.parse(readFileSync('package.json', 'utf8'))
  for (const folder of ['.', ...workspaces]) {
    const manifest: Record<string, Record<string, string> | undefined> = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    )
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
      for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
        if (name.startsWith('@mooring/')) continue
        assert.match(version, /^\d+\.\d+\.\d+$/, `${folder}: ${name} ${version}`)
      }
    }
  }
})

test('all that is shipped is under a licence that lets hospitals use it', () => {
  const shipped = packages.filter(({ isShipped }) => isShipped)
  assert.ok(shipped.length > 100)
  for (const { name, version, licence } of shipped) {
    assert.ok(licence !== null && LICENCES.includes(licence), `${name} ${version}: ${licence}`)
  }
})

test('the bill of materials names every package that is shipped, with its hash', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/sbom.ts'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  assert.equal(status, 0, stderr)
  type Component = { name: string; version: string; hashes?: { alg: string }[] }
  const bill: { bomFormat: string; components: Component[] } = JSON.parse(stdout)
  assert.equal(bill.bomFormat, 'CycloneDX')
  const named = new Map(bill.components.map((each) => [`${each.name}@${each.version}`, each]))
  for (const { name, version, isShipped } of packages) {
    if (!isShipped) continue
    const component = named.get(`${name}@${version}`)
    assert.equal(component?.hashes?.[0]?.alg, 'SHA-512', `${name} ${version} is not in the bill`)
  }
  assert.ok(!bill.components.some(({ name }) => name === 'typescript'), 'a tool is in the bill')
})

test.run()
