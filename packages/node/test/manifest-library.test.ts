import assert from 'node:assert/strict'
import { equalBytes, toHex } from '@mooring/codec'
import { sha256, x25519PublicKey } from '@mooring/crypto'
import {
  commitRecord,
  createKeyDeposit,
  encodeKeyDeposit,
  NO_CLINICAL_FACTS,
  type RecordHead,
  recordSecrets,
  sealRecord,
} from '@mooring/records'
import { type Database, LibraryStore, MemoryLevel, openDatabaseOn } from '@mooring/storage'
import { test } from 'uvu'
import { ManifestLibrary } from '../src/manifest-library.ts'

const utf8 = new TextEncoder()
const bytesOf = (name: string): Uint8Array => sha256(utf8.encode(name))

const custodian = 'st-mary'
const patientKey = bytesOf('patient')
const scope = { custodian, patientKey }
const sealSecret = bytesOf('reader')
const HOLDERS = ['county', 'lakeview', 'riverside']

function random(seed: string) {
  let count = 0
  return (length: number) => {
    count += 1
    return bytesOf(`${seed} ${count}`).slice(0, length)
  }
}

const fresh = () => openDatabaseOn(new MemoryLevel('library'), 'vault')

async function library(sealSecrets = [sealSecret], database?: Database): Promise<ManifestLibrary> {
  return new ManifestLibrary({
    store: new LibraryStore(database ?? (await fresh())),
    sealSecrets,
    seal: (plaintext) => plaintext,
    open: (sealed) => sealed,
    isOfPatient: (_custodian, former, key) => equalBytes(former, key),
    name: (...parts) => sha256(...parts).slice(0, 16),
  })
}

/** A class key as a deposit; anybody can seal one to a reader, whose public key is on the chain. */
function keyOf(name: string): Uint8Array {
  const custody = { logKey: bytesOf('log key'), mark: new Uint8Array(16) }
  const content = { class: 'general', epoch: 0, patientKey, ...custody, classKey: bytesOf(name) }
  const source = { custodian, random: random(`deposit ${name}`) }
  return encodeKeyDeposit(createKeyDeposit(content, [x25519PublicKey(sealSecret)], source))
}

function headUnder(classKey: string): RecordHead & { setId: Uint8Array } {
  const raw = utf8.encode('a letter')
  const rec = bytesOf('rec')
  const commitment = commitRecord([], raw, recordSecrets(rec))
  const details = {
    ...commitment,
    rec,
    mediaType: 'text/plain',
    resourceType: null,
    resourceId: null,
    versionId: null,
    fullUrl: null,
    receivedAt: 1,
    supersedes: null,
    sequence: 1,
    eventAt: '2020-02-29T10:00:00.000+01:00',
    isMistake: 0,
    facts: {
      ...NO_CLINICAL_FACTS,
      patientKey,
      class: 'general',
      record: commitment.recordCommit,
    },
    patient: 'p-1',
    submission: bytesOf('submission'),
    dedupe: bytesOf('dedupe'),
  }
  const { setId, encodedSet, manifest } = sealRecord(raw, details, {
    custodian,
    split: { k: 2, n: 3 },
    classKey: bytesOf(classKey),
    random: random('seal'),
  })
  return { setId, set: encodedSet, manifest, holders: HOLDERS }
}

test('a made-up class key does not stand in the way of the one it pretends to be', async () => {
  const { setId, ...head } = headUnder('true key')
  const shelf = await library()
  await shelf.learn(scope, { keys: [keyOf('made up'), keyOf('true key')], heads: [head] })
  const found = await shelf.find(scope, toHex(setId))
  assert.deepEqual(found?.setId, setId)
})

test('what was sealed to the seal key of before opens after it was rotated', async () => {
  const { setId, ...head } = headUnder('true key')
  const learnt = { keys: [keyOf('true key')], heads: [head] }
  for (const [secrets, isFound] of [
    [[bytesOf('new'), sealSecret], true],
    [[bytesOf('new')], false],
  ] as const) {
    const shelf = await library([...secrets])
    await shelf.learn(scope, learnt)
    assert.equal((await shelf.find(scope, toHex(setId))) !== undefined, isFound)
  }
})

test('an erased set is forgotten, in memory and on the disk, and may not be known at all', async () => {
  const { setId, ...head } = headUnder('true key')
  const database = await openDatabaseOn(new MemoryLevel('library'), 'vault')
  const shelf = await library([sealSecret], database)
  await shelf.learn(scope, { keys: [keyOf('true key')], heads: [head] })
  await shelf.forget(bytesOf('another set'))
  assert.notEqual(await shelf.find(scope, toHex(setId)), undefined)
  await shelf.forget(setId)
  for (const each of [shelf, await library([sealSecret], database)]) {
    assert.equal(await each.find(scope, toHex(setId)), undefined)
    assert.deepEqual(await each.list(scope), [])
    assert.ok(await each.hasKeys(scope, ['general']))
  }
})

test('the key of one erased record does not stay behind', async () => {
  const setId = bytesOf('a set')
  const database = await fresh()
  const shelf = await library([sealSecret], database)
  const recordKeys = [{ setId, key: bytesOf('key of one record') }]
  await shelf.learn(scope, { keys: [keyOf('true key')], heads: [], recordKeys })
  const entries = async (): Promise<number> => {
    const own = sha256(utf8.encode(`${custodian}\0`), patientKey).slice(0, 16)
    let count = 0
    for await (const _ of new LibraryStore(database).entries(own)) count += 1
    return count
  }
  assert.equal(await entries(), 2)
  await shelf.forget(setId)
  assert.equal(await entries(), 1)
})

test('a record opens under the key of its class alone', async () => {
  const { setId, ...head } = headUnder('true key')
  const shelf = await library()
  await shelf.learn(scope, { keys: [keyOf('made up')], heads: [head] })
  assert.equal(await shelf.find(scope, toHex(setId)), undefined)
  await shelf.learn(scope, { keys: [keyOf('true key')], heads: [head] })
  assert.notEqual(await shelf.find(scope, toHex(setId)), undefined)
})

test.run()
