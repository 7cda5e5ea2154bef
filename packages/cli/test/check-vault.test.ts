import assert from 'node:assert/strict'
import { createClient } from '@mooring/api/client'
import { test } from 'uvu'
import { VAULT } from '../../api/test/memory-vault.ts'
import { checkAcknowledged } from '../src/devnet/check.ts'
import { checkReading, checkStrength } from '../src/devnet/check-vault.ts'
import { type NodeWorld, withNode } from './world.ts'

const askedOf = ({ url }: Pick<NodeWorld, 'url'>) => {
  const client = createClient(url)
  return [
    { name: 'hospital-0', client },
    { name: 'hospital-1', client },
  ]
}

const promise = (id: string, node: string) => ({ id, node, at: '2026-11-20T09:00:00Z' })

test('a vault with shards to spare is ok, also when some of them are missing', () =>
  withNode(async ({ url }) => {
    const finding = await checkStrength(askedOf({ url }))
    assert.ok(finding.ok && finding.canRead)
    assert.equal(finding.detail, '6 records, 2 of them reduced')
  }))

test('records with too few shards are broken, and their custodian is named', () =>
  withNode(async ({ url, node }) => {
    node.vault = () => Promise.resolve({ ...VAULT, records: { ...VAULT.records, lost: 4 } })
    const twice = askedOf({ url }).slice(0, 1).concat(askedOf({ url }))
    const finding = await checkStrength(twice, 0)
    assert.ok(!finding.ok)
    assert.match(finding.detail, /^4 of hospital-0 have too few; /)
  }))

test('a shard that was on its way when its holder was asked is no loss', () =>
  withNode(async ({ url, node }) => {
    let asked = 0
    node.vault = () => {
      asked += 1
      const lost = asked <= 2 ? 1 : 0
      return Promise.resolve({ ...VAULT, records: { ...VAULT.records, lost } })
    }
    const finding = await checkStrength(askedOf({ url }))
    assert.deepEqual([finding.ok, asked], [true, 4])
  }))

test('too few hospitals to open a record are no loss, and nothing is read', () =>
  withNode(async ({ url }) => {
    const finding = await checkStrength(askedOf({ url }).slice(0, 1))
    assert.deepEqual([finding.ok, finding.canRead], [true, false])
    assert.match(finding.detail, /1 of the 2 hospitals that open a record run/)
  }))

test('the newest record of each hospital is read back, and what cannot be is named', () =>
  withNode(async ({ url, node, run }) => {
    await run('record submit - --no-wait', { stdin: '{"resourceType":"Basic","n":1}' })
    await run('record submit - --no-wait', { stdin: '{"resourceType":"Basic","n":2}' })
    const [older = '', newer = ''] = node.stored.keys()
    const promises = [promise(older, 'hospital-0'), promise(newer, 'hospital-0')]
    const good = await checkReading(askedOf({ url }), promises)
    assert.deepEqual([good.ok, good.detail], [true, '1 read'])
    assert.deepEqual(
      node.reads.map(({ id }) => id),
      [newer],
    )
    const gone = promise('ab'.repeat(32), 'hospital-1')
    const bad = await checkReading(askedOf({ url }), [...promises, gone])
    assert.ok(!bad.ok)
    assert.match(bad.detail, /^(ab){32} of hospital-1: /)
  }))

test('of records that are gone the first are named, and all are counted', () =>
  withNode(async ({ url }) => {
    const [asked] = askedOf({ url })
    assert.ok(asked !== undefined)
    const promises = Array.from({ length: 12 }, (_, at) =>
      promise(String(at).padStart(64, '0'), 'hospital-0'),
    )
    const { name, client } = asked
    const finding = await checkAcknowledged(promises, [{ node: { name }, client }])
    assert.ok(!finding.ok)
    assert.match(finding.detail, /^12 of 12: 0{64} of hospital-0 is gone; .*; and 7 more$/)
    assert.equal(finding.detail.match(/is gone/g)?.length, 5)
  }))

test.run()
