import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { createKeyRing, KEY_DUTIES, type KeyRing, readKeyFile, writeKeyRing } from '../src/keys.ts'
import {
  adoptNextKey,
  findNextKey,
  findRetiredKeys,
  nextKeyPath,
  prepareNextKey,
} from '../src/next-keys.ts'

const NOW = new Date('2026-11-20T09:31:07Z')

async function inKeys(run: (folder: string, keys: KeyRing) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-keys-'))
  try {
    const keys = createKeyRing()
    await writeKeyRing(folder, keys, { created: NOW })
    await run(folder, keys)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a next key is made once, and found again by whoever comes after a crash', () =>
  inKeys(async (folder, keys) => {
    for (const duty of KEY_DUTIES) {
      const path = join(folder, `${duty}.json`)
      assert.equal(await findNextKey(path, duty), undefined)
      writeFileSync(`${nextKeyPath(path)}.new`, 'half a key')
      const first = await prepareNextKey(path, duty, { created: NOW })
      assert.equal(first.isNew, true)
      assert.equal(statSync(join(folder, `${duty}.next.json`)).mode & 0o777, 0o600)
      assert.notDeepEqual(first.keyPair, keys[duty])
      const again = await prepareNextKey(path, duty, { created: NOW })
      assert.deepEqual(again, { keyPair: first.keyPair, isNew: false })
      assert.deepEqual(await readKeyFile(path, duty), keys[duty])
    }
  }))

test('the next key takes the place of the old one, which is gone; only the seal key is kept', () =>
  inKeys(async (folder, keys) => {
    for (const duty of KEY_DUTIES) {
      const path = join(folder, `${duty}.json`)
      const { keyPair } = await prepareNextKey(path, duty, { created: NOW })
      assert.deepEqual(await adoptNextKey(path, duty), keyPair)
      assert.deepEqual(await readKeyFile(path, duty), keyPair)
      assert.equal(existsSync(nextKeyPath(path)), false)
    }
    const current = KEY_DUTIES.map((duty) => `${duty}.json`)
    const retired = readdirSync(folder).filter((name) => !current.includes(name))
    const name = `seal.${Buffer.from(keys.seal.publicKey).toString('hex', 0, 4)}.json`
    assert.deepEqual(retired, [name])
    assert.deepEqual(await readKeyFile(join(folder, name), 'seal'), keys.seal)
    assert.deepEqual(await findRetiredKeys(join(folder, 'seal.json'), 'seal'), [keys.seal])
    assert.deepEqual(await findRetiredKeys(join(folder, 'anchor.json'), 'anchor'), [])
  }))

test('a seal key that was kept before a crash is no obstacle after it', () =>
  inKeys(async (folder) => {
    const path = join(folder, 'seal.json')
    await prepareNextKey(path, 'seal', { created: NOW })
    const kept = await readKeyFile(path, 'seal')
    const name = `seal.${Buffer.from(kept.publicKey).toString('hex', 0, 4)}.json`
    writeFileSync(join(folder, name), 'the copy of before')
    const { publicKey } = await adoptNextKey(path, 'seal')
    assert.deepEqual((await readKeyFile(path, 'seal')).publicKey, publicKey)
  }))

test.run()
