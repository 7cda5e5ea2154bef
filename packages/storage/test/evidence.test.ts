import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'uvu'
import { openDatabase } from '../src/database.ts'
import { EvidenceStore, type NewEvidence, OFFENCES_MAX } from '../src/evidence.ts'
import { inFolder } from './folder.ts'

function offence(view: number, more: Partial<NewEvidence> = {}): NewEvidence {
  const evidence = Uint8Array.of(view & 0xff)
  const place = { epoch: 0, view, kind: 'conflicting_notarize', signer: 2 }
  return { ...place, seenAt: 1_000 + view, evidence, ...more }
}

async function withStore(
  folder: string,
  work: (store: EvidenceStore) => Promise<void>,
): Promise<void> {
  const database = await openDatabase(join(folder, 'chain'), { name: 'chain' })
  try {
    await work(await EvidenceStore.open(database))
  } finally {
    await database.close()
  }
}

test('an offence is kept once, in the order of arrival, and over restarts', async () => {
  await inFolder(async (folder) => {
    await withStore(folder, async (store) => {
      assert.equal((await store.keep(offence(7)))?.arrival, 1)
      assert.equal(await store.keep(offence(7, { evidence: Uint8Array.of(99) })), null)
      const both = [store.keep(offence(3)), store.keep(offence(3)), store.keep(offence(4))]
      assert.deepEqual(
        (await Promise.all(both)).map((kept) => kept?.arrival),
        [2, undefined, 3],
      )
      await store.keep(offence(7, { kind: 'nullify_finalize' }))
      await store.keep(offence(7, { epoch: 1 }))
      await store.keep(offence(7, { signer: 1 }))
    })
    await withStore(folder, async (store) => {
      assert.deepEqual(
        store.all.map(({ view, arrival }) => [view, arrival]),
        [
          [7, 1],
          [3, 2],
          [4, 3],
          [7, 4],
          [7, 5],
          [7, 6],
        ],
      )
      assert.deepEqual(store.all[0], { ...offence(7), arrival: 1 })
      assert.equal(await store.keep(offence(7)), null)
    })
  })
})

test('of one authority in one epoch only so much is kept', async () => {
  await inFolder((folder) =>
    withStore(folder, async (store) => {
      for (let view = 1; view <= OFFENCES_MAX + 5; view += 1) await store.keep(offence(view))
      assert.equal(store.all.length, OFFENCES_MAX)
      assert.equal(store.isKnown(offence(1_000)), true)
      assert.notEqual(await store.keep(offence(1, { signer: 3 })), null)
      assert.notEqual(await store.keep(offence(1, { epoch: 1 })), null)
    }),
  )
})

test.run()
