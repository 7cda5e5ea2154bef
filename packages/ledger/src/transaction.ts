// One signed instruction, as bytes and as a value.
//
// On the wire: [[1, kind, expiresAt, body], signer, signature]. The signature covers the payload
// behind the genesis digest, which therefore binds the network without travelling; the id is the
// digest of the same bytes. A transaction is decoded once and carries its bytes from then on: all that
// is bytes in it is a view of them.
// The id does not cover the signature: two valid signatures of one payload are one transaction.

import {
  bytes,
  CodecError,
  concatBytes,
  decodeShared,
  encode,
  raw,
  type Schema,
  struct,
  uint,
} from '@mooring/codec'
import { domainBytes, domainHash, type KeyPair, sign, verify } from '@mooring/crypto'
import { type Kind, kindSchema, type Payload, type PayloadOf, ruleOf } from './kinds.ts'
import { timeSchema, TRANSACTION_BYTES_MAX } from './parameters.ts'
import type { InvalidTransaction, PlaceInSequence } from './transaction-kind.ts'

const PAYLOAD_VERSION = 1

export type DecodedTransaction = {
  readonly id: Uint8Array
  /** The whole transaction as it came. */
  readonly bytes: Uint8Array
  readonly payload: Payload
  /** Of the payload, as they came. */
  readonly payloadBytes: Uint8Array
  readonly signer: Uint8Array
  readonly signature: Uint8Array
}

const signerSchema = bytes(32)
const signatureSchema = bytes(64)
const envelopeSchema = struct({
  payload: raw(TRANSACTION_BYTES_MAX),
  signer: signerSchema,
  signature: signatureSchema,
})

const versionSchema = uint()

/** The schema of the body follows from the kind before it, which no general schema can say. */
export const payloadSchema: Schema<Payload> = {
  read(reader) {
    const count = reader.array()
    if (count !== 4) throw new CodecError('wrong_type', `an array of ${count}, expected 4`)
    const version = versionSchema.read(reader)
    if (version !== PAYLOAD_VERSION) {
      throw new CodecError('unknown_version', `version ${version}, expected ${PAYLOAD_VERSION}`)
    }
    const kind = kindSchema.read(reader)
    const expiresAt = timeSchema.read(reader)
    const body = ruleOf(kind).schema.read(reader)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the body is of its kind
    return { kind, expiresAt, body } as Payload
  },
  write: ({ kind, expiresAt, body }) => [
    PAYLOAD_VERSION,
    kindSchema.write(kind),
    timeSchema.write(expiresAt),
    ruleOf(kind).schema.write(body),
  ],
}

/** The envelope and what is in it, in one pass: the payload's bytes are those that were read for it. */
const transactionSchema: Schema<Omit<DecodedTransaction, 'id' | 'bytes'>> = {
  read(reader) {
    const count = reader.array()
    if (count !== 3) throw new CodecError('wrong_type', `an array of ${count}, expected 3`)
    const start = reader.position
    const payload = payloadSchema.read(reader)
    const payloadBytes = reader.slice(start)
    const signer = signerSchema.read(reader)
    return { payload, payloadBytes, signer, signature: signatureSchema.read(reader) }
  },
  write: ({ payloadBytes: payload, signer, signature }) =>
    envelopeSchema.write({ payload, signer, signature }),
}

/** @throws CodecError; `describeMalformed` turns it into a reason. */
export function decodeTransaction(
  encoded: Uint8Array,
  genesisDigest: Uint8Array,
): DecodedTransaction {
  const { payload, payloadBytes, signer, signature } = decodeShared(
    transactionSchema,
    encoded,
    TRANSACTION_BYTES_MAX,
  )
  const id = transactionId(genesisDigest, payloadBytes)
  return { id, bytes: encoded, payload, payloadBytes, signer, signature }
}

/** The reason to give for bytes that do not decode; anything else is thrown on. */
export function describeMalformed(error: unknown): InvalidTransaction {
  if (!(error instanceof CodecError)) throw error
  return error.code === 'unknown_variant' && error.path === ''
    ? { code: 'unknown_kind', detail: error.detail }
    : { code: 'malformed', detail: error.message }
}

export function createTransaction(
  input: Payload & { genesisDigest: Uint8Array; keyPair: KeyPair },
): Uint8Array {
  const { genesisDigest, keyPair, ...content } = input
  const payload = encode(payloadSchema, content)
  const signature = sign(keyPair, signedBytesOf(genesisDigest, { payloadBytes: payload }))
  return encode(envelopeSchema, { payload, signer: keyPair.publicKey, signature })
}

/** Whose quota pays. */
export function payerOf({ payload }: DecodedTransaction): string {
  return ruleOf(payload.kind).payerOf(payload.body)
}

/** From which purse of that organisation. */
export function purseOf({ payload }: DecodedTransaction): 'data' | 'governance' {
  return ruleOf(payload.kind).quota
}

/** Where it stands in a sequence of that organisation, by which a mempool keeps order. */
export function placeOf({ payload }: DecodedTransaction): PlaceInSequence | null {
  return ruleOf(payload.kind).placeOf(payload.body)
}

/** Keys of the state that it alone looks for, or most of them: worth to be read ahead. */
export function ownKeysOf({ payload }: DecodedTransaction): Uint8Array[] {
  return ownKeysIn(payload)
}

function ownKeysIn<K extends Kind>({ kind, body }: PayloadOf<K>): Uint8Array[] {
  return ruleOf(kind).ownKeys?.(body) ?? []
}

export function transactionId(genesisDigest: Uint8Array, payloadBytes: Uint8Array): Uint8Array {
  return domainHash('transaction', genesisDigest, payloadBytes)
}

/** What the signature covers. */
export function signedBytesOf(
  genesisDigest: Uint8Array,
  { payloadBytes }: Pick<DecodedTransaction, 'payloadBytes'>,
): Uint8Array {
  return concatBytes(domainBytes('transaction'), genesisDigest, payloadBytes)
}

/** Most are short: what is signed is put together in one place, for memory of its own costs more than that. */
const scratch = new Uint8Array(1_024)

export function hasValidSignature(
  transaction: DecodedTransaction,
  genesisDigest: Uint8Array,
): boolean {
  const { payloadBytes, signer, signature } = transaction
  const domain = domainBytes('transaction')
  const payloadAt = domain.length + genesisDigest.length
  const length = payloadAt + payloadBytes.length
  if (length > scratch.length)
    return verify(signer, signedBytesOf(genesisDigest, transaction), signature)
  scratch.set(domain)
  scratch.set(genesisDigest, domain.length)
  scratch.set(payloadBytes, payloadAt)
  return verify(signer, scratch.subarray(0, length), signature)
}
