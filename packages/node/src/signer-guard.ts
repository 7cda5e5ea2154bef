// The guard of a signer: whether a vote that is asked for contradicts one that was given.
//
// The state machine of a node knows which votes may follow which, and its own guard sees that it forgets
// none. A signer trusts neither: the node may have been set back to an older copy, or there may be two.
// It knows nothing of certificates and decides from its own votes alone, by the table of who may vote for
// what in a view:
//
//   asked for     refused as a contradiction when in this view it gave
//   notarize(b)   a nullify, a finalize, or a notarize of another block
//   nullify       a finalize
//   finalize(b)   a nullify, or a notarize or finalize of another block
//
// The same vote again is signed again: the same bytes twice are no offence. A notarize or a nullify behind
// its marks is refused too, for a correct node never goes back; a finalize may come for an older view.
// After a crash the marks may cover a vote without its record: what it was is not known any more, and
// nothing else is signed in the views up to there.
//
// Its files are those of a node's guard, with the rules of guard-place.ts: a copy does not open. One that
// is new although its key is not, or begins anew because it was lost, signs nothing before the third view
// after the first that it is asked for: a stand-in for what a node finds out by asking the others, and a
// weaker one. The node observes as well (amnesia.ts).

import { decodeVote, sameSubject, type Subject, type UnsignedVote } from '@mooring/consensus'
import { Guard, type GuardMemory, type JournalOptions, type Marks } from '@mooring/storage'
import { raised, voteRecord } from './journalling.ts'

export type SignerRefusalCode = 'signer_contradiction' | 'signer_behind' | 'signer_forgotten'

/** What is asked for, and what stands against it, in words. */
export interface SignerRefusal {
  code: SignerRefusalCode
  asked: string
  signed: string
}

export interface SignerGuardOptions extends JournalOptions {
  machine: string
  rejoin?: boolean
}

interface GivenVotes {
  notarize?: Subject
  nullify?: Subject
  finalize?: Subject
}

type Kind = UnsignedVote['kind']

const MARK_OF = { notarize: 'notarized', nullify: 'nullified', finalize: 'finalized' } as const
const REMEMBERED_VIEWS = 4_096
const FLOOR_VIEWS = 3
const PRUNE_EVERY = 1_024

export class SignerGuard {
  readonly #guard: Guard
  readonly #votes = new Map<number, GivenVotes>()
  #given = 0
  #beginning: Promise<void> | null = null

  private constructor(guard: Guard) {
    this.#guard = guard
  }

