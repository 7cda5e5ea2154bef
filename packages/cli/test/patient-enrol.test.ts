import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, toHex } from '@mooring/codec'
import type { KnownGrantAnswer } from '@mooring/api'
import { keyPairFromSeed, seedToWords } from '@mooring/crypto'
import { handleOfKey } from '@mooring/ledger'
import {
  consentOf,
  formatGrant,
  grantIdOf,
  handleKey,
  openWallet,
  organisationDid,
  pairwiseSignKey,
  signGrant,
} from '@mooring/records'
import { test } from 'uvu'
import { DeskNode } from './desk-node.ts'
import { inWorld, NOW, serve, type World } from './world.ts'

const RECORD = { record: new Uint8Array(32).fill(4), type: 'Observation', date: '2026-01-02' }

const json = (text: string): Record<string, unknown> => JSON.parse(text)
const codeOf = ({ stderr }: { stderr: string }) => /MOR-\d{4}/.exec(stderr)?.[0]

type Scene = World & { node: DeskNode; url: string }

async function atDesk(scenario: (scene: Scene) => Promise<void>): Promise<void> {
  await inWorld((world) =>
    serve(world, new DeskNode(NOW.getTime()), async ({ folder, run, node, url }) => {
      const file = join(folder, 'passphrase')
      writeFileSync(file, 'correct horse battery staple\n', { mode: 0o600 })
      const known: World['run'] = (line, rest = {}) =>
        run(line, { ...rest, env: { MOORING_WALLET_PASSPHRASE_FILE: file, ...rest.env } })
      assert.equal((await known('patient new')).code, 0)
      await scenario({ folder, run: known, node, url })
    }),
  )
}

const itemsOf = ({ stdout }: { stdout: string }): Record<string, unknown>[] =>
  JSON.parse(stdout).items

test('a ticket makes the wallet known, with a key that the hospital sees signed and receipts it keeps', () =>
  atDesk(async ({ run, node, url }) => {
    node.patients.records = [RECORD]
    const { code, stdout, stderr } = await run(`patient enrol ${node.ticket(url)} --json`)
    assert.equal(code, 0, stderr)
    const [{ caller, enrolment } = assert.fail()] = node.patients.enrolled
    const { organisation, patientKey, receipts, replacedAt } = json(stdout)
    assert.deepEqual(
      [organisation, patientKey, receipts, replacedAt],
      ['st-mary', toHex(caller.patientKey), 1, 3],
    )
    assert.equal(enrolment.sealKey.length, 32)
    const items = itemsOf(await run('patient hospitals --json'))
    assert.deepEqual(
      items.map((each) => [each['organisation'], each['name'], each['endpoint'], each['receipts']]),
      [['st-mary', "St Mary's", url, 1]],
    )
    const shown = json((await run('patient show --json')).stdout)
    assert.match(String(shown['network']), /^moor-[0-9a-f]{8}$/)
  }))

test('the desk makes a ticket, as text, as a code and as a document', () =>
  atDesk(async ({ run, url }) => {
    const line = 'enrolment create --patient 4711'
    assert.equal((await run(line)).stdout, `mooring-ticket:${url}\n`)
    const shown = await run(`${line} --qr`)
    assert.match(shown.stdout, /\u2588\u2588\u2588\u2588/)
    assert.match(shown.stderr, /good once, until .+Z/)
    const address = 'https://wallets.example'
    const { ticket } = json((await run(`${line} --address ${address} --json`)).stdout)
    assert.equal(ticket, `mooring-ticket:${address}`)
    const unknown = await run('enrolment create --patient nobody')
    assert.equal(codeOf(unknown), 'MOR-5042')
    assert.match(unknown.stderr, /enrolment create --new/)
    assert.equal((await run('enrolment create --patient nobody --new')).code, 0)
  }))

test('the ticket may come from stdin, and in words it says what is known now', () =>
  atDesk(async ({ run, node, url }) => {
    const { code, stdout, stderr } = await run('patient enrol -', {
      stdin: `  ${node.ticket(url)}\n`,
    })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /enrolled at St Mary's, with 0 receipts/)
    assert.match(stderr, /retired, in block 3/)
  }))

test('a ticket is good once, and what the desk refuses changes nothing', () =>
  atDesk(async ({ run, node, url }) => {
    node.patients.codes.clear()
    const refused = await run(`patient enrol ${node.ticket(url)}`)
    assert.notEqual(refused.code, 0)
    assert.deepEqual(itemsOf(await run('patient hospitals --json')), [])
    assert.equal(json((await run('patient show --json')).stdout)['network'], null)
  }))

test('a hospital that shows another network than its ticket names is not joined', () =>
  atDesk(async ({ run, node, url }) => {
    const other = node.ticket(url, { genesisPrefix: new Uint8Array(8) })
    const ran = await run(`patient enrol ${other}`)
    assert.deepEqual([ran.code, codeOf(ran)], [8, 'MOR-5560'])
    assert.equal(node.patients.calls.length, 0, 'nothing was signed for it')
  }))

test('a wallet stays in the network of its first ticket', () =>
  atDesk(async ({ run, node, url }) => {
    assert.equal((await run(`patient enrol ${node.ticket(url)}`)).code, 0)
    const other = node.ticket(url, { genesisPrefix: new Uint8Array(8) })
    const ran = await run(`patient enrol ${other}`)
    assert.deepEqual([ran.code, codeOf(ran)], [13, 'MOR-5559'])
  }))

