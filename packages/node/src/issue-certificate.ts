// Certificates for the listeners of a hospital and for their clients, issued by an authority of its own:
// X.509 version 3 (RFC 5280) over P-256, which every TLS library takes. What is encoded here is what such a
// certificate needs and no more; what reads it back is Node's own parser.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { isIP } from 'node:net'
import {
  bitString,
  boolean,
  integer,
  octets,
  oid,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from './der.ts'

export type CertificateUse = 'server' | 'client'

export interface CertificateWish {
  /** The common name; of a client, what [http] client_roles names. */
  name: string
  use: CertificateUse
  /** Names and addresses under which a server is reached. */
  hosts: readonly string[]
  notBefore: number
  notAfter: number
}

/** PEM. */
export interface Issued {
  cert: string
  key: string
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const

/** Bits from the left: digitalSignature, keyCertSign, cRLSign. */
const SIGNS = Uint8Array.of(0x80)
const CERTIFIES = Uint8Array.of(0x06)
const ALGORITHM = sequence(oid(OID.ecdsaWithSha256))
const SERIAL_BYTES = 16

/** Self-signed; it issues for listeners and clients, and for no other authority. */
export function issueAuthority(
  wish: Pick<CertificateWish, 'name' | 'notBefore' | 'notAfter'>,
): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = keyId(publicKey)
  const cert = certified(
    { ...wish, publicKey, extensions: authorityExtensions(id) },
    { name: nameOf(wish.name), key: privateKey },
  )
  return { cert, key: pemOf(privateKey) }
}

/** @param authority PEM of the certificate, and its key */
export function issueCertificate(
  wish: CertificateWish,
  authority: { cert: string; key: string | KeyObject },
): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = new X509Certificate(authority.cert)
  const { key } = authority
  const extensions = [
    extension(OID.basicConstraints, sequence(), true),
    extension(OID.keyUsage, bitString(SIGNS, 7), true),
    extension(OID.extendedKeyUsage, sequence(oid(useOf(wish.use)))),
    extension(OID.subjectKeyIdentifier, octets(keyId(publicKey))),
    extension(OID.authorityKeyIdentifier, sequence(tagged(0, keyId(issuer.publicKey)))),
    ...alternatives(wish),
  ]
  const cert = certified(
    { ...wish, publicKey, extensions },
    {
      name: nameOf(commonNameOf(issuer)),
      key: typeof key === 'string' ? createPrivateKey(key) : key,
    },
  )
  return { cert: `${cert}${authority.cert.trimEnd()}\n`, key: pemOf(privateKey) }
}

export function commonNameOf({ subject }: Pick<X509Certificate, 'subject'>): string {
  return /^CN=(?<name>.+)$/m.exec(subject)?.groups?.['name'] ?? ''
}

function certified(
  subject: Pick<CertificateWish, 'name' | 'notBefore' | 'notAfter'> & {
    publicKey: KeyObject
    extensions: readonly Uint8Array[]
  },
  issuer: { name: Uint8Array; key: KeyObject },
): string {
  const serial = randomBytes(SERIAL_BYTES)
  const body = sequence(
    tagged(0, integer(Uint8Array.of(2)), { isConstructed: true }),
    integer(serial),
    ALGORITHM,
    issuer.name,
    sequence(time(subject.notBefore), time(subject.notAfter)),
    nameOf(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...subject.extensions), { isConstructed: true }),
  )
  const signature = sign('sha256', body, issuer.key)
  const der = Buffer.from(sequence(body, ALGORITHM, bitString(signature, 0)))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function authorityExtensions(id: Uint8Array): Uint8Array[] {
  return [
    extension(OID.basicConstraints, sequence(boolean(true), integer(Uint8Array.of(0))), true),
    extension(OID.keyUsage, bitString(CERTIFIES, 1), true),
    extension(OID.subjectKeyIdentifier, octets(id)),
  ]
}

function alternatives({ name, use, hosts }: CertificateWish): Uint8Array[] {
  const names = use === 'server' && hosts.length === 0 ? [name] : hosts
  if (names.length === 0) return []
  return [extension(OID.subjectAltName, sequence(...names.map(alternative)))]
}

function alternative(host: string): Uint8Array {
  if (isIP(host) === 0) return tagged(2, new TextEncoder().encode(host))
  return tagged(7, addressBytes(host))
}

function addressBytes(host: string): Uint8Array {
  if (isIP(host) === 4) return Uint8Array.from(host.split('.'), Number)
  const [left = '', right] = host.split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  const groups = [...head, ...(right === undefined ? [] : zeros), ...tail]
  return Uint8Array.from(groups.flatMap((group) => bytesOfGroup(Number.parseInt(group, 16))))
}

const bytesOfGroup = (group: number): number[] => [group >> 8, group & 0xff]

function extension(name: string, value: Uint8Array, isCritical = false): Uint8Array {
  return sequence(oid(name), ...(isCritical ? [boolean(true)] : []), octets(value))
}

function nameOf(commonName: string): Uint8Array {
  return sequence(set(sequence(oid(OID.commonName), utf8(commonName))))
}

function useOf(use: CertificateUse): string {
  return use === 'server' ? OID.serverAuth : OID.clientAuth
}

function keyId(publicKey: KeyObject): Uint8Array {
  const der = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({
    type: 'spki',
    format: 'der',
  })
  return createHash('sha256').update(der).digest().subarray(0, 20)
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