  /** @throws StorageError as a node's guard does. */
  static async open(
    options: SignerGuardOptions,
  ): Promise<{ guard: SignerGuard; keptAt: string | null }> {
    const { guard, records, marks, keptAt } = await Guard.open(options)
    const opened = new SignerGuard(guard)
    for (const { type, epoch, payload } of records) {
      if (type === 'vote' && epoch === marks.epoch) opened.#keep(decodeVote(payload))
    }
    if (opened.#hasLost()) await guard.remember({ epoch: marks.epoch, view: highest(marks) + 1 })
    return { guard: opened, keptAt }
  }

  get marks(): Marks {
    return this.#guard.journal.marks
  }

  get memory(): GuardMemory {
    return this.#guard.memory
  }

  /** The signature, once the vote is durable; or why there is none. */
  async sign(vote: UnsignedVote, signature: () => Uint8Array): Promise<Uint8Array | SignerRefusal> {
    const { journal } = this.#guard
    // Whoever asks meanwhile waits as well: the order of the questions is that of the votes.
    if (this.#guard.memory !== 'whole') this.#beginning ??= this.#begin(vote.subject)
    if (this.#beginning !== null) await this.#beginning
    const refusal = this.#judge(vote)
    if (refusal !== null) return refusal
    const signed = { ...vote, signature: signature() }
    if (!this.#isGiven(vote)) {
      if (vote.subject.epoch > journal.marks.epoch) this.#votes.clear()
      journal.advance(raised(journal.marks, vote))
      journal.append([voteRecord(signed)])
      this.#keep(vote)
      this.#given += 1
    }
    await journal.sync()
    if (this.#given % PRUNE_EVERY === 1) await this.#forget()
    return signed.signature
  }

  close(): Promise<void> {
    return this.#guard.close()
  }

  /**
   * Founders begin at once, all of them with new guards: nobody can have voted before them. In a later epoch
   * somebody has, and an earlier guard of this key may be who.
   */
  async #begin({ epoch, view }: Subject): Promise<void> {
    const isFirst = this.#guard.memory === 'new' && epoch === 0 && view <= 1
    await this.#guard.remember({ epoch, view: isFirst ? 0 : view + FLOOR_VIEWS })
  }

  #judge(vote: UnsignedVote): SignerRefusal | null {
    const { kind, subject } = vote
    const { epoch, view } = subject
    const { marks } = this.#guard.journal
    const { floor } = this.#guard
    const refuse = (code: SignerRefusalCode, signed: string): SignerRefusal => ({
      code,
      asked: describeVote(vote),
      signed,
    })
    if (epoch < marks.epoch) return refuse('signer_behind', describeMarks(marks))
    if (this.#isGiven(vote)) return null
    const against = epoch === marks.epoch ? this.#contradiction(vote) : null
    if (against !== null) return refuse('signer_contradiction', describeVote(against))
    if (epoch < floor.epoch || (epoch === floor.epoch && view < floor.view))
      return refuse('signer_forgotten', `whatever it signed before view ${floor.view}`)
    if (epoch > marks.epoch) return null
    if (view < this.#lowestKnown() && kind === 'finalize')
      return refuse('signer_forgotten', `whatever it signed before view ${this.#lowestKnown()}`)
    return isBehind(kind, view, marks) ? refuse('signer_behind', describeMarks(marks)) : null
  }

  #isGiven({ kind, subject }: UnsignedVote): boolean {
    if (subject.epoch !== this.#guard.journal.marks.epoch) return false
    const given = this.#votes.get(subject.view)?.[kind]
    return given !== undefined && sameSubject(given, subject)
  }

  #contradiction({ kind, subject, signer }: UnsignedVote): UnsignedVote | null {
    const { notarize, nullify, finalize } = this.#votes.get(subject.view) ?? {}
    const of = (against: Kind, given: Subject | undefined) =>
      given === undefined ? null : { kind: against, subject: given, signer }
    const other = (against: Kind, given: Subject | undefined) =>
      given !== undefined && sameSubject(given, subject) ? null : of(against, given)
    switch (kind) {
      case 'notarize':
        return of('nullify', nullify) ?? of('finalize', finalize) ?? other('notarize', notarize)
      case 'nullify':
        return of('finalize', finalize)
      case 'finalize':
        return of('nullify', nullify) ?? other('notarize', notarize) ?? other('finalize', finalize)
    }
  }

  /** Whether there is a vote of which only the marks tell. */
  #hasLost(): boolean {
    const { marks } = this
    return (['notarize', 'nullify', 'finalize'] as const).some((kind) => {
      const view = marks[MARK_OF[kind]]
      return view > this.#lowestKnown() && view > 0 && this.#votes.get(view)?.[kind] === undefined
    })
  }

  #keep({ kind, subject }: UnsignedVote): void {
    const { view } = subject
    this.#votes.set(view, { ...this.#votes.get(view), [kind]: subject })
  }

  #lowestKnown(): number {
    return highest(this.#guard.journal.marks) - REMEMBERED_VIEWS
  }

  async #forget(): Promise<void> {
    const lowest = this.#lowestKnown()
    for (const view of this.#votes.keys()) if (view < lowest) this.#votes.delete(view)
    const { journal } = this.#guard
    await journal.prune(journal.marks.epoch, Math.max(0, lowest))
  }
}

function highest({ notarized, nullified, finalized }: Marks): number {
  return Math.max(notarized, nullified, finalized)
}

function isBehind(kind: Kind, view: number, marks: Marks): boolean {
  switch (kind) {
    case 'notarize':
      return view < marks.notarized || view < marks.nullified
    case 'nullify':
      return view < marks.notarized || view < marks.nullified || view < marks.finalized
    case 'finalize':
      return false
  }
}

/** "notarize 1a2b3c4d in view 7 of epoch 0" */
export function describeVote({ kind, subject }: UnsignedVote): string {
  const { digest, view, epoch } = subject
  const what = kind === 'nullify' ? kind : `${kind} ${digest.slice(0, 8)}`
  return `${what} in view ${view} of epoch ${epoch}`
}

function describeMarks({ epoch, notarized, nullified, finalized }: Marks): string {
  return `epoch ${epoch}: notarize ${notarized}, nullify ${nullified}, finalize ${finalized}`
}
