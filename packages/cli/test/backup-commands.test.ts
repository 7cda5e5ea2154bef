// Backups from the command line: of a stopped home and of a node that runs, checked, damaged, listed, and
// made a home again that observes before it votes.

import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createClient } from '@mooring/api/client'
import { loadNodeOptions, startNode } from '@mooring/node'
import { test } from 'uvu'
import { answer, withHome } from './stopped-home.ts'

const PASSPHRASE = 'four words of nothing'

function passphraseFile(folder: string, text = PASSPHRASE): string {
  const path = join(folder, `${text.length}.pass`)
  writeFileSync(path, `${text}\n`, { mode: 0o600 })
  return path
}

test('a stopped home is backed up, and the backup is whole, signed and listed', async () => {
  await withHome(async ({ run, home, folder }) => {
    const made = answer(await run(`--home ${home} backup create --json`))
    const path = String(made['path'])
    assert.match(path, /backups\/hospital-0-moor-[0-9a-f]{8}-\d{8}T\d{6}Z-h\d+\.tar\.zst$/)
    assert.equal(statSync(path).mode & 0o077, 0)
    assert.equal(made['hasKeys'], false)
    const verified = answer(await run(`--home ${home} backup verify ${path} --json`))
    assert.equal(verified['ok'], true)
    assert.equal(verified['digest'], made['digest'])
    const { items } = answer(await run(`--home ${home} backup list --json`))
    const { schema: _, ...entry } = made
    assert.deepEqual(items, [entry])

    const other = answer(
      await run(`--home ${home} backup create --compress none -o ${join(folder, 'b.tar')} --json`),
    )
    const content = readFileSync(String(other['path']))
    assert.ok(!content.includes('"seed"'), 'no key is in it')
    assert.equal((await run(`--home ${home} backup create -o ${String(other['path'])}`)).code, 7)
    const strange = await run(
      `backup verify ${path} --peer-id 12D3KooWQbLf4sTqKGqXqVvJfZ5wqz1aA2DxLZy7n1hV1o8cQy6f`,
    )
    assert.equal(strange.code, 8)
    assert.match(strange.stderr, /MOR-1230/)
  })
})

test('what a power cut left beside a backup is told, and a half one of the same name is replaced', async () => {
  await withHome(async ({ run, home, folder }) => {
    const [own, older] = ['b.tar.zst', 'a.tar.zst'].map((name) => join(folder, name))
    for (const path of [own, older]) writeFileSync(`${path}.partial`, 'half of a backup')
    const made = await run(`--home ${home} backup create -o ${own}`)
    assert.equal(made.code, 0, made.stderr)
    assert.ok(made.stderr.includes(`unfinished: ${older}.partial`), made.stderr)
    assert.ok(!made.stderr.includes(`${own}.partial`))
    assert.deepEqual(
      [own, older].map((path) => existsSync(`${path}.partial`)),
      [false, true],
    )
  })
})

test('a backup of which one byte is another, or that ends early, is refused', async () => {
  await withHome(async ({ run, home, folder }) => {
    for (const how of ['zstd', 'gzip', 'none']) {
      const path = join(folder, `${how}.backup`)
      answer(await run(`--home ${home} backup create --compress ${how} -o ${path} --json`))
      const good = readFileSync(path)
      answer(await run(`backup verify ${path} --json`))
      const bad = join(folder, 'bad')
      // The first bytes of a gzip say when it was made, and nobody asks.
      for (let at = 12; at < good.length - 1_536; at += Math.ceil(good.length / 17)) {
        const bytes = Buffer.from(good)
        bytes[at] = (bytes[at] ?? 0) ^ 4
        writeFileSync(bad, bytes)
        const ran = await run(`backup verify ${bad}`)
        // Padding of a tar file is nobody's, and the time of a file in it.
        if (ran.code === 0 && how === 'none') continue
        assert.equal(ran.code, 8, `${how} ${at}: ${ran.stderr}`)
        assert.match(ran.stderr, /MOR-1230/)
      }
      for (const part of [0.2, 0.9]) {
        writeFileSync(bad, good.subarray(0, Math.floor(good.length * part)))
        const ran = await run(`--home ${join(folder, 'never')} backup restore ${bad}`)
        assert.equal(ran.code, 8, `${how} ${part}: ${ran.stderr}`)
        assert.deepEqual(
          existsSync(join(folder, 'never')) ? readdirSync(join(folder, 'never')) : [],
          [],
        )
      }
    }
    assert.equal((await run(`backup verify ${join(folder, 'none-such')}`)).code, 6)
  })
})

