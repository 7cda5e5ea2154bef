import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { test } from 'uvu'
import { readBlobPlace } from '../src/blob-place.ts'
import { NodeError } from '../src/node-error.ts'
import { resolveOptions } from '../src/resolve-options.ts'

const BUCKET = { 'vault.blobs': 's3', 'vault.bucket': 'shards' }

function valuesOf(flags: Record<string, string>) {
  const all = { 'node.name': 'st-mary', ...flags }
  const { values, problems } = resolveOptions({ flags: all, env: {}, file: null })
  assert.deepEqual(problems, [])
  return values
}

async function inHome(work: (home: string, credentials: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'mooring-blob-place-'))
  try {
    await work(home, join(home, 'bucket.json'))
  } finally {
    await rm(home, { recursive: true })
  }
}

test('large shards are files beside the databases when nothing else is said', async () => {
  const place = await readBlobPlace('/home', '/home/data', valuesOf({}))
  assert.deepEqual(place, { kind: 'local', directory: join('/home/data', 'blobs') })
})

test('a bucket comes with the credentials of a file that its owner alone reads', async () => {
  await inHome(async (home, path) => {
    const credentials = { accessKeyId: 'KEY', secretAccessKey: 'HIDDEN-SECRET' }
    const flags = { ...BUCKET, 'vault.credentials': 'bucket.json' }
    const read = () => readBlobPlace(home, home, valuesOf(flags))
    const refused = (code: string) =>
      assert.rejects(read(), (error) => {
        assert.ok(error instanceof NodeError)
        assert.equal(error.code, code)
        assert.ok(!inspect(error, { depth: 9 }).includes('HIDDEN-SECRET'))
        return true
      })
    await refused('key_missing')
    for (const text of ['HIDDEN-SECRET', '{}', '[]', 'null', '{"accessKeyId":"HIDDEN-SECRET"}']) {
      await writeFile(path, text, { mode: 0o600 })
      await refused('key_malformed')
    }
    await writeFile(path, JSON.stringify({ ...credentials, note: 'of the storage team' }))
    assert.deepEqual(await read(), {
      kind: 's3',
      bucket: 'shards',
      endpoint: '',
      region: 'us-east-1',
      prefix: 'st-mary/',
      credentials,
    })
    await chmod(path, 0o640)
    await refused('key_open')
  })
})

test.run()
