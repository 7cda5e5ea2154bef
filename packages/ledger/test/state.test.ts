import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { anchorKey, countersKey, countersOf, organisationKey } from '../src/index.ts'
import {
  authoritySetKey,
  changeKey,
  epochKey,
  formerKey,
  governanceKey,
  openChangesKey,
  organisationsKey,
  parametersKey,
  registeredKey,
  sealKey,
} from '../src/state-keys.ts'
import { applyQuota, checkQuota, NO_COUNTERS } from '../src/quota.ts'
import {
  authoritySet,
  KnownValues,
  organisationOf,
  parametersOf,
  StateDraft,
} from '../src/state.ts'
import { MEMBERS, MemoryState, MINUTE, seedOf, START, world } from './fixture.ts'

const here = world()

test('no two keys of the state are equal', () => {
  const keys = MEMBERS.flatMap((id) => [organisationKey(id), countersKey(id)])
  const roots = MEMBERS.map((id) => anchorKey(id, seedOf(id)))
  const governed = MEMBERS.flatMap((id) => [
    formerKey(id),
    governanceKey(id),
    changeKey(seedOf(id)),
    registeredKey(seedOf(id)),
  ])
  const epochs = [0, 1, 10, 11].map((epoch) => sealKey(epoch))
  const single = [parametersKey, authoritySetKey, epochKey, organisationsKey, openChangesKey]
  const all = [...keys, ...roots, ...governed, ...epochs, ...single].map(toHex)
  assert.equal(new Set(all).size, all.length)
})

test('a state that was not started from a genesis is not read', () => {
  assert.throws(() => parametersOf(new MemoryState()), /parameters/)
  assert.throws(() => authoritySet(new MemoryState()), /authority set/)
})

test('a state remembers organisations that are there, and none that somebody makes up', () => {
  const known = new KnownValues()
  const { state } = here
  const remembering = {
    get: (key: Uint8Array) => state.get(key),
    wasIncluded: (id: Uint8Array) => state.wasIncluded(id),
    known,
  }
  for (const id of [...MEMBERS, 'nobody', 'nobody-else']) {
    for (let again = 0; again < 2; again += 1) {
      assert.deepEqual(organisationOf(remembering, id), organisationOf(state, id))
      assert.deepEqual(countersOf(remembering, id), countersOf(state, id))
    }
  }
  assert.deepEqual([...known.organisations.keys()], [...MEMBERS])
  assert.ok([...known.counters.keys()].every((id) => MEMBERS.includes(id)))
})

test('a draft sees what it wrote, and its base does not', () => {
  const draft = new StateDraft(here.state)
  const key = anchorKey('county', seedOf('root'))
  assert.ok(!draft.has(key))
  draft.set(key, Uint8Array.of(1))
  assert.ok(draft.has(key))
  draft.set(key, null)
  assert.ok(!draft.has(key))
  draft.set(organisationKey('county'), null)
  assert.ok(!draft.has(organisationKey('county')))
  assert.ok(here.state.get(organisationKey('county')) !== undefined)
  assert.deepEqual(
    [...draft.diff().values()].map(({ value }) => value),
    [null, null],
  )
})

test('a draft remembers ids beside those of its base', () => {
  const draft = new StateDraft(new MemoryState().after(new Map(), [seedOf('old')]))
  draft.include(seedOf('new'))
  const known = ['old', 'new', 'never'].map((name) => draft.wasIncluded(seedOf(name)))
  assert.deepEqual(known, [true, true, false])
})

test('counters are written once, with their last value', () => {
  const draft = new StateDraft(here.state)
  draft.setCounters('county', { ...NO_COUNTERS, anchorSequence: 1, minute: 7, used: 1 })
  draft.setCounters('county', { ...NO_COUNTERS, anchorSequence: 2, minute: 7, used: 2 })
  const diff = draft.diff()
  assert.equal(diff.size, 1)
  assert.deepEqual(countersOf(here.state.after(diff), 'county'), draft.counters('county'))
  assert.deepEqual(draft.counters('st-mary'), NO_COUNTERS)
})

test('a quota is of one minute: its first and last millisecond, not the next', () => {
  const payment = { organisation: 'county', limit: 2 }
  const once = applyQuota(NO_COUNTERS, START)
  const twice = applyQuota(once, START + MINUTE - 1)
  assert.deepEqual([once.used, twice.used], [1, 2])
  assert.equal(checkQuota(once, { ...payment, time: START + 1 }), undefined)
  const last = checkQuota(twice, { ...payment, time: START + MINUTE - 1 })
  assert.deepEqual(last, { code: 'quota_exceeded', ...payment, resetsAt: START + MINUTE })
  assert.equal(checkQuota(twice, { ...payment, time: START + MINUTE }), undefined)
  assert.equal(applyQuota(twice, START + MINUTE).used, 1)
})

test.run()
