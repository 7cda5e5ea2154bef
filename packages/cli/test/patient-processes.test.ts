import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  createWallet,
  deriveWalletKey,
  formatTicket,
  openWallet,
  sealWallet,
} from '@mooring/records'
import { test } from 'uvu'

const PASSPHRASE = 'correct horse battery staple'
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

interface Home {
  folder: string
  start: (line: string) => ChildProcess
  run: (line: string) => Promise<{ code: number; stderr: string }>
}

async function inHome(scenario: (home: Home) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-wallet-'))
  const passphrase = join(folder, 'passphrase')
  writeFileSync(passphrase, `${PASSPHRASE}\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'next'), 'another long passphrase\n', { mode: 0o600 })
  const env = { HOME: folder, MOORING_WALLET_PASSPHRASE_FILE: passphrase, NO_COLOR: '1' }
  const start = (line: string) =>
    spawn(process.execPath, [MAIN, ...line.split(' ')], { cwd: folder, env })
  const run = async (line: string) => {
    const child = start(line)
    let stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const [code] = await once(child, 'close')
    return { code: Number(code), stderr }
  }
  try {
    await scenario({ folder, start, run })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const random = (length: number) => new Uint8Array(randomBytes(length))

async function makeWallet(folder: string): Promise<string> {
  const key = await deriveWalletKey(PASSPHRASE, random, { N: 1_024, r: 8, p: 1 })
  const parts = { label: 'Ada', createdAt: 1, seed: random(32), deviceSecret: random(32) }
  mkdirSync(join(folder, '.mooring'))
  const file = join(folder, '.mooring', 'wallet.json')
  writeFileSync(file, sealWallet(createWallet(parts), key, random), { mode: 0o600 })
  return file
}

// Takes every question and answers none.
async function withSilentHospital(
  scenario: (parts: { ticket: string; asked: Promise<void> }) => Promise<void>,
) {
  const server = createServer()
  const asked = once(server, 'request').then(() => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server on TCP has a port
  const { port } = server.address() as AddressInfo
  const ticket = formatTicket({
    organisation: 'st-mary',
    endpoint: `http://127.0.0.1:${port}`,
    code: new Uint8Array(16),
    genesisPrefix: new Uint8Array(8),
  })
  try {
    await scenario({ ticket, asked })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('a second program is kept out of a wallet until the first has ended, even by a crash', () =>
  inHome(async ({ folder, start, run }) => {
    const file = await makeWallet(folder)
    const before = readFileSync(file, 'utf8')
    await withSilentHospital(async ({ ticket, asked }) => {
      const first = start(`patient enrol ${ticket} --timeout 50s`)
      await asked
      assert.ok(existsSync(`${file}.lock`))
      const second = await run('patient passphrase --new-passphrase-file next')
      assert.equal(second.code, 10, second.stderr)
      assert.ok(second.stderr.includes(`Process ${first.pid} has`), second.stderr)
      first.kill('SIGKILL')
      await once(first, 'close')
    })
    assert.equal(readFileSync(file, 'utf8'), before)
    assert.ok(existsSync(`${file}.lock`), 'a killed process cleans nothing up')
    const third = await run('patient passphrase --new-passphrase-file next')
    assert.equal(third.code, 0, third.stderr)
    assert.deepEqual(readdirSync(join(folder, '.mooring')), ['wallet.json'])
    const opened = await openWallet(readFileSync(file), 'another long passphrase')
    assert.ok('wallet' in opened)
  }))

test.run()
