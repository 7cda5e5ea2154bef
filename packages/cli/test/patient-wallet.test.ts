import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { wordsToSeed } from '@mooring/crypto'
import { openWallet } from '@mooring/records'
import { test } from 'uvu'
import { inWorld, NOW, type World } from './world.ts'

const PASSPHRASE = 'correct horse battery staple'
const json = (text: string): Record<string, unknown> => JSON.parse(text)
const codeOf = ({ stderr }: { stderr: string }) => /MOR-\d{4}/.exec(stderr)?.[0]

function secret(folder: string, name: string, content = `${PASSPHRASE}\n`): string {
  const file = join(folder, name)
  writeFileSync(file, content, { mode: 0o600 })
  return file
}

// With a wallet, whose passphrase every command finds; and its words.
async function withAda(scenario: (world: World, words: string) => Promise<void>): Promise<void> {
  await inWorld(async ({ folder, run }) => {
    const env = { MOORING_WALLET_PASSPHRASE_FILE: secret(folder, 'passphrase') }
    const known: World['run'] = (line, rest = {}) =>
      run(line, { ...rest, env: { ...env, ...rest.env } })
    const { code, stdout, stderr } = await known('patient new --label Ada-of-Riverside')
    assert.equal(code, 0, stderr)
    await scenario({ folder, run: known }, wordsOf(stdout))
  })
}

const wordsOf = (shown: string) => (shown.match(/[a-z]+/g) ?? []).join(' ')

test('a new wallet shows its words once, and is sealed where only its owner reads', () =>
  withAda(async ({ folder, run }, words) => {
    assert.equal(words.split(' ').length, 24)
    const file = join(folder, '.mooring', 'wallet.json')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.equal(statSync(join(folder, '.mooring')).mode & 0o777, 0o700)
    const seed = Buffer.from(wordsToSeed(words))
    const content = readFileSync(file, 'utf8')
    assert.equal(content.includes(seed.toString('hex')), false)
    assert.equal(content.includes(seed.toString('base64url')), false)
    assert.equal(content.includes('Ada-of'), false)
    const shown = await run('patient show --json')
    const { label, kind, network, hospitals } = json(shown.stdout)
    assert.deepEqual([label, kind, network, hospitals], ['Ada-of-Riverside', 'patient', null, 0])
    assert.equal(shown.stdout.includes(words.split(' ').slice(0, 3).join(' ')), false)
    assert.match((await run('patient show')).stdout, /label +Ada-of-Riverside\n/)
    assert.match((await run('patient hospitals')).stdout, /no hospital yet/)
    assert.deepEqual(readdirSync(join(folder, '.mooring')), ['wallet.json'])
  }))

test('a wallet is never overwritten', () =>
  withAda(async ({ run }, words) => {
    const again = await run('patient new')
    assert.deepEqual([again.code, codeOf(again)], [7, 'MOR-5554'])
    const restored = await run('patient restore --words -', { stdin: words })
    assert.equal(codeOf(restored), 'MOR-5554')
  }))

test('a thief with the file and without the passphrase learns nothing and changes nothing', () =>
  withAda(async ({ folder, run }) => {
    const wrong = secret(folder, 'wrong', `${PASSPHRASE}!\n`)
    const before = readFileSync(join(folder, '.mooring', 'wallet.json'))
    const lines = ['show', 'hospitals', 'backup --words', 'backup -o copy.json', 'passphrase']
    for (const line of lines) {
      const ran = await run(`patient ${line} --passphrase-file ${wrong}`)
      assert.deepEqual([ran.code, codeOf(ran), ran.stdout], [5, 'MOR-5562', ''], line)
    }
    assert.deepEqual(readFileSync(join(folder, '.mooring', 'wallet.json')), before)
    assert.equal(existsSync(join(folder, 'copy.json')), false)
  }))

