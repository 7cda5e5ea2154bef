import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { toHex } from '@mooring/codec'
import { type Grant, isShard, placementOrder } from '@mooring/records'
import { test } from 'uvu'
import { NOBODY } from '../src/access-session.ts'
import { fetchOwnShards } from '../src/fetch-lost.ts'
import { surveyPresence } from '../src/vault-survey.ts'
import type { Hospital, Patient } from './vault-hospital.ts'
import { type Placed, PURPOSE, type Tamper, VaultWorld } from './vault-world.ts'
import { bytesFor, bytesOf } from './vault-keys.ts'

const FIVE = ['a', 'b', 'c', 'd', 'e']
const SEVEN = [...FIVE, 'f', 'g']
const { signal } = new AbortController()

interface Made {
  world: VaultWorld
  patient: Patient
  grant: Grant
  placed: Placed[]
}

async function world(
  work: (made: Made) => Promise<void>,
  { names = SEVEN, count = 12, graceMs = 1 } = {},
): Promise<void> {
  await VaultWorld.with(
    names,
    async (made) => {
      const patient = made.patient('a', 'maria')
      const grant = await made.grant(patient, 'b')
      const placed: Placed[] = []
      for (let at = 0; at < count; at += 1) {
        placed.push(await made.place(patient, bytesFor(`record ${at}`, 2_000 + 97 * at)))
      }
      await work({ world: made, patient, grant, placed })
    },
    { graceMs },
  )
}

/** One look of every hospital that is there. */
async function lookAround({ world: made }: Made): Promise<void> {
  for (const hospital of there(made)) {
    hospital.keeper.reach.look()
    await hospital.keeper.care.look(signal)
  }
}

function there(made: VaultWorld): Hospital[] {
  const members = new Set(made.organisations.map(({ id }) => id))
  return made.hospitals.filter(({ name }) => members.has(name) && !made.down.has(name))
}

/** What must always hold, however much has happened. */
async function checkInvariants({ world: made, placed }: Made): Promise<void> {
  for (const { located, shards } of placed) {
    for (const hospital of made.hospitals) {
      const kept = await hospital.shards.of(located.setId)
      assert.ok(kept.length <= 1, `${hospital.name} has ${kept.length} shards of one set`)
      for (const { head } of kept) {
        const bytes = await hospital.shards.bytes(head, 0, head.bytes)
        assert.deepEqual(bytes, shards[head.index])
      }
    }
  }
}

/** Each set has all its shards at members that answer, and everybody knows where. */
async function checkFull({ world: made, placed }: Made): Promise<void> {
  for (const { located } of placed) {
    const owners = new Map<number, string>()
    for (const hospital of there(made)) {
      for (const { head } of await hospital.shards.of(located.setId))
        owners.set(head.index, hospital.name)
    }
    assert.equal(owners.size, located.set.n, 'a shard is missing')
    for (const hospital of there(made)) {
      for (const { head } of await hospital.shards.of(located.setId)) {
        assert.deepEqual(
          head.holders,
          Array.from({ length: located.set.n }, (_, at) => owners.get(at)),
        )
      }
    }
  }
}

async function readAll({ world: made, grant, placed }: Made): Promise<void> {
  const { keeper } = made.hospital('b')
  const use = { grant, purpose: PURPOSE, person: NOBODY, signal }
  for (const { located, raw } of placed) {
    const found = await keeper.granted.find(use, toHex(located.setId))
    assert.ok(found !== undefined)
    const now = await keeper.granted.locate(found, signal)
    const reason = { ...use, logKey: grant.logKey }
    const reading = await keeper.reader.read(now, reason)
    assert.deepEqual(await bytesOf(reading.body), raw)
  }
}

test('a removed hospital is replaced: every set is at full strength again and is read', async () => {
  await world(async (made) => {
    for (const hospital of made.world.hospitals) await hospital.keeper.care.count({ signal })
    made.world.organisations = made.world.organisations.filter(({ id }) => id !== 'd')
    await lookAround(made)
    await checkInvariants(made)
    await checkFull(made)
    await readAll(made)
  })
})

test('a removed custodian leaves its records and class keys to the others', async () => {
  await world(async (made) => {
    for (const hospital of made.world.hospitals) await hospital.keeper.care.count({ signal })
    for (const name of ['c', 'd', 'e', 'f']) await made.world.grant(made.patient, name)
    await made.world.wipe('g')
    made.world.organisations = made.world.organisations.filter(({ id }) => id !== 'a')
    for (const { keeper } of there(made.world)) await surveyPresence(keeper.survey, { signal })
    await lookAround(made)
    await lookAround(made)
    await checkInvariants(made)
    await checkFull(made)
    await readAll(made)
    const { shards } = made.world.hospital('g')
    const all = await made.world.hospital('b').shards.store.listKeys('a', null, -1)
    const placed = all.filter(({ id }) =>
      placementOrder(id, made.world.organisations).slice(0, 5).includes('g'),
    )
    const kept = await shards.store.listKeys('a', null, -1)
    assert.deepEqual(
      kept.map(({ id }) => toHex(id)),
      placed.map(({ id }) => toHex(id)),
    )
  })
})

