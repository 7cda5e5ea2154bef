// The image, by levels, as far as this computer goes: what is shipped, installed and pruned as the Dockerfile
// says; the same in a bundle of runc; an engine that builds the Dockerfile unchanged, but for its base, and runs
// the hospitals of the compose file. What cannot be done here is told as a figure.

import assert from 'node:assert/strict'
import { globSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { succeed } from '../e2e/devnet.ts'
import { eventually } from '../e2e/eventually.ts'
import { makeBaseRoot } from './base-image.ts'
import { must } from './commands.ts'
import { Engine, findEngine } from './engine.ts'
import { testEngine } from './engine-tests.ts'
import { Bundle, findRunc } from './runc-bundle.ts'
import { imageContract, shipTree } from './shipped.ts'
import { createWorkplace } from './workplace.ts'

const HEALTHY_MS = 60_000
const SHIPPED =
  /\.([cm]?js|json|node|wasm)$|(^|\/)(licen[cs]e|notice|copying|patents|authors)[^/]*$/i

const IMPORTS = /^(?:import|export|\}).* from '([^'.#][^']*)'$/gm
const loads = (name: string) => `await import('${name}')`
const figure = (text: string) => process.stdout.write(`figure: ${text}\n`)

const { folder: work, close } = await createWorkplace()
const tools = await findEngine()
const runc = findRunc()
const shipping = shipTree(work)
const baseRoot = join(work, 'base')
const basing =
  typeof tools === 'string' ? Promise.resolve() : makeBaseRoot(tools.debootstrap, baseRoot)
// Both are awaited where they are needed; a failure is told there.
for (const begun of [shipping, basing]) begun.catch(() => undefined)

function linksIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => lstatSync(join(folder, name)).isSymbolicLink())
}

test('acceptance 15: level 2, what is shipped is what runs, and no more', async () => {
  const { tree } = await shipping
  const modules = join(tree, 'node_modules')
  const files = globSync('**/*', { cwd: modules, withFileTypes: true, exclude: ['@mooring/**'] })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(modules.length + 1))
  assert.ok(files.length > 1_000, `only ${files.length} files`)
  assert.deepEqual(
    files.filter((file) => !SHIPPED.test(file)),
    [],
  )
  const native = files.filter((file) => file.endsWith('.node')).toSorted()
  const target = `${process.platform}-${process.arch}`
  assert.ok(
    native.every((file) => file.includes(target)),
    native.join(' '),
  )
  assert.equal(native.filter((file) => /^(classic-level|sodium-native)\//.test(file)).length, 2)
  const packages = readdirSync(join(tree, 'packages'))
  assert.deepEqual(linksIn(join(modules, '@mooring')), packages, 'a workspace is a copy')
  assert.deepEqual(globSync('packages/*/{test,bench}', { cwd: tree }), [])
})

// What is loaded only when it is needed must be there as well.
test('acceptance 15: level 2, every module that our packages name loads', async () => {
  const { tree } = await shipping
  for (const name of readdirSync(join(tree, 'packages'))) {
    const folder = join(tree, 'packages', name)
    const sources = globSync('src/**/*.ts', { cwd: folder }).map((file) =>
      readFileSync(join(folder, file), 'utf8'),
    )
    const named = sources.flatMap((source) => [...source.matchAll(IMPORTS)])
    const modules = [...new Set(named.map(([, module = '']) => module))].filter(
      (module) => !module.startsWith('node:') && name !== 'web',
    )
    const script = [
      "await import('reflect-metadata').catch(() => undefined)",
      ...modules.map(loads),
    ]
    await must(process.execPath, ['--input-type=module', '--eval', script.join('\n')], {
      cwd: folder,
    })
  }
})

if (runc === null) figure('level 3, runc: not here, it needs Linux, root and runc')
else {
  test('acceptance 15: level 3, the node runs in a bundle with nothing writable but its home', async () => {
    const { tree } = await shipping
    const home = await exportOne()
    const bundle = new Bundle(runc, { work, tree, ...home })
    const started = performance.now()
    const running = bundle.run()
    try {
      const { healthcheck } = imageContract()
      await eventually('the node is healthy', HEALTHY_MS, async () => {
        const { code, stderr } = await bundle.exec(healthcheck)
        if (code !== 0) throw new Error(stderr)
        return true
      })
      figure(
        `level 3: healthy ${((performance.now() - started) / 1_000).toFixed(1)} s after the start`,
      )
      const refused = await bundle.exec(['sh', '-c', 'echo x > /app/package.json'])
      assert.match(refused.stderr, /Read-only file system/)
      const facts = (await bundle.exec(['cat', '/proc/1/status'])).stdout
      assert.match(facts, /^CapEff:\s+0+$/m)
      assert.match(facts, /^NoNewPrivs:\s+1$/m)
      assert.match(facts, /^Uid:\s+10001\s/m)
      await bundle.kill('TERM')
      const { code, stdout, stderr } = await running
      assert.equal(code, 0, stderr)
      assert.match(stdout, /node started/)
      assert.ok(readdirSync(join(home.home, 'guard', 'votes')).length > 0, 'no journal of votes')
    } finally {
      await bundle.delete()
      await running.catch(() => undefined)
    }
  })
}

// A network of one, so that its node votes and writes.
async function exportOne(): Promise<{ home: string; config: string }> {
  const dir = join(work, 'one')
  await succeed(`devnet export --format compose --nodes 1 --dir ${dir}`, work)
  return { home: join(dir, 'hospital-0'), config: join(dir, 'containers', 'hospital-0') }
}

if (typeof tools === 'string') figure(`level 4, an engine: not here, ${tools}`)
else {
  const starting = (async () => {
    const folder = join(work, 'engine')
    await mkdir(folder)
    return Engine.start(tools, folder)
  })()
  starting.catch(() => undefined)
  testEngine({ work, starting, shipping, base: basing.then(() => baseRoot), figure })
  test('the engine ends, and nothing of it is left', async () => {
    const engine = await starting
    await engine.close()
    assert.doesNotMatch(readFileSync('/proc/mounts', 'utf8'), new RegExp(work))
  })
}

test('the workplace is cleared', async () => {
  await basing
  await close()
})

test.run()
