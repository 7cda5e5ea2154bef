/**
 * For one life of one process: which double votes were put before it, and whether it said so, once
 * (I15). Only traitors are watched, for nobody else votes twice, which is the oracle's to judge. Of the
 * votes inside certificates nothing is demanded: which of two certificates is looked into is the
 * machine's choice.
 */
import type { Action, Event, Evidence, Vote } from '@mooring/consensus'
import { Violation } from './violation.ts'

/** What a node keeps votes of, as seen from outside. */
export interface Window {
  readonly from: number
  readonly to: number
}

type Offence = 'conflicting_notarize' | 'conflicting_finalize' | 'nullify_finalize'

export class EvidenceJudge {
  readonly #epoch: number
  readonly #traitors: ReadonlySet<number>
  readonly #first = new Map<string, Vote>()
  readonly #equivocated = new Set<number>()
  readonly #reported = new Set<string>()

  constructor(epoch: number, traitors: ReadonlySet<number>) {
    this.#epoch = epoch
    this.#traitors = traitors
  }

  sawEquivocation(view: number): boolean {
    return this.#equivocated.has(view)
  }

  /** Called with what a step did about an event: every offence that it completes must be in there. */
  judge(event: Event, window: Window, actions: readonly Action[]): void {
    for (const action of actions) if (action.type === 'evidence') this.#note(action.evidence)
    const votes =
      event.type === 'votes' ? event.votes : event.type === 'proposal' ? [event.proposal.vote] : []
    for (const vote of votes) {
      const isWatched = this.#traitors.has(vote.signer)
      const { epoch, view } = vote.subject
      if (!isWatched || epoch !== this.#epoch || view < window.from || view > window.to) continue
      for (const offence of this.#offences(vote))
        if (!this.#reported.has(`${offence} ${view} ${vote.signer}`))
          throw new Violation('I15', `${offence} of ${vote.signer} in view ${view} is not reported`)
    }
  }

  #note({ kind, first }: Evidence): void {
    const name = `${kind} ${first.subject.view} ${first.signer}`
    if (this.#reported.has(name)) throw new Violation('I15', `${name} is reported twice`)
    this.#reported.add(name)
  }

  /** A proposal and a vote of the leader for another block: nothing of the view may be notarized now. */
  noteLeader(vote: Vote, leader: number): void {
    const first = this.#first.get(nameOf('notarize', vote))
    if (vote.kind === 'notarize' && vote.signer === leader && first !== undefined)
      if (!isSame(first, vote)) this.#equivocated.add(vote.subject.view)
  }

  #offences(vote: Vote): Offence[] {
    const name = nameOf(vote.kind, vote)
    const first = this.#first.get(name)
    if (first === undefined) {
      this.#first.set(name, vote)
      const other = vote.kind === 'nullify' ? 'finalize' : 'nullify'
      const isBoth = vote.kind !== 'notarize' && this.#first.has(nameOf(other, vote))
      return isBoth ? ['nullify_finalize'] : []
    }
    if (vote.kind === 'nullify' || isSame(first, vote)) return []
    return [vote.kind === 'notarize' ? 'conflicting_notarize' : 'conflicting_finalize']
  }
}

function nameOf(kind: Vote['kind'], { signer, subject }: Vote): string {
  return `${kind} ${subject.view} ${signer}`
}

function isSame({ subject: a }: Vote, { subject: b }: Vote): boolean {
  return (
    a.digest === b.digest &&
    a.parentView === b.parentView &&
    a.height === b.height &&
    a.epoch === b.epoch
  )
}
