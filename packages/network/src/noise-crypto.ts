// The cipher of noise by our own: noise's sets OpenSSL up anew for every packet, from the bytes of the key,
// which takes longer than the cipher does.

import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { aeadOpen, aeadSeal } from '@mooring/crypto'

export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,
  chaCha20Poly1305Encrypt: (plaintext, nonce, aad, key) =>
    aeadSeal(key, nonce, aad, ...(plaintext instanceof Uint8Array ? [plaintext] : plaintext)),
  chaCha20Poly1305Decrypt: (sealed, nonce, aad, key) => {
    const opened = aeadOpen(key, nonce, aad, sealed.subarray())
    if (opened === undefined) throw new Error(`${sealed.byteLength} bytes do not open`)
    return opened
  },
}
