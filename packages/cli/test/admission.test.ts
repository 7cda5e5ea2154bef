import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { createDevnet, writeDevnetConfigs } from '@mooring/node'
import { test } from 'uvu'
import { inWorld, withNode } from './world.ts'

const TOKEN = /^mor_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\n$/

test('tokens of a stopped home are made, listed and revoked; the file has no secret', () =>
  inWorld(async ({ run: runAnywhere, folder }) => {
    const input = { dir: folder, nodes: 1, basePort: 0, name: 'tokens', heartbeatMs: 1_000 }
    const devnet = await createDevnet(input)
    await writeDevnetConfigs(devnet)
    const home = devnet.nodes[0]?.home ?? ''
    const run = (line: string[] | string) =>
      runAnywhere(['--home', home, ...(typeof line === 'string' ? line.split(' ') : line)])
    const made = await run('token create --name lab-gateway --role submitter --ttl 7d')
    assert.match(made.stdout, TOKEN)
    const file = join(home, 'keys', 'tokens.json')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const [, id = '', secret = ''] = /^mor_([0-9a-f]+)_(.+)\n$/.exec(made.stdout) ?? []
    const kept = readFileSync(file, 'utf8')
    assert.ok(kept.includes(id) && !kept.includes(secret))
    const kept2 = await run('token create --name auditor --role auditor --output a.token --json')
    assert.equal(JSON.parse(kept2.stdout).token, null)
    assert.match(readFileSync(join(folder, 'a.token'), 'utf8'), TOKEN)
    assert.equal(statSync(join(folder, 'a.token')).mode & 0o777, 0o600)
    assert.equal((await run(`token revoke ${id}`)).code, 0)
    const { items } = JSON.parse((await run('token list --json')).stdout)
    assert.deepEqual(
      items.map(({ name, status }: { name: string; status: string }) => [name, status]),
      [
        ['lab-gateway', 'revoked'],
        ['auditor', 'valid'],
      ],
    )
    assert.equal((await run('token revoke 0123456789ab')).code, 6)
    assert.equal((await run(['token', 'create', '--name', 'No Name', '--role', 'viewer'])).code, 2)
    assert.equal((await run('token create --name a --role king')).code, 2)
    assert.equal((await run('token create --name a --role viewer --ttl 900d')).code, 2)
  }))

test('a token is taken from a file that is its user’s alone', () =>
  withNode(async ({ run, folder }) => {
    writeFileSync(join(folder, 'token'), `mor_x\n`, { mode: 0o600 })
    assert.equal((await run('status --token-file token')).code, 5)
    chmodSync(join(folder, 'token'), 0o644)
    const open = await run('status --token-file token')
    assert.equal(open.code, 3)
    assert.match(open.stderr, /0644/)
    assert.equal((await run('status --token-file nowhere')).code, 6)
    assert.equal((await run('status --cert token')).code, 2)
  }))

test('an authority issues, refuses to replace, and its certificates are checked', () =>
  inWorld(async ({ run, folder }) => {
    assert.equal((await run('tls issue a --for client')).code, 2)
    writeFileSync(join(folder, 'pass'), 'a long enough passphrase\n')
    assert.equal(
      (await run(['tls', 'init-ca', '--name', 'St. Mary CA', '--passphrase-file', 'pass'])).code,
      0,
    )
    assert.equal((await run('tls init-ca')).code, 7)
    const locked = await run('tls issue ledger.st-mary.example')
    assert.equal(locked.code, 2)
    assert.match(locked.stderr, /--passphrase-file/)
    const how = '--passphrase-file pass --host ledger.st-mary.example 10.0.0.7'
    const issued = await run(`tls issue ledger.st-mary.example ${how} --ttl 20d`)
    assert.deepEqual(issued.stdout.split('\n').slice(0, 2), [
      'keys/tls/ledger.st-mary.example.crt',
      'keys/tls/ledger.st-mary.example.key',
    ])
    const key = join(folder, '.mooring', 'keys', 'tls', 'ledger.st-mary.example.key')
    assert.equal(statSync(key).mode & 0o777, 0o600)
    const { items } = JSON.parse((await run('tls list --json')).stdout)
    assert.deepEqual(
      items.map(({ subject }: { subject: string }) => subject),
      ['St. Mary CA', 'ledger.st-mary.example'],
    )
    const soon = await run(`tls check ${key.replace('.key', '.crt')}`)
    assert.equal(soon.code, 0)
    assert.match(soon.stderr, /expires at/)
    await run('tls issue old --passphrase-file pass --for client --ttl 1ms')
    const expired = await run(`tls check ${join(folder, '.mooring', 'keys', 'tls', 'old.crt')}`)
    assert.equal(expired.code, 8)
    assert.match(expired.stderr, /old\.crt, of "old", expired at/)
    assert.ok(existsSync(key))
  }))

test('acts of administration are listed', () =>
  withNode(async ({ run }) => {
    assert.match((await run('access acts')).stdout, /^nothing was done/)
    await run('snapshot create')
    const { stdout } = await run('access acts')
    assert.match(stdout, /loopback +createSnapshot +200/)
    const { items } = JSON.parse((await run('access acts --json')).stdout)
    assert.equal(items.length, 1)
  }))

test('a node whose certificate is not believed is named, with the reason', () =>
  inWorld(async ({ run, folder }) => {
    await run(['tls', 'init-ca'])
    for (const [name, ttl] of [
      ['fresh', '20d'],
      ['stale', '1ms'],
    ] as const)
      await run(['tls', 'issue', name, '--host', '127.0.0.1', '--ttl', ttl])
    const pem = (name: string) =>
      readFileSync(join(folder, '.mooring', 'keys', 'tls', name), 'utf8')
    const ca = join(folder, '.mooring', 'keys', 'tls', 'ca.crt')
    for (const [name, code] of [
      ['fresh', 'MOR-4211'],
      ['stale', 'MOR-4210'],
    ] as const) {
      const server = createServer({ cert: pem(`${name}.crt`), key: pem(`${name}.key`) })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      assert.ok(typeof address === 'object' && address !== null)
      const trusting = code === 'MOR-4210' ? ['--cacert', ca] : []
      const endpoint = `https://127.0.0.1:${address.port}`
      const { code: exit, stderr } = await run(['status', '--endpoint', endpoint, ...trusting])
      server.close()
      assert.equal(exit, 4)
      assert.match(stderr, new RegExp(`${code}.*for "${name}"`, 's'))
    }
  }))

test.run()
