import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { type Grant, readGrant } from '@mooring/records'
import { test } from 'uvu'
import { type LocatedRecord, NOBODY } from '../src/access-session.ts'
import type { Patient } from './vault-hospital.ts'
import { type Placed, PURPOSE, type Tamper, VaultWorld } from './vault-world.ts'
import { bytesFor, bytesOf, logKeyOf } from './vault-keys.ts'

const FIVE = ['a', 'b', 'c', 'd', 'e']
const READER = 'b'

function signal(): AbortSignal {
  return new AbortController().signal
}

function granted(grant: Grant) {
  return { grant, logKey: grant.logKey, purpose: PURPOSE, person: NOBODY, signal: signal() }
}

async function world(
  work: (given: {
    world: VaultWorld
    patient: Patient
    grant: Grant
    placed: Placed[]
  }) => Promise<void>,
  { count = 3, names = FIVE } = {},
): Promise<void> {
  await VaultWorld.with(names, async (made) => {
    const patient = made.patient('a', 'maria')
    const placed: Placed[] = []
    for (let at = 0; at < count; at += 1) {
      placed.push(await made.place(patient, bytesFor(`record ${at}`, 3_000 + at)))
    }
    const grant = await made.grant(patient, READER)
    await work({ world: made, patient, grant, placed })
  })
}

function first(placed: readonly Placed[]): Placed {
  const [one] = placed
  assert.ok(one !== undefined)
  return one
}

async function read(
  made: VaultWorld,
  located: LocatedRecord,
  grant: Grant,
): Promise<{ raw: Uint8Array; bad: string[] }> {
  const reading = await made.hospital(READER).keeper.reader.read(located, granted(grant))
  const raw = await bytesOf(reading.body)
  return { raw, bad: reading.badHolders.map(({ holder, code }) => `${holder} ${code}`) }
}

test('a record is read under a grant, and every holder that was asked has the entry', async () => {
  await world(async ({ world: made, grant, placed }) => {
    const { located, raw } = first(placed)
    const found = await read(made, located, grant)
    assert.deepEqual(found, { raw, bad: [] })
    const readers = made.hospital(READER).noted.filter(({ what }) => what === 'read')
    assert.equal(readers.length, 1)
    const witnesses = made.hospitals.filter(({ noted }) =>
      noted.some(({ what }) => what === 'witness'),
    )
    assert.equal(witnesses.length, 5)
  })
})

test('the custodian reads its own like anybody, without a grant', async () => {
  await world(async ({ world: made, patient, placed }) => {
    const { located, raw } = first(placed)
    const whose = { grant: null, logKey: logKeyOf(patient), person: NOBODY }
    const reason = { ...whose, purpose: PURPOSE, signal: signal() }
    const reading = await made.hospital('a').keeper.reader.read(located, reason)
    assert.deepEqual(await bytesOf(reading.body), raw)
    assert.ok(made.hospital('c').noted.some(({ what }) => what === 'witness'))
  })
})

test('any two hospitals may be away, and with a third nothing is read', async () => {
  await world(async ({ world: made, grant, placed }) => {
    const { located, raw } = first(placed)
    for (const [one, other] of [
      ['a', 'c'],
      ['d', 'e'],
      ['a', 'e'],
    ] as const) {
      made.down.add(one).add(other)
      assert.deepEqual((await read(made, located, grant)).raw, raw)
      made.down.clear()
    }
    made.down.add('c').add('d').add('e')
    await assert.rejects(read(made, located, grant), { code: 'holders_unreachable' })
  })
})

test('many records of one patient share requests', async () => {
  await world(
    async ({ world: made, grant, placed }) => {
      const { reader } = made.hospital(READER).keeper
      const located = placed.map((each) => each.located)
      const found: Uint8Array[] = []
      for await (const { raw } of reader.readMany(located, granted(grant))) {
        assert.ok(raw !== undefined)
        found.push(raw)
      }
      assert.deepEqual(
        found,
        placed.map(({ raw }) => raw),
      )
      assert.equal(made.hospital(READER).noted.filter(({ what }) => what === 'read').length, 2)
    },
    { count: 70 },
  )
})

