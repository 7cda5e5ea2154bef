import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { MemoryLevel, openDatabaseOn, ShardStore } from '@mooring/storage'
import { test } from 'uvu'
import { RepairConsent } from '../src/repair-consent.ts'
import type { HolderView, ShardState } from '../src/set-health.ts'

const SET = toHex(new Uint8Array(32).fill(7))
const HOLDERS = ['north', 'south', 'east', 'west', 'lake']
const VIEW: HolderView = {
  organisations: () => [...HOLDERS, 'hill', 'dale'].map((id) => ({ id, legalGroup: `of ${id}` })),
  awayMs: () => 0,
}

function lost(...indexes: number[]): ShardState[] {
  return HOLDERS.map((_, index) => (indexes.includes(index) ? 'missing' : 'good'))
}

async function openStore(): Promise<ShardStore> {
  return ShardStore.open(await openDatabaseOn(new MemoryLevel('vault'), 'vault'))
}

const ask = (consent: RepairConsent, index: number, recipient: string, states = lost(index)) =>
  consent.check({ holders: HOLDERS }, states, { setId: SET, index, recipient })

test('a shard is made again for its holder, or for another one when it was lost', async () => {
  const consent = new RepairConsent(VIEW, await openStore())
  assert.equal(ask(consent, 1, 'south', lost()), undefined)
  assert.equal(ask(consent, 2, 'hill', lost()), 'shard_not_lost')
  assert.equal(ask(consent, 2, 'hill'), undefined)
  assert.equal(ask(consent, 2, 'nobody'), 'unknown_recipient')
  assert.equal(ask(consent, 2, 'north'), 'recipient_has_another')
})

test('nobody is helped to a second shard of a set, before it is on the disk and after', async () => {
  const consent = new RepairConsent(VIEW, await openStore())
  assert.equal(ask(consent, 0, 'hill'), undefined)
  assert.equal(ask(consent, 1, 'hill'), 'recipient_has_another')
  await consent.settle()
  assert.equal(ask(consent, 1, 'hill'), 'recipient_has_another')
  assert.equal(ask(consent, 0, 'hill'), undefined)
  assert.equal(ask(consent, 1, 'dale'), undefined)
})

test('a helper that was started again remembers whom it helped to what', async () => {
  const store = await openStore()
  const before = new RepairConsent(VIEW, store)
  assert.equal(ask(before, 0, 'hill'), undefined)
  await before.settle()
  const after = new RepairConsent(VIEW, store)
  assert.equal(ask(after, 1, 'hill'), 'recipient_has_another')
  assert.equal(ask(after, 0, 'hill'), undefined)
})

test.run()
