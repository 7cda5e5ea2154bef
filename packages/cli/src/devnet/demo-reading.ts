// The second half of the demo: another hospital reads a record of the first patient, under a grant.

import { createClient } from '@mooring/api/client'
import { formatAmount, formatBytes, shortDigest } from '../output.ts'
import type { DevnetNodeState } from './state.ts'

export type Reading = {
  reader: DevnetNodeState
  patient: string
  grant: string
  // How many records the grant opens.
  opened: number
  record: { id: string; resourceType: string | null; size: number }
  entry: string | null
}

// The computer of a demo has just started all hospitals at once.
export const UNHURRIED = { timeoutMs: 30_000 }
const DAY_MS = 86_400_000
const PURPOSE = 'TREAT'

// The reference of the patient that a made-up bundle is about.
export function patientIn(bundle: Uint8Array): string {
  const { entry }: Bundle = JSON.parse(new TextDecoder().decode(bundle))
  const patient = entry.find(({ resource }) => resource.resourceType === 'Patient')
  if (patient === undefined) throw new Error('a made-up bundle without a patient')
  return `Patient/${patient.resource.id}`
}

type Bundle = { entry: { resource: { resourceType: string; id: string } }[] }

export async function readElsewhere(
  { custodian, reader }: { custodian: DevnetNodeState; reader: DevnetNodeState },
  patient: string,
  now: Date,
): Promise<Reading | undefined> {
  const grant = await createClient(custodian.api, UNHURRIED).createGrant({
    patient,
    recipient: reader.name,
    classes: ['general'],
    purposes: [PURPOSE],
    expiresAt: new Date(now.getTime() + DAY_MS).toISOString(),
  })
  const client = createClient(reader.api, UNHURRIED)
  const under = { grant, purpose: PURPOSE }
  const { items } = await client.readable(under, { limit: 500 })
  const [record] = items
  if (record === undefined) return undefined
  const { body, entry } = await client.readRecord(record.id, under)
  for await (const piece of body) if (piece.length === 0) break
  return { reader, patient, grant, opened: items.length, record, entry }
}

export function formatReading({ reader, opened, record, entry }: Reading): string {
  const what = `${record.resourceType ?? 'a file'} of ${formatBytes(record.size)}`
  const trace = entry === null ? '' : `, access entry ${shortDigest(entry)}`
  return [
    '',
    `Under a grant of patient 1, ${reader.name} sees ${formatAmount(opened, 'record')} and has read one:`,
    `  ${what}, put together from shards of several hospitals${trace}`,
  ].join('\n')
}

export function formatReadingTour({ reader, patient }: Reading, ask: string): string {
  return [
    '',
    'Let that hospital read, see who did, and take it back:',
    `  npx mooring grant create --patient ${patient} --to ${reader.name} -o grant.json${ask}`,
    `  npx mooring record list --grant grant.json --endpoint ${reader.api}`,
    `  npx mooring access list${ask}`,
    `  npx mooring grant revoke grant.json${ask}`,
  ].join('\n')
}
