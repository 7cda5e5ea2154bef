// A record is erased, over real nodes and their disks: its patient asks, the chain has a tombstone that names
// nothing, every hospital signs, and no file of any of them has anything left of it. And what the law keeps
// is kept, and read by nobody else.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ApiProblem } from '@mooring/api/client'
import { fromHex } from '@mooring/codec'
import { generatePatient, isDeletionSigned } from '@mooring/records'
import { test } from 'uvu'
import { patientIn } from '../../packages/cli/src/devnet/demo-reading.ts'
import { type Devnet, type DevnetNode, nodeAt, startDevnet } from './devnet.ts'
import { leftOf, tracesOf } from './erased-traces.ts'
import { eventually } from './eventually.ts'
import { wholeOf } from './granted-reads.ts'
import { type MadeGrant, PatientKeys } from './patient-keys.ts'

const starting = startDevnet('-n 4')
const HOSPITAL = 0
const READER = 1
const AWAY = 3
const FINAL_MS = 60_000
const UNDER = { purpose: 'TREAT' }

type Scene = {
  devnet: Devnet
  hospital: DevnetNode
  reader: DevnetNode
  wallet: PatientKeys
  grant: MadeGrant
  ids: string[]
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    assert.ok(error instanceof ApiProblem, String(error))
    return error.code
  }
  return 'nothing was refused'
}

/** A patient with a wallet, whose general records the reader may read, and has read. */
async function scene(seed: number): Promise<Scene> {
  const devnet = await starting
  const [hospital, reader] = [nodeAt(devnet, HOSPITAL), nodeAt(devnet, READER)]
  const bundle = generatePatient(seed)
  const contentType = 'application/fhir+json'
  await hospital.client.submitRecords(bundle, { contentType, waitMs: FINAL_MS })
  const wallet = new PatientKeys(devnet, hospital)
  await wallet.enrol(patientIn(bundle))
  const grant = wallet.grant(reader.name)
  await wallet.deposit(grant)
  const { items } = await reader.client.readable({ grant: grant.text, ...UNDER }, { limit: 500 })
  const ids = items.map(({ id }) => id)
  assert.ok(ids.length > 3)
  const at = { devnet, hospital, reader, wallet, grant, ids }
  for (const id of ids.slice(0, 4)) await readAt(at, id)
  return at
}

async function readAt({ reader, grant }: Scene, id: string): Promise<number> {
  const stream = await reader.client.readRecord(id, { grant: grant.text, ...UNDER })
  return (await wholeOf(stream)).length
}

const anchorKeyOf = ({ genesis }: Devnet, name: string): Uint8Array => {
  const found = genesis.organisations.find(({ organisation }) => organisation.id === name)
  assert.ok(found !== undefined)
  return found.organisation.keys.anchor
}

test('after the tombstone no node has anything of the record, and everybody has signed', async () => {
  const at = await scene(21)
  const { devnet, hospital, wallet } = at
  const [id = '', kept = ''] = at.ids
  const traces = await tracesOf(devnet, hospital, id)
  const others = await tracesOf(devnet, hospital, kept)
  const kinds = new Set(traces.map(({ what }) => what.replace(/ \d+$/, '')))
  assert.deepEqual([...kinds].toSorted(), ['index entry', 'library', 'manifest', 'shard'])
  assert.ok(leftOf(devnet, traces).length >= traces.length)

  const begun = await wallet.client.requestErasure(id)
  assert.equal(begun.status, 'erased')
  const erased = await eventually('everybody has deleted it', FINAL_MS, async () => {
    const found = await hospital.client.erasure(id)
    return found.waiting.length === 0 ? found : undefined
  })
  const { tombstone, deletions } = erased
  assert.ok(tombstone !== null && tombstone.transactionId !== null)
  assert.equal(deletions.length, devnet.nodes.length)
  for (const { holder, shards, height, signature } of deletions) {
    const item = fromHex(tombstone.item)
    const content = { custodian: hospital.name, holder, item, shards, height }
    const receipt = { content, signature: fromHex(signature) }
    const network = fromHex(devnet.genesisDigest)
    assert.ok(isDeletionSigned(receipt, network, anchorKeyOf(devnet, holder)), holder)
    assert.ok(height >= tombstone.height)
  }
  const shards = deletions.flatMap((each) => each.shards)
  assert.equal(new Set(shards).size, traces.filter(({ what }) => what.startsWith('shard')).length)

  assert.deepEqual(leftOf(devnet, traces), [])
  assert.ok(leftOf(devnet, others).length > 0)
  const { kind, body } = await hospital.client.transaction(tombstone.transactionId)
  assert.equal(kind, 'record.tombstone')
  assert.ok(!JSON.stringify(body).includes(id))
})

