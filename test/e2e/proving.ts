// From files to proofs: submit them to a node, wait for their anchors, then fetch each record and its
// proof and have a process that trusts no node check both.

import assert from 'node:assert/strict'
import type { Client } from '@mooring/api/client'
import { eventually } from './eventually.ts'
import type { Source } from './sources.ts'
import type { Verifier } from './verifier.ts'

const ANCHORS_MS = 90_000
const SUBMITTED_AT_ONCE = 4
const PROVEN_AT_ONCE = 8
const PAGE = 500

export type KeptRecord = { id: string; name: string; raw: Uint8Array }

// Each of the items once, so many at the same time.
export async function atOnce<T>(
  count: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: count }, worker))
}

export async function submitAll(client: Client, sources: readonly Source[]): Promise<KeptRecord[]> {
  const records: KeptRecord[] = []
  await atOnce(SUBMITTED_AT_ONCE, sources, async ({ name, bytes, contentType, records: raws }) => {
    const submission = await client.submitRecords(bytes, { contentType })
    assert.equal(submission.records.length, raws.length, name)
    for (const [index, { id }] of submission.records.entries()) {
      const raw = raws[index]
      if (raw !== undefined) records.push({ id, name, raw })
    }
  })
  return records
}

// The height of the block that each record of a node is final in.
export async function anchorHeights(client: Client): Promise<Map<string, number>> {
  await eventually('everything accepted is anchored', ANCHORS_MS, async () => {
    const { records } = await client.status()
    return records.anchored === records.accepted ? records : undefined
  })
  const heights = new Map<string, number>()
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Client['records']>> = await client.records(
      cursor === null ? { limit: PAGE } : { limit: PAGE, cursor },
    )
    for (const { id, height } of page.items) {
      assert.ok(height !== null, `${id} is not anchored`)
      heights.set(id, height)
    }
    cursor = page.nextCursor
  } while (cursor !== null)
  return heights
}

// Every `step`th record; gives how many that were.
export async function proveRecords(
  records: readonly KeptRecord[],
  heights: ReadonlyMap<string, number>,
  client: Client,
  { verifier, step = 1 }: { verifier: Verifier; step?: number },
): Promise<number> {
  const chosen = records.filter((_, index) => index % step === 0)
  await atOnce(PROVEN_AT_ONCE, chosen, async ({ id, name, raw }) => {
    const [{ bytes }, proof] = await Promise.all([client.recordContent(id), client.proof(id)])
    assert.deepEqual(bytes, raw, `${name}: ${id} has other bytes`)
    const result = await verifier.verify(proof, bytes)
    assert.ok(result.ok, `${name}: ${id} ${JSON.stringify(result)}`)
    assert.equal(result.height, heights.get(id))
    const steps = result.steps.map(({ number }) => number)
    assert.deepEqual(steps, [1, 2, 3, 4, 5, 6])
  })
  return chosen.length
}
