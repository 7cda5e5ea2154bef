import assert from 'node:assert/strict'
import type { Floor, GuardMemory, JournalRecord, Marks } from '@mooring/storage'
import { test } from 'uvu'
import { Amnesia, describeObserving } from '../src/amnesia.ts'

const NO_MARKS: Marks = { epoch: 0, notarized: 0, nullified: 0, finalized: 0 }

function amnesiaOf(memory: GuardMemory, records: JournalRecord[] = [], marks = NO_MARKS) {
  const remembered: Floor[] = []
  const guard = {
    memory,
    floor: { epoch: 0, view: 0 },
    remember: (floor: Floor) => {
      remembered.push(floor)
      return Promise.resolve()
    },
  }
  const amnesia = new Amnesia({ guard, records, marks: () => marks, nonce: () => 5 })
  return { amnesia, remembered }
}

test('a whole guard votes, a lost one asks, and a new one may begin while it is unused', () => {
  assert.equal(amnesiaOf('whole').amnesia.rejoinIn(0), null)
  const gather = { kind: 'gather', nonce: 5 }
  assert.deepEqual(amnesiaOf('lost').amnesia.rejoinIn(0), { ...gather, mayBegin: false })
  assert.deepEqual(amnesiaOf('new').amnesia.rejoinIn(3), { ...gather, mayBegin: true })
  const used = { ...NO_MARKS, nullified: 1 }
  assert.deepEqual(amnesiaOf('new', [], used).amnesia.rejoinIn(0), { ...gather, mayBegin: false })
})

test('what was found out counts after a restart, for its epoch, and the next one is asked anew', () => {
  const { amnesia, remembered } = amnesiaOf('lost')
  const { record } = amnesia.note(2, 9)
  assert.deepEqual([record.type, record.epoch, record.view], ['rejoin', 2, 9])
  const after = amnesiaOf('lost', [record]).amnesia
  assert.deepEqual(after.rejoinIn(2), { kind: 'wait', voteFrom: 9 })
  assert.equal(after.rejoinIn(3)?.kind, 'gather')
  assert.deepEqual(remembered, [])
})

test('the end of it is remembered by the guard, and by the journal if that comes first', async () => {
  const { amnesia, remembered } = amnesiaOf('lost')
  amnesia.note(2, 9)
  const { record, done } = amnesia.note(2, null)
  await done
  assert.deepEqual(remembered, [{ epoch: 2, view: 9 }])
  assert.equal(amnesia.memory, 'whole')
  assert.equal(amnesia.rejoinIn(3), null)
  const crashed = amnesiaOf('lost', [record]).amnesia
  assert.deepEqual([crashed.memory, crashed.rejoinIn(2)], ['whole', null])
})

test('it says until when it observes, and why', () => {
  const { amnesia } = amnesiaOf('lost')
  const never = Number.MAX_SAFE_INTEGER
  const asking = amnesia.observing({ view: 4, voteFrom: never })
  const waiting = amnesia.observing({ view: 4, voteFrom: 9 })
  assert.ok(asking && waiting)
  assert.equal(
    describeObserving(asking),
    'asking the others how far they are because its vote journal was lost',
  )
  assert.equal(
    describeObserving(waiting),
    'observing until view 9 because its vote journal was lost',
  )
  assert.equal(amnesia.observing({ view: 9, voteFrom: 9 }), null)
  assert.equal(amnesiaOf('whole').amnesia.observing({ view: 1, voteFrom: 9 }), null)
})

test.run()
