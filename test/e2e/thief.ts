// A stranger with the whole home of one hospital: every key file, and every database. The thief knows the
// formats and takes no file at its word: whatever can be opened is opened, every 32 bytes that come out are
// tried as a key on everything that is still closed, and so on until nothing new comes out.

import { concatBytes, toHex } from '@mooring/codec'
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, aeadOpen } from '@mooring/crypto'
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
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AtRest } from '../../packages/node/src/at-rest.ts'

export type Loot = {
  keyFiles: number
  sealedValues: number
  openedValues: number
  candidates: number
  tries: number
  // By custodian.
  custodians: Map<string, { deposits: number; sets: number; opened: number; segments: number }>
}

const HEX_KEY = /[0-9a-f]{64}/g
const KINDS = ['record', 'account', 'key-deposit', 'upload', 'library', 'access'] as const
const PAGE = 500
const SEALED_BYTES_MIN = AEAD_NONCE_BYTES + AEAD_TAG_BYTES
const LAST_SEGMENT = concatBytes(new Uint8Array(11), Uint8Array.of(1))
// bytes(32) in CBOR.
const BYTES_32 = [0x58, 0x20]

// With the home nobody runs on. `name` is the hospital's.
export async function ransack(home: string, name: string): Promise<Loot> {
  const { files, secrets } = keyFiles(home)
  const candidates = new Map(secrets.map((secret) => [toHex(secret), secret]))
  const found = await openSealedValues(home, secrets, candidates)
  const seeds = [...candidates.values()]
  for (const seed of seeds) {
    const { secretKey } = pairwiseSealKey(seed, organisationDid(name), 1)
    candidates.set(toHex(secretKey), secretKey)
  }
  const loot: Loot = {
    keyFiles: files,
    ...found,
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

function keyFiles(home: string): { files: number; secrets: Uint8Array[] } {
  const folder = join(home, 'keys')
  const names = readdirSync(folder)
  const secrets = names.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(HEX_KEY)].map(([hex]) =>
      Uint8Array.from(Buffer.from(hex, 'hex')),
    ),
  )
  return { files: names.length, secrets }
}

async function openSealedValues(
  home: string,
  secrets: readonly Uint8Array[],
  candidates: Map<string, Uint8Array>,
): Promise<{ sealedValues: number; openedValues: number }> {
  const rests = secrets.map((secret) => new AtRest(secret))
  let sealedValues = 0
  let openedValues = 0
  for (const name of ['records', 'vault'] as const) {
    const database = await openDatabase(join(home, 'data', name), { name, home })
    try {
      for await (const { value } of database.iterate({ from: new Uint8Array(0), to: TOP })) {
        for (const sealed of [value, ...byteStringsIn(value)]) {
          if (sealed.length <= SEALED_BYTES_MIN) continue
          sealedValues += 1
          const plaintext = openValue(sealed, rests)
          if (plaintext === undefined) continue
          openedValues += 1
          for (const key of keysIn(plaintext)) candidates.set(toHex(key), key)
        }
      }
    } finally {
      await database.close()
    }
  }
  return { sealedValues, openedValues }
}

const TOP = new Uint8Array(64).fill(255)

function openValue(value: Uint8Array, rests: readonly AtRest[]): Uint8Array | undefined {
  for (const rest of rests) {
    for (const kind of KINDS) {
      try {
        return rest.open(kind, value)
      } catch {
        // Not with this one.
      }
    }
  }
  return undefined
}

// Whatever may be a byte string of CBOR.
function* byteStringsIn(value: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + 3 < value.length; at += 1) {
    const [head, high = 0, low = 0] = value.subarray(at, at + 3)
    if (head === 0x58) yield value.subarray(at + 2, at + 2 + high)
    else if (head === 0x59) yield value.subarray(at + 3, at + 3 + ((high << 8) | low))
  }
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
