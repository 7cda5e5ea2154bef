import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDevnet, readKeyFile, SeedLock } from '@mooring/node'
import { test } from 'uvu'
import { inWorld, type Ran, type World } from './world.ts'

const OLD = 'four words by chance'
const NEW = 'four other words then'

type KeyWorld = World & {
  home: string
  // A file with that passphrase.
  passphrase: (text: string) => string
  at: (line: string) => Promise<Ran>
  fails: (code: number, mor: string, line: string) => Promise<Ran>
}

const lockWith = (text: string) => new SeedLock(() => Promise.resolve({ text, from: 'the test' }))

// A home that is sealed with OLD, in the network of a devnet.
function inHome(scenario: (world: KeyWorld) => Promise<void>): Promise<void> {
  return inWorld(async (world) => {
    const { folder, run } = world
    await createDevnet({ dir: folder, nodes: 1, basePort: 7420, name: 'test', heartbeatMs: 1_000 })
    let files = 0
    const passphrase = (text: string) => {
      files += 1
      const file = join(folder, `passphrase-${files}`)
      writeFileSync(file, `${text}\n`, { mode: 0o600 })
      return file
    }
    const home = join(folder, 'h')
    const at = (line: string) => run(`--home ${home} ${line}`)
    const fails: KeyWorld['fails'] = async (code, mor, line) => {
      const ran = await at(line)
      assert.equal(ran.code, code, `${line}: ${ran.stderr}`)
      assert.match(ran.stderr, new RegExp(mor))
      assert.equal(ran.stdout, '')
      return ran
    }
    const genesis = join(folder, 'hospital-0', 'config', 'genesis.json')
    const init = `init --name riverside --network ${genesis} --passphrase-file`
    const made = await at(`${init} ${passphrase(OLD)}`)
    assert.equal(made.code, 0, made.stderr)
    await scenario({ ...world, home, passphrase, at, fails })
  })
}

const keyFile = (home: string, name = 'consensus') => join(home, 'keys', `${name}.json`)

test('init seals every secret of a home, and its node starts with the passphrase alone', () =>
  inHome(async ({ run, folder, home, passphrase, at, fails }) => {
    for (const name of readdirSync(join(home, 'keys'))) {
      const path = join(home, 'keys', name)
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.match(readFileSync(path, 'utf8'), /"scrypt"/)
    }
    assert.equal((await at('start --check')).code, 0)
    assert.match((await at('keys list')).stdout, /^consensus +did:key:\S+ +sealed/m)
    await fails(5, 'MOR-1121', `start --check --keys-passphrase-file ${passphrase('not that one')}`)
    await fails(6, 'MOR-1034', `start --check --keys-passphrase-file ${folder}/none`)
    const typed = await run(['--home', home, 'start', '--check', '--keys-passphrase-file', ''], {
      askSecret: () => Promise.resolve(OLD),
    })
    assert.equal(typed.code, 0, typed.stderr)
    await fails(2, 'MOR-1120', 'start --check --keys-passphrase-file=')
  }))

test('keys of a real node do not lie open, and a short passphrase makes no home', () =>
  inWorld(async ({ run, folder }) => {
    const none = await run(`--home ${folder}/a init --name a`)
    assert.equal(none.code, 2)
    assert.match(none.stderr, /MOR-1120/)
    assert.match(none.stderr, /passphrase-file/)
    const open = await run(`--home ${folder}/a init --name a --no-encrypt`)
    assert.equal(open.code, 2)
    assert.match(open.stderr, /MOR-1125/)
    const short = await run(`--home ${folder}/a init --name a`, {
      askSecret: () => Promise.resolve('short'),
    })
    assert.equal(short.code, 2)
    assert.match(short.stderr, /MOR-1122/)
    assert.deepEqual(readdirSync(folder), [])
    const typed = await run(`--home ${folder}/a init --name a`, {
      askSecret: () => Promise.resolve(OLD),
    })
    assert.equal(typed.code, 0, typed.stderr)
    const trial = await run(`--home ${folder}/b init --name b --profile test --no-encrypt`)
    assert.equal(trial.code, 0, trial.stderr)
    assert.match(readFileSync(join(folder, 'b', 'config', 'mooring.toml'), 'utf8'), /"test"/)
  }))