test('a file that was cut or altered is told from a wrong passphrase', () =>
  withAda(async ({ folder, run }) => {
    const file = join(folder, '.mooring', 'wallet.json')
    const content = readFileSync(file, 'utf8')
    const parts: { ciphertext: string; kdf: { N: number } } = JSON.parse(content)
    const flipped = (parts.ciphertext.startsWith('A') ? 'B' : 'A') + parts.ciphertext.slice(1)
    const altered = [
      content.slice(0, content.length / 2),
      '',
      '{}',
      JSON.stringify({ ...parts, ciphertext: flipped }),
      JSON.stringify({ ...parts, ciphertext: parts.ciphertext.slice(0, -8) }),
      JSON.stringify({ ...parts, kdf: { ...parts.kdf, N: 2 ** 22 } }),
    ]
    for (const each of altered) {
      writeFileSync(file, each)
      const ran = await run('patient show')
      assert.deepEqual([ran.code, codeOf(ran)], [8, 'MOR-5555'], each.slice(0, 60))
    }
    writeFileSync(file, JSON.stringify({ ...parts, version: 2 }))
    const newer = await run('patient show')
    assert.deepEqual([newer.code, codeOf(newer)], [13, 'MOR-5571'])
    writeFileSync(file, content)
    assert.equal((await run('patient show')).code, 0)
  }))

test('the words make the wallet again, and its one-time keys go on elsewhere', () =>
  withAda(async ({ folder, run }, words) => {
    const other = '--wallet other.json'
    const { code, stderr } = await run(`patient restore --words - ${other}`, { stdin: words })
    assert.equal(code, 0, stderr)
    const again = await run(`patient backup --words --json ${other}`)
    assert.deepEqual(json(again.stdout)['words'], words.split(' '))
    const checked = await run(`patient backup --check - ${other}`, { stdin: words.toUpperCase() })
    assert.equal(checked.code, 0)
    assert.match(checked.stdout, /right/)
    const shown = await run('patient backup --words')
    const numbered = await run(`patient backup --check - ${other}`, { stdin: shown.stdout })
    assert.equal(numbered.code, 0, numbered.stderr)
    const opened = await openWallet(readFileSync(join(folder, 'other.json')), PASSPHRASE)
    assert.ok('wallet' in opened)
    assert.equal(opened.wallet.nextHandle, NOW.getTime())
  }))

test('wrong words are told apart: one unknown, two exchanged, too few, of another wallet', () =>
  withAda(async ({ run }, words) => {
    const list = words.split(' ')
    const [first = '', second = ''] = list
    const wrong: [string, string, RegExp][] = [
      [list.with(4, 'moorin').join(' '), 'MOR-5566', /word 5/],
      [list.slice(1).join(' '), 'MOR-5566', /23 words/],
      ['', 'MOR-5566', /0 words/],
      [`${'abandon '.repeat(23)}art`, 'MOR-5567', /another seed/],
    ]
    if (first !== second) {
      // One exchange in 256 keeps the checksum, and is then another wallet's.
      const swapped = list.with(0, second).with(1, first).join(' ')
      wrong.push([swapped, '', /do not belong together|another seed/])
    }
    for (const [stdin, code, text] of wrong) {
      const ran = await run('patient backup --check -', { stdin })
      assert.notEqual(ran.code, 0)
      if (code !== '') assert.equal(codeOf(ran), code)
      assert.match(ran.stderr, text)
    }
  }))

test('a copy opens with the passphrase it had, and becomes a wallet', () =>
  withAda(async ({ folder, run }) => {
    assert.equal((await run('patient backup -o copy.json')).code, 0)
    const next = secret(folder, 'next', 'another long passphrase\n')
    const changed = await run(`patient passphrase --new-passphrase-file ${next}`)
    assert.equal(changed.code, 0, changed.stderr)
    assert.equal(codeOf(await run('patient show')), 'MOR-5562')
    assert.equal((await run(`patient show --passphrase-file ${next}`)).code, 0)
    const restored = await run('patient restore --file copy.json --wallet again.json')
    assert.equal(restored.code, 0, restored.stderr)
    const shown = await run('patient show --wallet again.json --json')
    assert.equal(json(shown.stdout)['label'], 'Ada-of-Riverside')
    const opened = await openWallet(readFileSync(join(folder, 'again.json')), PASSPHRASE)
    assert.ok('wallet' in opened)
    assert.equal(opened.wallet.nextHandle, NOW.getTime(), 'the copy may be old')
    assert.equal(codeOf(await run('patient backup -o copy.json --wallet again.json')), 'MOR-1036')
  }))

