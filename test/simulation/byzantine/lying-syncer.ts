/**
 * Serves what was asked for, changed: other blocks, blocks that do not follow one another, finalizations
 * with signatures that were never given, of another block, of another kind, or of one signer twice.
 */
import type { Certificate } from '@mooring/consensus'
import type { Actor, FinalEntry, Hands } from '../actor.ts'
import { type Block, FORGED } from '../blocks.ts'

function forgeBlock(block: Block): Block {
  return { ...block, transactions: [...block.transactions, FORGED] }
}

function forgeCertificate(certificate: Certificate, hands: Hands): Certificate {
  const { subject, bitmap } = certificate
  switch (hands.random.pick(['view', 'kind', 'block', 'signers', 'epoch'] as const)) {
    case 'view':
      return { ...certificate, subject: { ...subject, view: subject.view + 1 } }
    case 'kind':
      return { ...certificate, kind: 'notarize' }
    case 'block':
      return { ...certificate, subject: { ...subject, digest: 'f'.repeat(64) } }
    case 'signers':
      return { ...certificate, bitmap: bitmap.map((byte) => ~byte & 0x0f) }
    case 'epoch':
      return { ...certificate, subject: { ...subject, epoch: subject.epoch + 1 } }
  }
}

function lie(range: readonly FinalEntry[], hands: Hands): readonly FinalEntry[] {
  switch (hands.random.pick(['blocks', 'gap', 'certificates', 'mixed', 'truth'] as const)) {
    case 'blocks':
      return range.map((entry) => ({ ...entry, block: forgeBlock(entry.block) }))
    case 'gap':
      return range.filter((_, index) => index !== 0)
    case 'certificates':
      return range.map(({ block, finalization }) => ({
        block,
        finalization: finalization === null ? null : forgeCertificate(finalization, hands),
      }))
    case 'mixed': {
      const { finalization = null } = range.find((entry) => entry.finalization !== null) ?? {}
      return range.map(({ block }) => ({ block, finalization }))
    }
    case 'truth':
      return range
  }
}

export const lyingSyncer: Actor = {
  serveBlock: (block, hands) => (hands.random.chance(0.7) ? forgeBlock(block) : block),
  serveRange: lie,
}
