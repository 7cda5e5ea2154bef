// What every blob store must do, as a contract that its tests run.

import assert from 'node:assert/strict'
import { equalBytes, toHex } from '@mooring/codec'
import { leafHash, MERKLE_EMPTY_ROOT, merkleRoot } from '@mooring/crypto'
import { type BlobStore, StorageError, type StorageErrorCode } from '../src/index.ts'

export function noise(length: number, seed = 1): Uint8Array {
  let state = seed
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    return state >>> 24
  })
}

export function piecesOf(bytes: Uint8Array, pieceBytes: number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    pieces.push(bytes.subarray(at, at + pieceBytes))
  }
  return pieces
}

export function idOf(bytes: Uint8Array, pieceBytes: number): Uint8Array {
  return merkleRoot(piecesOf(bytes, pieceBytes))
}

export async function keep(
  blobs: BlobStore,
  bytes: Uint8Array,
  pieceBytes: number,
  stepBytes = 50_000,
): Promise<Uint8Array> {
  const id = idOf(bytes, pieceBytes)
  const writer = await blobs.create({ id, pieceBytes })
  for (const part of piecesOf(bytes, stepBytes)) await writer.write(part)
  assert.deepEqual(await writer.commit(), { id, size: bytes.length })
  return id
}

export async function rejectsWith(code: StorageErrorCode, action: Promise<unknown>): Promise<void> {
  await assert.rejects(action, (error) => {
    assert.ok(error instanceof StorageError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  })
}

export async function listed(blobs: BlobStore): Promise<string[]> {
  const ids: string[] = []
  for await (const id of blobs.list()) ids.push(toHex(id))
  return ids.toSorted()
}

/** Any store passes; `large` is a size that it does not hand over in one request. */
export async function checkStore(blobs: BlobStore, large: number): Promise<void> {
  const cases: [size: number, pieceBytes: number, stepBytes: number][] = [
    [2, 1000, 1],
    [999, 1000, 10],
    [1000, 1000, 1000],
    [1001, 1000, 1001],
    [100_000, 1000, 7777],
    [large, 349_531, 1 << 20],
  ]
  const ids: Uint8Array[] = []
  for (const [size, pieceBytes, stepBytes] of cases) {
    const bytes = noise(size, size)
    const id = await keep(blobs, bytes, pieceBytes, stepBytes)
    ids.push(id)
    assert.deepEqual(await blobs.stat(id), { id, size })
    assert.deepEqual(await blobs.leaves(id), piecesOf(bytes, pieceBytes).map(leafHash))
    const ranges: [from: number, length: number][] = [
      [0, size],
      [0, 2],
      [size - 1, 1],
      [size >>> 1, Math.min(size - (size >>> 1), 2500)],
      [Math.min(size, 999), 0],
      [size, 0],
    ]
    for (const [from, length] of ranges) {
      const read = await blobs.read(id, from, length)
      assert.ok(equalBytes(read, bytes.subarray(from, from + length)), `${from} ${length} ${size}`)
    }
    await assert.rejects(blobs.read(id, size, 1), RangeError)
    await assert.rejects(blobs.read(id, -1, 1), RangeError)
  }
  assert.deepEqual(await listed(blobs), ids.map(toHex).toSorted())
  await keep(blobs, noise(1001, 1001), 1000)
  assert.equal((await listed(blobs)).length, ids.length)

  await checkAbsence(blobs)
  for (const id of ids) assert.equal(await blobs.remove(id), true)
  assert.deepEqual(await listed(blobs), [])
}

async function checkAbsence(blobs: BlobStore): Promise<void> {
  const before = await listed(blobs)
  const unknown = idOf(noise(10, 99), 10)
  assert.equal(await blobs.stat(unknown), undefined)
  assert.equal(await blobs.remove(unknown), false)
  await rejectsWith('blob_missing', blobs.read(unknown, 0, 1))
  await rejectsWith('blob_missing', blobs.leaves(unknown))

  const wrong = await blobs.create({ id: unknown, pieceBytes: 10 })
  await wrong.write(noise(11, 99))
  await rejectsWith('blob_corrupt', wrong.commit())
  await wrong.abort()
  const given = await blobs.create({ id: unknown, pieceBytes: 10 })
  await given.write(noise(5, 99))
  await given.abort()
  assert.equal(await blobs.stat(unknown), undefined)

  const empty = await blobs.create({ id: MERKLE_EMPTY_ROOT, pieceBytes: 10 })
  assert.equal((await empty.commit()).size, 0)
  assert.equal((await blobs.read(MERKLE_EMPTY_ROOT, 0, 0)).length, 0)
  await blobs.remove(MERKLE_EMPTY_ROOT)
  assert.deepEqual(await listed(blobs), before)
}