test('what is gone is told so, to its custodian, its readers and who tries again', async () => {
  const at = await scene(22)
  const { hospital, reader, wallet, grant } = at
  const [id = '', kept = ''] = at.ids
  await wallet.client.requestErasure(id)
  const { client } = hospital
  for (const ask of [
    () => client.record(id),
    () => client.recordContent(id),
    () => client.recordHistory(id),
    () => client.disclose(id, ['/resourceType']),
    () => wallet.client.requestAmendment(id, 'wrong'),
  ])
    assert.match(await codeOf(ask()), /^(?:erased|unknown_record)$/)
  assert.equal(await codeOf(client.record(id)), 'erased')
  assert.match(await codeOf(readAt(at, id)), /^(?:unknown_record|no_such_set)$/)
  const { items } = await reader.client.readable({ grant: grant.text, ...UNDER }, { limit: 500 })
  assert.ok(!items.some((item) => item.id === id))
  assert.ok((await readAt(at, kept)) > 0)
  assert.equal((await wallet.client.requestErasure(id)).status, 'erased')
  const [listed] = (await wallet.client.ownErasures()).items
  assert.deepEqual([listed?.record, listed?.by], [id, 'patient'])
  assert.ok((await client.proof(kept)).length > 0)
  // Its number and its commitment stay, so that nothing can vanish unseen.
  const timeline = await wallet.client.ownTimeline({ limit: 500 })
  const gone = timeline.items.find((item) => item.id === id)
  assert.deepEqual([gone?.state, gone?.resourceType], ['erased', null])
  assert.ok(gone?.place !== null)
})

test('nobody erases the records of somebody else', async () => {
  const mine = await scene(23)
  const theirs = await scene(24)
  const [id = ''] = theirs.ids
  assert.equal(await codeOf(mine.wallet.client.requestErasure(id)), 'unknown_record')
  assert.equal(await codeOf(mine.wallet.client.liftRestriction(id)), 'unknown_record')
  assert.equal(await codeOf(mine.wallet.client.requestAmendment(id, 'mine')), 'unknown_record')
  assert.deepEqual((await mine.wallet.client.ownErasures()).items, [])
  assert.ok((await readAt(theirs, id)) > 0)
})

test('who is away deletes its part when it is back', async () => {
  const at = await scene(25)
  const { devnet, hospital, wallet } = at
  const [id = ''] = at.ids
  const traces = await tracesOf(devnet, hospital, id)
  const away = nodeAt(devnet, AWAY)
  await devnet.succeed(`devnet kill ${AWAY}`)
  const begun = await wallet.client.requestErasure(id)
  assert.deepEqual([begun.status, begun.waiting], ['erased', [away.name]])
  await devnet.succeed(`devnet restart ${AWAY} --timeout 100s`)
  const done = await eventually('the one that was away has signed', FINAL_MS, async () => {
    const found = await hospital.client.erasure(id)
    return found.waiting.length === 0 ? found : undefined
  })
  assert.equal(done.deletions.length, devnet.nodes.length)
  assert.deepEqual(leftOf(devnet, traces), [])
})

