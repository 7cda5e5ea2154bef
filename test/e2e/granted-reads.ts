// A hospital that reads the records of others: what the patients' grants say, as files, and every record
// read under them and compared to the last byte.

import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import type { Client } from '@mooring/api/client'
import { nodeAt, type Devnet, type DevnetNode } from './devnet.ts'
import { atOnce } from './proving.ts'
import type { SpreadRecord } from './provider-spread.ts'

type RecordStream = Awaited<ReturnType<Client['openRecord']>>

// The text of the grant for a record.
export type Grants = { of: (record: SpreadRecord) => string; count: number }

export const PURPOSE = 'TREAT'
const DAY_MS = 86_400_000
const CLASSES = ['general', 'emergency', 'imaging']
const READ_AT_ONCE = 8

// Of every patient of every hospital, to one other hospital.
export async function grantAll(
  devnet: Devnet,
  records: readonly SpreadRecord[],
  recipient: DevnetNode,
): Promise<Grants> {
  const texts = new Map<string, string>()
  const accounts = new Map(records.map((record) => [nameOf(record), record]))
  const expiresAt = new Date(Date.now() + DAY_MS).toISOString()
  await atOnce(4, [...accounts], async ([name, { custodian, account }]) => {
    if (custodian === recipient.index) return
    const { client } = nodeAt(devnet, custodian)
    const who = { patient: account, recipient: recipient.name }
    const terms = { classes: CLASSES, purposes: [PURPOSE], expiresAt }
    texts.set(name, await client.createGrant({ ...who, ...terms }))
  })
  return {
    count: texts.size,
    of: (record) => {
      const text = texts.get(nameOf(record))
      assert.ok(text !== undefined, `no grant for ${nameOf(record)}`)
      return text
    },
  }
}

// Its own as their custodian, the others under the grants. Gives how many bytes that were. Records that
// are final must be seen to be anchored by who reads them.
export async function readAll(
  reader: DevnetNode,
  records: readonly SpreadRecord[],
  grants: Grants,
  { areFinal = false }: { areFinal?: boolean } = {},
): Promise<number> {
  let bytes = 0
  await atOnce(READ_AT_ONCE, records, async (record) => {
    const stream = await openAs(reader, record, grants)
    const whole = await wholeOf(stream)
    assert.ok(whole.equals(record.raw), `${record.id} of hospital-${record.custodian} differs`)
    const { isAnchored, height } = stream.anchored
    const isSeen = isAnchored && height !== null
    assert.ok(isSeen || !areFinal, `${record.id} of hospital-${record.custodian} is not anchored`)
    bytes += whole.length
  })
  return bytes
}

export function openAs(
  { index, client }: DevnetNode,
  record: SpreadRecord,
  grants: Grants,
): Promise<RecordStream> {
  if (record.custodian === index) return client.openRecord(record.id)
  return client.readRecord(record.id, { grant: grants.of(record), purpose: PURPOSE })
}

export async function wholeOf({ body }: RecordStream): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces)
}

function nameOf({ custodian, account }: SpreadRecord): string {
  return `${custodian}/${account}`
}
