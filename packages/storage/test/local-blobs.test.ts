import assert from 'node:assert/strict'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { equalBytes, toHex } from '@mooring/codec'
import { test } from 'uvu'
import { nodeFileSystem } from '../src/file-system.ts'
import { LocalBlobs, MemoryFileSystem } from '../src/index.ts'
import { checkStore, idOf, keep, listed, noise, rejectsWith } from './blobs.ts'
import { failing } from './faults.ts'
import { inFolder } from './folder.ts'

const SIZE = 5000
const PIECE = 1000

test('blobs are kept, read in ranges, listed and removed', async () => {
  await inFolder(async (directory) => {
    await checkStore(await LocalBlobs.open({ directory }), 9_000_001)
  })
})

test('a blob without an id gets it from its bytes', async () => {
  await inFolder(async (directory) => {
    const blobs = await LocalBlobs.open({ directory })
    const bytes = noise(SIZE)
    const writer = await blobs.createUnnamed(PIECE)
    await writer.write(bytes)
    const { id } = await writer.commit()
    assert.deepEqual(id, idOf(bytes, PIECE))
    assert.deepEqual(await (await LocalBlobs.open({ directory })).read(id, 0, SIZE), bytes)
  })
})

test('every changed byte of a file is found by who reads there', async () => {
  await inFolder(async (directory) => {
    const bytes = noise(SIZE)
    const id = await keep(await LocalBlobs.open({ directory }), bytes, PIECE)
    const path = join(directory, toHex(id).slice(0, 2), toHex(id))
    const stored = readFileSync(path)
    assert.equal(stored.length, SIZE + 5 * 32 + 20)
    for (let at = 0; at < stored.length; at += at < SIZE ? 97 : 1) {
      const damaged = Buffer.from(stored)
      damaged[at] = (damaged[at] ?? 0) ^ 0x40
      writeFileSync(path, damaged)
      const blobs = await LocalBlobs.open({ directory })
      if (at >= SIZE) {
        await rejectsWith('blob_corrupt', blobs.stat(id))
        continue
      }
      const piece = Math.floor(at / PIECE) * PIECE
      await rejectsWith('blob_corrupt', blobs.read(id, piece, 1))
      const other = (piece + PIECE) % SIZE
      assert.deepEqual(await blobs.read(id, other, PIECE), bytes.subarray(other, other + PIECE))
    }
    for (const length of [0, 10, 20, 1000, stored.length - 1]) {
      writeFileSync(path, stored)
      truncateSync(path, length)
      const blobs = await LocalBlobs.open({ directory })
      await rejectsWith('blob_corrupt', blobs.read(id, 0, 1))
    }
    const again = await LocalBlobs.open({ directory })
    assert.deepEqual(await keep(again, bytes, PIECE), id)
    assert.deepEqual(await again.read(id, 0, SIZE), bytes)
  })
})

test('an index that was read before does not hide a file that was cut since', async () => {
  await inFolder(async (directory) => {
    const blobs = await LocalBlobs.open({ directory })
    const id = await keep(blobs, noise(SIZE), PIECE)
    await blobs.read(id, 0, 1)
    truncateSync(join(directory, toHex(id).slice(0, 2), toHex(id)), 4500)
    await rejectsWith('blob_corrupt', blobs.read(id, 4000, 1000))
  })
})

test('the power may fail at any moment: a committed blob is whole, any other is not there', async () => {
  let kept = 0
  for (let operations = 1; ; operations += 1) {
    const disk = new MemoryFileSystem()
    const files = failing(disk, ({ number }) => {
      if (number >= operations) throw new Error('no power')
      return undefined
    })
    const first = noise(SIZE)
    const second = noise(SIZE, 2)
    const committed: Uint8Array[] = []
    let isDone = false
    try {
      const blobs = await LocalBlobs.open({ directory: '/blobs', fileSystem: files })
      committed.push(await keep(blobs, first, PIECE, 1500))
      committed.push(await keep(blobs, second, PIECE, 1500))
      isDone = true
    } catch {
      assert.ok(committed.length < 2)
    }
    for (let luck = 0; luck < 4; luck += 1) {
      const survivor = disk.afterPowerLoss(() => luck / 4)
      const blobs = await LocalBlobs.open({ directory: '/blobs', fileSystem: survivor })
      for (const [at, bytes] of [first, second].entries()) {
        const id = idOf(bytes, PIECE)
        const isThere = (await blobs.stat(id)) !== undefined
        assert.ok(isThere || at >= committed.length, 'a committed blob is gone')
        if (isThere) assert.ok(equalBytes(await blobs.read(id, 0, SIZE), bytes))
        if (isThere) kept += 1
      }
      assert.deepEqual(await survivor.readDirectory('/blobs/incoming'), [])
    }
    if (isDone) break
  }
  assert.ok(kept > 8)
})

test('a full disk is said to be full, and leaves nothing behind', async () => {
  await inFolder(async (directory) => {
    for (const name of ['write', 'datasync', 'create', 'rename'] as const) {
      const disk = await LocalBlobs.open({ directory })
      const files = failing(nodeFileSystem, (operation) => {
        if (operation.name !== name) return undefined
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      })
      const blobs = await LocalBlobs.open({ directory, fileSystem: files })
      const id = idOf(noise(SIZE), PIECE)
      const attempt = async (): Promise<void> => {
        const writer = await blobs.create({ id, pieceBytes: PIECE })
        try {
          await writer.write(noise(SIZE))
          await writer.commit()
        } catch (error) {
          await writer.abort()
          throw error
        }
      }
      await rejectsWith('full', attempt())
      assert.deepEqual(await listed(disk), [])
      assert.deepEqual(readdirSync(join(directory, 'incoming')), [])
    }
  })
})

test('a writer takes no more than a blob may have', async () => {
  await inFolder(async (directory) => {
    const blobs = await LocalBlobs.open({ directory })
    const writer = await blobs.create({ id: idOf(noise(1), 1), pieceBytes: 1 })
    await assert.rejects(writer.write(new Uint8Array(2 ** 18 + 1)), RangeError)
    await writer.abort()
    await assert.rejects(blobs.create({ id: idOf(noise(1), 1), pieceBytes: 0 }), RangeError)
    await assert.rejects(
      blobs.create({ id: idOf(noise(1), 1), pieceBytes: 2 ** 22 + 1 }),
      RangeError,
    )
    await assert.rejects(blobs.read(new Uint8Array(31), 0, 1), RangeError)
  })
})

test.run()
