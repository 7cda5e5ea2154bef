// Where a signer is, and what is shown to it: "unix:<path>", or "tls://<host>:<port>" with certificates
// on both sides.

import { resolve } from 'node:path'
import { NodeError } from './node-error.ts'
import type { OptionValues } from './options.ts'

/** What every system takes. */
const SOCKET_PATH_BYTES_MAX = 103

/** Files in PEM form: what is shown, its private key, and who vouches for the other side. */
export interface TlsFiles {
  cert: string
  key: string
  ca: string
}

export type SignerPlace =
  | { kind: 'unix'; path: string; text: string }
  | { kind: 'tls'; host: string; port: number; text: string }

export type SignerAddress =
  | Extract<SignerPlace, { kind: 'unix' }>
  | (Extract<SignerPlace, { kind: 'tls' }> & { tls: TlsFiles })

/** @throws NodeError usage when it is no such place; options are checked before they come here. */
export function parseSignerPlace(home: string, text: string): SignerPlace {
  const path = /^unix:(.+)$/.exec(text)?.[1]
  if (path !== undefined) return { kind: 'unix', path: socketPath(resolve(home, path)), text }
  const [, host, port] = /^tls:\/\/(.+):(\d{1,5})$/.exec(text) ?? []
  if (host !== undefined && Number(port) < 65_536) {
    return { kind: 'tls', host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port), text }
  }
  const detail = `"${text}" is neither unix:<path> nor tls://<host>:<port>.`
  throw new NodeError('usage', { detail, command: '' })
}

function socketPath(path: string): string {
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path
  const detail = `the path of a socket has room for ${SOCKET_PATH_BYTES_MAX} bytes`
  throw new NodeError('file_unreadable', { path, detail })
}

/** Null: no signer, the node signs itself. @throws NodeError signer_tls */
export function parseSignerAddress(
  home: string,
  { signer, signer_cert, signer_key, signer_ca }: OptionValues['keys'],
): SignerAddress | null {
  if (signer === 'local') return null
  const place = parseSignerPlace(home, signer)
  if (place.kind === 'unix') return place
  return { ...place, tls: tlsFiles(home, { cert: signer_cert, key: signer_key, ca: signer_ca }) }
}

/** @throws NodeError signer_tls when one is not named. */
export function tlsFiles(home: string, named: TlsFiles): TlsFiles {
  const missing = Object.entries(named).filter(([, file]) => file === '')
  if (missing.length > 0) {
    const what = missing.map(([name]) => name).join(', ')
    throw new NodeError('signer_tls', { detail: `Not named: ${what}.` })
  }
  const { cert, key, ca } = named
  return { cert: resolve(home, cert), key: resolve(home, key), ca: resolve(home, ca) }
}
