import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { verifyProof } from '@mooring/api/verify'
import { equalBytes, toHex } from '@mooring/codec'
import { checkInclusion, leafHash } from '@mooring/crypto'
import { accessKey, countersOf } from '@mooring/ledger'
import {
  accessEntryCommit,
  accessNoteCommit,
  batchPath,
  openAccessEntry,
  parseAccessProof,
} from '@mooring/records'
import type { AccessStore } from '@mooring/storage'
import { test } from 'uvu'
import type { AccessLog, KeptAccess } from '../src/access-log.ts'
import { accessProof } from '../src/access-proofs.ts'
import { decodeBatch } from '../src/custody.ts'
import { accessOf, logKey, type LogWorld, TICK_MS, withLog } from './access-world.ts'
import { eventually, OWN } from './custody-world.ts'

function full(): Promise<never> {
  return Promise.reject(new Error('the disk is full'))
}

function failing(real: AccessStore): AccessStore {
  return new Proxy(real, {
    get: (inner, name) => {
      if (name === 'add') return full
      const value: unknown = Reflect.get(inner, name, inner)
      return typeof value === 'function' ? value.bind(inner) : value
    },
  })
}

const SERVED = ['reader', 'holder', 'custodian', 'none']

async function all(log: AccessLog): Promise<KeptAccess[]> {
  const entries: KeptAccess[] = []
  for await (const entry of log.list(null)) entries.push(entry)
  return entries
}

async function anchored(logWorld: LogWorld, log: AccessLog): Promise<void> {
  const { world } = logWorld
  world.clock.advance(TICK_MS)
  await eventually(() => world.mempool.size > 0, 'the batch is at the door')
  await logWorld.block()
  await eventually(() => log.counts().pending === 0, 'it is anchored')
}

test('a witnessed entry is kept, served, batched and anchored, and its proof holds', () =>
  withLog(async (logWorld) => {
    const { world } = logWorld
    const { log, store } = await logWorld.run()
    const { request, entry } = accessOf(1)
    await log.noteWitness(request, entry)
    const leaf = accessEntryCommit(entry)
    assert.equal(log.find(leaf)?.status, 'waiting')
    log.noteServed(request, 1)
    await anchored(logWorld, log)
    const found = log.find(leaf)
    assert.ok(found !== undefined)
    assert.deepEqual([found.status, found.height, found.served], ['anchored', 1, 1])
    assert.deepEqual(
      [found.asked?.reader, found.asked?.custodian, found.asked?.purpose, found.asked?.sets.length],
      ['riverside', 'county', 'TREAT', 1],
    )
    assert.ok(found.entry !== null && openAccessEntry(found.entry, logKey) !== undefined)
    assert.ok(found.batch !== null)
    const { leaves, root } = decodeBatch(store.getBatch(found.batch.sequence)?.batch ?? leaf)
    const index = found.batch.position
    const proof = { index, size: leaves.length, path: batchPath(leaves, index) }
    assert.equal(checkInclusion({ ...proof, leafHash: leafHash(leaf), root }), undefined)
    const state = world.parts.execution.finalState()
    assert.ok(state.get(accessKey(OWN, root)) !== undefined)
    assert.deepEqual(logWorld.failures, [])
  }))

test('the proof of an entry verifies, with the entry in it, and a note has a receipt', () =>
  withLog(async (logWorld) => {
    const { log } = await logWorld.run()
    const { request, entry } = accessOf(1)
    const id = toHex(accessEntryCommit(entry))
    const modules = { log, chain: logWorld.chain, genesis: logWorld.genesis, ...logWorld.network }
    assert.equal(accessProof(modules, id), undefined)
    await log.noteWitness(request, entry)
    await log.noteRefusal({ peer: 'riverside', code: 'grant_expired', request, entry })
    assert.deepEqual(accessProof(modules, id), { kind: 'pending' })
    await anchored(logWorld, log)
    const proof = accessProof(modules, id)
    assert.ok(proof?.kind === 'access')
    const verified = verifyProof(proof.json, logWorld.network)
    assert.ok(verified.ok)
    assert.deepEqual(
      verified.steps.map(({ number }) => number),
      [2, 3, 4, 5, 6],
    )
    assert.deepEqual(verified.anchor, { kind: 'access.log', organisation: OWN, sequence: 1 })
    const parsed = parseAccessProof(proof.json)
    const content = parsed.version === 1 ? parsed.entry.content : null
    assert.ok(content !== null && openAccessEntry(content, logKey) !== undefined)
    const altered = proof.json.replace('"custodian": "county"', '"custodian": "lakeview"')
    const refused = verifyProof(altered, logWorld.network)
    assert.deepEqual(refused.ok ? null : refused.failed.code, 'entry_commitment_differs')
    const note = (await all(log)).find((each) => each.note !== null)
    const receipt = accessProof(modules, toHex(note?.leaf ?? new Uint8Array()))
    assert.ok(receipt?.kind === 'access' && parseAccessProof(receipt.json).entry.content === null)
    assert.ok(verifyProof(receipt.json, logWorld.network).ok)
  }))

