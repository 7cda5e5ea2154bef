import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OPTION_ENTRIES } from '@mooring/node'
import { test } from 'uvu'
import { inWorld, type World } from './world.ts'

const TEXT = 'config_version = 1\n[node]\nname = "st-mary"\n[p2p]\nmax_peers = 48 # enough\n'

function withFile(text: string, scenario: (world: World & { file: string }) => Promise<void>) {
  return inWorld(async (world) => {
    const home = join(world.folder, '.mooring')
    mkdirSync(join(home, 'config'), { recursive: true, mode: 0o700 })
    const file = join(home, 'config', 'mooring.toml')
    writeFileSync(file, text, { mode: 0o600 })
    await scenario({ ...world, file })
  })
}

test('acceptance 9: every key says whether flag, variable, file, profile or default set it', () =>
  withFile(TEXT, async ({ run, file }) => {
    const env = { MOORING_LOG_LEVEL: 'debug', MOORING_P2P_MAX_PEERS: '49' }
    const { code, stdout, stderr } = await run(
      'config show --origins --p2p-max-peers 50 --node-profile test',
      { env },
    )
    assert.equal(code, 0, stderr)
    for (const { name } of OPTION_ENTRIES) assert.match(stdout, new RegExp(`^${name} `, 'm'))
    assert.match(stdout, /^p2p\.max_peers +50 +flag --p2p-max-peers$/m)
    assert.match(stdout, /^log\.level +debug +env MOORING_LOG_LEVEL$/m)
    assert.match(stdout, /^node\.name +st-mary +file 3:8$/m)
    assert.match(stdout, /^shutdown\.timeout +5s +profile test$/m)
    assert.match(stdout, /^vault\.quota +0B +default$/m)
    const shown: { path: string; origins: object } = JSON.parse(
      (await run('config show --json', { env })).stdout,
    )
    assert.equal(shown.path, file)
    assert.equal(Object.keys(shown.origins).length, OPTION_ENTRIES.length)
    assert.equal((await run('config get p2p.max_peers')).stdout, '48\n')
  }))

test('what show prints is a configuration file with the same values', () =>
  withFile(TEXT, async ({ run, folder }) => {
    const { stdout } = await run('config show')
    writeFileSync(join(folder, 'shown.toml'), `config_version = 1\n${stdout}`)
    assert.equal((await run('config diff shown.toml')).stdout, 'no difference\n')
    assert.match((await run('config diff')).stdout, /^p2p\.max_peers +48 +64 +file 5:13$/m)
    const items = JSON.parse((await run('config diff --json')).stdout).items
    assert.deepEqual(items[1], {
      name: 'p2p.max_peers',
      value: 48,
      other: 64,
      from: 'file',
      where: '5:13',
    })
  }))

test('acceptance 9: validate tells all problems of file, variables and flags, with their places', () =>
  withFile(`${TEXT}allow = "all"\n[http]\nlistn = "x"\n`, async ({ run }) => {
    const line = 'config validate --storage-cache 64MB'
    const { code, stdout, stderr } = await run(line, { env: { MOORING_LOG_LEVLE: 'debug' } })
    assert.equal(code, 3)
    assert.equal(stdout, '')
    assert.match(stderr, /^error: 4 problems in .*mooring\.toml\n\(MOR-1003\)/s)
    assert.match(stderr, /6:9 +\[p2p\] allow = "all"/)
    assert.match(stderr, /8:1 .*\n? *unknown key "listn"\. Did you mean "listen"\?/)
    assert.match(stderr, /env +MOORING_LOG_LEVLE=debug/)
    assert.match(stderr, /flag +--storage-cache=64MB/)
  }))

test('set writes one value, keeps the rest and the file of before, and refuses what is wrong', () =>
  withFile(TEXT, async ({ run, file }) => {
    assert.equal((await run('config set p2p.max_peers 32')).code, 0)
    assert.equal(readFileSync(file, 'utf8'), TEXT.replace('48', '32'))
    assert.equal(readFileSync(`${file}.bak`, 'utf8'), TEXT)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.ok(!existsSync(`${file}.new`))
    const { code, stderr } = await run('config set p2p.max_peers lots')
    assert.equal(code, 2)
    assert.match(stderr, /MOR-1101/)
    assert.match(stderr, /expected an integer 1\.\.1000/)
    const unknown = await run('config set p2p.max_peer 7')
    assert.equal(unknown.code, 6)
    assert.match(unknown.stderr, /Did you mean\s+"p2p\.max_peers"\?/)
    const contradicting = await run('config set p2p.allow list')
    assert.equal(contradicting.code, 7)
    assert.match(contradicting.stderr, /MOR-1105/)
    assert.equal(readFileSync(file, 'utf8'), TEXT.replace('48', '32'))
    assert.equal((await run('config set storage.cache 1500000B')).code, 0)
    assert.equal((await run('config get storage.cache')).stdout, '1500000B\n')
  }))

test('migrate brings an old file to this version once, and refuses a newer one', () =>
  withFile('[node]\nname = "st-mary"\n', async ({ run, file }) => {
    assert.equal((await run('config validate')).code, 3)
    const migrated = await run('config migrate --json')
    assert.equal(JSON.parse(migrated.stdout).from, 0)
    assert.equal((await run('config validate')).code, 0)
    assert.match((await run('config migrate')).stdout, /is of version 1 already/)
    assert.equal(readFileSync(`${file}.bak`, 'utf8'), '[node]\nname = "st-mary"\n')
    writeFileSync(file, 'config_version = 2\n')
    const newer = await run('config migrate')
    assert.equal(newer.code, 13)
    assert.match(newer.stderr, /MOR-1103/)
  }))

test('without a file there are the defaults, and a file that is named must be there', () =>
  inWorld(async ({ run }) => {
    const env = { MOORING_NODE_NAME: 'st-mary' }
    const { code, stdout } = await run('config validate', { env })
    assert.equal(code, 0)
    assert.match(stdout, /no file: variables and defaults/)
    assert.equal((await run('config validate none.toml', { env })).code, 3)
    assert.equal((await run('config set p2p.max_peers 7')).code, 3)
    const schema: { properties: object } = JSON.parse((await run('config schema --json')).stdout)
    assert.ok('p2p' in schema.properties)
  }))

test.run()