test('a passphrase is asked for where a person sits, twice for a new wallet', () =>
  inWorld(async ({ run }) => {
    const asked: string[] = []
    const typing = (...answers: string[]) => ({
      askSecret: (question: string) => {
        asked.push(question)
        return Promise.resolve(answers.shift() ?? '')
      },
    })
    assert.equal(codeOf(await run('patient new')), 'MOR-5561')
    const differs = await run('patient new', typing(PASSPHRASE, 'something else'))
    assert.equal(codeOf(differs), 'MOR-5564')
    assert.equal(codeOf(await run('patient new', typing('short'))), 'MOR-5563')
    assert.equal((await run('patient new', typing(PASSPHRASE, PASSPHRASE))).code, 0)
    asked.length = 0
    assert.equal((await run('patient show', typing(PASSPHRASE))).code, 0)
    assert.equal(asked.length, 1)
    assert.equal(codeOf(await run('patient show', typing('no'))), 'MOR-5562')
  }))

test('of two that make a wallet at once, one has made it', () =>
  inWorld(async ({ folder, run }) => {
    const env = { MOORING_WALLET_PASSPHRASE_FILE: secret(folder, 'passphrase') }
    const both = await Promise.all([run('patient new', { env }), run('patient new', { env })])
    const codes = both.map((ran) => codeOf(ran) ?? '').toSorted()
    assert.equal(codes[0], '')
    assert.match(codes[1] ?? '', /^MOR-555(4|6)$/)
    assert.deepEqual(readdirSync(join(folder, '.mooring')), ['wallet.json'])
    assert.equal((await run('patient show', { env })).code, 0)
  }))

test('a passphrase that others may read is not used', () =>
  withAda(async ({ folder, run }) => {
    chmodSync(join(folder, 'passphrase'), 0o644)
    const ran = await run('patient show')
    assert.deepEqual([ran.code, codeOf(ran)], [3, 'MOR-5565'])
  }))

const nobody = () => assert.fail('nothing is to be asked')

test('where there is no wallet, that is said before anybody types', () =>
  inWorld(async ({ run }) => {
    for (const line of ['show', 'hospitals', 'backup --words', 'passphrase']) {
      const ran = await run(`patient ${line}`, { askSecret: nobody })
      assert.deepEqual([ran.code, codeOf(ran)], [6, 'MOR-5553'], line)
    }
    assert.equal((await run('patient backup')).code, 2)
    assert.equal((await run('patient restore')).code, 2)
  }))

// A process that lives until its end of the pipe is closed.
async function holder(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log(1)'])
  await once(child.stdout, 'data')
  return child
}

test('two programs are not in one wallet, and what a crash left behind is in nobody\u2019s way', () =>
  withAda(async ({ folder, run }) => {
    const next = secret(folder, 'next', 'another long passphrase\n')
    const change = `patient passphrase --new-passphrase-file ${next}`
    const lock = join(folder, '.mooring', 'wallet.json.lock')
    const other = await holder()
    writeFileSync(lock, `${other.pid} left\n`)
    const refused = await run(change)
    assert.deepEqual([refused.code, codeOf(refused)], [10, 'MOR-5556'])
    assert.ok(refused.stderr.includes(String(other.pid)))
    assert.equal((await run('patient show')).code, 0, 'looking is not held up')
    // Of the time before the computer was started: the number is now another program's.
    utimesSync(lock, 1, 1)
    assert.equal((await run(change)).code, 0)
    writeFileSync(lock, `${other.pid} left\n`)
    other.stdin?.end()
    await once(other, 'exit')
    const back = `patient passphrase --new-passphrase-file ${join(folder, 'passphrase')}`
    assert.equal((await run(`${back} --passphrase-file ${next}`)).code, 0)
    assert.deepEqual(readdirSync(join(folder, '.mooring')), ['wallet.json'])
  }))

test('of many changes at once one is made at a time, and none is half made', () =>
  withAda(async ({ folder, run }) => {
    const next = secret(folder, 'next', 'another long passphrase\n')
    const line = `patient passphrase --new-passphrase-file ${next}`
    const all = await Promise.all([run(line), run(line), run(line)])
    const made = all.filter(({ code }) => code === 0)
    assert.equal(made.length, 1)
    for (const ran of all.filter(({ code }) => code !== 0)) {
      assert.match(codeOf(ran) ?? '', /^MOR-55(56|62)$/)
    }
    assert.equal((await run(`patient show --passphrase-file ${next}`)).code, 0)
    assert.deepEqual(readdirSync(join(folder, '.mooring')), ['wallet.json'])
  }))

test.run()
