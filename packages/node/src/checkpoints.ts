// A final block as hospitals compare it: the header whose hash is the digest, and the certificate.

import type { Checkpoint } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { decodeCertificate } from '@mooring/consensus'
import { signersOf } from '@mooring/crypto'
import { blockDigest, decodeHeader } from '@mooring/ledger'
import type { NodeParts } from './node-parts.ts'

export type CheckpointGround = Pick<NodeParts, 'chain' | 'sets'> & {
  options: Pick<NodeParts['options'], 'networkId' | 'genesisDigest'>
}

/** The first block at or after that height with a certificate of its own; undefined where none is kept. */
export function checkpointAt(
  { chain, sets, options }: CheckpointGround,
  height: number | 'latest',
): Checkpoint | undefined {
  const certified = height === 'latest' ? newest(chain) : chain.finalizationAtOrAfter(height)
  const encoded = certified === undefined ? undefined : chain.getHeader(certified.height)
  if (certified === undefined || encoded === undefined) return undefined
  const header = decodeHeader(encoded)
  const { subject, bitmap } = decodeCertificate(certified.finalization)
  return {
    networkId: options.networkId,
    genesisDigest: toHex(options.genesisDigest),
    height: header.height,
    epoch: header.epoch,
    digest: toHex(blockDigest(header)),
    stateRoot: toHex(header.stateRoot),
    time: new Date(header.time).toISOString(),
    header: toHex(encoded),
    finalization: toHex(certified.finalization),
    signers: signersOf(bitmap).map((index) => sets.nameOf(subject.epoch, index)),
  }
}

function newest(chain: CheckpointGround['chain']): ReturnType<typeof chain.finalizationAtOrAfter> {
  for (let at = chain.tip.height; at > chain.base; at -= 1) {
    const certified = chain.finalizationAtOrAfter(at)
    if (certified !== undefined) return certified
  }
  return undefined
}
