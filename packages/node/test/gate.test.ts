// Who may ask a whole node: its tokens, its certificates, what is read again while it runs, and the trace
// that administration leaves on the chain.

import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiProblem } from '@mooring/api/client'
import { connectClient } from '@mooring/api/node-client'
import { verifyProof } from '@mooring/api/verify'
import { fromHex, toHex } from '@mooring/codec'
import { adminParametersDigest, parseAccessProof } from '@mooring/records'
import { test } from 'uvu'
import { initAuthority, issueFromAuthority, tlsFolder } from '../src/authority-files.ts'
import { createDevnet, findPortBlock, writeDevnetConfigs } from '../src/devnet.ts'
import { loadNodeOptions, type NodeOptions } from '../src/load-options.ts'
import { type RunningNode, startNode } from '../src/node.ts'
import { NodeError } from '../src/node-error.ts'

const DAY_MS = 86_400_000

interface World {
  home: string
  /** Lines in sections of the file, `http` when there is no other word. */
  configure: (lines: string, others?: Record<string, string>) => void
  load: () => Promise<NodeOptions>
  start: () => Promise<RunningNode>
}

const put = (text: string, [name, added]: [string, string]) =>
  text.replace(`[${name}]\n`, `[${name}]\n${added}\n`)

async function inHome(scenario: (world: World) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-gate-'))
  const running: RunningNode[] = []
  try {
    const { basePort } = await findPortBlock(0, 1)
    const devnet = await createDevnet({ dir, nodes: 1, basePort, name: 'gate', heartbeatMs: 200 })
    await writeDevnetConfigs(devnet)
    const home = devnet.nodes[0]?.home ?? ''
    const file = join(home, 'config', 'mooring.toml')
    const first = readFileSync(file, 'utf8')
    const flags = { 'log.file': 'logs/node.log', 'shutdown.grace': '0ms' }
    const load = () => loadNodeOptions({ home, flags, env: {} })
    await scenario({
      home,
      configure: (lines, others = {}) => {
        const sections = Object.entries({ http: lines, ...others })
        writeFileSync(file, sections.reduce(put, first))
      },
      load,
      start: async () => {
        const node = await startNode(await load())
        running.push(node)
        return node
      },
    })
  } finally {
    for (const node of running) await node.close()
    await rm(dir, { recursive: true, force: true })
  }
}

async function until<T>(read: () => Promise<T | undefined>, what: string): Promise<T> {
  const end = Date.now() + 20_000
  while (Date.now() < end) {
    const value = await read()
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`waited for ${what}`)
}

async function measured({ metrics }: NodeOptions): Promise<string> {
  return await (await fetch(`http://${metrics.listen ?? ''}/metrics`)).text()
}

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof ApiProblem && error.code === code

const reloadedOf = async (node: RunningNode) =>
  Object.fromEntries((await node.reload()).map(({ part, outcome }) => [part, outcome]))

