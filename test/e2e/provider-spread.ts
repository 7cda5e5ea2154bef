// Patients at the hospitals that treated them: each file goes to one of the hospitals of a devnet, by the
// provider that most of its encounters name. Where a file names none, as lists of hospitals and of
// practitioners do, by the name of the file.

import { patientNamesOf, patientOf, readSubmission } from '@mooring/records'
import { createHash } from 'node:crypto'
import { nodeAt, type Devnet, type DevnetNode } from './devnet.ts'
import { eventually } from './eventually.ts'
import { atOnce } from './proving.ts'
import type { Source } from './sources.ts'

export type SpreadRecord = {
  id: string
  raw: Uint8Array
  // The index of its hospital.
  custodian: number
  // Whose it is there; the empty text for the institution's own.
  account: string
}

const PROVIDER = /"serviceProvider":\s*\{\s*"reference":\s*"([^"]+)"/g
const ANCHORS_MS = 180_000

export function hospitalOf({ name, bytes }: Source, hospitals: number): number {
  const counts = new Map<string, number>()
  for (const [, provider = ''] of new TextDecoder().decode(bytes).matchAll(PROVIDER)) {
    counts.set(provider, (counts.get(provider) ?? 0) + 1)
  }
  const [most] = [...counts].toSorted(([a, m], [b, n]) => n - m || a.localeCompare(b))
  const hash = createHash('sha256').update(most?.[0] ?? name)
  return (hash.digest()[0] ?? 0) % hospitals
}

// Accepted by all, and in a final block.
export async function spread(
  devnet: Devnet,
  sources: readonly Source[],
  placeOf: (source: Source, hospitals: number) => number = hospitalOf,
): Promise<SpreadRecord[]> {
  const records: SpreadRecord[] = []
  await atOnce(4, sources, async (source) => {
    const custodian = placeOf(source, devnet.nodes.length)
    const { client } = nodeAt(devnet, custodian)
    const { contentType } = source
    const { records: taken } = await client.submitRecords(source.bytes, { contentType })
    records.push(...spreadRecordsOf(source, taken, custodian))
  })
  await Promise.all(devnet.nodes.map(allAnchored))
  return records
}

// With the ids that the custodian gave.
export function spreadRecordsOf(
  { name, bytes }: Source,
  taken: readonly { id: string }[],
  custodian: number,
): SpreadRecord[] {
  const { resources } = readSubmission(bytes)
  const names = patientNamesOf(resources)
  return taken.map(({ id }, index) => {
    const resource = resources[index]
    if (resource === undefined) throw new RangeError(`${name}: more ids than records`)
    return { id, raw: resource.raw, custodian, account: patientOf(resource.node, names) }
  })
}

async function allAnchored({ name, client }: DevnetNode): Promise<void> {
  await eventually(`everything at ${name} is final`, ANCHORS_MS, async () => {
    const { records } = await client.status()
    return records.anchored === records.accepted ? true : undefined
  })
}
