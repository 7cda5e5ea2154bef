// What agreement measures of itself while it works. It keeps no figures: it tells whoever wants them, and
// in a simulation nobody does.

import type { Clock } from './clock.ts'
import type { Metrics } from './metrics.ts'

export type MeasuredStep = 'propose' | 'verify' | 'notarize' | 'finalize' | 'nullify'

export type VerifiedKind = 'votes' | 'certificates' | 'proposal' | 'transaction'

export interface Measures {
  step(step: MeasuredStep, ms: number): void
  /** The signatures of one message or transaction were looked at. */
  verified(kind: VerifiedKind, isGood: boolean, ms: number): void
  /** A vote under the name of this authority that it did not give, or gave wrongly. */
  invalidVote(authority: string, vote: 'notarize' | 'any'): void
  /** A compact proposal was put together from what waited here, or lacked something. */
  compact(outcome: 'whole' | 'lacking'): void
  synced(blocks: number): void
}

export const UNMEASURED: Measures = {
  step: () => undefined,
  verified: () => undefined,
  invalidVote: () => undefined,
  compact: () => undefined,
  synced: () => undefined,
}

export function measuresOf(
  metrics: Pick<
    Metrics,
    | 'consensusCompact'
    | 'consensusStepDuration'
    | 'cryptoVerify'
    | 'cryptoVerified'
    | 'consensusVotes'
    | 'syncBlocks'
  >,
): Measures {
  return {
    step: (step, ms) => metrics.consensusStepDuration.observe({ step }, ms / 1_000),
    verified: (kind, isGood, ms) => {
      metrics.cryptoVerify.observe({ kind }, ms / 1_000)
      metrics.cryptoVerified.inc({ kind, result: isGood ? 'good' : 'bad' })
    },
    invalidVote: (authority, vote) =>
      metrics.consensusVotes.inc({ authority, vote, result: 'invalid' }),
    compact: (outcome) => metrics.consensusCompact.inc({ outcome }),
    synced: (blocks) => metrics.syncBlocks.inc({ mode: 'blocks' }, blocks),
  }
}

/** The result of some work, and how long it took. */
export function timed<T>(clock: Pick<Clock, 'monotonic'>, work: () => T): { value: T; ms: number } {
  const began = clock.monotonic()
  const value = work()
  return { value, ms: clock.monotonic() - began }
}
