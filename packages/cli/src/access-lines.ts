// The access log of a patient as a hospital tells it, put together and opened with the keys of the wallet.

import type { Trace } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { fromHex } from '@mooring/codec'
import { CryptoError, decodeBase64url } from '@mooring/crypto'
import {
  collectAccesses,
  type HeldAt,
  type LoggedAccess,
  sealKeysAt,
  type Wallet,
  type WalletHospital,
} from '@mooring/records'

export type ToldAccesses = { accesses: LoggedAccess[]; silent: string[] }

const PAGE = 500

export async function toldAccesses(
  client: Client,
  { wallet, hospital }: { wallet: Wallet; hospital: WalletHospital },
): Promise<ToldAccesses> {
  const lines: HeldAt[] = []
  const silent = new Set<string>()
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Client['ownTraces']>> = await client.ownTraces(
      cursor === null ? { limit: PAGE } : { limit: PAGE, cursor },
    )
    for (const trace of page.items) lines.push(...linesOf(trace))
    for (const member of page.silent) silent.add(member)
    cursor = page.nextCursor
  } while (cursor !== null)
  return { accesses: collectAccesses(lines, sealKeysAt(wallet, hospital)), silent: [...silent] }
}

function linesOf({ leaf, request, refusal, entry, opened, at }: Trace): HeldAt[] {
  const asked = request && {
    id: fromHex(request.id),
    reader: request.reader,
    purpose: request.purpose,
    grant: request.grant === null ? null : fromHex(request.grant),
    patientKey: null,
    sets: request.sets.map(fromHex),
  }
  return at.map(({ holder, time, served, height }) => ({
    holder,
    time: Date.parse(time),
    leaf: fromHex(leaf),
    asked,
    entry: entry && {
      nonce: fromHex(entry.nonce),
      custodian: entry.custodian,
      sealed: sealedIn(entry.sealed),
    },
    note: refusal && {
      nonce: new Uint8Array(16),
      time: Date.parse(time),
      kind: 'refusal' as const,
      organisation: refusal.organisation,
      custodian: null,
      code: refusal.code,
      count: refusal.count,
      entry: refusal.entry === null ? null : fromHex(refusal.entry),
    },
    served,
    height,
    opened,
  }))
}

// What cannot be read does not open, and is shown as such.
function sealedIn(text: string): Uint8Array {
  try {
    return decodeBase64url(text)
  } catch (error) {
    if (error instanceof CryptoError) return new Uint8Array(0)
    throw error
  }
}