test('a token opens what its role permits until it is revoked, and every act is provable offline', () =>
  inHome(async ({ home, configure, start, load }) => {
    configure('open = "nobody"')
    const node = await start()
    const options = await load()
    const { genesisDigest } = options
    const { admin } = connectClient(`unix:${join(home, 'run', 'admin.sock')}`)
    const { access } = admin
    assert.deepEqual(await access.caller(), { name: 'socket', role: 'admin' })
    await assert.rejects(connectClient(node.api).status(), refusedAs('credentials_missing'))

    const made = await access.createToken({ name: 'lab', role: 'viewer', lifetimeMs: DAY_MS })
    const lab = connectClient(node.api, { token: made.token })
    assert.equal((await lab.status()).node.name, 'hospital-0')
    assert.deepEqual(await lab.admin.access.caller(), {
      name: `token ${made.id} lab`,
      role: 'viewer',
    })
    await assert.rejects(lab.createSnapshot(), refusedAs('role_missing'))
    assert.match(await measured(options), /token_expiry_timestamp_seconds{use="viewer"} \d+/)
    await access.revokeToken(made.id)
    await assert.rejects(lab.status(), refusedAs('token_revoked'))
    assert.doesNotMatch(await measured(options), /token_expiry_timestamp_seconds{use/)
    const { items: tokens } = await access.tokens()
    assert.deepEqual(
      tokens.map(({ id, status }) => [id, status]),
      [[made.id, 'revoked']],
    )
    assert.ok(tokens[0]?.usedAt !== null)

    const acts = await until(async () => {
      const { items } = await access.acts()
      return items.every(({ status }) => status === 'anchored') ? items : undefined
    }, 'acts that are anchored')
    assert.deepEqual(
      acts.map(({ act, caller, answer }) => [act, caller, answer]),
      [
        ['revokeToken', 'socket', 200],
        ['createToken', 'socket', 201],
      ],
    )
    const [revoked] = acts
    assert.ok(revoked !== undefined)
    const json = await connectClient(`unix:${join(home, 'run', 'admin.sock')}`).proof(revoked.id)
    const verified = verifyProof(json, { genesisDigest })
    assert.ok(verified.ok, JSON.stringify(verified))
    assert.match(verified.steps[0]?.detail ?? '', /revokeToken by socket at hospital-0/)
    const proof = parseAccessProof(json)
    assert.ok(proof.version === 2)
    const parameters = `{"body":{},"params":{"id":"${made.id}"},"query":{}}`
    assert.deepEqual(
      toHex(adminParametersDigest(proof.entry.content.nonce, parameters)),
      revoked.parameters,
    )
    const altered = verifyProof(json.replace('"socket"', '"nobody"'), { genesisDigest })
    assert.ok(!altered.ok && altered.failed.code === 'entry_commitment_differs')
    assert.equal(fromHex(revoked.id).length, 32)
    assert.deepEqual((await connectClient(`unix:${home}/run/admin.sock`).accessList()).items, [])
  }))

test('a listener speaks TLS, knows clients by their certificates, and reads all of it again', () =>
  inHome(async ({ home, configure, start }) => {
    const now = Date.now()
    const times = { notBefore: now - 60_000, notAfter: now + 90 * DAY_MS }
    const how = { passphrase: null, isForced: true }
    await initAuthority(home, { name: 'CA', ...times }, how)
    const issue = (name: string, use: 'server' | 'client', notAfter = times.notAfter) => {
      const wish = { ...times, notAfter, name, use, hosts: use === 'server' ? ['127.0.0.1'] : [] }
      return issueFromAuthority(home, wish, how)
    }
    await issue('ledger', 'server')
    for (const name of ['lab-gateway', 'unknown']) await issue(name, 'client')
    await issue('old', 'client', now - 1_000)
    const files =
      'tls_cert = "keys/tls/ledger.crt"\ntls_key = "keys/tls/ledger.key"\nclient_ca = "keys/tls/ca.crt"'
    configure(`${files}\nopen = "nobody"\nclient_roles = ["lab-gateway=viewer"]`)
    const node = await start()
    assert.match(node.api, /^https:/)
    const pem = (name: string) => readFileSync(join(tlsFolder(home), name), 'utf8')
    const ca = pem('ca.crt')
    const as = (name: string) =>
      connectClient(node.api, { ca, cert: pem(`${name}.crt`), key: pem(`${name}.key`) })
    assert.deepEqual(await as('lab-gateway').admin.access.caller(), {
      name: 'certificate lab-gateway',
      role: 'viewer',
    })
    await assert.rejects(as('unknown').status(), refusedAs('certificate_unknown'))
    await assert.rejects(as('ledger').status(), refusedAs('certificate_refused'))
    const expired = await as('old')
      .status()
      .catch((error: unknown) => error)
    assert.ok(expired instanceof ApiProblem && expired.code === 'certificate_expired')
    assert.match(expired.detail, /"old" expired at 20\d\d-/)
    await assert.rejects(connectClient(node.api, { ca }).status(), refusedAs('credentials_missing'))
    await assert.rejects(connectClient(node.api).status(), refusedAs('unreachable'))

    assert.deepEqual(new Set(Object.values(await reloadedOf(node))), new Set(['same']))
    configure(`${files}\nopen = "nobody"\nclient_roles = ["unknown=auditor"]`)
    const first = await issue('ledger', 'server')
    assert.deepEqual(await reloadedOf(node), {
      'log level': 'same',
      tokens: 'same',
      callers: 'changed',
      certificates: 'changed',
      'allow list': 'same',
    })
    assert.equal((await as('unknown').admin.access.caller()).role, 'auditor')
    await assert.rejects(as('lab-gateway').status(), refusedAs('certificate_unknown'))

    await issue('ledger', 'server', now - 1_000)
    const [refused] = (await node.reload()).filter(({ outcome }) => outcome === 'refused')
    assert.deepEqual([refused?.part, refused?.code], ['certificates', 'tls_expired'])
    assert.match(refused?.detail ?? '', /ledger\.crt, of "ledger", expired at/)
    copyFileSync(join(tlsFolder(home), 'unknown.key'), first.keyPath)
    const mixed = (await node.reload()).find(({ part }) => part === 'certificates')
    assert.equal(mixed?.code, 'tls_mismatch')
    assert.equal((await as('unknown').status()).node.name, 'hospital-0')

    configure(files, { log: 'level = "loud"' })
    const wrong = await node.reload()
    assert.deepEqual(
      wrong.map(({ part, outcome, code }) => [part, outcome, code]),
      [['configuration', 'refused', 'options_invalid']],
    )
  }))

test('wallets are answered over TLS of their own', () =>
  inHome(async ({ home, configure, start }) => {
    const now = Date.now()
    const times = { notBefore: now - 60_000, notAfter: now + 90 * DAY_MS }
    const how = { passphrase: null, isForced: true }
    await initAuthority(home, { name: 'CA', ...times }, how)
    const wish = { ...times, name: 'wallets', use: 'server' as const, hosts: ['127.0.0.1'] }
    await issueFromAuthority(home, wish, how)
    const tls = 'tls_cert = "keys/tls/wallets.crt"\ntls_key = "keys/tls/wallets.key"'
    configure('', { patients: `listen = "127.0.0.1:0"\n${tls}` })
    await start()
    const log = readFileSync(join(home, 'logs', 'node.log'), 'utf8')
    const [, url = ''] = /"address":"(https:[^"]+)"/.exec(log) ?? []
    const ca = readFileSync(join(tlsFolder(home), 'ca.crt'), 'utf8')
    assert.equal((await connectClient(url, { ca }).live()).status, 'ok')
    await assert.rejects(connectClient(url).live(), refusedAs('unreachable'))
    const plain = connectClient(url.replace('https:', 'http:'))
    await assert.rejects(plain.live(), refusedAs('unreachable'))
  }))

