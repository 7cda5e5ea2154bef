import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { equalBytes, toHex } from '@mooring/codec'
import { test } from 'uvu'
import { openBlobStore, StorageError } from '../src/index.ts'
import { S3Blobs } from '../src/s3-blobs.ts'
import { checkStore, idOf, keep, listed, noise, rejectsWith } from './blobs.ts'
import { BUCKET, CREDENTIALS, refuse, type S3World, withS3 } from './s3-server.ts'

const SIZE = 5000
const PIECE = 1000
const MIB = 1024 ** 2

function optionsOf({ endpoint }: S3World, prefix = 'north/') {
  return { bucket: BUCKET, endpoint, region: 'eu-central-1', prefix, credentials: CREDENTIALS }
}

async function withBlobs(
  work: (blobs: S3Blobs, world: S3World) => Promise<void>,
  timeoutMs?: number,
): Promise<void> {
  await withS3(async (world) => {
    const time = timeoutMs === undefined ? {} : { timeoutMs }
    const blobs = new S3Blobs({ ...optionsOf(world), ...time })
    try {
      await work(blobs, world)
    } finally {
      await blobs.close()
    }
  })
}

function flip(at: number): (given: Buffer) => Buffer {
  return (given) => {
    given[at] = (given[at] ?? 0) ^ 1
    return given
  }
}

test('blobs are kept in a bucket, read in ranges, listed and removed', async () => {
  await withBlobs(async (blobs, { requests }) => {
    await checkStore(blobs, 17 * MIB + 7)
    assert.equal(requests.filter((one) => /partNumber=/.test(one)).length, 3)
  })
})

test('the store that was configured is opened, and prefixes keep two nodes apart', async () => {
  await withS3(async (world) => {
    const north = await openBlobStore({ kind: 's3', ...optionsOf(world, 'north/') })
    const south = await openBlobStore({ kind: 's3', ...optionsOf(world, 'south/') })
    const id = await keep(north, noise(SIZE), PIECE)
    assert.deepEqual(await listed(north), [toHex(id)])
    assert.deepEqual(await listed(south), [])
    assert.equal(await south.stat(id), undefined)
    await north.close()
    await south.close()
  })
})

test('every page of a list is read, and what is no blob of ours is passed over', async () => {
  await withBlobs(async (blobs, world) => {
    const ids = [1, 2, 3].map((seed) => toHex(idOf(noise(9, seed), 9)))
    const [first = '', second = '', third = ''] = ids
    world.misbehave((asked, answer) => {
      const isSecond = asked.url?.includes('continuation-token=more%3D') === true
      const keys = isSecond ? [`north/${third}`] : [`north/${first}`, 'north/a', `north/${second}`]
      const more = isSecond ? '' : '<NextContinuationToken>more=</NextContinuationToken>'
      const contents = keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')
      answer
        .writeHead(200, { 'content-type': 'application/xml' })
        .end(
          `<ListBucketResult><IsTruncated>${!isSecond}</IsTruncated>${more}${contents}</ListBucketResult>`,
        )
      return true
    })
    assert.deepEqual(await listed(blobs), ids.toSorted())
  })
})

test('what the bucket changed is found, piece by piece', async () => {
  await withBlobs(async (blobs, world) => {
    const bytes = noise(SIZE)
    const id = await keep(blobs, bytes, PIECE)
    await blobs.read(id, 0, 1)
    world.alter(flip(1500))
    await rejectsWith('blob_corrupt', blobs.read(id, 0, SIZE))
    assert.ok(equalBytes(await blobs.read(id, 0, 1000), bytes.subarray(0, 1000)))
    world.alter((given) => given.subarray(0, -1))
    await rejectsWith('blob_corrupt', blobs.read(id, 4000, 1000))
    world.alter((given) => Buffer.concat([given, given]))
    await rejectsWith('bucket_unreachable', blobs.read(id, 0, 1000))

    const again = new S3Blobs(optionsOf(world))
    for (const at of [0, 17]) {
      world.alter(flip(at))
      await rejectsWith('blob_corrupt', again.read(id, 0, 1))
    }
    world.alter(undefined)
    assert.ok(equalBytes(await again.read(id, 0, SIZE), bytes))
    await again.close()
  })
})

