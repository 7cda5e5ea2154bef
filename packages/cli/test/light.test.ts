import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'

const MOORING = join(import.meta.dirname, '../bin/mooring.js')
const HEAVY = ['libp2p', 'fastify', 'classic-level', 'pino', 'prom-client', 'tar-stream']

// Tells on stderr, at the end, which packages of others were loaded.
const PROBE = `data:text/javascript,${encodeURIComponent(`
import { writeSync } from 'node:fs'
import { registerHooks } from 'node:module'
const loaded = []
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
process.on('exit', () => writeSync(2, '\\nLOADED ' + JSON.stringify(loaded) + '\\n'))
`)}`

const COUNT_FETCH =
  "console.log(process.moduleLoadList.filter((name) => name.endsWith('/undici/undici')).length)"

function heavyPartsOf(line: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-light-'))
  try {
    const { stderr } = spawnSync(
      process.execPath,
      ['--import', PROBE, MOORING, ...line.split(' ')],
      { cwd: folder, env: { HOME: folder }, encoding: 'utf8', timeout: 20_000 },
    )
    const urls: string[] = JSON.parse(/\nLOADED (.+)\n/.exec(stderr)?.[1] ?? '[]')
    assert.ok(urls.length > 100, stderr)
    return HEAVY.filter((name) => urls.some((url) => url.includes(`/node_modules/${name}/`)))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

for (const line of [
  'status',
  'record submit none.json',
  'token list --endpoint http://127.0.0.1:1',
  'devnet status',
  '__complete -- config get ',
]) {
  test(`"${line}" loads no database, no network, no server`, () => {
    assert.deepEqual(heavyPartsOf(line), [])
  })
}

test('a command that works on databases loads them, and still no network', () => {
  assert.deepEqual(heavyPartsOf('snapshot list --help'), ['classic-level'])
})

test('threads and processes that the program starts find what was compiled', () => {
  const probe = `data:text/javascript,${encodeURIComponent(`
    import { writeSync } from 'node:fs'
    import { spawnSync } from 'node:child_process'
    const ask = ['-p', 'require("node:module").getCompileCacheDir()']
    process.on('exit', () => writeSync(2, spawnSync(process.execPath, ask).stdout))
  `)}`
  const { NODE_V8_COVERAGE: _, NODE_COMPILE_CACHE: __, ...env } = process.env
  const words = ['--import', probe, MOORING, 'version']
  const { stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' })
  assert.match(stderr, /node_modules.\.cache.mooring/)
})

test('the probe of a container does without the fetch of Node', () => {
  const { href } = new URL('../src/healthcheck.ts', import.meta.url)
  const words = ['--input-type=module', '-e', `await import('${href}'); ${COUNT_FETCH}`]
  assert.equal(spawnSync(process.execPath, words, { encoding: 'utf8' }).stdout, '0\n')
})

test.run()