test('the same entry is one, and many at once are durable before any of them is witnessed', () =>
  withLog(async (logWorld) => {
    const { log, store } = await logWorld.run()
    const accesses = Array.from({ length: 50 }, (_, index) => accessOf(index))
    const notes = [...accesses, ...accesses].map(({ request, entry }) =>
      log.noteWitness(request, entry),
    )
    assert.equal(store.size, 0)
    await Promise.all(notes)
    assert.equal(store.size, 50)
    const second = await logWorld.run()
    assert.equal((await all(second.log)).length, 50)
    await anchored(logWorld, second.log)
    assert.deepEqual(second.log.counts(), { entries: 50, pending: 0 })
  }))

test('an entry stands for one request: another one with it leaves no trace, and is told so', () =>
  withLog(async (logWorld) => {
    const { request, entry } = accessOf(1)
    const other = { ...request, sets: accessOf(2).request.sets, purpose: 'HOPERAT' }
    const first = await logWorld.run()
    assert.deepEqual(
      await Promise.all([
        first.log.noteWitness(request, entry),
        first.log.noteWitness(other, entry),
        first.log.noteWitness(request, entry),
      ]),
      [true, false, true],
    )
    const { log } = await logWorld.run()
    assert.equal(await log.noteWitness({ ...request, expiresAt: 7 }, entry), false)
    assert.equal(await log.noteQuery({ ...request, sets: [] }, entry), false)
    assert.equal(await log.noteWitness(request, entry), true)
    assert.deepEqual(log.counts(), { entries: 1, pending: 1 })
  }))

test('reads, questions, repairs and refusals are entries too, newest first', () =>
  withLog(async (logWorld) => {
    const { log } = await logWorld.run()
    const [read, query, refused] = [accessOf(1), accessOf(2), accessOf(3)]
    await log.noteRead(read.request, read.entry)
    await log.noteQuery(query.request, query.entry)
    await log.noteQuery({ ...query.request, reader: OWN }, accessOf(4).entry)
    await log.noteRepair({ custodian: 'county', holder: OWN, sets: 12 })
    await log.noteRefusal({ peer: 'riverside', code: 'grant_expired', ...refused })
    await log.noteRefusal({ peer: 'riverside', code: 'malformed', request: null, entry: null })
    const told = (await all(log)).map(({ role, note, asked, entry }) => [
      role,
      note?.code ?? note?.kind ?? null,
      asked === null,
      entry === null,
    ])
    assert.deepEqual(told, [
      ['holder', 'malformed', true, true],
      ['holder', 'grant_expired', false, false],
      ['none', 'repair', true, true],
      ['reader', null, false, false],
      ['custodian', null, false, false],
      ['reader', null, false, false],
    ])
    const [, refusal] = await all(log)
    assert.ok(refusal?.note != null)
    assert.ok(equalBytes(refusal.leaf, accessNoteCommit(refusal.note)))
    assert.deepEqual(refusal.note.entry, accessEntryCommit(refused.entry))
    assert.ok((await all(log)).every(({ role }) => SERVED.includes(role)))
    await anchored(logWorld, log)
    assert.ok((await all(log)).every(({ status }) => status === 'anchored'))
  }))

test('a batch that came onto the chain while nobody looked is found, and not made again', () =>
  withLog(async (logWorld) => {
    const { world } = logWorld
    const first = await logWorld.run()
    const { request, entry } = accessOf(1)
    await first.log.noteWitness(request, entry)
    world.clock.advance(TICK_MS)
    await eventually(() => world.mempool.size === 1, 'the batch is at the door')
    await first.log.close()
    await logWorld.block()
    for (let count = 0; count < 5; count += 1) await world.finalize()
    const second = await logWorld.run()
    world.clock.advance(TICK_MS)
    await eventually(() => second.log.counts().pending === 0, 'it is found')
    assert.equal(second.log.find(request.entry)?.height, 1)
    assert.equal(second.log.needsBlocks(), false)
    await second.log.noteWitness(accessOf(2).request, accessOf(2).entry)
    await anchored(logWorld, second.log)
    const state = world.parts.execution.finalState()
    assert.equal(countersOf(state, OWN).accessSequence, 2)
    assert.equal(countersOf(state, OWN).anchorSequence, 0)
  }))

