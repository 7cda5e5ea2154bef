// The few functions of sodium-native that are used; the package brings no types.
declare module 'sodium-native' {
  const sodium: {
    crypto_sign_verify_detached(
      signature: Uint8Array,
      message: Uint8Array,
      publicKey: Uint8Array,
    ): boolean
    crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void
    crypto_scalarmult(result: Uint8Array, secret: Uint8Array, publicKey: Uint8Array): void
    crypto_scalarmult_base(publicKey: Uint8Array, secret: Uint8Array): void
    crypto_hash_sha256(digest: Uint8Array, message: Uint8Array): void
  }
  export default sodium
}