test('a backup with keys opens with its passphrase alone and becomes the home of a node that observes first', async () => {
  await withHome(async ({ run, home, folder }) => {
    const path = join(folder, 'whole.tar.zst')
    const words = ['--home', home, 'backup', 'create', '--include-keys', '-o', path, '--json']
    const made = answer(await run([...words, '--passphrase-file', passphraseFile(folder)]))
    assert.equal(made['hasKeys'], true)
    const fresh = join(folder, 'fresh')
    const restore = ['--home', fresh, 'backup', 'restore', path, '--json']
    assert.equal((await run(restore)).code, 5)
    const wrong = passphraseFile(folder, 'another passphrase')
    const refused = await run([...restore, '--passphrase-file', wrong])
    assert.equal(refused.code, 5, refused.stderr)
    assert.match(refused.stderr, /MOR-1234/)

    const done = answer(await run([...restore, '--passphrase-file', passphraseFile(folder)]))
    assert.equal(done['height'], made['height'])
    assert.equal(done['observesFirst'], true)
    assert.deepEqual(readdirSync(join(fresh, 'guard')), ['rejoin'], 'no vote came along')
    assert.equal((await run([...restore, '--passphrase-file', passphraseFile(folder)])).code, 7)
    const node = await startNode(
      await loadNodeOptions({ home: fresh, flags: { 'log.level': 'error' }, env: {} }),
    )
    try {
      const status = await createClient(node.api).status()
      assert.ok(status.alarms.some(({ code }) => code === 'observing'))
      assert.ok(node.height() >= Number(made['height']))
    } finally {
      await node.close()
    }
  })
})

test('a backup without keys needs those of its node', async () => {
  await withHome(async ({ run, home, folder }) => {
    const path = join(folder, 'bare.tar.zst')
    answer(await run(`--home ${home} backup create -o ${path} --json`))
    const fresh = join(folder, 'fresh')
    const without = await run(`--home ${fresh} backup restore ${path}`)
    assert.equal(without.code, 3)
    assert.match(without.stderr, /MOR-1235/)
    const strange = join(folder, 'strange')
    cpSync(join(home, 'keys'), strange, { recursive: true })
    cpSync(join(strange, 'consensus.json'), join(strange, 'transport.json'))
    assert.equal((await run(`--home ${fresh} backup restore ${path} --keys ${strange}`)).code, 8)
    answer(await run(`--home ${fresh} backup restore ${path} --keys ${join(home, 'keys')} --json`))
    assert.deepEqual(
      readdirSync(join(fresh, 'keys')).toSorted(),
      readdirSync(join(home, 'keys')).toSorted(),
    )
    const listed = answer(await run(`--home ${fresh} prune plan --json`))
    assert.ok(Number(listed['height']) > 0)
  })
})

test('what the old configuration put elsewhere is in the restored home, and said', async () => {
  await withHome(async ({ run, home, folder }) => {
    const elsewhere = join(folder, 'another-disk')
    cpSync(join(home, 'data'), join(elsewhere, 'data'), { recursive: true })
    cpSync(join(home, 'keys', 'seal.json'), join(elsewhere, 'seal.json'))
    answer(await run(`--home ${home} config set storage.dir ${join(elsewhere, 'data')} --json`))
    answer(await run(`--home ${home} config set keys.seal ${join(elsewhere, 'seal.json')} --json`))
    const path = join(folder, 'elsewhere.tar.zst')
    const made = answer(await run(`--home ${home} backup create -o ${path} --json`))
    rmSync(elsewhere, { recursive: true })
    const fresh = join(folder, 'fresh')
    const done = answer(
      await run(`--home ${fresh} backup restore ${path} --keys ${join(home, 'keys')} --json`),
    )
    assert.deepEqual(done['changed'], [
      { name: 'keys.seal', was: join(elsewhere, 'seal.json'), is: 'keys/seal.json' },
      { name: 'storage.dir', was: join(elsewhere, 'data'), is: 'data' },
    ])
    const plan = answer(await run(`--home ${fresh} prune plan --json`))
    assert.equal(plan['height'], made['height'])
    assert.ok(!existsSync(elsewhere))
  })
})

