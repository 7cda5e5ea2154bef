// Keys and secrets of a home as they lie on a disk that a thief may have.

import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import type { ScryptCost } from '@mooring/crypto'
import { test } from 'uvu'
import {
  createKeyRing,
  type FoundKey,
  KEY_DUTIES,
  readKeyFile,
  readPublicHalf,
  writeKeyFile,
  writeKeyRing,
} from '../src/keys.ts'
import { findHomeSecrets, finishResealing, resealSecrets } from '../src/home-secrets.ts'
import { keepLocalSecret, loadLocalSecret } from '../src/local-secret.ts'
import { adoptNextKey, findRetiredKeys, prepareNextKey } from '../src/next-keys.ts'
import {
  newPassphraseFrom,
  passphraseFrom,
  type PassphraseSources,
} from '../src/passphrase-source.ts'
import { unsealedKeys } from '../src/standing.ts'
import { noPassphrase, type Passphrase, SeedLock } from '../src/seed-lock.ts'

const CHEAP: ScryptCost = { N: 1_024, r: 8, p: 1 }
const NOW = new Date('2026-11-20T09:30:00Z')

type Lock = SeedLock & { asked: () => number }

function lockWith(text: string, cost = CHEAP): Lock {
  let asked = 0
  const lock = new SeedLock(() => {
    asked += 1
    return Promise.resolve({ text, from: 'the test' })
  }, cost)
  return Object.assign(lock, { asked: () => asked })
}

async function inFolder(scenario: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-keystores-'))
  try {
    await scenario(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('a ring of sealed keys opens with its passphrase, which is asked for once', () =>
  inFolder(async (folder) => {
    const keys = createKeyRing()
    await writeKeyRing(folder, keys, { created: NOW, lock: lockWith('correct horse battery') })
    const lock = lockWith('correct horse battery')
    for (const duty of KEY_DUTIES) {
      const path = join(folder, `${duty}.json`)
      assert.deepEqual(await readKeyFile(path, duty, lock), keys[duty])
      const { publicKey, form, created } = await readPublicHalf(path, duty)
      assert.deepEqual(
        [publicKey, form, created],
        [keys[duty].publicKey, 'sealed', NOW.toISOString()],
      )
    }
    assert.equal(lock.asked(), 1)
  }))

test('a file says version, public half, cost and cipher, and its secret is nowhere in it', () =>
  inFolder(async (folder) => {
    const keys = createKeyRing()
    await writeKeyRing(folder, keys, { created: NOW, lock: lockWith('correct horse battery') })
    const salts = new Set<string>()
    for (const duty of KEY_DUTIES) {
      const text = await readFile(join(folder, `${duty}.json`), 'utf8')
      assert.ok(!text.includes(toHex(keys[duty].seed)), duty)
      const file: Record<string, Record<string, unknown>> = JSON.parse(text)
      assert.equal(Object.keys(file).join(' '), 'version type public name created kdf cipher seed')
      assert.equal(file['kdf']?.['name'], 'scrypt')
      assert.equal(file['cipher']?.['name'], 'chacha20-poly1305')
      salts.add(String(file['cipher']?.['salt']))
    }
    assert.equal(salts.size, KEY_DUTIES.length)
  }))

test('new keys cost what the design asks for', async () => {
  const sealed = await new SeedLock(() => Promise.resolve({ text: 'x'.repeat(12), from: '' })).seal(
    new Uint8Array(32),
    { type: 'anchor', public: '', name: '', created: '' },
  )
  assert.deepEqual([sealed.kdf.N, sealed.kdf.r, sealed.kdf.p], [2 ** 17, 8, 1])
})

test('a wrong passphrase is told from a damaged file, and neither opens anything', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'anchor.json')
    const { anchor } = createKeyRing()
    await writeKeyFile(path, 'anchor', anchor, { created: NOW, lock: lockWith('right passphrase') })
    const refuses = (code: string, lock: SeedLock) =>
      assert.rejects(readKeyFile(path, 'anchor', lock), { code })
    await refuses('keys_passphrase_wrong', lockWith('wrong passphrase'))
    await refuses('keys_passphrase_missing', noPassphrase())
    const good = await readFile(path, 'utf8')
    const flip = (name: string) => {
      const at = good.lastIndexOf(`"${name}": "`) + name.length + 6
      return `${good.slice(0, at)}${good[at] === '0' ? '1' : '0'}${good.slice(at + 1)}`
    }
    for (const [name, code] of [
      ['seed', 'keystore_damaged'],
      ['created', 'keystore_damaged'],
      ['public', 'keystore_damaged'],
      ['check', 'keys_passphrase_wrong'],
    ] as const) {
      await writeFile(path, flip(name))
      await refuses(code, lockWith('right passphrase'))
    }
    await writeFile(path, good.replace('"N": 1024', '"N": 1073741824'))
    await refuses('key_malformed', lockWith('right passphrase'))
    await writeFile(path, good.replace('chacha20-poly1305', 'rot13'))
    await refuses('key_encrypted', lockWith('right passphrase'))
    await writeFile(path, good.slice(0, -20))
    await refuses('key_malformed', lockWith('right passphrase'))
  }))