test('receipts that another has signed are no receipts; the wallet is enrolled all the same', () =>
  atDesk(async ({ run, node, url }) => {
    node.patients.signer = keyPairFromSeed(fromHex('77'.repeat(32)))
    node.patients.records = [RECORD]
    const ran = await run(`patient enrol ${node.ticket(url)}`)
    assert.deepEqual([ran.code, codeOf(ran)], [8, 'MOR-5569'])
    const items = itemsOf(await run('patient hospitals --json'))
    assert.deepEqual(
      items.map((each) => [each['organisation'], each['receipts']]),
      [['st-mary', 0]],
    )
  }))

function documentOf(seed: Uint8Array, index: number, signer = seed): string {
  const patientKey = pairwiseSignKey(signer, organisationDid('st-mary'))
  const terms = {
    id: grantIdOf(seed, index, (length) => new Uint8Array(length).fill(index)),
    handle: handleOfKey(handleKey(seed, index).publicKey),
    patientKey: patientKey.publicKey,
    logKey: new Uint8Array(32).fill(9),
    custodian: 'st-mary',
    recipient: 'riverside',
    purposes: ['TREAT'],
    notBefore: NOW.getTime(),
    expiresAt: NOW.getTime() + 86_400_000,
    content: { classes: ['general'] },
  }
  return formatGrant(signGrant(patientKey, consentOf(terms)))
}

function keptGrant(seed: Uint8Array, index: number, change: Partial<KnownGrantAnswer> = {}) {
  const random = (length: number) => new Uint8Array(length).fill(index)
  return {
    id: toHex(grantIdOf(seed, index, random)),
    handle: toHex(handleOfKey(handleKey(seed, index).publicKey)),
    recipient: 'riverside',
    classes: ['general'],
    purposes: ['TREAT'],
    notBefore: NOW.toISOString(),
    expiresAt: new Date(NOW.getTime() + 86_400_000).toISOString(),
    status: 'live' as const,
    revokedHeight: null,
    isHosted: false,
    document: documentOf(seed, index),
    ...change,
  }
}

test('a wallet that was made again finds at the hospital what it can revoke', () =>
  atDesk(async ({ run, node, url, folder }) => {
    const seed = new Uint8Array(32).fill(5)
    const words = seedToWords(seed).join(' ')
    const restored = await run('patient restore --words - --wallet again.json', { stdin: words })
    assert.equal(restored.code, 0, restored.stderr)
    const later = NOW.getTime() + 5_000
    node.patients.kept = [
      ...Array.from({ length: 117 }, (_, index) => keptGrant(seed, index)),
      // The key is the wallet's, and what should go with it is not.
      keptGrant(seed, 117, { document: documentOf(seed, 116) }),
      keptGrant(seed, 118, { document: documentOf(seed, 118, new Uint8Array(32)) }),
      keptGrant(seed, 119, { document: 'no grant' }),
      keptGrant(seed, later, { status: 'revoked' }),
      keptGrant(new Uint8Array(32).fill(6), 7),
      keptGrant(seed, 130, { handle: '00'.repeat(32) }),
    ]
    const line = `patient enrol ${node.ticket(url)} --wallet again.json`
    const { code, stderr } = await run(line)
    assert.equal(code, 0, stderr)
    const file = readFileSync(join(folder, 'again.json'))
    const opened = await openWallet(file, 'correct horse battery staple')
    assert.ok('wallet' in opened)
    const { grants, nextHandle } = opened.wallet
    assert.deepEqual(
      grants.map(({ index }) => index),
      Array.from({ length: 120 }, (_, index) => index),
    )
    assert.equal(nextHandle, later + 1)
    const whole = grants.filter(({ document }) => document !== null)
    assert.deepEqual(
      whole.map(({ index }) => index),
      Array.from({ length: 117 }, (_, index) => index),
    )
    const [row = ''] = (await run('patient grant list --wallet again.json')).stdout
      .split('\n')
      .filter((each) => each.includes('TREAT'))
    assert.match(row, /riverside +TREAT .* live +class general/)
  }))

test('a request for another hospital, or from a clock that is wrong, is refused there', () =>
  atDesk(async ({ run, node, url }) => {
    const elsewhere = await run(`patient enrol ${node.ticket(url, { organisation: 'lakeview' })}`)
    assert.equal(elsewhere.code === 0, false)
    assert.match(elsewhere.stderr, /not signed as it must be/)
    Object.assign(node.patients, { now: NOW.getTime() + 61_000 })
    const late = await run(`patient enrol ${node.ticket(url)}`)
    assert.equal(late.code === 0, false)
    assert.equal(node.patients.enrolled.length, 0)
  }))

test('what is no ticket, and where nobody answers, is said', () =>
  atDesk(async ({ run, node, url }) => {
    for (const word of ['mooring-ticket:1:x', 'hello', node.ticket(url).slice(0, -3)]) {
      const ran = await run(`patient enrol ${word}`)
      assert.deepEqual([ran.code, codeOf(ran)], [2, 'MOR-5568'], word)
    }
    const ran = await run(`patient enrol ${node.ticket('http://127.0.0.1:9')}`)
    assert.deepEqual([ran.code, codeOf(ran)], [4, 'MOR-4030'])
  }))

test.run()
