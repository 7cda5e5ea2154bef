// What a member finds at one holder with the key that class keys are sealed to: the manifests that open.

import { toHex } from '@mooring/codec'
import {
  type ClassKeyContent,
  decodeKeyDeposit,
  decodeShardSet,
  LIST_ITEMS_MAX,
  type Manifest,
  openKeyDeposit,
  openManifest,
  type ShardHead,
  shardSetId,
} from '@mooring/records'
import type { DevnetNode } from './devnet.ts'
import type { HostileReader } from './hostile-reader.ts'

export type OpenedManifest = {
  setId: Uint8Array
  manifest: Manifest
  holders: readonly string[]
  k: number
}

// All that this holder keeps of the custodian and the class keys in its deposits open.
export async function openManifests(
  reader: HostileReader,
  holder: DevnetNode,
  custodian: string,
): Promise<OpenedManifest[]> {
  const keys = await classKeys(reader, holder, custodian)
  const opened: OpenedManifest[] = []
  let after: Uint8Array | null = null
  do {
    const body = { custodian, after, limit: LIST_ITEMS_MAX }
    const answer = await reader.ask(holder, { kind: 'list', body })
    if (answer.kind !== 'list') throw new Error(`${holder.name} does not list: ${answer.kind}`)
    opened.push(...answer.body.items.flatMap((head) => openHead(head, keys)))
    after = answer.body.next
  } while (after !== null)
  return opened
}

async function classKeys(
  reader: HostileReader,
  holder: DevnetNode,
  custodian: string,
): Promise<ClassKeyContent[]> {
  const keys: ClassKeyContent[] = []
  let after: Uint8Array | null = null
  do {
    const body = { custodian, after, limit: LIST_ITEMS_MAX }
    const answer = await reader.ask(holder, { kind: 'list-keys', body })
    if (answer.kind !== 'list-keys') throw new Error(`${holder.name} lists no keys`)
    for (const encoded of answer.body.items) {
      const content = openKeyDeposit(decodeKeyDeposit(encoded), reader.sealKey.seed)
      if (content !== undefined) keys.push(content)
    }
    after = answer.body.next
  } while (after !== null)
  return keys
}

function openHead(head: ShardHead, keys: readonly ClassKeyContent[]): OpenedManifest[] {
  const setId = shardSetId(head.set)
  for (const { classKey } of keys) {
    const manifest = openManifest(head.manifest, classKey, setId)
    if (manifest === undefined) continue
    return [{ setId, manifest, holders: head.holders, k: decodeShardSet(head.set).k }]
  }
  return []
}

export function idOf({ manifest }: OpenedManifest): string {
  return toHex(manifest.recordCommit)
}