const wrongShard: Tamper = (answer) => {
  if (answer.kind !== 'release') return answer
  const items = answer.body.items.map((item) => {
    const fragments = item.fragments.map((fragment) => fragment.map((byte) => byte ^ 1))
    return { ...item, fragments }
  })
  return { kind: 'release', body: { items } }
}
const silent: Tamper = (answer) => (answer.kind === 'release' ? undefined : answer)
const forged: Tamper = (answer) =>
  answer.kind === 'witness' ? { kind: 'witness', body: { signature: new Uint8Array(64) } } : answer
const noShard: Tamper = (answer) =>
  answer.kind === 'release' ? { kind: 'release', body: { items: [] } } : answer
const oldShard =
  (other: LocatedRecord, shards: readonly Uint8Array[]): Tamper =>
  (answer) => {
    if (answer.kind !== 'release') return answer
    const items = answer.body.items.map((item) => {
      return { ...item, setId: other.setId, fragments: [shards[item.index] ?? new Uint8Array(0)] }
    })
    return { kind: 'release', body: { items } }
  }

test('a holder that gives another shard, an old one or none is skipped and named', async () => {
  await world(async ({ world: made, grant, placed }) => {
    const { located, raw } = first(placed)
    const older = placed[1]
    assert.ok(older !== undefined)
    const cases: [Tamper, string][] = [
      [wrongShard, 'shard_wrong'],
      [noShard, 'shard_missing'],
      [oldShard(older.located, older.shards), 'shard_missing'],
    ]
    for (const [tamper, code] of cases) {
      made.tampers.set('c', tamper).set('d', tamper)
      const found = await read(made, located, grant)
      assert.deepEqual(found.raw, raw)
      assert.ok(found.bad.length <= 2)
      assert.ok(found.bad.every((named) => named === `c ${code}` || named === `d ${code}`))
      made.tampers.clear()
    }
    made.tampers.set('c', wrongShard).set('d', wrongShard).set('e', wrongShard)
    await assert.rejects(read(made, located, grant), { code: 'record_unavailable' })
  })
})

test('a holder that is silent when shards are asked for is joined by another', async () => {
  await world(async ({ world: made, grant, placed }) => {
    const { located, raw } = first(placed)
    made.tampers.set('c', silent).set('d', silent)
    assert.deepEqual((await read(made, located, grant)).raw, raw)
  })
})

test('a forged witness counts for nothing', async () => {
  await world(async ({ world: made, grant, placed }) => {
    for (const name of ['a', 'c', 'd']) made.tampers.set(name, forged)
    await assert.rejects(read(made, first(placed).located, grant), { code: 'witness_forged' })
  })
})

test('without a grant, after its end, for another purpose: refused, with a code, and noted', async () => {
  await world(async ({ world: made, patient, grant, placed }) => {
    const { located } = first(placed)
    const { reader } = made.hospital(READER).keeper
    const attempt = (changes: object) => reader.read(located, { ...granted(grant), ...changes })
    await assert.rejects(attempt({ grant: null }), { code: 'grant_missing' })
    const ended = await made.grant(patient, READER, { expiresAt: Date.now() - 1 })
    await assert.rejects(attempt({ grant: ended }), { code: 'grant_expired' })
    await assert.rejects(attempt({ purpose: 'HMARKT' }), { code: 'purpose_not_covered' })
    const other = await made.grant(patient, 'c')
    await assert.rejects(attempt({ grant: other }), { code: 'not_the_recipient' })
    const refused = made.hospital('d').noted.filter(({ what }) => what === 'refusal')
    assert.deepEqual(
      refused.map(({ code }) => code),
      ['grant_missing', 'grant_expired', 'purpose_not_covered', 'not_the_recipient'],
    )
  })
})

test('a large record streams, and who lies on the way is named', async () => {
  await world(async ({ world: made, patient, grant }) => {
    const raw = bytesFor('scan', 12_000_000)
    const { located } = await made.place(patient, raw, 'imaging')
    let progress = 0
    const reading = await made.hospital(READER).keeper.reader.read(located, {
      ...granted(grant),
      onProgress: (bytes) => {
        progress = bytes
      },
    })
    let parts = 0
    const whole: Uint8Array[] = []
    for await (const part of reading.body) {
      parts += 1
      whole.push(part)
      if (parts === 2) made.tampers.set('a', wrongShard).set('c', wrongShard)
    }
    assert.ok(parts > 10)
    assert.equal(progress, raw.length)
    assert.deepEqual(new Uint8Array(Buffer.concat(whole)), raw)
    assert.ok(reading.badHolders.every(({ holder }) => holder === 'a' || holder === 'c'))
  })
})

