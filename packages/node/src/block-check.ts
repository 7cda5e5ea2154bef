// The blocks of a chain as ledger and consensus see them: each is its digest, its transactions are those of
// its root and of the index, and the certificates that are kept are those of the authorities of their epoch.
// Newest first, as many as are asked for.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { CodecError, equalBytes, toHex } from '@mooring/codec'
import { checkCertificate, decodeCertificate } from '@mooring/consensus'
import { decodeBlock, decodeTransaction, type Genesis, LedgerError } from '@mooring/ledger'
import { type PinnedChain, StorageError } from '@mooring/storage'
import { AuthoritySets } from './authority-sets.ts'
import { readHeader } from './stores.ts'

const BLOCKS_A_TURN = 16

export interface BlockFault {
  height: number
  fault: string
}

export interface CheckedBlocks {
  pinned: PinnedChain
  /** There are no bodies at or below. */
  prunedTo: number
  genesis: Genesis
  genesisDigest: Uint8Array
  /** From the tip down. */
  blocks: number
}

export async function* checkBlocks(checked: CheckedBlocks): AsyncGenerator<BlockFault> {
  const { pinned, prunedTo, genesis, blocks } = checked
  const sets = new AuthoritySets(genesis, { epochs: () => pinned.epochs })
  const { height: tip } = pinned.tip
  const lowest = Math.max(prunedTo + 1, 1, tip - blocks + 1)
  for (let height = tip; height >= lowest; height -= 1) {
    const fault = faultOfBlock(checked, sets, height)
    if (fault !== undefined) yield { height, fault }
    if (height % BLOCKS_A_TURN === 0) await nextTurn()
  }
}

function faultOfBlock(
  { pinned, genesisDigest }: CheckedBlocks,
  sets: AuthoritySets,
  height: number,
): string | undefined {
  try {
    const { header, digest, transactions } = decodeBlock(pinned.block(height))
    if (header.height !== height || !equalBytes(digest, readHeader(pinned.header(height)).digest)) {
      return 'it is not the block of its header'
    }
    for (const encoded of transactions) decodeTransaction(encoded, genesisDigest)
    const finalization = pinned.finalization(height)
    if (finalization === undefined) return undefined
    const certificate = decodeCertificate(finalization)
    const { subject, kind } = certificate
    const keys = sets.of(header.epoch)?.keys
    const isOurs = kind === 'finalize' && subject.digest === toHex(digest)
    if (!isOurs || keys === undefined) return 'its finalization is that of another block'
    const chain = genesisDigest
    return checkCertificate(certificate, { chain, keys }) === undefined
      ? undefined
      : 'its finalization does not hold'
  } catch (error) {
    const isDamage =
      error instanceof StorageError || error instanceof CodecError || error instanceof LedgerError
    if (isDamage) return error.message
    throw error
  }
}