test('a hospital that is away is waited for, and then replaced', async () => {
  await world(
    async (made) => {
      made.world.down.add('c')
      await lookAround(made)
      for (const hospital of there(made.world))
        assert.equal(hospital.keeper.care.counts().restored, 0)
    },
    { graceMs: 3_600_000 },
  )
  await world(async (made) => {
    made.world.down.add('c')
    await lookAround(made)
    await lookAround(made)
    await checkInvariants(made)
    await checkFull(made)
    await readAll(made)
  })
})

test('two hospitals are gone for good, one of them the custodian: all is read, all is made again', async () => {
  await world(async (made) => {
    made.world.down.add('a').add('e')
    await readAll(made)
    await lookAround(made)
    await lookAround(made)
    await checkInvariants(made)
    await checkFull(made)
    await readAll(made)
  })
})

test('a hospital that comes back with an empty disk gets its own shards again', async () => {
  await world(
    async (made) => {
      await made.world.wipe('d')
      for (const { name, keeper } of there(made.world)) {
        if (name === 'd') continue
        await surveyPresence(keeper.survey, { signal, only: 'd' })
        assert.ok(keeper.faults.size > 0)
      }
      await lookAround(made)
      await checkInvariants(made)
      await checkFull(made)
    },
    { names: FIVE },
  )
})

test('an empty hospital finds what it should have by itself, shards and class keys', async () => {
  await world(
    async (made) => {
      await made.world.wipe('d')
      const { keeper, shards } = made.world.hospital('d')
      await keeper.care.look(signal)
      await checkInvariants(made)
      await checkFull(made)
      assert.equal((await shards.store.listKeys('a', null, 100)).length, 2)
      const { noted } = made.world.hospital('d')
      assert.ok(noted.some(({ what }) => what === `repair of ${made.placed.length}`))
      assert.equal(await fetchOwnShards(keeper.lost, { signal }), 0)
    },
    { names: FIVE },
  )
})

test('a member that only says that something is lost here makes nobody look for it', async () => {
  await world(
    async (made) => {
      const { keeper } = made.world.hospital('b')
      await keeper.care.look(signal)
      let lists = 0
      made.world.tampers.set('a', (answer) => {
        if (answer.kind === 'list-keys') lists += 1
        return answer
      })
      const { peers } = made.world.hospital('c')
      const request = { kind: 'restore' as const, body: { items: [], avoid: [] } }
      await peers.request('b', request, { timeoutMs: 5_000 })
      await keeper.care.look(signal)
      assert.equal(lists, 0)
    },
    { names: FIVE, count: 1 },
  )
})

test('a holder that was away makes nothing whole again that was erased meanwhile', async () => {
  await world(
    async (made) => {
      const { world: vault, placed } = made
      const [{ located } = assert.fail()] = placed
      const { setId, set, holders } = located
      const salt = bytesFor('salt', 32)
      // Enough of them to make the rest again.
      const away = holders.filter((name) => name !== 'a').slice(0, set.k)
      assert.equal(away.length, set.k)
      const custodian = vault.hospital('a')
      const erase = (name: string) => {
        const request = { kind: 'erase' as const, body: { setId, salt } }
        return custodian.peers.request(name, request, { timeoutMs: 5_000 })
      }
      for (const name of away) vault.down.add(name)
      vault.tombstones.put('a', setId, salt)
      custodian.records.splice(
        custodian.records.findIndex((each) => toHex(each.setId) === toHex(setId)),
        1,
      )
      for (const { name } of there(vault)) await erase(name)
      for (const name of away) vault.down.delete(name)
      for (const name of away) {
        const { known, care } = vault.hospital(name).keeper
        const missed = (await known.get(setId)) ?? assert.fail()
        const { verdicts } = await care.audit([missed])
        assert.equal(verdicts.bad, 1)
      }
      for (let time = 0; time < 3; time += 1) await lookAround(made)
      const keepers: string[] = []
      for (const { name, shards } of vault.hospitals)
        if ((await shards.of(setId)).length > 0) keepers.push(name)
      assert.deepEqual(keepers.toSorted(), away.toSorted())
      for (const name of away) {
        await erase(name)
        assert.deepEqual(await vault.hospital(name).shards.of(setId), [])
      }
      await checkFull({ ...made, placed: placed.slice(1) })
    },
    { count: 3 },
  )
})

test('an empty hospital asks on when the first that it reaches has nothing, or says nothing', async () => {
  await world(
    async (made) => {
      await made.world.wipe('e')
      const { keeper, shards } = await made.world.wipe('d')
      for (const away of ['a', 'b', 'c']) made.world.down.add(away)
      keeper.reach.look()
      await keeper.care.look(signal)
      made.world.down.delete('b')
      made.world.tampers.set('b', (answer) => (answer.kind === 'list-keys' ? undefined : answer))
      await keeper.care.look(signal)
      assert.equal((await shards.store.listKeys('a', null, 100)).length, 0)
      made.world.tampers.delete('b')
      made.world.down.delete('c')
      await keeper.care.look(signal)
      assert.equal((await shards.store.listKeys('a', null, 100)).length, 2)
      made.world.down.delete('a')
      await keeper.care.look(signal)
      await checkInvariants(made)
      assert.equal(shards.usage().shards, made.placed.length)
    },
    { names: FIVE, graceMs: 60_000 },
  )
})