test('an expired certificate stops no node, and is an alarm that names it', () =>
  inHome(async ({ home, configure, start, load }) => {
    const now = Date.now()
    const times = { notBefore: now - 60_000, notAfter: now + 20 * DAY_MS }
    const how = { passphrase: null, isForced: true }
    await initAuthority(home, { name: 'CA', ...times }, how)
    const wish = { name: 'ledger', use: 'server' as const, hosts: ['127.0.0.1'] }
    const { keyPath } = await issueFromAuthority(
      home,
      { ...wish, ...times, notAfter: now - 1_000 },
      how,
    )
    configure('tls_cert = "keys/tls/ledger.crt"\ntls_key = "keys/tls/ledger.key"')
    const node = await start()
    const client = connectClient(`unix:${join(home, 'run', 'admin.sock')}`)
    const { alarms } = await client.status()
    assert.deepEqual(
      alarms.map(({ code, severity }) => [code, severity]),
      [
        ['tls_expired', 'page'],
        ['tls_expires', 'ticket'],
      ],
    )
    assert.match(alarms[0]?.detail ?? '', /ledger\.crt, of "ledger", expired at/)
    await node.close()
    writeFileSync(keyPath, 'no key')
    const options = await load()
    await assert.rejects(
      startNode(options),
      (error) => error instanceof NodeError && error.code === 'tls_unreadable',
    )
  }))

test.run()
