// What of one record is on the disks of a devnet, byte for byte, and whether it still is.

import { Buffer } from 'node:buffer'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, toHex } from '@mooring/codec'
import { shardSetId } from '@mooring/records'
import { type Database, openDatabase, PrivateStore, ShardStore } from '@mooring/storage'
import { AtRest } from '../../packages/node/src/at-rest.ts'
import { loadLocalSecret } from '../../packages/node/src/local-secret.ts'
import { openEntry } from '../../packages/node/src/queued-records.ts'
import type { Devnet, DevnetNode } from './devnet.ts'
import { filesOf } from './leak-search.ts'

export type Trace = { where: string; what: string; bytes: Buffer }

const LIBRARY = { from: Uint8Array.of(0x6a), to: Uint8Array.of(0x6b) }
/** Long enough to be nothing else. */
const PATTERN_BYTES = 48

/** The index entry, manifests, shards, and what readers have kept, as they rest on the disks. */
export async function tracesOf(
  devnet: Devnet,
  custodian: DevnetNode,
  id: string,
): Promise<Trace[]> {
  const traces: Trace[] = []
  const note = (where: string, what: string, bytes: Uint8Array): void => {
    traces.push({ where, what, bytes: Buffer.from(bytes.slice(0, PATTERN_BYTES)) })
  }
  const setId = await withCopy(devnet, custodian, 'records', async (database) => {
    const store = await PrivateStore.open(database)
    const record = store.getRecord(fromHex(id))
    if (record === undefined) throw new Error(`${custodian.name} has no record ${id}`)
    note(custodian.name, 'index entry', record.metadata)
    const secret = await loadLocalSecret(join(custodian.home, 'keys', 'records.secret'))
    const entry = openEntry(new AtRest(secret), record.metadata)
    note(custodian.name, 'manifest', entry.manifest)
    return shardSetId(entry.set)
  })
  for (const node of devnet.nodes) {
    await withCopy(devnet, node, 'vault', async (database) => {
      const shards = await ShardStore.open(database)
      for (const index of await shards.indexesOf(setId)) {
        const content = shards.content({ setId, index })
        if (content?.kind === 'inline') note(node.name, `shard ${index}`, content.body)
      }
      for await (const { key, value } of database.iterate(LIBRARY))
        if (toHex(key).endsWith(toHex(setId))) note(node.name, 'library', value)
    })
  }
  return traces
}

/** Those that some file of some home still has. */
export function leftOf(devnet: Devnet, traces: readonly Trace[]): string[] {
  return devnet.nodes.flatMap((node) =>
    filesOf(node.home).flatMap((name) => {
      const content = readFileSync(join(node.home, name))
      return traces
        .filter(({ bytes }) => content.includes(bytes))
        .map(({ where, what }) => `${what} of ${where} in ${name} of ${node.name}`)
    }),
  )
}

async function withCopy<T>(
  { folder }: Devnet,
  node: DevnetNode,
  name: 'records' | 'vault',
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const copy = mkdtempSync(join(folder, 'copy-'))
  cpSync(join(node.home, 'data', name), copy, { recursive: true })
  rmSync(join(copy, 'LOCK'), { force: true })
  const database = await openDatabase(copy, { name })
  try {
    return await work(database)
  } finally {
    await database.close()
    rmSync(copy, { recursive: true })
  }
}
