// A signer over TCP: both sides show certificates, and a name decides who is answered.

import assert from 'node:assert/strict'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { type Issued, issueAuthority, issueCertificate } from '../src/issue-certificate.ts'
import type { SignerAddress, TlsFiles } from '../src/signer-address.ts'
import { always, eventually, KEY, SignerWorld, voteFor } from './signer-world.ts'

const DAY_MS = 86_400_000

const during = (days: number) => ({
  notBefore: Date.now() - 2 * DAY_MS,
  notAfter: Date.now() + days * DAY_MS,
})

const makeAuthority = (name: string): Issued => issueAuthority({ name, ...during(30) })

interface Wanted {
  folder: string
  name: string
  days?: number
  hosts?: readonly string[]
}

/** Its files in the folder; expired when the days are below 0. */
async function issue(
  authority: Issued,
  { folder, name, days = 30, hosts = [] }: Wanted,
): Promise<TlsFiles> {
  const use = name === 'signer' ? 'server' : 'client'
  const { cert, key } = issueCertificate(
    { name, use, hosts: use === 'server' ? ['127.0.0.1'] : hosts, ...during(days) },
    authority,
  )
  const file = (kind: string) => join(folder, `${name}.${kind}.pem`)
  await writeFile(file('cert'), cert)
  await writeFile(file('ca'), authority.cert)
  await writeFile(file('key'), key, { mode: 0o600 })
  return { cert: file('cert'), key: file('key'), ca: file('ca') }
}

const LISTEN = 'tls://127.0.0.1:0'

const at = (port: number, tls: TlsFiles): SignerAddress => ({
  kind: 'tls',
  host: '127.0.0.1',
  port,
  text: `tls://127.0.0.1:${port}`,
  tls,
})

async function withSigner(
  scenario: (world: SignerWorld, signer: { authority: Issued; port: number }) => Promise<void>,
): Promise<void> {
  await SignerWorld.open(async (world) => {
    const authority = makeAuthority('hospital')
    const tls = await issue(authority, { folder: world.folder, name: 'signer' })
    const address = { ...at(0, tls), text: LISTEN }
    const home = await world.home('signer', { address, clients: ['st-mary'] })
    const { address: bound } = await world.start(home)
    await scenario(world, { authority, port: Number(bound.split(':').at(-1)) })
  })
}

/** What the node says of the signer that it cannot use. */
async function finding(world: SignerWorld, address: SignerAddress): Promise<string> {
  const node = world.connect(address)
  await eventually(() => node.finding() !== null, 'the node says why')
  return node.finding()?.detail ?? ''
}

test('a node with a certificate of its name is answered', () =>
  withSigner(async (world, { authority, port }) => {
    const tls = await issue(authority, { folder: world.folder, name: 'st-mary' })
    const node = world.connect(at(port, tls))
    assert.ok(await node.vote(KEY.publicKey, voteFor('notarize', 1), always))
  }))

test('a certificate of another name, another authority or another time opens nothing', () =>
  withSigner(async (world, { authority, port }) => {
    const { folder } = world
    const other = makeAuthority('elsewhere')
    // One name with the words of three in it: it is not taken apart.
    const hosts = ['x, DNS:st-mary, DNS:y']
    const named = await issue(authority, { folder, name: 'riverside', hosts })
    const expired = await issue(authority, { folder, name: 'st-mary', days: -1 })
    const details = await Promise.all([
      finding(world, at(port, named)),
      finding(world, at(port, expired)),
      issue(other, { folder, name: 'lakeview' }).then((tls) =>
        finding(world, at(port, { ...tls, ca: named.ca })),
      ),
      issue(other, { folder, name: 'county' }).then((tls) => finding(world, at(port, tls))),
    ])
    assert.match(details[0], /does not let riverside in/)
    assert.match(details[1], /st-mary\.cert\.pem has expired on/)
    assert.match(details[2], /most likely it does not accept .*lakeview|unknown ca/)
    assert.match(details[3], /certificate|issuer/)
  }))

test('new certificates are taken up by the next connection; what cannot be read changes nothing', () =>
  withSigner(async (world, { port }) => {
    const { folder } = world
    const renewed = makeAuthority('hospital renewed')
    const { cert } = await issue(renewed, { folder, name: 'signer' })
    const tls = await issue(renewed, { folder, name: 'st-mary' })
    const until = Date.now() + 5_000
    const isInTime = () => Date.now() < until
    const first = world.connect(at(port, tls))
    assert.ok(await first.vote(KEY.publicKey, voteFor('notarize', 1), isInTime))
    await writeFile(cert, 'half of a certi')
    const second = world.connect(at(port, tls))
    assert.ok(await second.vote(KEY.publicKey, voteFor('finalize', 1), isInTime))
  }))

test('a private key that others may read, or that is none, is refused at the start', () =>
  SignerWorld.open(async (world) => {
    const authority = makeAuthority('hospital')
    const tls = await issue(authority, { folder: world.folder, name: 'signer' })
    const home = await world.home('signer', { address: { ...at(0, tls), text: LISTEN } })
    await chmod(tls.key, 0o640)
    await assert.rejects(world.start(home), { code: 'key_open' })
    await chmod(tls.key, 0o600)
    await writeFile(tls.key, 'nothing of the kind')
    await assert.rejects(world.start(home), { code: 'signer_tls' })
  }))

test.run()
