// Grants that a hospital keeps and the wallet does not: it was made again from its words. Their ids tell
// it with which one-time key each can be revoked.

import type { Client } from '@mooring/api/client'
import { equalBytes, fromHex, toHex } from '@mooring/codec'
import { handleOfKey } from '@mooring/ledger'
import {
  handleKeyAt,
  indexOfGrantId,
  parseGrant,
  readGrant,
  RecordsError,
  verifyGrant,
  type Wallet,
  type WalletGrant,
  type WalletHospital,
} from '@mooring/records'

// As many as a wallet has room for.
const PAGES_MAX = 41

type Place = Pick<WalletHospital, 'organisation' | 'patientKey'>
type KnownGrant = Awaited<ReturnType<Client['ownGrants']>>['items'][number]

export async function grantsKeptAt(client: Client): Promise<KnownGrant[]> {
  const all: KnownGrant[] = []
  let cursor: string | undefined
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const at = cursor === undefined ? {} : { cursor }
    const { items, nextCursor } = await client.ownGrants({ limit: 100, ...at })
    all.push(...items)
    if (nextCursor === null) break
    cursor = nextCursor
  }
  return all
}

// With those of them that are this wallet's own and still open something; and with its keys going on
// after all that it finds.
export function withKeptGrants(wallet: Wallet, place: Place, kept: readonly KnownGrant[]): Wallet {
  const known = new Set(wallet.grants.map(({ handle }) => toHex(handle)))
  const found = kept.flatMap((grant) => {
    const index = known.has(grant.handle) ? undefined : ownIndexOf(wallet, grant)
    return index === undefined ? [] : [{ grant, index }]
  })
  const live = found.filter(({ grant: { status } }) => status === 'live' || status === 'not_yet')
  const added = live.map(({ grant, index }) => entryOf(grant, place, index))
  const nextHandle = Math.max(wallet.nextHandle, ...found.map(({ index }) => index + 1))
  return { ...wallet, nextHandle, grants: [...wallet.grants, ...added] }
}

// The hospital does not make one up: the handle is that of the key.
function ownIndexOf(wallet: Wallet, { id, handle }: KnownGrant): number | undefined {
  if (wallet.seed === null || !/^[0-9a-f]{32}$/.test(id)) return undefined
  const index = indexOfGrantId(wallet.seed, fromHex(id))
  if (index === undefined) return undefined
  const { publicKey } = handleKeyAt(wallet, index)
  return equalBytes(handleOfKey(publicKey), fromHex(handle)) ? index : undefined
}

// Only what the patient's key at this hospital has signed under that handle.
function ownDocument({ document, handle }: KnownGrant, patientKey: Uint8Array): Uint8Array | null {
  try {
    const grant = readGrant(parseGrant(document))
    const isOwn = equalBytes(grant.patientKey, patientKey) && toHex(grant.handle) === handle
    return isOwn && verifyGrant(grant) ? new TextEncoder().encode(document) : null
  } catch (error) {
    if (error instanceof RecordsError) return null
    throw error
  }
}

function entryOf(
  grant: KnownGrant,
  { organisation: custodian, patientKey }: Place,
  index: number,
): WalletGrant {
  return {
    index,
    handle: fromHex(grant.handle),
    custodian,
    recipient: grant.recipient,
    document: ownDocument(grant, patientKey),
    openedAt: Date.parse(grant.notBefore),
    expiresAt: Date.parse(grant.expiresAt),
    revokedAt: null,
  }
}
