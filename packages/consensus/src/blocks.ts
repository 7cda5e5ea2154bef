/**
 * Bodies: which blocks must be fetched, executed and made final, and in which order.
 *
 * A block is executed only after its parent; the chain of parents ends at the committed block. Who
 * signed a certificate for a block had its body, so the bitmap says whom to ask. A gap that is too
 * long for single fetches is left to sync, which works outside the machine and reports `synced`.
 */
import { signersOf } from '@mooring/crypto'
import { tryForgive } from './rejoin.ts'
import { type Draft, forgetViews, halt, recordOf } from './state.ts'
import type { AuthorityIndex, BlockMeta, Certificate, Digest, View } from './types.ts'

/** Missing ancestors of a finalization beyond this many are fetched as a range. */
const FETCH_MAX = 8

export function holdBlock(draft: Draft, meta: BlockMeta): void {
  const { state } = draft
  state.fetching.delete(meta.digest)
  if (state.blocks.has(meta.digest) || meta.height <= state.committed.height) return
  state.blocks.set(meta.digest, { meta, execution: 'none' })
}

export function isExecuted(draft: Draft, digest: Digest): boolean {
  const { state } = draft
  return digest === state.committed.digest || state.blocks.get(digest)?.execution === 'valid'
}

/**
 * Takes the next step towards the execution of a block: fetch it or its first missing ancestor, or
 * execute the first one whose parent is executed. What is missing at or below the last finalization is
 * an ancestor of that one, and `tryCommit` decides how it comes.
 */
export function advanceExecution(
  draft: Draft,
  digest: Digest,
  holders: readonly AuthorityIndex[],
): void {
  const { state } = draft
  let wanted = digest
  let isFinal = false
  for (;;) {
    const block = state.blocks.get(wanted)
    if (block === undefined) return isFinal ? undefined : fetchBlock(draft, wanted, holders)
    if (block.execution !== 'none') return
    const { parent } = block.meta
    if (isExecuted(draft, parent)) return execute(draft, wanted)
    if (block.meta.height <= state.committed.height + 1) return
    wanted = parent
    isFinal = block.meta.height <= state.final.subject.height + 1
  }
}

function execute(draft: Draft, digest: Digest): void {
  const block = draft.state.blocks.get(digest)
  if (block === undefined) return
  draft.state.blocks.set(digest, { ...block, execution: 'running' })
  draft.actions.push({ type: 'execute', digest })
}

function fetchBlock(draft: Draft, digest: Digest, holders: readonly AuthorityIndex[]): void {
  if (draft.state.fetching.has(digest)) return
  draft.state.fetching.add(digest)
  draft.actions.push({ type: 'fetch-block', digest, holders })
}

/** Hands out what the last finalization makes final, once every block of it is executed (R8). */
export function tryCommit(draft: Draft): void {
  const { state } = draft
  const { subject, certificate } = state.final
  if (certificate === null || subject.height <= state.committed.height) return
  const chain: BlockMeta[] = []
  let digest = subject.digest
  while (digest !== state.committed.digest) {
    const block = state.blocks.get(digest)
    if (block === undefined) return bringUp(draft, certificate, { digest, above: chain.length })
    if (block.execution === 'invalid')
      return halt(draft, { code: 'state_diverged', digest, view: block.meta.view })
    chain.push(block.meta)
    digest = block.meta.parent
  }
  if (chain.some((block) => !isExecuted(draft, block.digest)))
    return advanceExecution(draft, subject.digest, signersOf(certificate.bitmap))
  commit(draft, chain.toReversed(), certificate)
}

/** The first block that is missing below the finalized one, and how many above it are here. */
function bringUp(
  draft: Draft,
  certificate: Certificate,
  { digest, above }: { digest: Digest; above: number },
): void {
  const { state } = draft
  const missing = certificate.subject.height - state.committed.height - above
  if (missing <= FETCH_MAX) return fetchBlock(draft, digest, signersOf(certificate.bitmap))
  if (state.syncing >= certificate.subject.view) return
  state.syncing = certificate.subject.view
  draft.actions.push({ type: 'sync', finalization: certificate })
}

function commit(draft: Draft, chain: readonly BlockMeta[], finalization: Certificate): void {
  const tip = chain.at(-1)
  if (tip === undefined) return
  draft.state.committed = tip
  const { view } = finalization.subject
  if (draft.state.syncing <= view) draft.state.syncing = 0
  dropBlocks(draft)
  draft.actions.push({ type: 'commit', blocks: chain, finalization })
  tryForgive(draft, tip, view)
}

/**
 * What is at or below the committed height or view is durable elsewhere or dead, also when a liar says
 * that it is a million blocks high. Whatever is still wanted asks for its block again.
 */
export function dropBlocks(draft: Draft): void {
  const { blocks, fetching, committed } = draft.state
  for (const [digest, { meta }] of blocks)
    if (meta.height <= committed.height || meta.view <= committed.view) blocks.delete(digest)
  fetching.clear()
}

/** Blocks were committed by sync: the floor rises, never falls. */
export function onSynced(draft: Draft, block: BlockMeta, finalization: Certificate): void {
  const { state } = draft
  state.syncing = 0
  if (block.height <= state.committed.height) return
  state.committed = block
  dropBlocks(draft)
  const { subject } = finalization
  tryForgive(draft, block, subject.digest === block.digest ? subject.view : block.view)
  if (subject.view <= state.final.view) return
  state.final = { view: subject.view, subject, certificate: finalization }
  forgetViews(draft, subject.view)
}

/** The digest and height of what stands notarized or final at a view, if it is known here. */
export function notarizedAt(
  draft: Draft,
  view: View,
): { digest: Digest; height: number; holders: AuthorityIndex[] } | null {
  const { final } = draft.state
  if (view === final.view)
    return {
      digest: final.subject.digest,
      height: final.subject.height,
      holders: holdersOf(final.certificate),
    }
  const certificate = recordOf(draft.state, view).notarization
  if (certificate === null) return null
  const { digest, height } = certificate.subject
  return { digest, height, holders: holdersOf(certificate) }
}

function holdersOf(certificate: Certificate | null): AuthorityIndex[] {
  return certificate === null ? [] : signersOf(certificate.bitmap)
}
