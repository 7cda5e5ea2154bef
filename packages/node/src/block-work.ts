// Blocks that agreement wants built or executed: how large ours are, and the turns in which it is done.
//
// What ends within one turn is told before the call returns.

import type { Action, Digest } from '@mooring/consensus'
import { BlockPace } from './block-pace.ts'
import type { Clock } from './clock.ts'
import type { Built, Execution, Overtaken, Refusal } from './execution.ts'
import type { Done, LongWork, Work } from './long-work.ts'
import type { Measures } from './measures.ts'
import type { Mempool } from './mempool.ts'

/** What a proposer looks at, as a multiple of what a block may hold. */
const CANDIDATES = 1.1

type Build = Extract<Action, { type: 'build' }>

interface Beat {
  readonly deltaMs: number
  /** 0: none. */
  readonly heartbeatMs: number
}

export interface BlockWorkModules {
  clock: Clock
  execution: Execution
  mempool: Pick<Mempool, 'take'>
  work: LongWork
  measures: Pick<Measures, 'step'>
}

export class BlockWork {
  readonly #modules: BlockWorkModules
  readonly #onError: (error: unknown) => void
  readonly #pace = new BlockPace()

  constructor(modules: BlockWorkModules, onError: (error: unknown) => void) {
    this.#modules = modules
    this.#onError = onError
  }

  build(action: Build, beat: Beat, then: (built: Built | Overtaken) => void): void {
    let candidates = 0
    const steps = this.#buildInSteps(action, beat, (count) => {
      candidates = count
    })
    this.#run(steps, ({ value, ms, tookMs }) => {
      if (value !== 'overtaken') {
        this.#modules.measures.step('propose', ms)
        this.#pace.note(candidates, tookMs)
      }
      then(value)
    })
  }

  execute(digest: Digest, then: (refusal: Refusal | Overtaken | null) => void): void {
    const { execution, measures } = this.#modules
    if (execution.encodedOf(digest) === undefined)
      throw new Error(`asked to execute ${digest}, whose body is not held`)
    this.#run(execution.executeInSteps(digest), ({ value, ms, tookMs }) => {
      if (value !== 'overtaken') {
        measures.step('verify', ms)
        this.#pace.note(execution.executedOf(digest)?.receipts.length ?? 0, tookMs)
      }
      then(value)
    })
  }

  *#buildInSteps(
    { parent, view, mayBeEmpty }: Build,
    { deltaMs, heartbeatMs }: Beat,
    taken: (candidates: number) => void,
  ): Work<Built | Overtaken> {
    const { execution, mempool, clock } = this.#modules
    const state = execution.stateAfter(parent.digest)
    if (state === undefined) return 'overtaken'
    const { blockTransactionsMax, blockBytesMax } = execution.parameters
    const count = Math.min(blockTransactionsMax, this.#pace.transactionsMax(deltaMs))
    const now = clock.wall()
    const isBeat = heartbeatMs > 0 && now - parent.time >= heartbeatMs
    const candidates = mempool.take(state, { count, bytes: blockBytesMax * CANDIDATES })
    taken(candidates.length)
    const input = { view, now, candidates, mayBeEmpty: mayBeEmpty || isBeat }
    return yield* execution.buildInSteps(parent, input)
  }

  #run<T>(steps: Work<T>, then: (done: Done<T>) => void): void {
    this.#modules.work.run(steps, {
      done: (done) => {
        if (done !== null) then(done)
      },
      failed: this.#onError,
    })
  }
}
