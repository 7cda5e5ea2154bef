// The timeline that a patient is told: counted, signed, each record with a proof that holds, and nothing of
// other patients.

import assert from 'node:assert/strict'
import { verifyProof } from '@mooring/api/verify'
import { decode, fromHex } from '@mooring/codec'
import { decodeBase64url } from '@mooring/crypto'
import { encodeGenesis, genesisDigest } from '@mooring/ledger'
import {
  checkTimeline,
  formatRecordProof,
  signedTimelineHeadSchema,
  verifyTimelineHead,
} from '@mooring/records'
import { ChainStore } from '@mooring/storage'
import { test } from 'uvu'
import { AtRest } from '../src/at-rest.ts'
import { createPatientTimeline } from '../src/patient-timeline.ts'
import { keyOf } from './chain-members.ts'
import {
  anchorsOn,
  type Custody,
  eventually,
  jsonOf,
  OWN,
  type Run,
  submission,
  TICK_MS,
  withCustody,
} from './custody-world.ts'

const SECRET = new Uint8Array(32).fill(9)
const { signal } = new AbortController()

function observation(patient: string, id: string, value: number): Uint8Array {
  return jsonOf({
    resourceType: 'Observation',
    id,
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: `2020-0${value}`,
    valueQuantity: { value },
  })
}

async function take({ custodian }: Run, bytes: Uint8Array): Promise<string> {
  const { records } = await custodian.submitRecords(submission(bytes))
  return records[0]?.id ?? assert.fail('nothing was taken')
}

async function anchorAll({ world, block }: Custody, { custodian }: Run): Promise<void> {
  world.clock.advance(TICK_MS)
  await eventually(() => world.mempool.size > 0, 'the anchor is at the door')
  await block()
  await eventually(() => custodian.counts().pending === 0, 'the records are anchored')
}

function timelineOf({ world }: Custody, { custodian, store }: Run) {
  const { chain, clock } = world.parts
  if (!(chain instanceof ChainStore)) throw new Error('the world has a chain store')
  const read: { id: string; purpose: string }[] = []
  const { accounts, index } = custodian
  const timeline = createPatientTimeline({
    self: OWN,
    anchorKey: keyOf(OWN, 'anchor'),
    accounts,
    index,
    order: store.order,
    atRest: new AtRest(SECRET),
    placesOf: (ids) => custodian.places(ids),
    recordContent: ({ id, purpose }) => {
      read.push({ id, purpose })
      return Promise.resolve(undefined)
    },
    clock,
    chain,
    genesis: encodeGenesis(world.genesis),
  })
  const callerOf = (patient: string, role: string | null = null) => {
    const { patientKey } = accounts.find(patient) ?? assert.fail('no such patient')
    const delegation = role === null ? null : { kind: 'representative' as const, role }
    return { patientKey, signer: patientKey, delegation }
  }
  return { timeline, callerOf, read }
}

const headIn = (text: string | null) =>
  decode(signedTimelineHeadSchema, decodeBase64url(text ?? assert.fail('no head')))

test('records are told by their numbers, page by page, under a head that is signed', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const ids: string[] = []
    for (const value of [1, 2, 3]) ids.push(await take(run, observation('7', 'bp', value)))
    await take(run, observation('8', 'bp', 1))
    const { timeline, callerOf } = timelineOf(custody, run)
    const first = await timeline.own(callerOf('7'), { after: 0, limit: 2 })
    assert.deepEqual(
      first.items.map(({ id, sequence, supersedes, eventAt, place }) => [
        id,
        sequence,
        supersedes,
        eventAt,
        place,
      ]),
      [
        [ids[0], 1, null, '2020-01', null],
        [ids[1], 2, ids[0], '2020-02', null],
      ],
    )
    const rest = await timeline.own(callerOf('7'), { after: first.next ?? 0, limit: 2 })
    assert.deepEqual([rest.items.map(({ id }) => id), rest.head, rest.next], [[ids[2]], null, null])
    const signed = headIn(first.head)
    assert.equal(verifyTimelineHead(signed, keyOf(OWN, 'anchor').publicKey), true)
    assert.deepEqual([signed.head.custodian, signed.head.count], [OWN, 3])
    assert.equal(checkTimeline(signed.head, ids.map(fromHex), null), undefined)
    await take(run, observation('7', 'pulse', 4))
    const later = headIn((await timeline.own(callerOf('7'), { after: 0, limit: 9 })).head)
    assert.equal(later.head.count, 4)
  }))

test('what is anchored is told with what proves it offline, and the opening proves the file', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const bytes = observation('7', 'bp', 1)
    await take(run, bytes)
    await take(run, observation('7', 'pulse', 2))
    await anchorAll(custody, run)
    const { timeline, callerOf } = timelineOf(custody, run)
    const { items, anchors } = await timeline.own(callerOf('7'), { after: 0, limit: 9 })
    assert.equal(anchors.length, 1)
    const trust = { genesis: custody.world.genesis }
    for (const [at, { id, place, opening }] of items.entries()) {
      assert.ok(place !== null && opening !== null)
      const anchor = anchors.find(({ transaction }) => transaction === place.anchor)
      const document = formatRecordProof({
        version: 1,
        network: genesisDigest(custody.world.genesis),
        record: {
          commit: fromHex(id),
          opening: {
            blind: fromHex(opening.blind),
            fieldRoot: fromHex(opening.fieldRoot),
            rawSalt: fromHex(opening.rawSalt),
            rawCommit: fromHex(opening.rawCommit),
          },
        },
        batch: {
          index: place.index,
          size: 2 ** place.path.length,
          path: place.path.map(fromHex),
          root: rootIn(custody),
        },
        anchor: decodeBase64url(anchor?.proof ?? assert.fail('no proof of the anchor')),
      })
      assert.equal(verifyProof(document, trust, at === 0 ? bytes : null).ok, true)
      assert.equal(verifyProof(document, trust, observation('7', 'bp', 9)).ok, false)
      assert.equal(place.height, 1)
      assert.ok(place.blockTime !== null)
    }
  }))

function rootIn({ world }: Custody): Uint8Array {
  const [anchor] = anchorsOn(world)
  return fromHex(anchor?.root ?? assert.fail('nothing is anchored'))
}

test('a patient reads what is their own, for themselves or through who acts for them', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const own = await take(run, observation('7', 'bp', 1))
    const other = await take(run, observation('8', 'bp', 1))
    const { timeline, callerOf, read } = timelineOf(custody, run)
    await timeline.content(callerOf('7'), own, signal)
    await timeline.content(callerOf('7', 'PWATRNY'), own, signal)
    await timeline.content(callerOf('7', 'NEIGHBOUR'), own, signal)
    assert.equal(await timeline.content(callerOf('7'), other, signal), undefined)
    assert.equal(await timeline.content(callerOf('8'), own, signal), undefined)
    assert.deepEqual(
      read.map(({ purpose }) => purpose),
      ['PATRQT', 'PWATRNY', 'PATRQT'],
    )
    const stranger = new Uint8Array(32)
    const caller = { patientKey: stranger, signer: stranger, delegation: null }
    await assert.rejects(timeline.own(caller, { after: 0, limit: 9 }), { code: 'unknown_patient' })
  }))

test.run()
