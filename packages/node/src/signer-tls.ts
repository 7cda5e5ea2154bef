// The certificates of signer and node, read from their files at each use, so that a new one needs no
// more than a new connection. Both sides show one; TLS 1.3, and no way around it.

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type PeerCertificate } from 'node:tls'
import { readOwnFile } from './keys.ts'
import { NodeError } from './node-error.ts'
import type { TlsFiles } from './signer-address.ts'

export interface TlsParts {
  cert: string
  key: string
  ca: string
  minVersion: 'TLSv1.3'
}

/** @throws NodeError signer_tls */
export async function readTlsParts({ cert, key, ca }: TlsFiles): Promise<TlsParts> {
  const parts = {
    cert: await readPem(cert),
    key: await readOwnFile(key, 'TLS', 'the configuration'),
    ca: await readPem(ca),
    minVersion: 'TLSv1.3',
  } as const
  refuseExpired(cert, parts.cert)
  refuseExpired(ca, parts.ca)
  try {
    createSecureContext(parts)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new NodeError('signer_tls', { detail: `${cert}, ${key}, ${ca}: ${error.message}.` })
  }
  return parts
}

/** The other side would close the connection and not say why. */
function refuseExpired(path: string, pem: string): void {
  let validTo: Date
  try {
    validTo = new X509Certificate(pem).validToDate
  } catch (error) {
    const detail = `${path}: ${error instanceof Error ? error.message : String(error)}.`
    throw new NodeError('signer_tls', { detail }, { cause: error })
  }
  if (validTo.getTime() > Date.now()) return
  throw new NodeError('signer_tls', { detail: `${path} has expired on ${validTo.toISOString()}.` })
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new NodeError('signer_tls', { detail: `${path}: ${error.message}.` }, { cause: error })
  }
}

/** What a certificate calls its holder: its common name, and its names in the network. */
export function namesIn({ subject, subjectaltname }: PeerCertificate): string[] {
  const { CN } = subject
  const common = typeof CN === 'string' ? [CN] : []
  const others = (subjectaltname ?? '').split(', ').filter((name) => name.startsWith('DNS:'))
  return [...common, ...others.map((name) => name.slice('DNS:'.length))]
}
