// A stranger with the whole home of one hospital: every key file, and every database. The thief knows the
// formats and takes no file at its word: whatever can be opened is opened, every 32 bytes that come out are
// tried as a key on everything that is still closed, and so on until nothing new comes out.

import { concatBytes, toHex } from '@mooring/codec'
import { aeadOpen } from '@mooring/crypto'
import {
  decodeKeyDeposit,
  decodeShardSet,
  openKeyDeposit,
  openManifest,
  organisationDid,
  pairwiseSealKey,
  shardSetId,
} from '@mooring/records'
import { openDatabase, ShardStore } from '@mooring/storage'
import { join } from 'node:path'
import { keyFiles, openSealedValues } from './sealed-values.ts'

export type Loot = {
  keyFiles: number
  sealedValues: number
  openedValues: number
  candidates: number
  tries: number
  // By custodian.
  custodians: Map<string, { deposits: number; sets: number; opened: number; segments: number }>
}

const PAGE = 500
const LAST_SEGMENT = concatBytes(new Uint8Array(11), Uint8Array.of(1))
// bytes(32) in CBOR.
const BYTES_32 = [0x58, 0x20]

// With the home nobody runs on. `name` is the hospital's.
export async function ransack(home: string, name: string): Promise<Loot> {
  const { files, secrets } = keyFiles(home)
  const candidates = new Map(secrets.map((secret) => [toHex(secret), secret]))
  const { count, opened } = await openSealedValues(home, secrets)
  for (const key of opened.flatMap((plaintext) => [...keysIn(plaintext)]))
    candidates.set(toHex(key), key)
  const seeds = [...candidates.values()]
  for (const seed of seeds) {
    const { secretKey } = pairwiseSealKey(seed, organisationDid(name), 1)
    candidates.set(toHex(secretKey), secretKey)
  }
  const loot: Loot = {
    keyFiles: files,
    sealedValues: count,
    openedValues: opened.length,
    candidates: 0,
    tries: 0,
    custodians: new Map(),
  }
  const vault = await openDatabase(join(home, 'data', 'vault'), { name: 'vault', home })
  try {
    const store = await ShardStore.open(vault)
    for (const custodian of store.usage.keys())
      await tryDeposits(store, custodian, candidates, loot)
    for (const custodian of store.usage.keys()) await trySets(store, custodian, candidates, loot)
  } finally {
    await vault.close()
  }
  loot.candidates = candidates.size
  return loot
}

function* keysIn(plaintext: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + 34 <= plaintext.length; at += 1) {
    if (plaintext[at] === BYTES_32[0] && plaintext[at + 1] === BYTES_32[1]) {
      yield plaintext.slice(at + 2, at + 34)
    }
  }
}

function recordOf(loot: Loot, custodian: string) {
  const known = loot.custodians.get(custodian)
  if (known !== undefined) return known
  const fresh = { deposits: 0, sets: 0, opened: 0, segments: 0 }
  loot.custodians.set(custodian, fresh)
  return fresh
}

async function tryDeposits(
  store: ShardStore,
  custodian: string,
  candidates: Map<string, Uint8Array>,
  loot: Loot,
): Promise<void> {
  let after: Uint8Array | null = null
  for (;;) {
    const page: { id: Uint8Array; deposit: Uint8Array }[] = await store.listKeys(
      custodian,
      after,
      PAGE,
    )
    for (const { deposit } of page) {
      recordOf(loot, custodian).deposits += 1
      const decoded = decodeKeyDeposit(deposit)
      const secrets = [...candidates.values()]
      for (const secret of secrets) {
        loot.tries += decoded.wraps.length
        const content = openKeyDeposit(decoded, secret)
        if (content === undefined) continue
        candidates.set(toHex(content.classKey), content.classKey)
        break
      }
    }
    after = page.at(-1)?.id ?? null
    if (after === null) return
  }
}

async function trySets(
  store: ShardStore,
  custodian: string,
  candidates: ReadonlyMap<string, Uint8Array>,
  loot: Loot,
): Promise<void> {
  const record = recordOf(loot, custodian)
  let after: { setId: Uint8Array; index: number } | null = null
  for (;;) {
    const { heads } = await store.list(custodian, after, PAGE)
    for (const head of heads) {
      record.sets += 1
      const setId = shardSetId(head.set)
      const content = store.content(head)
      const shard = content?.kind === 'inline' ? content.body : new Uint8Array(0)
      const { k } = decodeShardSet(head.set)
      for (const key of candidates.values()) {
        loot.tries += 2
        if (openManifest(head.manifest, key, setId) !== undefined) record.opened += 1
        const segment = k > 1 ? aeadOpen(key, LAST_SEGMENT, setId, shard) : undefined
        if (segment !== undefined) record.segments += 1
      }
    }
    after = heads.at(-1) ?? null
    if (after === null) return
  }
}