test('a record that has no holders so far is not told to who may read it', async () => {
  await world(async ({ world: made, grant, placed }) => {
    const [waiting, ...rest] = made.hospital('a').records
    assert.ok(waiting !== undefined)
    waiting.status = 'received'
    const use = { grant, purpose: PURPOSE, person: NOBODY, signal: signal() }
    const all = { after: null, limit: 100, only: null }
    const told = async (): Promise<string[]> => {
      const { items } = await made.hospital(READER).keeper.granted.list(use, all)
      return items.map(({ setId }) => toHex(setId)).toSorted()
    }
    assert.deepEqual(await told(), rest.map(({ setId }) => toHex(setId)).toSorted())
    waiting.status = 'accepted'
    assert.deepEqual(await told(), placed.map(({ located }) => toHex(located.setId)).toSorted())
  })
})

test('what a grant opens comes from the custodian, and from the holders when it is gone', async () => {
  await world(async ({ world: made, patient, grant, placed }) => {
    await made.place(patient, bytesFor('secret', 500), 'sensitive:hiv')
    const use = { grant, purpose: PURPOSE, person: NOBODY, signal: signal() }
    const all = { after: null, limit: 100, only: null }
    const ids = placed.map(({ located }) => toHex(located.setId)).toSorted()
    const fromCustodian = await made.hospital(READER).keeper.granted.list(use, all)
    assert.deepEqual(fromCustodian.items.map(({ setId }) => toHex(setId)).toSorted(), ids)
    assert.ok(made.hospital('a').noted.some(({ what }) => what === 'query'))

    const other = await made.grant(patient, READER, { expiresAt: Date.now() + 7_200_000 })
    await made.wipe(READER)
    made.down.add('a')
    const { granted: records } = made.hospital(READER).keeper
    const fromHolders = await records.list(use, all)
    assert.deepEqual(fromHolders.items.map(({ setId }) => toHex(setId)).toSorted(), ids)
    const page = await records.list(use, { ...all, limit: 2 })
    const rest = await records.list(use, { ...all, after: page.next })
    assert.deepEqual(
      [...page.items, ...rest.items].map(({ setId }) => toHex(setId)).toSorted(),
      ids,
    )
    const [some] = fromHolders.items
    assert.ok(some !== undefined)
    const same = await records.find(use, toHex(some.manifest.recordCommit))
    assert.deepEqual(same?.setId, some.setId)
    // What is known already is not given under a grant that was altered either.
    const [header, payload] = other.signed.jws.split('.')
    const jws = [header, payload, grant.signed.jws.split('.')[2]].join('.')
    const altered = { ...use, grant: readGrant({ ...grant.signed, jws }) }
    const found = records.find(altered, toHex(some.manifest.recordCommit))
    await assert.rejects(found, { code: 'grant_forged' })
    const listed = records.list(altered, { ...all, after: page.next })
    await assert.rejects(listed, { code: 'grant_forged' })
    const { raw } = await read(made, some, grant)
    assert.ok(placed.some((each) => Buffer.compare(each.raw, raw) === 0))
  })
})

test('a custodian whose catalogue goes round and round is left, and the holders are asked', async () => {
  await world(async ({ world: made, grant, placed }) => {
    const all = { after: null, limit: 100, only: null }
    const use = { grant, purpose: PURPOSE, person: NOBODY, signal: signal() }
    let pages = 0
    let lists = 0
    made.tampers.set('a', (answer) => {
      if (answer.kind !== 'catalogue') return answer
      pages += 1
      const next = pages > 20 ? null : new Uint8Array(32).fill(pages % 3)
      return { kind: 'catalogue', body: { ...answer.body, items: [], next } }
    })
    made.tampers.set('c', (answer) => {
      if (answer.kind === 'list') lists += 1
      return answer
    })
    const found = await made.hospital(READER).keeper.granted.list(use, all)
    assert.equal(found.items.length, placed.length)
    assert.equal(pages, 4)
    assert.equal(lists, 1)
    const named = made.lines.filter((line) => line.includes('is not followed any further'))
    assert.ok(named.length === 1 && named.every((line) => line.includes('"holder":"a"')))
  })
})

test.run()