const lies: Tamper = (answer) => {
  if (answer.kind === 'audit') {
    const answers = answer.body.answers.map((given) => given && given.map((byte) => byte ^ 7))
    return { kind: 'audit', body: { answers } }
  }
  if (answer.kind !== 'repair') return answer
  const parts = answer.body.parts.map((part) => part && part.map((byte) => byte ^ 5))
  return { kind: 'repair', body: { parts } }
}

test('an audit names the hospital that has something else than its shards', async () => {
  await world(
    async (made) => {
      made.world.tampers.set('c', lies)
      const { keeper } = made.world.hospital('b')
      const result = await keeper.care.audit(await keeper.known.sample(64))
      assert.equal(result.verdicts.bad, made.placed.length)
      assert.ok(result.faults.every(({ holder, fault }) => holder === 'c' && fault === 'wrong'))
      made.world.tampers.clear()
      await keeper.care.audit(await keeper.known.sample(64))
      assert.equal(keeper.faults.size, 0)
    },
    { names: FIVE },
  )
})

/** Where holders fall is chance. */
function asksLiar({ located: { set, holders } }: Placed): boolean {
  const helpers = holders.filter((holder) => holder !== 'd')
  return helpers.length < holders.length && helpers.slice(0, set.k).includes('c')
}

test('a helper that lies cannot keep a shard from being made again, and is named', async () => {
  await world(async (made) => {
    for (let at = 0; !made.placed.some(asksLiar); at += 1) {
      made.placed.push(await made.world.place(made.patient, bytesFor(`more ${at}`, 2_000)))
    }
    const before = made.world.lines.length
    made.world.tampers.set('c', lies)
    made.world.organisations = made.world.organisations.filter(({ id }) => id !== 'd')
    for (const hospital of there(made.world)) await hospital.keeper.care.count({ signal })
    await lookAround(made)
    made.world.tampers.clear()
    await lookAround(made)
    await checkInvariants(made)
    await checkFull(made)
    const named = made.world.lines.slice(before).filter((line) => line.includes('helped a repair'))
    assert.ok(named.length > 0)
    assert.ok(named.every((line) => line.includes('"holders":"c"')))
  })
})

test('a large shard is made again in pieces, straight to the disk', async () => {
  await world(
    async (made) => {
      const { located, shards } = await made.world.place(
        made.patient,
        bytesFor('scan', 9_000_000),
        'imaging',
      )
      await made.world.wipe('d')
      const { keeper, shards: kept } = made.world.hospital('d')
      const index = located.holders.indexOf('d')
      const name = { setId: located.setId, index }
      await fetchOwnShards(keeper.lost, { signal })
      const [other] = await made.world.hospital('b').shards.of(located.setId)
      assert.ok(other !== undefined)
      const head = { ...other.head, holders: [...other.head.holders], index }
      let outcome: string | undefined = 'under_way'
      while (outcome === 'under_way') {
        await nextTurn()
        outcome = (await keeper.lost.restore([head], [])).outcomes[0]
      }
      assert.equal(outcome, 'kept')
      const size = shards[index]?.length ?? 0
      const bytes = await kept.bytes(name, 0, size)
      assert.ok(bytes !== undefined && isShard(located.set, index, bytes))
      await checkInvariants(made)
    },
    { names: FIVE, count: 2 },
  )
})

test('the custodian sees to shards that no holder has taken so far', async () => {
  await world(
    async (made) => {
      const raw = bytesFor('short', 3_000)
      const placed = await made.world.place(made.patient, raw, 'general', [1, 3])
      const { keeper, records } = made.world.hospital('a')
      await keeper.care.look(signal)
      assert.ok(records.every(({ missing }) => missing.length === 0))
      const all = { ...made, placed: [...made.placed, placed] }
      await checkInvariants(all)
      await checkFull(all)
    },
    { names: FIVE },
  )
})

test('an operator is told of weak sets when their holders stay away, and not before', async () => {
  await world(
    async (made) => {
      const { keeper } = made.world.hospital('b')
      await keeper.care.count({ signal })
      assert.equal(keeper.finding(), null)
      made.world.down.add('d')
      await keeper.care.count({ signal })
      assert.equal(keeper.finding(), null)
      made.world.down.clear()
      await made.world.wipe('d')
      await made.world.wipe('e')
      await surveyPresence(keeper.survey, { signal })
      await keeper.care.count({ signal })
      assert.equal(keeper.finding()?.code, 'vault_at_risk')
    },
    { names: FIVE, count: 3 },
  )
})

test.run()
