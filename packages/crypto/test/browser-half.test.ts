import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'

const file = fileURLToPath(new URL('browser-half.ts', import.meta.url))

interface Half {
  verify: boolean
  sha256: boolean
  aead: boolean
  scrypt: boolean
  x25519: boolean
  isSodiumLoaded: boolean
  accepted: boolean
  root: string
}

function halfOf(conditions: string[]): Half {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...conditions, file], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

test('the browser condition picks the backends without native code', () => {
  const browser = halfOf(['--conditions=browser'])
  assert.equal(browser.verify, true)
  assert.equal(browser.sha256, true)
  assert.equal(browser.aead, true)
  assert.equal(browser.scrypt, true)
  assert.equal(browser.x25519, true)
  assert.equal(browser.isSodiumLoaded, false)
  assert.equal(browser.accepted, true)
})

test('without it Node gets the native ones, and the same results', () => {
  const native = halfOf([])
  assert.equal(native.verify, false)
  assert.equal(native.sha256, false)
  assert.equal(native.aead, false)
  assert.equal(native.scrypt, false)
  assert.equal(native.x25519, false)
  assert.equal(native.isSodiumLoaded, true)
  assert.equal(native.accepted, true)
  assert.equal(native.root, halfOf(['--conditions=browser']).root)
})

test.run()
