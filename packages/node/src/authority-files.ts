// The certificates that a hospital issues itself, in keys/tls of its home: an authority, and what it has
// issued. A key is written once, for its owner alone; nothing is replaced unasked.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, replaceFile, writeNewFile } from './durable-files.ts'
import { homePaths } from './home.ts'
import {
  type CertificateWish,
  commonNameOf,
  issueAuthority,
  issueCertificate,
  type Issued,
} from './issue-certificate.ts'
import { NodeError } from './node-error.ts'
import { type KnownCertificate, readCertificates } from './tls-files.ts'

export interface IssuedFiles {
  certPath: string
  keyPath: string
  certificate: KnownCertificate
}

export interface WriteHow {
  passphrase: string | null
  isForced: boolean
}

const AUTHORITY = 'ca'
/** Names of files, and of hosts and clients. */
const NAME = /^[A-Za-z0-9]([A-Za-z0-9 .*-]{0,62}[A-Za-z0-9])?$/

export function tlsFolder(home: string): string {
  return join(homePaths(home).keys, 'tls')
}

/** The authority's key may be kept under a passphrase; a listener has to open its own without one. */
export async function initAuthority(
  home: string,
  wish: Pick<CertificateWish, 'name' | 'notBefore' | 'notAfter'>,
  how: WriteHow,
): Promise<IssuedFiles> {
  checkName(wish.name)
  const { cert, key } = issueAuthority(wish)
  const { passphrase } = how
  const sealed = passphrase === null ? key : sealedKey(key, passphrase)
  return write(home, AUTHORITY, { issued: { cert, key: sealed }, ...how })
}

export async function issueFromAuthority(
  home: string,
  wish: CertificateWish,
  how: WriteHow,
): Promise<IssuedFiles> {
  checkName(wish.name)
  const folder = tlsFolder(home)
  const cert = await readOwn(join(folder, `${AUTHORITY}.crt`))
  const key = await authorityKey(join(folder, `${AUTHORITY}.key`), how.passphrase)
  const issuer = new X509Certificate(cert)
  if (issuer.validToDate.getTime() < Math.floor(wish.notAfter / 1_000) * 1_000) {
    const detail = `"${commonNameOf(issuer)}" itself ends at ${issuer.validToDate.toISOString()}`
    throw new NodeError('tls_unusable', { detail })
  }
  const issued = issueCertificate(wish, { cert, key })
  const issuedOne = new X509Certificate(issued.cert)
  if (!issuedOne.checkIssued(issuer) || !issuedOne.verify(issuer.publicKey)) {
    const detail = 'the key in ca.key is not that of ca.crt'
    throw new NodeError('tls_unusable', { detail })
  }
  return write(home, wish.name, { issued, ...how })
}

/** Every certificate file of the home, and the first certificate in each. */
export async function listCertificates(home: string): Promise<KnownCertificate[]> {
  const folder = tlsFolder(home)
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.crt'))
  const found: KnownCertificate[] = []
  for (const name of names.toSorted()) {
    const [certificate] = await readCertificates(join(folder, name))
    if (certificate !== undefined) found.push(certificate)
  }
  return found
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

function checkName(name: string): void {
  if (NAME.test(name)) return
  const detail = `"${name}" is no name: letters, digits, spaces, . and -, 1 to 64`
  throw new NodeError('tls_unusable', { detail })
}

function sealedKey(key: string, passphrase: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const
  return createPrivateKey(key).export(options).toString()
}

async function authorityKey(path: string, passphrase: string | null): Promise<KeyObject> {
  const pem = await readOwn(path)
  try {
    return createPrivateKey({ key: pem, ...(passphrase === null ? {} : { passphrase }) })
  } catch (error) {
    const detail = 'ca.key does not open with that passphrase, or needs one: --passphrase-file'
    throw new NodeError('tls_unusable', { detail }, { cause: error })
  }
}

async function readOwn(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
    const detail = 'this home has no authority yet: mooring tls init-ca'
    throw new NodeError('tls_unusable', { detail }, { cause: error })
  }
}

async function write(
  home: string,
  name: string,
  { issued: { cert, key }, isForced }: { issued: Issued } & WriteHow,
): Promise<IssuedFiles> {
  const folder = tlsFolder(home)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = name.replaceAll(/[ *]/g, '_')
  const certPath = join(folder, `${file}.crt`)
  const keyPath = join(folder, `${file}.key`)
  await put(keyPath, key, { mode: 0o600, isForced })
  await put(certPath, cert, { mode: 0o644, isForced })
  const [certificate] = await readCertificates(certPath)
  if (certificate === undefined) throw new TypeError('a certificate that was written is not there')
  return { certPath, keyPath, certificate }
}

/** Whole or as it was: a node may read it at any moment. */
async function put(
  path: string,
  text: string,
  { mode, isForced }: { mode: number; isForced: boolean },
): Promise<void> {
  if (isForced) return await replaceFile(path, text, mode)
  try {
    await writeNewFile(path, text, mode)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    throw new NodeError('tls_exists', { path }, { cause: error })
  }
}