test('records and accesses of one organisation come onto the chain side by side', () =>
  withLog(async (logWorld) => {
    const { world } = logWorld
    const { log } = await logWorld.run()
    for (const sequence of [1, 2]) await world.mempool.submit(world.anchor(OWN, sequence))
    await log.noteWitness(accessOf(1).request, accessOf(1).entry)
    world.clock.advance(TICK_MS)
    await eventually(() => world.mempool.size === 3, 'all are at the door')
    await logWorld.block()
    await eventually(() => log.counts().pending === 0, 'it is anchored')
    const { anchorSequence, accessSequence } = countersOf(world.parts.execution.finalState(), OWN)
    assert.deepEqual([anchorSequence, accessSequence], [2, 1])
  }))

test('an entry that was refused and then permitted is in the log both times', () =>
  withLog(async (logWorld) => {
    const { log } = await logWorld.run()
    const { request, entry } = accessOf(1)
    await log.noteRefusal({ peer: 'riverside', code: 'block_unknown', request, entry })
    await log.noteWitness(request, entry)
    assert.equal((await all(log)).length, 2)
    assert.equal(log.find(accessEntryCommit(entry))?.note, null)
  }))

test('a refused request with a large entry costs no more than its commitment', () =>
  withLog(async (logWorld) => {
    const { log } = await logWorld.run()
    const { request, entry } = accessOf(1)
    const large = { ...entry, sealed: new Uint8Array(20_000) }
    await log.noteRefusal({ peer: 'riverside', code: 'grant_expired', request, entry: large })
    const [kept] = await all(log)
    assert.equal(kept?.entry, null)
    assert.deepEqual(kept?.note?.entry, accessEntryCommit(large))
  }))

test('a flood of refusals is counted in one entry a tick, of its peer alone', () =>
  withLog(async (logWorld) => {
    const { world } = logWorld
    const { log, store } = await logWorld.run()
    const flood = async (peer: string, times: number) => {
      for (let time = 0; time < times; time += 1) {
        await log.noteRefusal({ peer, code: 'unknown_reader', request: null, entry: null })
      }
    }
    await flood('riverside', 500)
    await flood('county', 3)
    assert.equal(store.size, 32 + 3)
    world.clock.advance(TICK_MS)
    await eventually(() => store.size === 36, 'the count is an entry')
    const [newest] = await all(log)
    assert.deepEqual(
      [newest?.note?.organisation, newest?.note?.code, newest?.note?.count],
      ['riverside', 'too_many_refusals', 468],
    )
    await flood('riverside', 5)
    assert.equal(store.size, 36)
    world.clock.advance(10_000)
    await eventually(() => store.size === 37, 'those five are an entry')
    await flood('riverside', 5)
    assert.equal(store.size, 39)
  }))

test('what is written once more for each range that is served is written once', () =>
  withLog(async (logWorld) => {
    let writes = 0
    const { log } = await logWorld.run({
      store: (real) =>
        new Proxy(real, {
          get: (inner, name) => {
            const value: unknown = Reflect.get(inner, name, inner)
            if (name === 'replace') writes += 1
            return typeof value === 'function' ? value.bind(inner) : value
          },
        }),
    })
    const { request, entry } = accessOf(1)
    await log.noteWitness(request, entry)
    for (let range = 0; range < 20; range += 1) log.noteServed(request, 1)
    await eventually(() => log.find(request.entry)?.served === 1, 'it is served')
    assert.equal(writes, 1)
    log.noteServed(accessOf(2).request, 1)
    await log.close()
    assert.deepEqual(logWorld.failures, [])
  }))

test('a store that fails witnesses nothing, and is told', () =>
  withLog(async (logWorld) => {
    const { log } = await logWorld.run({ store: failing })
    const { request, entry } = accessOf(1)
    await assert.rejects(log.noteWitness(request, entry), /the disk is full/)
    assert.equal(log.find(request.entry), undefined)
  }))

test('the disk shows neither names nor purposes of what was asked', () =>
  withLog(async (logWorld) => {
    const { log } = await logWorld.run()
    const { request, entry } = accessOf(1)
    await log.noteWitness(request, entry)
    await log.noteRefusal({ peer: 'riverside', code: 'grant_expired', request, entry })
    const { folder } = logWorld
    const names = await readdir(join(folder, 'vault'))
    const files = await Promise.all(names.map((name) => readFile(join(folder, 'vault', name))))
    for (const word of ['riverside', 'county', 'TREAT', 'grant_expired', 'AuditEvent']) {
      assert.ok(!files.some((bytes) => bytes.includes(word)), `the disk shows ${word}`)
    }
    const facts = request.sets[0]?.facts.patientKey ?? new Uint8Array()
    assert.ok(
      !files.some((bytes) => bytes.includes(Buffer.from(facts))),
      'the disk shows a patient key',
    )
  }))

test.run()
