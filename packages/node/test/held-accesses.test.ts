// A custodian is told the lines of another log that are about its own records, and no other.

import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { accessKey } from '@mooring/ledger'
import { accessEntryCommit, accessNoteCommit, rootOfPlace } from '@mooring/records'
import { test } from 'uvu'
import { createHeldAccesses } from '../src/held-accesses.ts'
import { accessOf, patientKey, TICK_MS, withLog } from './access-world.ts'
import { eventually, OWN } from './custody-world.ts'

const PAGE = { after: 0, limit: 100 }

test('lines about one custodian come page by page, with what the holder saw', () =>
  withLog(async (logWorld) => {
    const { log } = await logWorld.run()
    const held = createHeldAccesses(log)
    const leaves: string[] = []
    for (const number of [1, 2, 3]) {
      const { request, entry } = accessOf(number)
      await log.noteWitness(request, entry)
      leaves.push(toHex(accessEntryCommit(entry)))
      const other = accessOf(number + 10)
      await log.noteWitness({ ...other.request, custodian: 'lakeview' }, other.entry)
    }
    await log.noteRepair({ custodian: 'county', holder: OWN, sets: 3 })
    const first = await held.about('county', { after: 0, limit: 2 })
    assert.deepEqual(
      first.items.map(({ leaf }) => toHex(leaf)),
      leaves.slice(0, 2),
    )
    assert.equal(first.next, first.items[1]?.arrival)
    const rest = await held.about('county', { after: first.next ?? 0, limit: 2 })
    assert.deepEqual(
      rest.items.map(({ leaf }) => toHex(leaf)),
      leaves.slice(2),
    )
    assert.equal(rest.next, null)
    const [line] = rest.items
    assert.equal(line?.asked?.reader, 'riverside')
    assert.deepEqual(line?.asked?.patientKey, patientKey.publicKey)
    assert.ok(line?.entry !== null && line?.note === null && line.place === null)
    assert.equal((await held.about('lakeview', PAGE)).items.length, 3)
    for (const stranger of ['riverside', 'count', 'county\0', ''])
      assert.deepEqual(await held.about(stranger, PAGE), { items: [], next: null, last: 7 })
  }))

test('a refusal is told to the custodian it was about, and an anchored line leads to the chain', () =>
  withLog(async (logWorld) => {
    const { world } = logWorld
    const { log } = await logWorld.run()
    const held = createHeldAccesses(log)
    const { request, entry } = accessOf(1)
    await log.noteRefusal({ peer: 'riverside', code: 'grant_revoked', request, entry })
    await log.noteRefusal({
      peer: 'riverside',
      code: 'request_malformed',
      request: null,
      entry: null,
    })
    world.clock.advance(TICK_MS)
    await eventually(() => world.mempool.size > 0, 'the batch is at the door')
    await logWorld.block()
    await eventually(() => log.counts().pending === 0, 'it is anchored')
    const { items } = await held.about('county', PAGE)
    const [line] = items
    assert.equal(items.length, 1)
    assert.ok(line?.note !== null && line?.note !== undefined)
    assert.equal(line.note.code, 'grant_revoked')
    assert.deepEqual(line.leaf, accessNoteCommit(line.note))
    assert.deepEqual(line.asked?.patientKey, patientKey.publicKey)
    const root = line.place && rootOfPlace(line.leaf, line.place)
    assert.ok(root && world.parts.execution.finalState().get(accessKey(OWN, root)) !== undefined)
  }))

test.run()
