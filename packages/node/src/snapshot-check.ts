// Whether a snapshot may be believed, with the digest of genesis as the only trust.
//
//   manifest      it can be read, and its parts have the shapes they must have
//   network       it is of this genesis
//   epochs        the authorities are chained from genesis through every change of the set
//   finalization  a quorum of them finalized the block, or a later one whose history holds it
//   chunk         every chunk has the digest and the length of the manifest
//   window        the blocks follow one another up to the block, and reach back as far as a
//                 transaction in them could still be valid
//   history       what is below the window, and the window, are the history the header commits to
//   state         the values are the state the header commits to
//
// The first two files of checks need the manifest alone (here), the others what it names
// (snapshot-import.ts). A refusal names the check.

import { CodecError, equalBytes, toHex } from '@mooring/codec'
import { verifyFinalization } from '@mooring/api/verify'
import {
  authoritySetDigest,
  changeOf,
  decodeAuthoritySet,
  decodeHeader,
  encodeGenesis,
  epochOf,
  type Genesis,
  type Header,
  parametersOf,
  sealOf,
  type State,
  verifyFinalHeader,
} from '@mooring/ledger'
import { decodeManifest, type ImportedEpoch, type SnapshotManifest } from '@mooring/storage'
import { NodeError } from './node-error.ts'

export type SnapshotCheck =
  | 'manifest'
  | 'network'
  | 'epochs'
  | 'finalization'
  | 'chunk'
  | 'window'
  | 'history'
  | 'state'

export interface CheckedManifest {
  readonly manifest: SnapshotManifest
  readonly header: Header
  readonly epochs: readonly ImportedEpoch[]
}

export interface SnapshotTrust {
  readonly genesis: Genesis
  readonly genesisDigest: Uint8Array
}

/** @throws NodeError snapshot_refused */
export function checkManifest(encoded: Uint8Array, trust: SnapshotTrust): CheckedManifest {
  const manifest = readingAs('manifest', () => decodeManifest(encoded))
  const { core } = manifest
  const header = readingAs('manifest', () => decodeHeader(core.header))
  const { genesisDigest } = trust
  if (!equalBytes(core.genesisDigest, genesisDigest)) {
    throw refused('network', `it is of genesis ${toHex(core.genesisDigest).slice(0, 8)}`)
  }
  const { base, frontier, stateChunks, blockChunks } = core
  const isShaped =
    base.height < header.height &&
    frontier.length === ones(base.height + 1) &&
    stateChunks.length > 0 &&
    blockChunks.length > 0
  if (!isShaped) throw refused('manifest', 'its parts do not fit together')
  checkFinality(manifest, header, trust)
  return { manifest, header, epochs: epochsOf(manifest, header) }
}

/**
 * How far back the newest blocks must reach: whatever an older one holds has expired. A shorter window
 * that was voted for does not shorten the life of a transaction that is older than the vote, so that the
 * longest one there ever was counts.
 */
export function windowMsOf(state: Pick<State, 'get'>, genesis: Genesis): number {
  let longest = Math.max(genesis.parameters.expiryWindowMs, parametersOf(state).expiryWindowMs)
  for (let epoch = 0; epoch < epochOf(state); epoch += 1) {
    const seal = sealOf(state, epoch)
    const change = seal === undefined ? undefined : changeOf(state, seal.change)?.change
    if (change?.kind !== 'parameters') continue
    longest = Math.max(longest, change.body.expiryWindowMs)
  }
  return longest
}

export function refused(check: SnapshotCheck, detail: string, cause?: unknown): NodeError {
  return new NodeError('snapshot_refused', { check, detail }, { cause })
}

/** What a decoder says of bytes that came from elsewhere is a refusal, not a failure. */
export function readingAs<T>(check: SnapshotCheck, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof CodecError) throw refused(check, error.message, error)
    throw error
  }
}

function checkFinality(
  { core, finalization, later, epochs }: SnapshotManifest,
  header: Header,
  { genesis, genesisDigest }: SnapshotTrust,
): void {
  const before = epochs.slice(0, header.epoch).map((ended) => ({
    ...ended,
    authoritySet: readingAs('epochs', () => decodeAuthoritySet(ended.authoritySet)),
  }))
  const laterHeader =
    later === null ? null : readingAs('finalization', () => decodeHeader(later.header))
  const verdict = verifyFinalHeader(
    {
      genesis: encodeGenesis(genesis),
      header: core.header,
      finalization,
      later:
        later === null || laterHeader === null
          ? null
          : { ...later, index: header.height, size: laterHeader.height },
      epochs: before,
    },
    genesisDigest,
    verifyFinalization,
  )
  if (verdict.ok) return
  const { name } = verdict.failed
  const detail = verdict.steps.at(-1)?.detail ?? verdict.failed.code
  throw refused(name === 'authority set' ? 'epochs' : 'finalization', detail)
}

/** The ended epochs; a snapshot of a sealing block ends one more, its own, by what made the block final. */
function epochsOf(
  { core, epochs, finalization, later }: SnapshotManifest,
  header: Header,
): ImportedEpoch[] {
  const announced = header.nextAuthoritySetDigest
  const last = epochs[header.epoch]
  const count = header.epoch + (announced === null ? 0 : 1)
  const isSealed =
    announced === null ||
    (last !== undefined &&
      later === null &&
      equalBytes(last.header, core.header) &&
      equalBytes(last.finalization, finalization) &&
      equalBytes(authoritySetDigest(readSet(last.authoritySet)), announced))
  if (epochs.length !== count || !isSealed) {
    throw refused('epochs', `it tells of ${epochs.length} ended epochs, the block of ${count}`)
  }
  return epochs.map((ended, epoch) => ({
    ...ended,
    epoch,
    height: decodeHeader(ended.header).height,
  }))
}

function readSet(encoded: Uint8Array) {
  return readingAs('epochs', () => decodeAuthoritySet(encoded))
}

/** One subtree per bit of its size makes a frontier. */
function ones(size: number): number {
  let count = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}
