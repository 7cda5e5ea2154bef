import assert from 'node:assert/strict'
import type { Access } from '@mooring/api'
import { test } from 'uvu'
import { withNode } from './world.ts'

const SERVED: Access = {
  id: 'ab'.repeat(32),
  time: '2026-11-20T09:31:07.000Z',
  organisation: 'county',
  custodian: 'st-mary',
  purpose: 'TREAT',
  outcome: 'served',
  code: null,
  records: 12,
  times: 1,
  grant: 'cd'.repeat(16),
  status: 'anchored',
  batch: 3,
  height: 1_207,
  event: { resourceType: 'AuditEvent', action: 'R' },
}
const COUNTED: Access = {
  ...SERVED,
  id: 'ef'.repeat(32),
  organisation: 'riverside',
  custodian: null,
  purpose: null,
  outcome: 'refused',
  code: 'too_many_refusals',
  records: 0,
  times: 468,
  grant: null,
  status: 'waiting',
  batch: null,
  height: null,
  event: null,
}
const shut = (access: Access): Access => ({ ...access, event: null })

test('the access log is listed, filtered, and opened only when asked', () =>
  withNode(async ({ run, node }) => {
    assert.equal((await run('access list')).stdout, 'nobody has asked for records here\n')
    node.accesses = [SERVED, COUNTED]
    const list = (await run('access list')).stdout.split('\n')
    assert.match(list[0] ?? '', /^time +reader +custodian +purpose +what happened +records +block/)
    assert.match(list[1] ?? '', /riverside +– +– +refused too_many_refusals × 468 +0 +waiting/)
    assert.match(list[2] ?? '', /county +st-mary +TREAT +served +12 +1[ ,. ]?207/)
    const json = JSON.parse((await run('access list --json')).stdout)
    assert.deepEqual(json, { schema: 'mooring/access-list/v1', items: [COUNTED, shut(SERVED)] })
    const opened = await run('access list --reader county --open')
    assert.match(opened.stdout, /"resourceType": "AuditEvent"/)
    assert.ok(!opened.stdout.includes('riverside'))
    const refused = JSON.parse((await run('access list --outcome refused --json')).stdout)
    assert.deepEqual(refused.items, [COUNTED])
    assert.equal((await run('access list --outcome lost')).code, 2)
  }))

test('a long log is read page by page, and no further than asked', () =>
  withNode(async ({ run, node }) => {
    node.accesses = Array.from({ length: 1_203 }, (_, index) => ({
      ...SERVED,
      id: index.toString(16).padStart(64, '0'),
    }))
    for (const [limit, length] of [
      [1_100, 1_100],
      [5_000, 1_203],
    ]) {
      const { items } = JSON.parse((await run(`access list --limit ${limit} --json`)).stdout)
      assert.equal(items.length, length)
      assert.equal(new Set(items.map(({ id }: Access) => id)).size, length)
    }
  }))

test.run()
