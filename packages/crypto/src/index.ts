export { decodeBase58, decodeBase64url, encodeBase58, encodeBase64url } from './base.ts'
export { formatDidKey, formatPeerId, parseDidKey, parsePeerId } from './did-key.ts'
export { CryptoError, type CryptoErrorCode } from './errors.ts'
export { domainBytes, domainHash, hkdfSha256, sha256 } from './hash.ts'
export {
  checkPublicKey,
  type InvalidPublicKey,
  type KeyPair,
  keyPairFromSeed,
  sign,
  type SignedMessage,
  verify,
  verifyBatch,
  x25519PublicKey,
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
  checkStateProof,
  type InvalidStateProof,
  STATE_EMPTY_ROOT,
  stateBit,
  stateLeafHash,
  stateNodeHash,
  type StateProof,
} from './sparse-merkle.ts'
