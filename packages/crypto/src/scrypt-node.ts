// scrypt in Node: OpenSSL, beside the event loop.

import { scrypt } from 'node:crypto'

const SPARE_BYTES = 1024 * 1024

export function derive(
  passphrase: Uint8Array,
  salt: Uint8Array,
  { N, r, p }: { N: number; r: number; p: number },
): Promise<Uint8Array> {
  const maxmem = 128 * r * (N + p) + SPARE_BYTES
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, 32, { N, r, p, maxmem }, (error, key) => {
      if (error === null) resolve(new Uint8Array(key))
      else reject(error)
    })
  })
}
