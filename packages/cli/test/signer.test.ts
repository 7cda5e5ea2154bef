import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDevnet } from '@mooring/node'
import { test } from 'uvu'
import type { Context } from '../src/index.ts'
import { inWorld, type World } from './world.ts'

type SignerWorld = World & { home: string; passphrase: string; socket: string }

// The home of a signer, sealed, for the network of a devnet.
function inHome(scenario: (world: SignerWorld) => Promise<void>): Promise<void> {
  return inWorld(async (world) => {
    const { folder, run } = world
    await createDevnet({ dir: folder, nodes: 1, basePort: 7420, name: 'test', heartbeatMs: 1_000 })
    const genesis = join(folder, 'hospital-0', 'config', 'genesis.json')
    const home = join(folder, 's')
    const passphrase = join(folder, 'passphrase')
    writeFileSync(passphrase, 'four words by chance\n', { mode: 0o600 })
    const init = `--home ${home} init --name signer --network ${genesis}`
    const made = await run(`${init} --passphrase-file ${passphrase}`)
    assert.equal(made.code, 0, made.stderr)
    await scenario({ ...world, home, passphrase, socket: join(home, 'run', 'signer.sock') })
  })
}

function interrupting() {
  const listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>()
  const onInterrupt: Context['onInterrupt'] = (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const stop = () => {
    for (const listener of listeners) listener('SIGTERM')
  }
  return { onInterrupt, stop }
}

async function answered(run: World['run'], line: string) {
  for (let tries = 0; ; tries += 1) {
    const ran = await run(line)
    if (ran.code === 0 || tries === 200) return ran
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('a signer serves until it is told to stop, and says how far it has signed', () =>
  inHome(async ({ run, home }) => {
    const { onInterrupt, stop } = interrupting()
    const reloads = new Set<() => void>()
    const onReload = (listener: () => void) => {
      reloads.add(listener)
      return () => reloads.delete(listener)
    }
    const serving = run(`--home ${home} signer serve`, { onInterrupt, onReload })
    const status = await answered(run, `--home ${home} signer status --json`)
    assert.equal(status.code, 0, status.stderr)
    const document: Record<string, unknown> = JSON.parse(status.stdout)
    assert.deepEqual(document['marks'], { epoch: 0, notarized: 0, nullified: 0, finalized: 0 })
    assert.equal(document['memory'], 'whole')
    const text = await run(`--home ${home} signer status`)
    assert.match(text.stdout, /^guard +knows every vote$/m)
    assert.equal(reloads.size, 1, 'SIGHUP does not end it')
    for (const reload of reloads) reload()
    const second = await run(`--home ${home} signer serve`)
    assert.equal(second.code, 10)
    assert.match(second.stderr, /MOR-1010/)
    stop()
    const served = await serving
    assert.equal(served.code, 0, served.stderr)
    assert.match(served.stdout, /"message":"signer started"/)
    const gone = await run(`--home ${home} signer status`)
    assert.equal(gone.code, 4)
    assert.match(gone.stderr, /MOR-1130/)
  }))

test('a signer starts with its key, its genesis and its certificates, or not at all', () =>
  inHome(async ({ run, home, folder, passphrase }) => {
    const check = await run(`--home ${home} signer serve --check --json`)
    assert.equal(check.code, 0, check.stderr)
    assert.equal(JSON.parse(check.stdout).address, 'unix:run/signer.sock')
    const fails = async (code: number, mor: string, line: string) => {
      const ran = await run(`--home ${home} ${line}`)
      assert.equal(ran.code, code, ran.stderr)
      assert.match(ran.stderr, new RegExp(mor))
      assert.equal(ran.stdout, '')
    }
    const other = join(folder, 'other')
    writeFileSync(other, 'another passphrase\n', { mode: 0o600 })
    await fails(5, 'MOR-1121', `signer serve --check --keys-passphrase-file ${other}`)
    await fails(3, 'MOR-1136', 'signer serve --check --signer-listen tls://127.0.0.1:7424')
    await fails(3, 'MOR-1003', 'signer serve --check --signer-listen http://127.0.0.1')
    await fails(2, 'MOR-1002', 'signer status --endpoint http://127.0.0.1:7424')
    await fails(4, 'MOR-1130', `signer status --endpoint unix:${folder}/none.sock`)
    writeFileSync(passphrase, 'short\n')
    await fails(5, 'MOR-1121', 'signer serve')
  }))

test('the status of a home whose node asks a signer is that of the signer', () =>
  inHome(async ({ run, home }) => {
    const config = join(home, 'config', 'mooring.toml')
    const text = readFileSync(config, 'utf8')
    writeFileSync(config, text.replace('[keys]', '[keys]\nsigner = "unix:run/elsewhere.sock"'))
    assert.equal((await run(`--home ${home} start --check`)).code, 0)
    const away = await run(`--home ${home} signer status`)
    assert.equal(away.code, 4)
    assert.match(away.stderr, /elsewhere\.sock/)
  }))

test.run()
