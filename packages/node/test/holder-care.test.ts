// What keeps the shards of others good: audits, reports of damage, shards that move to another holder.

import assert from 'node:assert/strict'
import { AUDIT_NONCE_BYTES, judgeAudit, type ShardName } from '@mooring/records'
import { test } from 'uvu'
import type { VaultHandlers } from '../src/holder.ts'
import { NAMES } from './chain-members.ts'
import {
  bytesOf,
  CUSTODIAN,
  type Deposited,
  type HolderWorld,
  READER,
  withHolders,
} from './holder-world.ts'

const HOLDER = 'riverside'
const { k, n } = { k: 2, n: 4 }

const refuse = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('/secret'), { code: 'grant_expired' }))

function nonceOf(number: number): Uint8Array {
  return bytesOf(`nonce ${number}`).slice(0, AUDIT_NONCE_BYTES)
}

async function audit(
  world: HolderWorld,
  { record }: Deposited,
  { auditor = CUSTODIAN, nonce = nonceOf(1) } = {},
): Promise<(Uint8Array | null)[]> {
  const answers: (Uint8Array | null)[] = []
  for (const [index, holder] of NAMES.entries()) {
    const shards: ShardName[] = [{ setId: record.setId, index }]
    const answer = await world.ask(auditor, holder, { kind: 'audit', body: { nonce, shards } })
    assert.ok(answer.kind === 'audit')
    answers.push(answer.body.answers[0] ?? null)
  }
  return answers
}

test('holders that have their shards prove it, whoever asks and whatever the nonce is', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit(20_000)
    for (let number = 0; number < 20; number += 1) {
      const auditor = number % 2 === 0 ? CUSTODIAN : READER
      const answers = await audit(world, deposited, { auditor, nonce: nonceOf(number) })
      assert.equal(judgeAudit(k, n, answers).verdict, 'good')
    }
  })
})

test('a holder that lost its shard is silent, and one that has an older one is named', async () => {
  await withHolders(async (world) => {
    const [deposited, older] = [await world.deposit(), await world.deposit()]
    const { created, store } = world.hospital(HOLDER)
    const [old] = await created.shards.of(older.record.setId)
    const [own] = await created.shards.of(deposited.record.setId)
    assert.ok(old !== undefined && own !== undefined)
    const content = store.content(old.head)
    assert.ok(content !== undefined)
    await store.put([{ ...own.head, content }])
    const judged = judgeAudit(k, n, await audit(world, deposited))
    assert.equal(judged.verdict, 'bad')
    assert.deepEqual(judged.wrong, [1])
    assert.equal(await created.shards.verify(own), false)

    await created.shards.delete(own)
    const answers = await audit(world, deposited)
    assert.equal(answers[1], null)
    assert.equal(judgeAudit(k, n, answers).verdict, 'good')
  })
})

test('all answers that an auditor can ever get do not add up to the shard', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    const shard = deposited.record.shards[1] ?? new Uint8Array(0)
    const distinct = new Set<string>()
    for (let number = 0; number < 400; number += 1) {
      const shards = [{ setId: deposited.record.setId, index: 1 }]
      const body = { nonce: nonceOf(number), shards }
      const answer = await world.ask(READER, HOLDER, { kind: 'audit', body })
      assert.ok(answer.kind === 'audit')
      distinct.add(String(answer.body.answers[0]))
    }
    assert.ok(distinct.size > 8, `${distinct.size} answers`)
    assert.ok(distinct.size * 16 <= shard.length / 4, `${distinct.size} answers`)
  })
})

test('a report makes a holder look at its own shard, a few times an hour and no more', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    const shard = { setId: deposited.record.setId, index: 1 }
    const report = () =>
      world.ask(READER, HOLDER, {
        kind: 'report',
        body: { shard, holder: HOLDER, code: 'shard_wrong' },
      })
    assert.equal((await report()).kind, 'done')
    assert.deepEqual(world.hospital(HOLDER).damaged, [])
    const { created, store } = world.hospital(HOLDER)
    const [own] = await created.shards.of(deposited.record.setId)
    assert.ok(own !== undefined)
    const body = new Uint8Array(own.head.bytes)
    await store.put([{ ...own.head, content: { kind: 'inline', body } }])
    for (let time = 0; time < 3; time += 1) await report()
    assert.deepEqual(world.hospital(HOLDER).damaged, [{ ...shard, custodian: CUSTODIAN }])
  })
})

test('reports about others are looked into a few times an hour and no more', async () => {
  await withHolders(async (world) => {
    const { record } = await world.deposit()
    let looked = 0
    const reported = (): Promise<void> => {
      looked += 1
      return Promise.resolve()
    }
    world.handlers = {
      catalogue: refuse,
      fields: refuse,
      repair: refuse,
      emergency: refuse,
      restore: refuse,
      moved: () => Promise.resolve(),
      erased: () => Promise.resolve(),
      reported,
    }
    const body = { shard: { setId: record.setId, index: 2 }, holder: 'county', code: 'shard_wrong' }
    for (let time = 0; time < 20; time += 1) {
      assert.equal((await world.ask(READER, HOLDER, { kind: 'report', body })).kind, 'done')
    }
    assert.equal(looked, 4)
  })
})

