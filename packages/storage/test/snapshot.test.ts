import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { StorageError } from '../src/errors.ts'
import { type FileSystem, nodeFileSystem } from '../src/file-system.ts'
import { tipKey } from '../src/keys.ts'
import { MemoryFileSystem } from '../src/memory-file-system.ts'
import { chunksHeld, listSnapshots, SnapshotFile, snapshotPath } from '../src/snapshot-file.ts'
import { SnapshotWriter, tidySnapshots } from '../src/snapshot-file.ts'
import { chunkDigest } from '../src/snapshot-format.ts'
import { verifyChain } from '../src/verify.ts'
import { askAll, chainOptions, makeBlocks, openChain, textBytes } from './chain-world.ts'
import { inFolder, withDatabase } from './folder.ts'
import { importSnapshot, takeSnapshot } from './snapshots.ts'

test('two chains of one height give one digest, whatever they had before and how they came there', async () => {
  await withDatabase(async (database, path) => {
    await withDatabase(async (other, otherPath) => {
      const chain = await openChain(database)
      const twin = await openChain(other)
      for (const block of makeBlocks(chain, 25, 3)) await chain.commit(block)
      await twin.commitAll(makeBlocks(twin, 25, 3))
      await twin.prune(15)
      const first = await takeSnapshot(chain, join(path, '..', 'snapshots'))
      const second = await takeSnapshot(twin, join(otherPath, '..', 'snapshots'))
      assert.equal(toHex(first.digest), toHex(second.digest))
      await chain.commitAll(makeBlocks(chain, 1, 3))
      const later = await takeSnapshot(chain, join(path, '..', 'snapshots'))
      assert.notEqual(toHex(later.digest), toHex(first.digest))
    })
  })
})

test('a pinned chain is exported as it was while blocks follow and are pruned', async () => {
  await withDatabase(async (database, path) => {
    const folder = join(path, '..', 'snapshots')
    const chain = await openChain(database)
    await chain.commitAll(makeBlocks(chain, 20, 3))
    const still = await takeSnapshot(chain, folder)
    await nodeFileSystem.remove(snapshotPath(folder, 20))
    const pinned = await chain.pin()
    await chain.commitAll(makeBlocks(chain, 30, 3))
    await chain.prune(45)
    const again = await takeSnapshot({ pin: () => Promise.resolve(pinned) }, folder)
    assert.equal(toHex(again.digest), toHex(still.digest))
  })
})

test('a chain that begins with a snapshot goes on like the others, and knows what it does not keep', async () => {
  await withDatabase(async (database, path) => {
    await withDatabase(async (fresh) => {
      const folder = join(path, '..', 'snapshots')
      const whole = await openChain(database)
      await whole.commitAll(makeBlocks(whole, 25, 3))
      await takeSnapshot(whole, folder)
      await importSnapshot(folder, 25, fresh)
      const chain = await openChain(fresh)
      assert.equal(chain.base, 19)
      assert.deepEqual(chain.tip, whole.tip)
      const more = makeBlocks(whole, 15, 3)
      const same = makeBlocks(chain, 15, 3)
      await whole.commitAll(more)
      await chain.commitAll(same)
      assert.deepEqual(chain.tip, whole.tip)
      const shape = { blocks: 40, transactions: 3 }
      const answers = askAll(await openChain(fresh), shape)
      for (const [question, answer] of askAll(whole, shape)) {
        const height = Number(/\d+/.exec(question)?.[0])
        const isOld =
          height <= 19 && !question.startsWith('value') && !question.startsWith('removed')
        if (question === 'recent') continue
        if (!isOld) assert.equal(answers.get(question), answer, question)
        else if (question.startsWith('transaction'))
          assert.equal(answers.get(question), 'undefined')
        else if (answers.get(question) !== answer)
          assert.equal(answers.get(question), 'error pruned')
      }
      const { problems } = await verifyChain(fresh, chainOptions)
      assert.deepEqual(problems, [])
    })
  })
})

test('pruned bodies are a coded answer; headers, finalizations and history stay', async () => {
  await withDatabase(async (database) => {
    const chain = await openChain(database)
    await chain.commitAll(makeBlocks(chain, 20, 2))
    const before = askAll(chain, { blocks: 20, transactions: 2 })
    assert.equal(await chain.prune(8), 8)
    assert.equal(await chain.prune(8), 0)
    const reopened = await openChain(database)
    assert.equal(reopened.prunedTo, 8)
    for (const [question, answer] of askAll(reopened, { blocks: 20, transactions: 2 })) {
      const [, height] = /^(?:block|receipts) (\d+)$/.exec(question) ?? []
      const expected =
        height !== undefined && Number(height) <= 8 ? 'error pruned' : before.get(question)
      assert.equal(answer, expected, question)
    }
    assert.throws(
      () => [...reopened.blocks(8, 10)],
      (error: unknown) => error instanceof StorageError && error.code === 'pruned',
    )
    assert.equal([...reopened.blocks(9, 10)].length, 2)
    assert.deepEqual((await verifyChain(database, chainOptions)).problems, [])
    assert.equal(await reopened.prune(1_000), 11, 'the newest block stays')
  })
})

