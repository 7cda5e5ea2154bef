import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyPairFromSeed, x25519PublicKey } from '@mooring/crypto'
import { test } from 'uvu'
import { checkHome, createHome, homePaths } from '../src/home.ts'
import { createKeyRing, KEY_DUTIES, readKeyFile, writeKeyRing } from '../src/keys.ts'
import { NodeError, type NodeErrorCode } from '../src/node-error.ts'

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-home-'))
  try {
    await run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function refuses(code: NodeErrorCode, work: Promise<unknown>): Promise<NodeError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof NodeError, `expected ${code}`)
  assert.equal(error.code, code)
  return error
}

test('a home has the folders of the layout, for its owner alone, and the guard outside the data', () =>
  inFolder(async (folder) => {
    const paths = await createHome(join(folder, 'a', 'home'))
    assert.deepEqual(readdirSync(paths.home).toSorted(), [
      'config',
      'data',
      'guard',
      'keys',
      'logs',
      'run',
    ])
    for (const name of readdirSync(paths.home)) {
      assert.equal(statSync(join(paths.home, name)).mode & 0o777, 0o700, name)
    }
    assert.ok(!paths.guard.startsWith(paths.data))
    await checkHome(paths.home)
  }))

test('a home that others may read is refused with the command that closes it', () =>
  inFolder(async (folder) => {
    const { home, keys, guard } = await createHome(join(folder, 'home'))
    await refuses('home_missing', checkHome(join(folder, 'none')))
    for (const [path, mode, wanted] of [
      [home, 0o755, '0750'],
      [home, 0o770, '0750'],
      [keys, 0o750, '0700'],
      [guard, 0o701, '0700'],
    ] as const) {
      chmodSync(path, mode)
      const error = await refuses('home_open', checkHome(home))
      assert.equal(error.data['wanted'], wanted)
      chmodSync(path, 0o700)
    }
    // Images install the folder itself for a group.
    chmodSync(home, 0o750)
    await checkHome(home)
  }))

test('keys are written for their owner alone and read back, one per duty', () =>
  inFolder(async (folder) => {
    const keys = createKeyRing()
    await writeKeyRing(folder, keys, { created: new Date('2026-11-20T09:31:07Z') })
    const seen = new Set<string>()
    for (const duty of KEY_DUTIES) {
      const path = join(folder, `${duty}.json`)
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.deepEqual(await readKeyFile(path, duty), keys[duty])
      seen.add(Buffer.from(keys[duty].publicKey).toString('hex'))
      const content: unknown = JSON.parse(readFileSync(path, 'utf8'))
      assert.ok(typeof content === 'object' && content !== null && 'kdf' in content)
      assert.equal(content.kdf, null)
    }
    assert.equal(seen.size, KEY_DUTIES.length)
    assert.deepEqual(keys.seal.publicKey, x25519PublicKey(keys.seal.seed))
    assert.deepEqual(keys.anchor, keyPairFromSeed(keys.anchor.seed))
    await assert.rejects(writeKeyRing(folder, createKeyRing(), { created: new Date() }), /EEXIST/)
    assert.deepEqual(
      await readKeyFile(join(folder, 'governance.json'), 'governance'),
      keys.governance,
    )
  }))

test('a key file that is open, of another duty, encrypted or damaged is refused', () =>
  inFolder(async (folder) => {
    const keys = createKeyRing()
    await writeKeyRing(folder, keys, { created: new Date() })
    const path = join(folder, 'consensus.json')
    const text = readFileSync(path, 'utf8')
    await refuses('key_missing', readKeyFile(join(folder, 'none.json'), 'anchor'))
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(path, mode)
      await refuses('key_open', readKeyFile(path, 'consensus'))
    }
    chmodSync(path, 0o600)
    await refuses('key_malformed', readKeyFile(path, 'anchor'))
    writeFileSync(path, text.replace('"kdf": null', '"kdf": {"name": "scrypt"}'))
    await refuses('key_encrypted', readKeyFile(path, 'consensus'))
    const other = Buffer.from(keys.anchor.seed).toString('hex')
    writeFileSync(path, text.replace(/"seed": "[0-9a-f]+"/, `"seed": "${other}"`))
    const mismatch = await refuses('key_malformed', readKeyFile(path, 'consensus'))
    assert.match(String(mismatch.data['detail']), /public key/)
    for (const broken of ['', '{', '[]', 'null', text.replace('"version": 1', '"version": 2')]) {
      writeFileSync(path, broken)
      const error = await refuses('key_malformed', readKeyFile(path, 'consensus'))
      assert.equal(error.cause, undefined)
      assert.ok(!error.message.includes(other))
    }
    assert.equal(homePaths('/h').configFile, join('/h', 'config', 'mooring.toml'))
  }))

test.run()
