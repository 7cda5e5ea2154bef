// A guard that may not know every vote of its key, and what that means for agreement: the node observes
// until nothing that it may have forgotten can contradict what it signs (`rejoin.ts` of consensus).
//
// A home gets its guard with its keys. One that is made later, because there is none, does not know whether
// it is the first: the disk may have been wiped, and the keys restored from paper. The rule, precisely:
//
//   whole  the guard was made together with its key, or has come back: it votes;
//   new    it was made by a start that found none, or came here before it had voted. In an epoch of which nobody knows a certificate and
//          nobody holds a vote of ours, it votes at once, for a network of such nodes must begin somehow.
//          In any other it observes, as if an earlier guard were known to be lost;
//   lost   an operator said so, with `start --rejoin`: it always observes first.
//
// What has been found out is in the vote journal, before the votes that stand on it: a crash at any point
// leads back to observing, never past it. A new epoch is observed anew until a block became final in which
// we voted, or could have.

import type { Rejoin } from '@mooring/consensus'
import type { Guard, GuardMemory, JournalRecord, Marks } from '@mooring/storage'

/** What a node that observes says of itself; `until` is null while it still asks. */
export interface Observing {
  until: number | null
  memory: Exclude<GuardMemory, 'whole'>
}

interface Step {
  epoch: number
  view: number
  isOver: boolean
}

export interface AmnesiaModules {
  guard: Pick<Guard, 'memory' | 'floor' | 'remember'>
  records: readonly JournalRecord[]
  marks: () => Marks
  /** A whole number above 0 that nobody can foresee. */
  nonce: () => number
}

export class Amnesia {
  readonly #modules: AmnesiaModules
  #step: Step | null

  constructor(modules: AmnesiaModules) {
    this.#modules = modules
    const records = modules.records.filter(({ type }) => type === 'rejoin')
    this.#step = stepOf(records.at(-1))
  }

  get memory(): GuardMemory {
    return this.#step?.isOver === true ? 'whole' : this.#modules.guard.memory
  }

  /** How an epoch begins; null for a guard that knows everything. */
  rejoinIn(epoch: number): Rejoin | null {
    const { memory } = this
    if (memory === 'whole') return null
    if (this.#step?.epoch === epoch) return { kind: 'wait', voteFrom: this.#step.view }
    const mayBegin = memory === 'new' && this.isUnused
    return { kind: 'gather', nonce: this.#modules.nonce(), mayBegin }
  }

  get isUnused(): boolean {
    const { epoch, notarized, nullified, finalized } = this.#modules.marks()
    return epoch === 0 && notarized === 0 && nullified === 0 && finalized === 0
  }

  /** The record goes into the journal before any later vote; the rest can wait. */
  note(epoch: number, voteFrom: number | null): { record: JournalRecord; done: Promise<void> } {
    const view = voteFrom ?? (this.#step?.epoch === epoch ? this.#step.view : 0)
    this.#step = { epoch, view, isOver: voteFrom === null }
    const payload = Uint8Array.of(voteFrom === null ? OVER : WAIT)
    const record: JournalRecord = { epoch, view, type: 'rejoin', payload }
    const { guard } = this.#modules
    return { record, done: voteFrom === null ? guard.remember({ epoch, view }) : Promise.resolve() }
  }

  /** @param state that of agreement. */
  observing(state: { view: number; voteFrom: number }): Observing | null {
    const { memory } = this
    if (memory === 'whole' || state.view >= state.voteFrom) return null
    return { memory, until: state.voteFrom === Number.MAX_SAFE_INTEGER ? null : state.voteFrom }
  }
}

const WAIT = 0
const OVER = 1

function stepOf(record: JournalRecord | undefined): Step | null {
  if (record === undefined) return null
  return { epoch: record.epoch, view: record.view, isOver: record.payload[0] === OVER }
}

const REASONS: Record<Observing['memory'], string> = {
  lost: 'its vote journal was lost',
  new: 'its vote journal is new and the network is not',
}

/** "observing until view 9 because its vote journal was lost" */
export function describeObserving({ until, memory }: Observing): string {
  const how =
    until === null ? 'asking the others how far they are' : `observing until view ${until}`
  return `${how} because ${REASONS[memory]}`
}
