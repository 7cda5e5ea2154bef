// One record is erased: no key, no shard, no name of it is left anywhere.

import assert from 'node:assert/strict'
import { nodeAt } from './devnet.ts'
import type { Story } from './story-devnet.ts'

export async function erasure({ devnet, teller, people }: Story): Promise<void> {
  const { jill, desks } = people
  const [desk] = desks
  assert.ok(desk !== undefined)
  const { items } = await nodeAt(devnet, 0).client.records({ type: 'Observation', limit: 1 })
  const id = items[0]?.id ?? ''
  teller.chapter(
    'One record is erased',
    'Its keys are destroyed, every holder deletes its part and signs that it did. The root of its batch',
    'stays on the chain, and opens nothing.',
  )
  await teller.type(jill, `patient erase ${id} --at hospital-0`)
  await teller.type(desk, `record get ${id}`, { code: 6, says: ['erased'] })
  await teller.type(desk, 'record erasures')
  const tombstones = (await teller.chain()).filter(({ kind }) => kind === 'record.tombstone')
  assert.equal(tombstones.length, 1)
}
