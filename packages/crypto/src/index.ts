export { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES, aeadOpen, aeadSeal } from './aead.ts'
export { decodeBase58, decodeBase64url, encodeBase58, encodeBase64url } from './base.ts'
export { formatDidKey, formatPeerId, parseDidKey, parsePeerId } from './did-key.ts'
export { CryptoError, type CryptoErrorCode } from './errors.ts'
export {
  createSha256,
  domainBytes,
  domainHash,
  type IncrementalHash,
  sha256,
} from './hash.ts'
export { type Expand, hkdfOf, hkdfSha256, hmacSha256, type KeyedHash } from './hmac.ts'
export {
  hpkeOpen,
  type HpkeMessage,
  type HpkeOpening,
  hpkeSeal,
  type HpkeSealed,
  hpkeSecretFromSeed,
} from './hpke.ts'
export {
  checkPublicKey,
  type InvalidPublicKey,
  type KeyPair,
  keyPairFromSeed,
  sign,
  type SignedMessage,
  verify,
  verifyBatch,
} from './keys.ts'
export {
  checkConsistency,
  checkInclusion,
  type Consistency,
  consistencyProof,
  type Inclusion,
  inclusionProof,
  type InvalidMerkleProof,
  leafHash,
  MERKLE_EMPTY_ROOT,
  MerkleFrontier,
  merkleRoot,
  merkleRootOfHashes,
  nodeHash,
} from './merkle-tree.ts'
export {
  bitmapOf,
  checkMultiSignature,
  type InvalidMultiSignature,
  type MultiSignature,
  type MultiSigned,
  signersOf,
} from './multi-signature.ts'
export {
  combinationFor,
  encodeParity,
  gfMultiply,
  reconstruct,
  scaleInto,
} from './reed-solomon.ts'
export { SCRYPT_COST, type ScryptCost, scryptKey } from './scrypt.ts'
export { combineShares, type SecretShare, splitSecret } from './shamir.ts'
export { createSha256Lanes, type Sha256Lanes } from './sha256-lanes.ts'
export {
  checkStateProof,
  type InvalidStateProof,
  STATE_EMPTY_ROOT,
  stateBit,
  stateLeafHash,
  stateNodeHash,
  type StateProof,
} from './sparse-merkle.ts'
export { x25519, x25519PublicKey } from './x25519.ts'
export { seedToWords, wordsToSeed } from './words.ts'
