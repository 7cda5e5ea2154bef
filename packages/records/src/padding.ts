// Sizes that do not tell what is inside.
//
// A payload grows to a bucket: 4, 16, 64 or 256 KiB, then steps of a quarter. One record in 64 is put one
// bucket higher than it needs, one in 64 of these another one, and so on: whatever bucket the rare kinds of
// record reach, the commonest kind is there too and more often, and a guess from the size is no better
// than always guessing that kind (docs/decisions/0012). Small things with a length of their own
// carry it in front.

import { CodecError } from '@mooring/codec'

const KIB = 1024
export const BUCKET_BYTES_MIN = 4 * KIB
const FIXED_BUCKETS = [BUCKET_BYTES_MIN, 16 * KIB, 64 * KIB, 256 * KIB]
const LENGTH_BYTES = 4
const STEPS_MAX = 5

/** The smallest bucket that holds this many bytes. */
export function bucketFor(length: number): number {
  let bucket = BUCKET_BYTES_MIN
  while (bucket < length) bucket = nextBucket(bucket)
  return bucket
}

export function nextBucket(bucket: number): number {
  const next = FIXED_BUCKETS.find((size) => size > bucket)
  return next ?? Math.ceil((bucket * 1.25) / KIB) * KIB
}

/** The bucket of one record; `drawn` is 32 random bits of its own. */
export function paddedBytesFor(length: number, drawn: number): number {
  let bucket = bucketFor(length)
  let bits = drawn
  for (let step = 0; step < STEPS_MAX && bits % 64 === 0; step += 1) {
    bucket = nextBucket(bucket)
    bits = Math.floor(bits / 64)
  }
  return bucket
}

/** Whether a payload of this length can have been padded to this size. */
export function isPaddedSize(size: number, length: number): boolean {
  let bucket = bucketFor(length)
  for (let step = 0; step < STEPS_MAX && bucket < size; step += 1) bucket = nextBucket(bucket)
  return bucket === size
}

/** Length, bytes, zeros up to a multiple of the step. */
export function padded(content: Uint8Array, step: number): Uint8Array {
  const size = Math.ceil((LENGTH_BYTES + content.length) / step) * step
  const whole = new Uint8Array(size)
  new DataView(whole.buffer).setUint32(0, content.length)
  whole.set(content, LENGTH_BYTES)
  return whole
}

/** @throws CodecError */
export function unpadded(whole: Uint8Array): Uint8Array {
  if (whole.length < LENGTH_BYTES) throw new CodecError('truncated', 'no length before the content')
  const length = new DataView(whole.buffer, whole.byteOffset, whole.length).getUint32(0)
  const end = LENGTH_BYTES + length
  if (end > whole.length) throw new CodecError('truncated', `${length} bytes do not fit`)
  if (whole.subarray(end).some((byte) => byte !== 0)) {
    throw new CodecError('not_canonical', 'the padding is not zero')
  }
  return whole.subarray(LENGTH_BYTES, end)
}