test('a passphrase is changed for all files at once, or for none', () =>
  inHome(async ({ home, passphrase, at, fails }) => {
    const before = readFileSync(keyFile(home), 'utf8')
    const fresh = passphrase(NEW)
    const change = `keys change-passphrase --new-passphrase-file ${fresh}`
    await fails(5, 'MOR-1121', `${change} --passphrase-file ${passphrase('not that one')}`)
    await fails(2, 'MOR-1122', `keys change-passphrase --new-passphrase-file ${passphrase('x')}`)
    assert.equal(readFileSync(keyFile(home), 'utf8'), before)
    const changed = await at(`${change} --json`)
    assert.equal(changed.code, 0, changed.stderr)
    const { files, sealedBefore } = JSON.parse(changed.stdout)
    assert.deepEqual([files.length, sealedBefore], [6, 6])
    await fails(5, 'MOR-1121', 'start --check')
    assert.equal((await at(`start --check --keys-passphrase-file ${fresh}`)).code, 0)
    assert.ok(await readKeyFile(keyFile(home, 'governance'), 'governance', lockWith(NEW)))
  }))

test('the governance key may have a passphrase of its own', () =>
  inHome(async ({ home, passphrase, at }) => {
    const line = `keys change-passphrase --type governance --new-passphrase-file ${passphrase(NEW)}`
    assert.equal((await at(line)).code, 0)
    assert.ok(await readKeyFile(keyFile(home, 'governance'), 'governance', lockWith(NEW)))
    assert.equal((await at('start --check')).code, 0)
  }))

test('the consensus key moves to a signer, and leaves its public half behind', () =>
  inHome(async ({ home, folder, passphrase, run, at, fails }) => {
    const copy = join(folder, 'copy.json')
    const carried = passphrase(NEW)
    const exported = `keys export --type consensus -o ${copy} --new-passphrase-file ${carried}`
    await fails(2, 'MOR-1002', 'keys export --type anchor --move -o x')
    const moved = await at(`${exported} --move --json`)
    assert.equal(moved.code, 0, moved.stderr)
    const { public: half } = JSON.parse(moved.stdout)
    await fails(7, 'MOR-1036', exported)
    await fails(3, 'MOR-1127', 'start --check')
    const node = await at('start --check --keys-signer unix:run/signer.sock')
    assert.equal(node.code, 0, node.stderr)

    const signer = join(folder, 'signer')
    const genesis = join(home, 'config', 'genesis.json')
    const atSigner = (line: string) => run(`--home ${signer} ${line}`)
    const init = `signer init --genesis ${genesis} --passphrase-file ${passphrase(OLD)}`
    assert.equal((await atSigner(init)).code, 0)
    assert.equal((await atSigner(init)).code, 7)
    assert.equal((await atSigner('signer serve --check')).code, 3)
    const wrong = `keys import ${copy} --type anchor --import-passphrase-file ${carried}`
    assert.match((await atSigner(wrong)).stderr, /MOR-1013/)
    const taken = await atSigner(
      `keys import ${copy} --type consensus --import-passphrase-file ${carried} --json`,
    )
    assert.equal(taken.code, 0, taken.stderr)
    assert.equal(JSON.parse(taken.stdout).public, half)
    assert.equal((await atSigner('signer serve --check')).code, 0)
    const again = `keys import ${copy} --type consensus --import-passphrase-file ${carried}`
    assert.match((await atSigner(again)).stderr, /MOR-1038/)
    assert.equal((await atSigner(`keys import ${folder}/none --type consensus`)).code, 6)

    const other = join(folder, 'other.json')
    assert.equal((await at(`keys new --type consensus -o ${other}`)).code, 0)
    const opened = `--import-passphrase-file ${passphrase(OLD)}`
    await fails(2, 'MOR-1129', `keys import ${other} --type consensus ${opened}`)
    const back = await at(again)
    assert.equal(back.code, 0, back.stderr)
    assert.ok(readdirSync(join(home, 'guard')).some((name) => name.startsWith('kept-')))
    assert.equal((await at('start --check')).code, 0)
  }))

test('a key is made where none is, and its public half goes where it is needed', () =>
  inHome(async ({ home, folder, passphrase, at, fails, run }) => {
    await fails(7, 'MOR-1038', 'keys new --type consensus')
    const elsewhere = join(folder, 'governance.json')
    const made = await at(`keys new --type governance -o ${elsewhere} --json`)
    assert.equal(made.code, 0, made.stderr)
    assert.equal(JSON.parse(made.stdout).form, 'sealed')
    const half = join(folder, 'half.json')
    assert.equal((await at(`keys export --type anchor --public -o ${half}`)).code, 0)
    assert.match(readFileSync(half, 'utf8'), /"seed": null/)
    const signer = join(folder, 'signer')
    const genesis = join(home, 'config', 'genesis.json')
    await run(`--home ${signer} signer init --genesis ${genesis}`)
    const own = `--home ${signer} keys new --type consensus --passphrase-file`
    assert.equal((await run(`${own} ${passphrase(OLD)}`)).code, 0)
    assert.ok(readdirSync(join(signer, 'guard')).includes('place'))
  }))

test.run()