test('every bit of a sealed file counts: with one flipped it opens as another key never', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'seal.json')
    const { seal } = createKeyRing()
    await writeKeyFile(path, 'seal', seal, { created: NOW, lock: lockWith('right passphrase') })
    const good = await readFile(path)
    for (let at = 0; at < good.length; at += 7) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] ?? 0) ^ 1
      await writeFile(path, bad)
      const opened = await readKeyFile(path, 'seal', lockWith('right passphrase')).catch(() => null)
      if (opened !== null) assert.deepEqual(opened, seal, `byte ${at}`)
    }
  }))

test('a file that others may read is refused before its passphrase is asked for', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'anchor.json')
    const { anchor } = createKeyRing()
    await writeKeyFile(path, 'anchor', anchor, { created: NOW, lock: lockWith('right passphrase') })
    for (const mode of [0o640, 0o604]) {
      await chmod(path, mode)
      const lock = lockWith('right passphrase')
      await assert.rejects(readKeyFile(path, 'anchor', lock), { code: 'key_open' })
      assert.equal(lock.asked(), 0)
    }
  }))

test('the secret of the records is sealed where the keys are, and kept as it is elsewhere', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'records.secret')
    const lock = lockWith('right passphrase')
    const secret = new Uint8Array(32).fill(7)
    await keepLocalSecret(path, secret, lock)
    assert.ok(!(await readFile(path, 'utf8')).includes(toHex(secret)))
    assert.deepEqual(await loadLocalSecret(path, lockWith('right passphrase')), secret)
    await assert.rejects(loadLocalSecret(path, lockWith('wrong passphrase')), {
      code: 'keys_passphrase_wrong',
    })
    assert.match(await readFile(path, 'utf8'), /^\{/)
    const made = join(folder, 'other.secret')
    assert.deepEqual(await loadLocalSecret(made, lock), await loadLocalSecret(made, lock))
    assert.match(await readFile(made, 'utf8'), /^\{/)
    const plain = join(folder, 'plain.secret')
    await loadLocalSecret(plain)
    assert.match(await readFile(plain, 'utf8'), /^[0-9a-f]{64}\n$/)
  }))

test('a next key is sealed like the one before it, and a retired one stays sealed', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'seal.json')
    const { seal } = createKeyRing()
    await writeKeyFile(path, 'seal', seal, { created: NOW, lock: lockWith('right passphrase') })
    const wrong = { created: NOW, lock: lockWith('wrong passphrase') }
    await assert.rejects(prepareNextKey(path, 'seal', wrong), { code: 'keys_passphrase_wrong' })
    const lock = lockWith('right passphrase')
    const { keyPair } = await prepareNextKey(path, 'seal', { created: NOW, lock })
    assert.deepEqual(await adoptNextKey(path, 'seal', lock), keyPair)
    assert.deepEqual(await findRetiredKeys(path, 'seal', lock), [seal])
    assert.equal(lock.asked(), 1)
    for (const file of await readdir(folder))
      assert.ok((await readFile(join(folder, file), 'utf8')).includes('"scrypt"'), file)
  }))

const askSecret = () => Promise.resolve('of the person')

const text = async (sources: PassphraseSources) => (await passphraseFrom(sources)()).text

const refusesSource = (code: string, sources: PassphraseSources) =>
  assert.rejects(passphraseFrom(sources)(), { code })

function typed(...words: string[]): Promise<Passphrase> {
  const ask = () => Promise.resolve(words.shift() ?? '')
  return newPassphraseFrom({ file: null, env: {}, askSecret: ask })()
}

