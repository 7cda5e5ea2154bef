// A chain made again from blocks that are kept: each is executed on the one before and must come to the
// state that its header says, and every certificate that is kept must hold. What comes out is as good as a
// chain that was followed from its beginning; it ends before the first block that is not good.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { CodecError } from '@mooring/codec'
import { type Certificate, checkCertificate, decodeCertificate } from '@mooring/consensus'
import { type ChainStore, StorageError, type StoredBlocks } from '@mooring/storage'
import { readTip } from './chain-tip.ts'
import { Committer } from './committer.ts'
import { Execution } from './execution.ts'

const BLOCKS_A_COMMIT = 64

export interface Replayed {
  height: number
  /** Why it ends before the height that was asked for; null when it does not. */
  fault: string | null
}

export interface ReplayOptions {
  genesisDigest: Uint8Array
  to: number
  onHeight?: (height: number) => void
}

/** Blocks of the source behind the tip of the chain, up to the height. */
export async function replayChain(
  source: Pick<StoredBlocks, 'block'>,
  chain: ChainStore,
  { genesisDigest, to, onHeight }: ReplayOptions,
): Promise<Replayed> {
  const execution = new Execution(readTip(chain), {
    genesisDigest,
    isVerified: () => false,
    isIncluded: (id) => chain.getTransaction(id) !== undefined,
  })
  const failures: unknown[] = []
  const committer = new Committer({
    chain,
    execution,
    onDurable: () => Promise.resolve(),
    onFatal: (error) => failures.push(error),
  })
  const settle = async (): Promise<void> => {
    await committer.idle()
    if (failures.length > 0) throw failures[0]
    await nextTurn()
  }
  let fault: string | null = null
  for (let height = chain.tip.height + 1; height <= to && fault === null; height += 1) {
    fault = replayOne(source, height, { execution, committer, genesisDigest })
    const isSealed = execution.epoch !== chain.epochs().length
    if (height % BLOCKS_A_COMMIT !== 0 && !isSealed) continue
    await settle()
    onHeight?.(height)
  }
  await settle()
  return { height: chain.tip.height, fault }
}

function replayOne(
  source: Pick<StoredBlocks, 'block'>,
  height: number,
  {
    execution,
    committer,
    genesisDigest,
  }: { execution: Execution; committer: Committer; genesisDigest: Uint8Array },
): string | null {
  try {
    const { block, finalization } = source.block(height)
    const { tip, authorities } = execution
    const meta = execution.hold(block)
    if (meta.height !== height || meta.parent !== tip.meta.digest) {
      return `block ${height} does not follow the one before`
    }
    const certificate = finalization === undefined ? null : decodeCertificate(finalization)
    const keys = { chain: genesisDigest, keys: authorities.keys }
    if (certificate !== null && !isOf(certificate, meta.digest, keys)) {
      return `the finalization of block ${height} does not hold`
    }
    if (meta.isSealing && certificate === null) {
      return `the finalization of block ${height}, which ends an epoch, is gone`
    }
    const refusal = execution.execute(meta.digest)
    if (refusal !== null) return `block ${height} does not execute: ${refusal.code}`
    committer.commit(execution.seal([meta.digest]), certificate)
    return null
  } catch (error) {
    if (error instanceof StorageError || error instanceof CodecError) {
      return `block ${height}: ${error.message}`
    }
    throw error
  }
}

function isOf(
  certificate: Certificate,
  digest: string,
  keys: Parameters<typeof checkCertificate>[1],
): boolean {
  const { kind, subject } = certificate
  return (
    kind === 'finalize' &&
    subject.digest === digest &&
    checkCertificate(certificate, keys) === undefined
  )
}
