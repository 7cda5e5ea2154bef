import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import { type AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { test } from 'uvu'
import { issueAuthority, issueCertificate } from '../src/issue-certificate.ts'

const DAY_MS = 86_400_000
const notBefore = Math.floor(Date.now() / 1_000) * 1_000 - 60_000
const notAfter = notBefore + 90 * DAY_MS
const authority = issueAuthority({ name: 'St. Mary test CA', notBefore, notAfter })

test('an authority signs itself and may issue', () => {
  const own = new X509Certificate(authority.cert)
  assert.ok(own.ca && own.verify(own.publicKey) && own.checkIssued(own))
  assert.equal(own.subject, 'CN=St. Mary test CA')
  assert.equal(own.validToDate.getTime(), notAfter)
})

test('a server certificate carries names and addresses, and is checked by its issuer', () => {
  const hosts = ['ledger.st-mary.example', '10.1.2.3', '2001:db8::7']
  const wish = { name: 'ledger.st-mary.example', use: 'server' as const, hosts }
  const { cert, key } = issueCertificate({ ...wish, notBefore, notAfter }, authority)
  const issued = new X509Certificate(cert)
  const issuer = new X509Certificate(authority.cert)
  assert.ok(issued.verify(issuer.publicKey) && issued.checkIssued(issuer) && !issued.ca)
  assert.equal(issued.checkHost('ledger.st-mary.example'), 'ledger.st-mary.example')
  assert.equal(issued.checkIP('10.1.2.3'), '10.1.2.3')
  assert.equal(issued.checkIP('2001:db8::7'), '2001:db8::7')
  assert.equal(issued.checkHost('riverside.example'), undefined)
  assert.deepEqual(issued.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.match(key, /^-----BEGIN PRIVATE KEY-----/)
})

test('a year past 2049 keeps its four digits', () => {
  const late = Date.UTC(2061, 4, 6)
  const { cert } = issueAuthority({ name: 'late', notBefore, notAfter: late })
  assert.equal(new X509Certificate(cert).validToDate.getTime(), late)
})

test('both ends of a handshake take what it issues', async () => {
  const common = { notBefore, notAfter }
  const server = issueCertificate(
    { name: 'localhost', use: 'server', hosts: ['localhost', '127.0.0.1'], ...common },
    authority,
  )
  const client = issueCertificate(
    { name: 'lab-gateway', use: 'client', hosts: [], ...common },
    authority,
  )
  const listener = createServer({ ...server, ca: authority.cert, requestCert: true })
  const names = new Promise((resolve) => {
    listener.once('secureConnection', (socket) => {
      assert.ok(socket.authorized)
      resolve(socket.getPeerCertificate().subject.CN)
      socket.end()
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  const { port }: AddressInfo =
    typeof address === 'object' && address !== null ? address : assert.fail('no port')
  const socket = connect({ port, host: '127.0.0.1', ca: authority.cert, ...client })
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  assert.ok(socket.authorized)
  assert.equal(await names, 'lab-gateway')
  socket.destroy()
  await new Promise((resolve) => listener.close(resolve))
})

test.run()
