import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'uvu'

const PROBE = `
await import(process.argv[1])
console.log(process.moduleLoadList.filter((name) => name.endsWith('/undici/undici')).length)
`

test('neither the server nor the client loads the fetch of Node', () => {
  const { href } = new URL('../src/index.ts', import.meta.url)
  const words = ['--input-type=module', '-e', PROBE, href]
  assert.equal(execFileSync(process.execPath, words, { encoding: 'utf8' }), '0\n')
})

test.run()
