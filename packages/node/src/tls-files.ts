// Certificates and keys of the listeners, from their files: read, shown to belong together, and looked at
// for how long they are good. An expired certificate stops no node, for votes need none; it is an alarm.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { TlsIdentity } from '@mooring/api'
import type { Finding } from './alarms.ts'
import { fillText } from './error-text.ts'
import { ADMISSION_TEXTS } from './errors-admission.ts'
import type { TlsFiles } from './load-options.ts'
import { NodeError } from './node-error.ts'

/** Before a certificate expires, the days at which it is said. */
export const WARNING_DAYS = [30, 14, 7, 1] as const

const DAY_MS = 86_400_000
const SOON_DAYS = WARNING_DAYS[0]
const URGENT_DAYS = 1
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

export interface KnownCertificate {
  path: string
  /** The common name, or the first other name. */
  subject: string
  names: string
  issuer: string
  isAuthority: boolean
  serial: string
  notBefore: number
  notAfter: number
}

export interface ReadIdentity {
  identity: TlsIdentity
  certificates: readonly KnownCertificate[]
}

/** @throws NodeError tls_unreadable, tls_open, tls_mismatch */
export async function readTls(files: TlsFiles, clientCa: string | null): Promise<ReadIdentity> {
  const cert = await readPem(files.cert)
  await checkOwn(files.key)
  const key = await readPem(files.key)
  const certificates = parseCertificates(cert, files.cert)
  checkPair({ cert, key, files })
  const ca = clientCa === null ? null : await readPem(clientCa)
  const authorities = ca === null || clientCa === null ? [] : parseCertificates(ca, clientCa)
  return { identity: { cert, key, clientCa: ca }, certificates: [...certificates, ...authorities] }
}

export async function readCertificates(path: string): Promise<KnownCertificate[]> {
  return parseCertificates(await readPem(path), path)
}

/** Alarms about those that have expired, or do so soon. */
export function certificateFindings(
  certificates: readonly KnownCertificate[],
  now: number,
): Finding[] {
  const soonest = [...certificates].toSorted((a, b) => a.notAfter - b.notAfter)
  const expired = soonest.find(({ notAfter }) => notAfter <= now)
  const next = soonest.find(({ notAfter }) => notAfter > now && notAfter - now < SOON_DAYS * DAY_MS)
  const findings: Finding[] = []
  if (expired !== undefined) findings.push(findingOf('tls_expired', expired, 'page'))
  if (next !== undefined) {
    const isUrgent = next.notAfter - now < URGENT_DAYS * DAY_MS
    findings.push(findingOf('tls_expires', next, isUrgent ? 'page' : 'ticket'))
  }
  return findings
}

function findingOf(
  code: 'tls_expired' | 'tls_expires',
  { path, subject, notAfter }: KnownCertificate,
  severity: Finding['severity'],
): Finding {
  const data = { path, subject, at: new Date(notAfter).toISOString() }
  return { code, severity, detail: fillText(ADMISSION_TEXTS[code].meaning, data) }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new NodeError('tls_unreadable', { path, detail }, { cause: error })
  }
}

async function checkOwn(path: string): Promise<void> {
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    () => 0,
  )
  if ((mode & 0o077) === 0) return
  throw new NodeError('tls_open', { path, mode: mode.toString(8).padStart(4, '0') })
}

function parseCertificates(pem: string, path: string): KnownCertificate[] {
  const blocks = pem.match(CERTIFICATE) ?? []
  if (blocks.length === 0) {
    throw new NodeError('tls_unreadable', { path, detail: 'it has no certificate in PEM' })
  }
  return blocks.map((block) => {
    try {
      return knownOf(new X509Certificate(block), path)
    } catch (error) {
      const detail = 'a certificate in it is malformed'
      throw new NodeError('tls_unreadable', { path, detail }, { cause: error })
    }
  })
}

function knownOf(certificate: X509Certificate, path: string): KnownCertificate {
  const { subject, subjectAltName = '', issuer, ca, serialNumber } = certificate
  const names = subjectAltName.replaceAll(/(DNS|IP Address|email):/g, '')
  return {
    path,
    subject: commonName(subject) ?? names.split(', ', 1)[0] ?? '',
    names,
    issuer: commonName(issuer) ?? issuer,
    isAuthority: ca,
    serial: serialNumber,
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  }
}

function commonName(name: string): string | undefined {
  return /^CN=(?<name>.+)$/m.exec(name)?.groups?.['name']
}

function checkPair({ cert, key, files }: { cert: string; key: string; files: TlsFiles }): void {
  let isPair: boolean
  try {
    isPair = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
  } catch (error) {
    const detail = 'it has no private key in PEM that opens without a passphrase'
    throw new NodeError('tls_unreadable', { path: files.key, detail }, { cause: error })
  }
  if (!isPair) throw new NodeError('tls_mismatch', { ...files })
}
