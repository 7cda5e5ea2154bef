// What a hospital keeps for itself, opened with the secrets in its home: every value of its databases, and every
// byte string in one, that any of the secrets opens as anything. No file and no format is taken at its word.

import { concatBytes } from '@mooring/codec'
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from '@mooring/crypto'
import { openDatabase } from '@mooring/storage'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AtRest, type RestKind } from '../../packages/node/src/at-rest.ts'

export type SealedValues = {
  // How many were tried.
  count: number
  opened: Uint8Array[]
}

const HEX_KEY = /[0-9a-f]{64}/g
const KINDS: readonly RestKind[] = [
  'record',
  'account',
  'key-deposit',
  'upload',
  'library',
  'access',
  'private',
]
const SEALED_BYTES_MIN = AEAD_NONCE_BYTES + AEAD_TAG_BYTES + 1
const TOP = new Uint8Array(64).fill(255)

export function keyFiles(home: string): { files: number; secrets: Uint8Array[] } {
  const folder = join(home, 'keys')
  const names = readdirSync(folder)
  const secrets = names.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(HEX_KEY)].map(([hex]) =>
      Uint8Array.from(Buffer.from(hex, 'hex')),
    ),
  )
  return { files: names.length, secrets }
}

// Of a home that nobody runs on.
export async function openSealedValues(
  home: string,
  secrets: readonly Uint8Array[],
): Promise<SealedValues> {
  const rests = secrets.map((secret) => new AtRest(secret))
  const values: SealedValues = { count: 0, opened: [] }
  for (const name of ['records', 'vault'] as const) {
    const database = await openDatabase(join(home, 'data', name), { name, home })
    try {
      for await (const { key, value } of database.iterate({ from: new Uint8Array(0), to: TOP })) {
        for (const sealed of [value, ...byteStringsIn(value)]) {
          if (sealed.length < SEALED_BYTES_MIN) continue
          values.count += 1
          const plaintext = openValue(sealed, contextOf(key), rests)
          if (plaintext !== undefined) values.opened.push(plaintext)
        }
      }
    } finally {
      await database.close()
    }
  }
  return values
}

// Private values open only under their namespace and key; in the database a letter and a slash are around it.
function contextOf(key: Uint8Array): Uint8Array {
  const slash = key.indexOf(0x2f)
  return concatBytes(key.slice(1, slash), Uint8Array.of(0), key.slice(slash + 1))
}

function openValue(
  sealed: Uint8Array,
  context: Uint8Array,
  rests: readonly AtRest[],
): Uint8Array | undefined {
  for (const rest of rests) {
    for (const kind of KINDS) {
      try {
        return kind === 'private' ? rest.open(kind, sealed, context) : rest.open(kind, sealed)
      } catch {
        // Not with this one.
      }
    }
  }
  return undefined
}

// Whatever may be a longer byte string of CBOR.
function* byteStringsIn(value: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + 3 < value.length; at += 1) {
    const [head, high = 0, low = 0] = value.subarray(at, at + 3)
    if (head !== 0x58 && head !== 0x59) continue
    const start = at + (head === 0x58 ? 2 : 3)
    const length = head === 0x58 ? high : (high << 8) | low
    if (start + length <= value.length) yield value.subarray(start, start + length)
  }
}
