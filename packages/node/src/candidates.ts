// Organisations whose admission is proposed and open: members let their nodes connect already, as observers
// without a name, so that a newcomer follows the chain, has caught up when it is admitted, and can say how far its
// own admission is. What it gossips is not taken, and its clock is not counted. The chain has nothing of patients,
// records are handed to members alone, and the proposal of any member is word enough to read what every member may
// hand on anyway. When the proposal fails or expires, they are strangers again.

import { equalBytes } from '@mooring/codec'
import { formatPeerId } from '@mooring/crypto'
import { openChanges, type Organisation, type State, tallyOf } from '@mooring/ledger'
import type { Member } from '@mooring/network'
import type { Committer } from './committer.ts'

/** Of the oldest proposals: what a few members propose must not fill the connections of all. */
const CANDIDATES_MAX = 16

type Reader = Pick<State, 'get'>

export interface AdmissionProgress {
  readonly given: readonly string[]
  readonly needed: number
  /** Null when it cannot pass as things stand. */
  readonly left: number | null
}

function proposedIn(state: Reader): Organisation[] {
  return openChanges(state).flatMap(({ change }) =>
    change.kind === 'admit' ? [change.body.organisation] : [],
  )
}

export function candidatesIn(state: Reader): Member[] {
  return proposedIn(state)
    .slice(0, CANDIDATES_MAX)
    .map(({ id, keys }) => ({
      peerId: formatPeerId(keys.transport),
      name: id,
      authority: false,
      isCandidate: true,
    }))
}

/** How far the admission of the node with this transport key is; null when nobody has proposed it. */
export function admissionOf(
  state: Reader,
  transportKey: Uint8Array,
  place: { height: number; time: number },
): AdmissionProgress | null {
  const record = openChanges(state).find(
    ({ change }) =>
      change.kind === 'admit' && equalBytes(change.body.organisation.keys.transport, transportKey),
  )
  if (record === undefined) return null
  const tally = tallyOf(state, record, place)
  if ('code' in tally) return { given: record.approvals, needed: 0, left: null }
  const { given, needed } = tally.approvals
  return { given, needed, left: Math.max(0, needed - given.length) }
}

/** Calls `changed` after each block that makes or ends a candidate. */
export function followCandidates(
  committer: Pick<Committer, 'subscribe'>,
  { finalState, changed }: { finalState: () => Reader; changed: () => void },
): () => void {
  const names = () =>
    candidatesIn(finalState())
      .map(({ peerId }) => peerId)
      .join()
  let before = names()
  return committer.subscribe(() => {
    const now = names()
    if (now === before) return
    before = now
    changed()
  })
}
