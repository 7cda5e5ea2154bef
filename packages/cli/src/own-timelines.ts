// The timelines of a wallet: each hospital is asked for its own, what it says is compared with what the
// wallet has seen before, and with the receipts of the desk.

import { fromHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import {
  checkTimeline,
  type CustodianTimeline,
  seenHead,
  type SignedTimelineHead,
  type TimelineBreak,
  verifyTimelineHead,
  type Wallet,
  type WalletHospital,
  withSeenHead,
} from '@mooring/records'
import type { Context } from './context.ts'
import type { RemoteOptions } from './endpoint.ts'
import { withHospital } from './patient-client.ts'
import { fetchTimeline, type FetchedTimeline, type ProvenEntry } from './timelines.ts'
import type { WalletOptions } from './wallet-session.ts'

export type OwnTimeline = {
  hospital: WalletHospital
  part: CustodianTimeline<ProvenEntry>
  // Signed by the hospital, and about what it told.
  head: SignedTimelineHead | null
  fault: NodeError | null
}

type Options = Pick<RemoteOptions, 'timeout'> & WalletOptions

const BREAKS: Record<TimelineBreak, string> = {
  head_differs: 'the records that it tells are not those that it has signed',
  records_missing: 'records that it had before are missing',
  records_changed: 'records that it had before are others now, or in another order',
}

// `isAccepted`: what was seen before is given up for what is told now.
export async function ownTimeline(
  context: Context,
  { wallet, hospital }: { wallet: Wallet; hospital: WalletHospital },
  options: Options,
  isAccepted: boolean,
): Promise<OwnTimeline> {
  const { organisation } = hospital
  const trust = { genesisDigest: genesisOf(wallet) }
  const { fetched, anchorKey } = await withHospital(
    context,
    { wallet, hospital },
    options,
    async (client) => {
      const told = await fetchTimeline((page) => client.ownTimeline(page), trust)
      const { items } = await client.members()
      const anchor = items.find(({ id }) => id === organisation)?.keys['anchor']
      return { fetched: told, anchorKey: anchor ? fromHex(anchor) : undefined }
    },
  )
  const before = isAccepted
    ? undefined
    : seenHead(wallet.log, { custodian: organisation, patient: hospital.patient })
  const fault = faultOf(fetched, { hospital, anchorKey, before })
  const { head } = fetched
  const receipts = hospital.receipts?.receipts.records.map(({ record }) => record) ?? []
  const count = head?.head.count ?? null
  // What came in while the pages were told is on the next list.
  const entries = count === null ? fetched.entries : fetched.entries.slice(0, count)
  const part = { custodian: organisation, count, entries, receipts }
  return { hospital, part, head: fault === null ? head : null, fault }
}

export function withSeen(wallet: Wallet, timelines: readonly OwnTimeline[]): Wallet {
  const log = timelines.reduce(
    (seen, { head, hospital }) =>
      head === null ? seen : withSeenHead(seen, hospital.patient, head),
    wallet.log,
  )
  return { ...wallet, log }
}

export function genesisOf(wallet: Wallet): Uint8Array {
  if (wallet.genesis !== null) return wallet.genesis.digest
  throw new NodeError('wallet_without_hospital', { organisation: 'any', known: 'no hospital' })
}

function faultOf(
  { head: signed, entries }: FetchedTimeline,
  {
    hospital: { organisation },
    anchorKey,
    before,
  }: {
    hospital: WalletHospital
    anchorKey: Uint8Array | undefined
    before: SignedTimelineHead | undefined
  },
): NodeError | null {
  const forged = (detail: string) => new NodeError('timeline_forged', { organisation, detail })
  if (signed === null) return forged('it has signed no head')
  if (anchorKey === undefined || !verifyTimelineHead(signed, anchorKey))
    return forged('the signature of its head does not hold')
  if (signed.head.custodian !== organisation) return forged('its head is about another hospital')
  const commitments = entries.slice(0, signed.head.count).map(({ record }) => record)
  const broken = checkTimeline(signed.head, commitments, before?.head ?? null)
  if (broken === 'head_differs') return forged(BREAKS.head_differs)
  if (broken === undefined) return null
  const detail = `${BREAKS[broken]} (${before?.head.count} on ${dayOf(before)}, ${signed.head.count} now)`
  return new NodeError('timeline_broken', { organisation, detail })
}

function dayOf(signed: SignedTimelineHead | undefined): string {
  return signed === undefined ? '–' : new Date(signed.head.time).toISOString().slice(0, 10)
}
