// What a node and its signer say to each other: one question, one answer, each a frame of its own.
//
//   frame = u32 length | canonical CBOR
//
// A vote travels as a signed one whose signature is zeros, so that it is decoded by the one strict rule
// there is for votes. The signer composes what it signs by itself, from the fields: nobody hands it bytes.

import type { Duplex } from 'node:stream'
import {
  bytes,
  bytesMax,
  CodecError,
  decode,
  encode,
  type Infer,
  list,
  oneOf,
  struct,
  text,
  uint,
  variant,
  versioned,
} from '@mooring/codec'
import { decodeVote, encodeVote, type UnsignedVote } from '@mooring/consensus'

const FRAME_BYTES_MAX = 8 * 1024
const HEAD_BYTES = 4
const UNSIGNED = new Uint8Array(64)
const TEXT_MAX = 256

const marksSchema = struct({
  epoch: uint(),
  notarized: uint(),
  nullified: uint(),
  finalized: uint(),
})

const questionSchema = versioned(1, {
  id: uint(),
  about: variant({
    info: struct({}),
    vote: struct({ network: bytes(32), key: bytes(32), vote: bytesMax(512) }),
    ready: struct({
      network: bytes(32),
      key: bytes(32),
      organisation: text(64),
      change: bytes(32),
      expiresAt: uint(),
    }),
  }),
})

const infoSchema = struct({
  version: text(64),
  network: bytes(32),
  keys: list(bytes(32), 2),
  memory: oneOf('whole', 'new', 'lost'),
  marks: marksSchema,
  signed: uint(),
  refused: uint(),
  startedAt: uint(),
})

const answerSchema = versioned(1, {
  id: uint(),
  about: variant({
    info: infoSchema,
    signature: bytes(64),
    transaction: bytesMax(4_096),
    refusal: struct({
      code: oneOf(
        'signer_contradiction',
        'signer_behind',
        'signer_forgotten',
        'signer_foreign',
        'signer_not_ours',
      ),
      asked: text(TEXT_MAX),
      signed: text(TEXT_MAX),
    }),
  }),
})

export type SignerQuestion = Infer<typeof questionSchema>['about']
export type SignerAnswer = Infer<typeof answerSchema>['about']
export type SignerInfo = Infer<typeof infoSchema>

/** @throws CodecError */
export const decodeQuestion = (frame: Uint8Array) => decode(questionSchema, frame, FRAME_BYTES_MAX)

/** @throws CodecError */
export const decodeAnswer = (frame: Uint8Array) => decode(answerSchema, frame, FRAME_BYTES_MAX)

export const questionFrame = (id: number, about: SignerQuestion) =>
  framed(encode(questionSchema, { id, about }))

export const answerFrame = (id: number, about: SignerAnswer) =>
  framed(encode(answerSchema, { id, about }))

export const unsignedVote = (vote: UnsignedVote) => encodeVote({ ...vote, signature: UNSIGNED })

/** @throws CodecError */
export function readUnsignedVote(encoded: Uint8Array): UnsignedVote {
  const { kind, subject, signer } = decodeVote(encoded)
  return { kind, subject, signer }
}

function framed(content: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + content.length)
  new DataView(frame.buffer).setUint32(0, content.length)
  frame.set(content, HEAD_BYTES)
  return frame
}

/** Calls for each frame; whoever sends one that is too long, or that does not decode, is cut off. */
export function readFrames(stream: Duplex, onFrame: (frame: Uint8Array) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    try {
      while (rest.length >= HEAD_BYTES && !stream.destroyed) {
        const length = rest.readUInt32BE(0)
        if (length > FRAME_BYTES_MAX) throw new CodecError('too_large', `a frame of ${length}`)
        if (rest.length < HEAD_BYTES + length) return
        const frame = new Uint8Array(rest.subarray(HEAD_BYTES, HEAD_BYTES + length))
        rest = rest.subarray(HEAD_BYTES + length)
        onFrame(frame)
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      stream.destroy(error)
    }
  })
}