test('a part that the bucket loses once is sent again, and one that never passes ends the upload', async () => {
  await withBlobs(async (blobs, world) => {
    const bytes = noise(9 * MIB)
    let isLost = false
    world.misbehave((asked, answer) => {
      if (isLost || !asked.url?.includes('partNumber=1')) return false
      isLost = true
      answer.destroy()
      return true
    })
    const id = await keep(blobs, bytes, MIB, MIB)
    assert.ok(isLost)
    assert.ok(equalBytes(await blobs.read(id, 0, bytes.length), bytes))
    await blobs.remove(id)

    world.misbehave((asked, answer) =>
      asked.url?.includes('partNumber=2') === true ? refuse(answer, 500, 'InternalError') : false,
    )
    await rejectsWith('bucket_unreachable', keep(blobs, bytes, MIB, MIB))
    world.misbehave(undefined)
    assert.equal(await blobs.stat(id), undefined)
  })
})

test('an upload that was begun and given up is aborted', async () => {
  await withBlobs(async (blobs, { requests }) => {
    const bytes = noise(9 * MIB)
    const writer = await blobs.create({ id: idOf(bytes, MIB), pieceBytes: MIB })
    await writer.write(bytes)
    await writer.abort()
    assert.match(requests.at(-1) ?? '', /^DELETE .*uploadId=/)
  })
})

test('what the bucket answers becomes a code', async () => {
  await withBlobs(async (blobs, world) => {
    const id = await keep(blobs, noise(SIZE), PIECE)
    const cases = [
      [403, 'AccessDenied', 'bucket_refused'],
      [404, 'NoSuchBucket', 'bucket_refused'],
      [400, 'InvalidArgument', 'bucket_refused'],
      [403, 'QuotaExceeded', 'full'],
      [507, 'XMinioStorageFull', 'full'],
      [503, 'SlowDown', 'bucket_unreachable'],
      [500, 'InternalError', 'bucket_unreachable'],
    ] as const
    for (const [status, name, code] of cases) {
      world.misbehave((_, answer) => refuse(answer, status, name))
      await rejectsWith(code, keep(blobs, noise(SIZE, 2), PIECE))
      if (code !== 'full') await rejectsWith(code, listed(blobs))
    }
    world.misbehave((_, answer) => answer.destroy() !== undefined)
    await rejectsWith('bucket_unreachable', keep(blobs, noise(SIZE, 2), PIECE))
    world.misbehave(undefined)
    assert.deepEqual(await listed(blobs), [toHex(id)])
  })
})

test('a bucket that takes a request and says nothing is given up, also in the middle of an answer', async () => {
  await withBlobs(async (blobs, world) => {
    const id = await keep(blobs, noise(SIZE), PIECE)
    world.misbehave(() => true)
    await rejectsWith('bucket_unreachable', blobs.read(id, 0, 1))
    world.misbehave(undefined)
    await blobs.read(id, 0, 1)
    world.misbehave((_, answer) => {
      answer.writeHead(206, { 'content-length': 1000 }).write(Buffer.alloc(10))
      return true
    })
    await rejectsWith('bucket_unreachable', blobs.read(id, 0, 1000))
  }, 150)
})

test('wrong credentials are refused, and no error shows them', async () => {
  await withS3(async (world) => {
    const credentials = { accessKeyId: 'STRANGER', secretAccessKey: 'not-to-be-shown' }
    const blobs = new S3Blobs({ ...optionsOf(world), credentials })
    await assert.rejects(keep(blobs, noise(SIZE), PIECE), (error) => {
      assert.ok(error instanceof StorageError)
      assert.equal(error.code, 'bucket_refused')
      assert.ok(!inspect(error, { depth: 9 }).includes('not-to-be-shown'))
      assert.match(error.message, /403 InvalidAccessKeyId/)
      return true
    })
    await blobs.close()
  })
})

test('nobody listens there', async () => {
  const nowhere = { folder: '', requests: [], misbehave: () => undefined, alter: () => undefined }
  const blobs = new S3Blobs(optionsOf({ endpoint: 'http://127.0.0.1:9', ...nowhere }))
  await rejectsWith('bucket_unreachable', blobs.stat(idOf(noise(1), 1)))
  await blobs.close()
})

test.run()