test('a holder is moved by its custodian, or by the new one when the old one is gone', async () => {
  await withHolders(async (world) => {
    const { record } = await world.deposit()
    const holdersAt = async (holder: string): Promise<readonly string[] | undefined> =>
      (await world.hospital(holder).created.shards.of(record.setId))[0]?.head.holders
    const move = async (sender: string, holder: string, index: number): Promise<string> => {
      const body = { holder, shards: [{ setId: record.setId, index }] }
      const answer = await world.ask(sender, HOLDER, { kind: 'moved', body })
      return answer.kind === 'refusal' ? answer.body.code : answer.kind
    }
    assert.equal(await move('county', READER, 3), 'not_the_holder')
    assert.equal(await move(READER, READER, 3), 'not_the_holder')
    assert.equal(await move(CUSTODIAN, 'county', 3), 'placement_implausible')
    assert.equal(await move(CUSTODIAN, 'nobody', 3), 'placement_implausible')
    assert.equal(await move(CUSTODIAN, READER, 9), 'index_out_of_range')
    assert.deepEqual(await holdersAt(HOLDER), NAMES)

    world.away.add('lakeview')
    assert.equal(await move(READER, READER, 3), 'done')
    assert.deepEqual(await holdersAt(HOLDER), NAMES.with(3, READER))
    assert.equal(await move(CUSTODIAN, 'lakeview', 3), 'done')
    assert.deepEqual(await holdersAt(HOLDER), NAMES)
    world.away.clear()
    assert.equal(await move(READER, READER, 3), 'not_the_holder')
    world.removed.add('lakeview')
    assert.equal(await move(READER, READER, 3), 'done')
  })
})

test('many shards move in one message: those that may, and the answer says why others may not', async () => {
  await withHolders(async (world) => {
    const [one, two] = [await world.deposit(), await world.deposit()]
    const holdersOf = async ({ record }: Deposited): Promise<readonly string[] | undefined> =>
      (await world.hospital(HOLDER).created.shards.of(record.setId))[0]?.head.holders
    const shards = [
      { setId: one.record.setId, index: 3 },
      { setId: two.record.setId, index: 9 },
      { setId: two.record.setId, index: 2 },
    ]
    const body = { holder: READER, shards }
    const answer = await world.ask(CUSTODIAN, HOLDER, { kind: 'moved', body })
    assert.ok(answer.kind === 'refusal')
    assert.equal(answer.body.code, 'index_out_of_range')
    assert.deepEqual(await holdersOf(one), NAMES.with(3, READER))
    assert.deepEqual(await holdersOf(two), NAMES.with(2, READER))
  })
})

test('a witness counts as long as it is a holder, as this holder knows it', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    const asked = world.request([deposited])
    const witnesses = await world.witnesses(['county', 'lakeview'], asked)
    const body = { holder: READER, shards: [{ setId: deposited.record.setId, index: 3 }] }
    await world.ask(CUSTODIAN, HOLDER, { kind: 'moved', body })
    assert.equal(await world.release(HOLDER, asked.signed, witnesses), 'too_few_witnesses')
    const more = [...witnesses, ...(await world.witnesses([CUSTODIAN], asked))]
    assert.equal(typeof (await world.release(HOLDER, asked.signed, more)), 'object')
  })
})

test('what belongs to the custodian or to repair is asked of them, and their refusal is told', async () => {
  await withHolders(async (world) => {
    const request = { kind: 'restore' as const, body: { items: [], avoid: [] } }
    const early = await world.ask(CUSTODIAN, HOLDER, request)
    assert.deepEqual(early, { kind: 'refusal', body: { code: 'not_ready', retryAfterMs: 0 } })
    const asked: string[] = []
    const handlers: VaultHandlers = {
      catalogue: refuse,
      fields: refuse,
      repair: refuse,
      emergency: refuse,
      restore: (sender) => {
        asked.push(sender)
        return Promise.resolve({ outcomes: ['kept'], liars: [] })
      },
      moved: () => Promise.resolve(),
      erased: () => Promise.resolve(),
      reported: () => Promise.resolve(),
    }
    world.handlers = handlers
    const done = await world.ask(CUSTODIAN, HOLDER, request)
    assert.deepEqual(done, { kind: 'restore', body: { outcomes: ['kept'], liars: [] } })
    assert.deepEqual(asked, [CUSTODIAN])
    const { signed, entry } = world.request([world.seal()])
    const catalogue = await world.ask(READER, HOLDER, {
      kind: 'catalogue',
      body: { signed, entry, after: null, limit: 10 },
    })
    assert.ok(catalogue.kind === 'refusal')
    assert.equal(catalogue.body.code, 'grant_expired')
    world.handlers = { ...handlers, catalogue: () => Promise.reject(new Error('a bug')) }
    const bug = await world.ask(READER, HOLDER, {
      kind: 'catalogue',
      body: { signed, entry, after: null, limit: 10 },
    })
    assert.ok(bug.kind === 'refusal')
    assert.equal(bug.body.code, 'holder_failed')
    assert.equal(world.hospital(HOLDER).outcomes.at(-1), 'catalogue failed')
  })
})

test.run()