test('what is missing or too much in the state makes no chain', async () => {
  await withDatabase(async (database, path) => {
    const folder = join(path, '..', 'snapshots')
    const whole = await openChain(database)
    await whole.commitAll(makeBlocks(whole, 25, 3))
    await takeSnapshot(whole, folder)
    const last = { key: textBytes('sequence'), value: textBytes('25') }
    for (const change of [
      { ...last, value: textBytes('24') },
      { ...last, key: textBytes('x') },
    ]) {
      await withDatabase(async (fresh) => {
        await assert.rejects(importSnapshot(folder, 25, fresh, [change]), { code: 'out_of_order' })
        assert.equal(fresh.getSync(tipKey()), undefined)
      })
    }
    await withDatabase(async (fresh) => {
      await importSnapshot(folder, 25, fresh, [last])
      await assert.rejects(importSnapshot(folder, 25, fresh), { code: 'out_of_order' })
    })
  })
})

test('a full disk, at every write, leaves no half snapshot', async () => {
  await withDatabase(async (database, path) => {
    const folder = join(path, '..', 'snapshots')
    const chain = await openChain(database)
    await chain.commitAll(makeBlocks(chain, 25, 3))
    let failures = 0
    for (let room = 0; ; room += 1) {
      try {
        await takeSnapshot(chain, folder, diskWithRoomFor(room))
        break
      } catch (error) {
        assert.ok(error instanceof StorageError && error.code === 'full', String(error))
        assert.deepEqual(await readdir(folder), [])
        failures += 1
      }
    }
    assert.ok(failures >= 3)
    assert.deepEqual(await listSnapshots(folder), [25])
  })
})

test('after a power loss a snapshot has its name only when it is whole', async () => {
  await withDatabase(async (database, path) => {
    const chain = await openChain(database)
    await chain.commitAll(makeBlocks(chain, 25, 3))
    const folder = join(path, '..', 'snapshots')
    await takeSnapshot(chain, folder)
    const whole = await readFile(snapshotPath(folder, 25))
    await nodeFileSystem.remove(snapshotPath(folder, 25))
    const memory = new MemoryFileSystem()
    const survivors: MemoryFileSystem[] = []
    let seed = 7
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return seed / 2 ** 31
    }
    await takeSnapshot(
      chain,
      folder,
      watched(memory, () => {
        for (let draw = 0; draw < 10; draw += 1) survivors.push(memory.afterPowerLoss(random))
      }),
    )
    let named = 0
    for (const survivor of survivors) {
      const file = await survivor.openExisting(snapshotPath(folder, 25))
      if (file === undefined) continue
      named += 1
      assert.deepEqual(Buffer.from(await file.read()), whole)
    }
    assert.ok(named > 0 && named < survivors.length)
  })
})

test('chunks are compared with the manifest, and an unfinished file tells which it holds', async () => {
  await inFolder(async (folder) => {
    await mkdir(folder, { recursive: true })
    const chunks = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5), Uint8Array.of(6)]
    const stateChunks = chunks.map((chunk) => ({ digest: chunkDigest(chunk), bytes: chunk.length }))
    const manifest = { core: { stateChunks, blockChunks: [] } }
    const writer = await SnapshotWriter.open(folder, 5)
    await writer.write(Uint8Array.of(6), 5)
    await writer.write(Uint8Array.of(1, 2, 9), 0)
    await writer.abandon({ keep: true })
    assert.deepEqual([...(await chunksHeld(folder, 5, manifest))], [2])
    const again = await SnapshotWriter.open(folder, 5, { keeps: true })
    await again.write(Uint8Array.of(1, 2, 3), 0)
    await again.abandon({ keep: true })
    assert.deepEqual([...(await chunksHeld(folder, 5, manifest))], [0, 2])
    assert.deepEqual(await listSnapshots(folder), [])
  })
})

test('acceptance 6: a flipped bit in a chunk, and a file that is none, are found', async () => {
  await withDatabase(async (database, path) => {
    const folder = join(path, '..', 'snapshots')
    const chain = await openChain(database)
    await chain.commitAll(makeBlocks(chain, 10, 3))
    await takeSnapshot(chain, folder)
    const bytes = await readFile(snapshotPath(folder, 10))
    bytes[20] = (bytes[20] ?? 0) ^ 1
    await writeFile(snapshotPath(folder, 10), bytes)
    const file = await SnapshotFile.open(snapshotPath(folder, 10))
    await assert.rejects(file.chunk(0), { code: 'corrupt' })
    await file.close()
    await writeFile(snapshotPath(folder, 11), 'something else')
    await assert.rejects(SnapshotFile.open(snapshotPath(folder, 11)), { code: 'format' })
    for (const name of ['8.snapshot.part', '9.snapshot.part', '9.fetching'])
      await writeFile(join(folder, name), 'begun')
    await tidySnapshots(folder, 1)
    assert.deepEqual((await readdir(folder)).toSorted(), [
      '11.snapshot',
      '9.fetching',
      '9.snapshot.part',
    ])
  })
})

function diskWithRoomFor(writes: number): FileSystem {
  let left = writes
  return {
    ...nodeFileSystem,
    create: async (path) => {
      const file = await nodeFileSystem.create(path)
      return {
        ...file,
        write: (bytes, position) => {
          left -= 1
          if (left >= 0) return file.write(bytes, position)
          return Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
        },
      }
    },
  }
}

function watched(memory: MemoryFileSystem, look: () => void): FileSystem {
  const after = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work
    look()
    return result
  }
  return {
    openExisting: (path) => memory.openExisting(path),
    create: async (path) => {
      const file = await after(memory.create(path))
      return {
        ...file,
        write: (bytes, position) => after(file.write(bytes, position)),
        datasync: () => after(file.datasync()),
      }
    },
    readDirectory: (path) => memory.readDirectory(path),
    makeDirectory: () => memory.makeDirectory(),
    rename: (from, to) => after(memory.rename(from, to)),
    remove: (path) => memory.remove(path),
    syncDirectory: (path) => after(memory.syncDirectory(path)),
  }
}

test.run()