test('keys that lie elsewhere, or under other names, are in a backup with keys and found again', async () => {
  await withHome(async ({ run, home, folder }) => {
    renameSync(join(home, 'keys', 'consensus.json'), join(home, 'keys', 'con.json'))
    renameSync(join(home, 'keys', 'transport.json'), join(folder, 'stick.json'))
    answer(await run(`--home ${home} config set keys.consensus keys/con.json --json`))
    answer(await run(`--home ${home} config set keys.transport ${folder}/stick.json --json`))
    const passphrase = ['--passphrase-file', passphraseFile(folder)]
    const path = join(folder, 'keys.tar.zst')
    const create = (to: string): string[] =>
      ['--home', home, 'backup', 'create', '--include-keys', '-o', to, '--json'].concat(passphrase)
    const made = answer(await run(create(path)))
    const fresh = join(folder, 'fresh')
    const restore = ['--home', fresh, 'backup', 'restore', path, '--json', ...passphrase]
    const done = answer(await run(restore))
    assert.deepEqual(done['changed'], [
      { name: 'keys.transport', was: join(folder, 'stick.json'), is: 'keys/transport.json' },
    ])
    const node = await startNode(
      await loadNodeOptions({ home: fresh, flags: { 'log.level': 'error' }, env: {} }),
    )
    try {
      assert.ok(node.height() >= Number(made['height']))
    } finally {
      await node.close()
    }
    rmSync(join(folder, 'stick.json'))
    const without = await run(create(join(folder, 'other.tar')))
    assert.equal(without.code, 3, without.stderr)
  })
})

test('what a cut left of a backup goes with the next; a home of a newer format is not touched', async () => {
  await withHome(async ({ run, home, folder }) => {
    const partial = (network: string) =>
      join(home, 'backups', `hospital-0-${network}-x.tar.partial`)
    const made = answer(await run(`--home ${home} backup create --json`))
    writeFileSync(partial(String(made['networkId'])), 'cut short')
    writeFileSync(partial('moor-ffffffff'), 'of somebody else')
    answer(await run(`--home ${home} backup create --compress none --json`))
    const left = readdirSync(join(home, 'backups')).filter((name) => name.endsWith('.partial'))
    assert.deepEqual(left, ['hospital-0-moor-ffffffff-x.tar.partial'])

    const format = join(home, 'data', 'FORMAT')
    const before = readFileSync(format)
    writeFileSync(format, 'format 9 mooring 9.0.0\n')
    const touching = [
      'backup create',
      'db info',
      'db verify',
      'db compact',
      'inspect',
      'prune plan',
    ]
    for (const words of [
      ...touching,
      'token list',
      'keys export --type consensus --move -o out.json',
    ]) {
      const refused = await run(`--home ${home} ${words}`)
      assert.equal(refused.code, 13, `${words}: ${refused.stderr}`)
    }
    const doctor = await run(`--home ${home} doctor --offline`)
    assert.match(doctor.stdout, /last used by a newer version/)
    writeFileSync(format, before)
    answer(await run(`--home ${home} backup create -o ${join(folder, 'out.tar')} --json`))
  })
})

test('somebody new begins with the chain of a backup, and with nothing else of it', async () => {
  await withHome(async ({ run, home, folder }) => {
    const path = join(folder, 'bare.tar.zst')
    const made = answer(await run(`--home ${home} backup create -o ${path} --json`))
    const fresh = join(folder, 'fresh')
    const words = `--home ${fresh} backup restore ${path} --new-identity --no-encrypt`
    const env = { MOORING_NODE_PROFILE: 'test' }
    assert.equal((await run(words, { env })).code, 2)
    const other = await run(`${words} --name lab --genesis-digest ${'0'.repeat(64)}`, { env })
    assert.equal(other.code, 8, other.stderr)
    const done = answer(await run(`${words} --name lab --json`, { env }))
    assert.equal(done['height'], made['height'])
    assert.match(String(done['joinLine']), /^mooring-join-/)
    assert.deepEqual(readdirSync(join(fresh, 'data')), ['chain'])
    const { peerId } = answer(await run(`backup verify ${path} --json`))
    assert.ok(!readFileSync(join(fresh, 'keys', 'transport.json'), 'utf8').includes(String(peerId)))
  })
})

test('a node that runs makes its backup, goes on, and tells of it', async () => {
  await withHome(async ({ run, home, folder, start }) => {
    const node = await start()
    try {
      const path = join(folder, 'running.tar.zst')
      const made = answer(await run(`--home ${home} backup create -o ${path} --json`))
      assert.ok(existsSync(path))
      assert.ok(node.height() >= Number(made['height']))
      const verified = answer(await run(`--home ${home} backup verify ${path} --json`))
      assert.equal(verified['height'], made['height'])
      const unscheduled = await run(`--home ${home} backup schedule`)
      assert.equal(unscheduled.code, 7)
      assert.match(unscheduled.stderr, /MOR-1238/)
    } finally {
      await node.close()
    }
  })
})

test.run()
