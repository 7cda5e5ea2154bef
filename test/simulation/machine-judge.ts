/** What holds for one process from one step to the next, and from one life to the next (I9). */
import type { ConsensusState, Recovered, Vote } from '@mooring/consensus'
import type { Window } from './evidence-judge.ts'
import type { Machine } from './machine.ts'
import { Violation } from './violation.ts'

/** What the design keeps of votes: known here once more, so that a change there is noticed. */
const RETENTION = 64
const VIEWS_AHEAD = 16

export function judgeStep(index: number, before: ConsensusState, after: ConsensusState): void {
  const fell = (what: string): never => {
    throw new Violation('I9', `${what} of node ${index} went back`)
  }
  if (after.view < before.view) fell('the view')
  if (after.final.view < before.final.view) fell('the last finalization')
  if (after.committed.height < before.committed.height) fell('the committed block')
  if (after.final.view < after.committed.view) fell('the floor')
  if (after.voteFrom !== before.voteFrom && after.voteFrom !== 0 && after.voteFrom <= before.view)
    fell('the view from which it votes')
  if (before.isHalted && !after.isHalted) fell('the halt')
}

/** A view that was voted in was entered by a certificate, which is on disk before the vote. */
export function judgeStart(
  { node, isHonest, state, disk }: Machine,
  { votes, committed: base }: Recovered,
): void {
  const { view, final, committed } = state
  const tip = disk.chain.at(-1)?.block.meta
  const isLost = (vote: Vote): boolean =>
    vote.kind === 'finalize' ? vote.subject.view >= view : vote.subject.view > view
  if (isHonest && votes.some(isLost))
    throw new Violation('I9', `node ${node} came back below a view in which it voted`)
  if (committed.height < (tip?.height ?? 0) || final.view < base.view)
    throw new Violation('I9', `node ${node} came back below its chain`)
}

export function isUnfinished({ certificates, committed }: Recovered): boolean {
  return certificates.some(
    ({ kind, subject }) => kind === 'finalize' && subject.height > committed.height,
  )
}

/** The views of which a double vote must be noticed in this step. */
export function windowOf(before: ConsensusState, after: ConsensusState): Window {
  return { from: after.final.view - RETENTION + 1, to: before.view + VIEWS_AHEAD }
}
