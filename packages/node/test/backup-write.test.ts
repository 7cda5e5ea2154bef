// A backup where there is no room for it.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatPeerId, keyPairFromSeed } from '@mooring/crypto'
import { test } from 'uvu'
import { BACKUP_FORMAT, type BackupHead } from '../src/backup-format.ts'
import { readBackup } from '../src/backup-read.ts'
import { type BackupPart, writeBackup } from '../src/backup-write.ts'

const key = keyPairFromSeed(new Uint8Array(32).fill(7))
const digest = 'ab'.repeat(32)
const head: BackupHead = {
  format: BACKUP_FORMAT,
  mooring: '0.1.0',
  networkId: 'moor-abababab',
  genesisDigest: digest,
  node: 'st-mary',
  peerId: formatPeerId(key.publicKey),
  height: 7,
  digest,
  stateRoot: digest,
  createdAt: '2026-11-20T04:00:00.000Z',
  hasKeys: false,
  blobs: 'local',
}

async function* parts(): AsyncGenerator<BackupPart> {
  yield { path: 'config/join.txt', bytes: new Uint8Array(100) }
}

test('less than what stays free: nothing is left, and it is said', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-backup-'))
  try {
    const path = join(folder, 'one.tar')
    const wish = { path, compression: 'none', head, key } as const
    const full = writeBackup({ ...wish, minFreeBytes: Number.MAX_SAFE_INTEGER }, parts())
    await assert.rejects(full, { code: 'backup_no_room' })
    assert.deepEqual(await readdir(folder), [])
    await writeBackup({ ...wish, minFreeBytes: 0 }, parts())
    assert.equal((await readBackup(path)).height, 7)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test.run()