test('a legal hold keeps a record from everybody, and readable by nobody else', async () => {
  const at = await scene(26)
  const { hospital, wallet } = at
  const { client } = hospital
  const [id = ''] = at.ids
  await client.holdRecord(id, 'inquiry 7')
  assert.equal(await codeOf(client.eraseRecord(id, 'court_order')), 'legal_hold')
  assert.ok((await readAt(at, id)) > 0)
  assert.equal(await codeOf(wallet.client.requestErasure(id)), 'legal_hold')
  assert.equal((await client.erasure(id)).status, 'restricted')
  assert.equal(await codeOf(readAt(at, id)), 'restricted')
  const fresh = await scene(29)
  const [other = ''] = fresh.ids
  await client.holdRecord(other, 'inquiry 8')
  assert.equal(await codeOf(fresh.wallet.client.requestErasure(other)), 'legal_hold')
  const later = fresh.wallet.grant(nodeAt(at.devnet, AWAY).name)
  await fresh.wallet.deposit(later)
  const asked = { grant: later.text, ...UNDER }
  const { items } = await nodeAt(at.devnet, AWAY).client.readable(asked, { limit: 500 })
  assert.ok(items.length > 0 && !items.some((item) => item.id === other))
  assert.ok((await client.recordContent(id)).bytes.length > 0)
  await wallet.client.liftRestriction(id)
  assert.ok((await readAt(at, id)) > 0)
  assert.equal(await codeOf(wallet.client.requestErasure(id)), 'legal_hold')
  const { erasure } = await client.releaseRecord(id)
  assert.equal(erasure?.status, 'erased')
})

test('the law keeps a record for years; its custodian corrects what is no part of it', async () => {
  const at = await scene(27)
  const { devnet, hospital, wallet } = at
  const [id = '', wrong = ''] = at.ids
  await restartWith(devnet, 'years = 10\nclasses = ["stream=1"]')
  const { client } = hospital
  assert.equal(await codeOf(client.eraseRecord(id, 'retention_over')), 'retention_applies')
  assert.equal(await codeOf(wallet.client.requestErasure(id)), 'retention_applies')
  const restricted = await client.erasure(id)
  const year = new Date(restricted.until ?? '').getUTCFullYear()
  assert.deepEqual([restricted.code, year], ['retention_applies', new Date().getUTCFullYear() + 10])
  await eventually('nobody else reads it', FINAL_MS, async () => {
    const code = await codeOf(readAt(at, id))
    return code === 'restricted' ? true : undefined
  })
  assert.equal((await client.eraseRecord(wrong, 'entered_in_error')).status, 'erased')
})

test('a correction is asked for, answered and seen', async () => {
  const at = await scene(28)
  const { hospital, wallet } = at
  const [id = '', newer = ''] = at.ids
  const asked = await wallet.client.requestAmendment(id, 'The dose is 5 mg.')
  const [open] = (await hospital.client.amendments()).items.filter((each) => each.id === asked.id)
  assert.deepEqual(open, asked)
  const answer = { outcome: 'accepted' as const, reason: 'Corrected.', correction: newer }
  await hospital.client.answerAmendment(asked.id, answer)
  const [seen] = (await wallet.client.ownAmendments()).items
  assert.deepEqual([seen?.answer?.outcome, seen?.answer?.correction], ['accepted', newer])
  assert.equal(
    await codeOf(hospital.client.answerAmendment(asked.id, answer)),
    'amendment_answered',
  )
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

async function restartWith(devnet: Devnet, lines: string): Promise<void> {
  const path = join(nodeAt(devnet, HOSPITAL).home, 'config', 'mooring.toml')
  const config = readFileSync(path, 'utf8')
  const section = /^\[retention\]$/m
  writeFileSync(
    path,
    section.test(config)
      ? config.replace(section, `[retention]\n${lines}`)
      : `${config}\n[retention]\n${lines}\n`,
  )
  await devnet.succeed(`devnet kill ${HOSPITAL}`)
  await devnet.succeed(`devnet restart ${HOSPITAL} --timeout 100s`)
}

test.run()
