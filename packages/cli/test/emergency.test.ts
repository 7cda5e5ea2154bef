import assert from 'node:assert/strict'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keyPairFromSeed } from '@mooring/crypto'
import { issueCredential } from '@mooring/records'
import { test } from 'uvu'
import { inWorld } from './world.ts'

const CARD = 'mooring-emergency:1:AAAAAAAAAAAAAAAAAAAAAA:0123456789abcdef'

test('a practitioner has a key in a file of its own, which is never overwritten', () =>
  inWorld(async ({ run, folder }) => {
    const made = await run('practitioner new ada.key')
    assert.equal(made.code, 0, made.stderr)
    const did = made.stdout.trim()
    assert.match(did, /^did:key:z6Mk/)
    assert.equal((await stat(join(folder, 'ada.key'))).mode & 0o777, 0o600)
    assert.equal((await run('practitioner show ada.key')).stdout.trim(), did)
    const again = await run('practitioner new ada.key')
    assert.equal(again.code, 7)
    assert.equal((await run('practitioner show ada.key')).stdout.trim(), did)
    assert.ok(
      !made.stdout.includes(JSON.parse(await readFile(join(folder, 'ada.key'), 'utf8')).seed),
    )
  }))

test('a key file that others may read, that was altered, or that is none is refused', () =>
  inWorld(async ({ run, folder }) => {
    await run('practitioner new ada.key')
    const path = join(folder, 'ada.key')
    const text = await readFile(path, 'utf8')
    await chmod(path, 0o644)
    const open = await run('practitioner show ada.key')
    assert.equal(open.code, 2)
    assert.match(open.stderr, /MOR-5673[\s\S]*chmod 600/)
    await chmod(path, 0o600)
    for (const wrong of [
      text.replace(/"seed": "../, '"seed": "zz'),
      text.replace(/"seed": "..../, '"seed": "'),
      text.replace(/z6Mk..../, 'z6MkAAAA'),
      text.slice(0, -10),
    ]) {
      await writeFile(path, wrong)
      assert.match((await run('practitioner show ada.key')).stderr, /MOR-5673/, wrong)
    }
    assert.equal((await run('practitioner show nothing')).code, 6)
  }))

test('a credential is shown in words, and what is none is refused', () =>
  inWorld(async ({ run, folder }) => {
    const { publicKey } = keyPairFromSeed(new Uint8Array(32).fill(3))
    const now = Date.now()
    const credential = issueCredential(
      {
        organisation: 'fir',
        key: publicKey,
        role: 'physician',
        btg: true,
        issuedAt: now,
        expiresAt: now + 3_600_000,
        statusIndex: 7,
        licence: 'MD-1',
        name: 'Ada',
      },
      {
        issuerKey: keyPairFromSeed(new Uint8Array(32).fill(4)),
        random: (length) => new Uint8Array(length).fill(5),
      },
    )
    await writeFile(join(folder, 'ada.credential'), `${credential}\n`)
    const { stdout } = await run('practitioner show ada.credential')
    assert.match(stdout, /organisation +fir\n/)
    assert.match(stdout, /emergency access +yes\n/)
    const shown: Record<string, unknown> = JSON.parse(
      (await run('practitioner show ada.credential --json')).stdout,
    )
    assert.deepEqual([shown['licence'], shown['statusIndex']], ['MD-1', 7])
    await writeFile(join(folder, 'ada.credential'), credential.slice(3))
    assert.match((await run('practitioner show ada.credential')).stderr, /MOR-5673/)
  }))

test('to open a set it takes a card, and a key for each credential', () =>
  inWorld(async ({ run, folder }) => {
    await run('practitioner new ada.key')
    await writeFile(join(folder, 'ada.credential'), 'nothing')
    const lines = [
      'emergency open',
      `emergency open ${CARD}`,
      `emergency open ${CARD} --credential ada.credential`,
      `emergency open ${CARD} --key ada.key`,
      'emergency close id',
      'emergency close id --why x --outcome bored',
      'practitioner issue did:key:zzz --role a --name b --licence c',
      'patient emergency set --notify somebody',
      'patient emergency set --for child',
      'patient emergency opt-out --for child',
    ]
    for (const line of lines) assert.equal((await run(line)).code, 2, line)
    const unreadable = await run(`emergency open ${CARD} --credential ada.credential --key ada.key`)
    assert.match(unreadable.stderr, /MOR-5673/)
  }))

test.run()
