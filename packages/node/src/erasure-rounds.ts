// Telling the members what is erased or restricted, and keeping what they sign.
//
// Everybody is told, for shards move and readers keep what they have read. Who is away is told when it is
// back; who has left the network is told nothing any more.

import { equalBytes } from '@mooring/codec'
import { tombstoneItem } from '@mooring/ledger'
import { type DeletionReceipt, isDeletionSigned } from '@mooring/records'
import type { Erasure } from './erasure-state.ts'
import type { Logger } from './logger.ts'
import { VaultPeerError, type VaultPeers } from './vault-peers.ts'

export interface RoundModules {
  readonly genesisDigest: Uint8Array
  readonly peers: VaultPeers
  readonly logger: Logger
  readonly anchorKeyOf: (organisation: string) => Uint8Array | undefined
  readonly saltOf: (setId: Uint8Array) => Uint8Array
}

const TIMEOUT_MS = 10_000

/** What it is after everybody was told that can be reached now. */
export async function tellMembers(modules: RoundModules, erasure: Erasure): Promise<Erasure> {
  const { setId } = 'setId' in erasure.stage.body ? erasure.stage.body : { setId: null }
  if (setId === null || erasure.stage.kind === 'ordered') return erasure
  const receipts = [...erasure.receipts]
  const answers = await Promise.all(
    erasure.waiting.map(async (organisation) => {
      const isDone = await tellOne(modules, organisation, { setId, erasure, receipts })
      return isDone ? [] : [organisation]
    }),
  )
  return { ...erasure, waiting: answers.flat(), receipts }
}

interface Told {
  readonly setId: Uint8Array
  readonly erasure: Erasure
  readonly receipts: DeletionReceipt[]
}

async function tellOne(
  modules: RoundModules,
  organisation: string,
  { setId, erasure: { stage }, receipts }: Told,
): Promise<boolean> {
  const { peers, logger, anchorKeyOf } = modules
  const anchorKey = anchorKeyOf(organisation)
  if (anchorKey === undefined) return true
  if (!peers.isConnected(organisation)) return false
  try {
    if (stage.kind === 'erased') {
      const receipt = await askToErase(modules, organisation, setId)
      if (!isReceiptOf(modules, receipt, { organisation, anchorKey, setId })) {
        logger.warn('a member signed something else than a deletion', { organisation })
        return false
      }
      receipts.push(receipt)
      return true
    }
    const isRestricted = stage.kind === 'restricted' ? 1 : 0
    const body = { sets: [{ setId, isRestricted }] }
    await peers.request(organisation, { kind: 'restrict', body }, { timeoutMs: TIMEOUT_MS })
    return true
  } catch (error) {
    if (!(error instanceof VaultPeerError)) throw error
    const code = error.refusal ?? error.code
    logger.debug('a member was not told of an erasure', { organisation, code })
    return false
  }
}

async function askToErase(
  { peers, saltOf }: RoundModules,
  organisation: string,
  setId: Uint8Array,
): Promise<DeletionReceipt> {
  const request = { kind: 'erase' as const, body: { setId, salt: saltOf(setId) } }
  return (await peers.request(organisation, request, { timeoutMs: TIMEOUT_MS })).body
}

function isReceiptOf(
  { genesisDigest, peers, saltOf }: RoundModules,
  receipt: DeletionReceipt,
  {
    organisation,
    anchorKey,
    setId,
  }: { organisation: string; anchorKey: Uint8Array; setId: Uint8Array },
): boolean {
  const { custodian, holder, item } = receipt.content
  const isMeant = custodian === peers.self && holder === organisation
  const isIt = equalBytes(item, tombstoneItem(setId, saltOf(setId)))
  return isMeant && isIt && isDeletionSigned(receipt, genesisDigest, anchorKey)
}
