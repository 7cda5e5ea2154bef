// When a record may go, and what those sign who deleted it.

import assert from 'node:assert/strict'
import { keyPairFromSeed } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  decideErasure,
  type ErasureReason,
  isDeletionSigned,
  type Retention,
  signDeletion,
} from '../src/index.ts'
import type { DeletionStatement } from '../src/erasure.ts'
import { type ErasureQuestion, yearsOf } from '../src/retention.ts'

const RECEIVED = Date.UTC(2020, 1, 29, 12)
const RETENTION: Retention = {
  years: 10,
  classes: { imaging: 30, sensitive: 20, 'sensitive:psy': 5, stream: 0 },
}

function question(changes: Partial<ErasureQuestion> = {}): ErasureQuestion {
  const now = Date.UTC(2026, 10, 20)
  const plain = { reason: 'patient_request', class: 'general', isHeld: false } as const
  return { ...plain, receivedAt: RECEIVED, now, ...changes }
}

test('the law, a hold and the reason decide together', () => {
  const late = Date.UTC(2031, 0, 1)
  const cases: [Partial<ErasureQuestion>, string | undefined][] = [
    [{}, 'retention_applies'],
    [{ now: late }, undefined],
    [{ now: late, isHeld: true }, 'legal_hold'],
    [{ now: late, class: 'imaging' }, 'retention_applies'],
    [{ now: late, class: 'sensitive:hiv' }, 'retention_applies'],
    [{ class: 'sensitive:psy' }, undefined],
    [{ class: 'stream' }, undefined],
    [{ class: 'stream', isHeld: true }, 'legal_hold'],
    [{ reason: 'retention_over' }, 'retention_applies'],
    [{ reason: 'retention_over', now: late }, undefined],
    [{ reason: 'entered_in_error' }, undefined],
    [{ reason: 'entered_in_error', isHeld: true }, 'legal_hold'],
    [{ reason: 'court_order' }, undefined],
    [{ reason: 'court_order', isHeld: true }, 'legal_hold'],
  ]
  for (const [changes, code] of cases)
    assert.equal(decideErasure(question(changes), RETENTION)?.code, code, JSON.stringify(changes))
})

test('retention ends at the same moment so many years later', () => {
  const until = Date.UTC(2030, 2, 1, 12)
  assert.deepEqual(decideErasure(question({ now: until - 1 }), RETENTION), {
    code: 'retention_applies',
    until,
  })
  assert.equal(decideErasure(question({ now: until }), RETENTION), undefined)
})

test('a class falls under its own number, then under that of its kind, then under that of all', () => {
  const cases = { general: 10, imaging: 30, 'sensitive:psy': 5, 'sensitive:hiv': 20, stream: 0 }
  for (const [name, years] of Object.entries(cases)) assert.equal(yearsOf(RETENTION, name), years)
  assert.equal(yearsOf({ years: 3, classes: {} }, 'toString'), 3)
})

const reason = fc.constantFrom<ErasureReason>(
  'patient_request',
  'retention_over',
  'entered_in_error',
  'court_order',
)
const time = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) })

test('a hold refuses everything, and who waits longer is never refused more', () =>
  fc.assert(
    fc.property(reason, time, time, fc.nat(60), fc.nat(), (why, receivedAt, now, years, wait) => {
      const retention = { years, classes: {} }
      const asked = question({ reason: why, receivedAt, now })
      assert.equal(decideErasure({ ...asked, isHeld: true }, retention)?.code, 'legal_hold')
      const today = decideErasure(asked, retention)
      const later = decideErasure({ ...asked, now: now + wait }, retention)
      if (today === undefined) assert.equal(later, undefined)
      else assert.equal(decideErasure({ ...asked, now: today.until ?? 0 }, retention), undefined)
    }),
  ))

const GENESIS = new Uint8Array(32).fill(1)
const KEY = keyPairFromSeed(new Uint8Array(32).fill(2))
const STATEMENT: DeletionStatement = {
  custodian: 'st-mary',
  holder: 'county',
  item: new Uint8Array(32).fill(3),
  shards: [2],
  height: 7,
}

test('a statement of deletion is one of this network, of this holder, and of all that it says', () => {
  const receipt = signDeletion(KEY, GENESIS, STATEMENT)
  assert.ok(isDeletionSigned(receipt, GENESIS, KEY.publicKey))
  const other = keyPairFromSeed(new Uint8Array(32).fill(9)).publicKey
  assert.ok(!isDeletionSigned(receipt, GENESIS, other))
  assert.ok(!isDeletionSigned(receipt, other, KEY.publicKey))
  const changes: Partial<DeletionStatement>[] = [
    { custodian: 'county' },
    { holder: 'st-mary' },
    { item: new Uint8Array(32) },
    { shards: [] },
    { shards: [1] },
    { height: 8 },
  ]
  for (const change of changes) {
    const content = { ...receipt.content, ...change }
    assert.ok(!isDeletionSigned({ ...receipt, content }, GENESIS, KEY.publicKey))
  }
})

test.run()