test('a node that is no trial says which of its keys lie open', () =>
  inFolder(async (folder) => {
    const keys = createKeyRing()
    const paths = { consensus: '', transport: '', anchor: '', seal: '' }
    const halves: Partial<Record<keyof typeof paths, FoundKey>> = {}
    for (const duty of ['consensus', 'transport', 'anchor', 'seal'] as const) {
      paths[duty] = join(folder, `${duty}.json`)
      const lock = duty === 'seal' || duty === 'consensus' ? lockWith('right passphrase') : null
      await writeKeyFile(paths[duty], duty, keys[duty], { created: NOW, lock })
      halves[duty] = await readPublicHalf(paths[duty], duty)
    }
    const { consensus, transport, anchor, seal } = halves
    assert.ok(consensus && transport && anchor && seal)
    const home = { keyPaths: paths, halves: { consensus, transport, anchor, seal } }
    assert.deepEqual(unsealedKeys({ ...home, profile: 'prod' }), [paths.transport, paths.anchor])
    assert.deepEqual(unsealedKeys({ ...home, profile: 'devnet' }), [])
  }))

test('a change of the passphrase that a crash cut short is finished, or never was', () =>
  inFolder(async (home) => {
    const folder = join(home, 'keys')
    await mkdir(folder)
    const keys = createKeyRing()
    const before = lockWith('the old passphrase')
    await writeKeyRing(folder, keys, { created: NOW, lock: before })
    await keepLocalSecret(join(folder, 'records.secret'), new Uint8Array(32).fill(7), before)
    const path = (duty: string) => join(folder, `${duty}.json`)
    const paths = { consensus: path('consensus'), seal: path('seal') }
    const secrets = await findHomeSecrets(home, paths)
    assert.equal(secrets.length, 4)
    // Its drafts are there and its marker is not: nobody looks at them.
    await writeFile(`${path('seal')}.resealed`, 'half of it')
    await finishResealing(home)
    const from = () => lockWith('the old passphrase')
    assert.deepEqual(await readKeyFile(path('seal'), 'seal', from()), keys.seal)

    const after = lockWith('the new passphrase')
    await resealSecrets(home, secrets, { from: from(), to: after })
    // The marker is there, and of the moves only some were made.
    for (const duty of ['consensus', 'seal'] as const) {
      await rename(path(duty), `${path(duty)}.resealed`)
      await writeKeyFile(path(duty), duty, keys[duty], { created: NOW, lock: before })
    }
    const moves = secrets.map((secret) => secret.path)
    await writeFile(join(folder, 'resealing.json'), JSON.stringify(moves))
    await finishResealing(home)
    const to = lockWith('the new passphrase')
    for (const duty of ['governance', 'consensus', 'seal'] as const)
      assert.deepEqual(await readKeyFile(path(duty), duty, to), keys[duty])
    assert.deepEqual(
      await loadLocalSecret(join(folder, 'records.secret'), to),
      new Uint8Array(32).fill(7),
    )
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes('reseal')),
      [],
    )
  }))

test('the passphrase comes from a file of ours alone, from systemd, or from whoever types it', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'passphrase')
    await writeFile(file, 'of the file\nand no more\n', { mode: 0o600 })
    await writeFile(join(folder, 'mooring-passphrase'), 'of systemd', { mode: 0o400 })
    const env = { CREDENTIALS_DIRECTORY: folder }
    assert.equal(await text({ file, env, askSecret }), 'of the file')
    assert.equal(await text({ file: null, env, askSecret }), 'of systemd')
    assert.equal(await text({ file: null, env: {}, askSecret }), 'of the person')
    await refusesSource('keys_passphrase_missing', { file: null, env: {} })
    await refusesSource('file_missing', { file: `${file}.none`, env })
    await refusesSource('file_unreadable', { file: folder, env })
    await writeFile(file, 'x'.repeat(5_000))
    await refusesSource('file_unreadable', { file, env })
    for (const mode of [0o640, 0o604, 0o666]) {
      await chmod(file, mode)
      await refusesSource('keys_passphrase_open', { file, env })
    }
  }))

test('a new passphrase is long enough, and typed twice', async () => {
  assert.equal((await typed('four words by chance', 'four words by chance')).text.length, 20)
  await assert.rejects(typed('four words by chance', 'four words by chase'), {
    code: 'passphrase_differs',
  })
  await assert.rejects(typed('short'), { code: 'keys_passphrase_short' })
})

test.run()
