// One state machine on a bench: events go in by hand, votes come back when the test says so.
//
// Signatures are empty here: the machine never sees an unverified message, so it cannot tell. Certificates
// are signed by the others, unless a test says by whom: one with our own name in it that we did not
// give is a duplicate key.

import assert from 'node:assert/strict'
import { bitmapOf } from '@mooring/crypto'
import type { Action } from '../src/actions.ts'
import type { Event, TimerName } from '../src/events.ts'
import { quorumOf } from '../src/quorum.ts'
import { type Recovered, start } from '../src/start.ts'
import type { ConsensusConfig, ConsensusState } from '../src/state.ts'
import { step } from '../src/step.ts'
import {
  type BlockMeta,
  type Certificate,
  nullifySubject,
  type Proposal,
  type Subject,
  subjectOf,
  type UnsignedVote,
  type Vote,
  type VoteKind,
  ZERO_DIGEST,
} from '../src/types.ts'

export const WALL = 1_700_000_000_000
export const DELTA_MS = 150
export const SIGNATURE = new Uint8Array(64)

export const GENESIS: BlockMeta = {
  digest: '0'.repeat(63) + 'a',
  parent: ZERO_DIGEST,
  view: 0,
  parentView: 0,
  height: 0,
  time: WALL - 1_000,
  isEmpty: true,
  isSealing: false,
}

export function configOf(me: number | null, authorities = 4): ConsensusConfig {
  return {
    epoch: 0,
    authorities,
    me,
    deltaMs: DELTA_MS,
    skipMs: 2_000,
    statusMs: 3_000,
    minBlockIntervalMs: 0,
    precisionMs: 500,
  }
}

/** A block in a view on a parent; the salt tells blocks of one place apart. */
export function blockOn(
  parent: BlockMeta,
  view: number,
  change: Partial<BlockMeta> & { salt?: number } = {},
): BlockMeta {
  const { salt = 0, ...rest } = change
  const name = [view, parent.view, parent.height + 1, salt].map((part) =>
    part.toString(16).padStart(8, '0'),
  )
  return {
    digest: `${name.join('')}${parent.digest.slice(-32)}`,
    parent: parent.digest,
    view,
    parentView: parent.view,
    height: parent.height + 1,
    time: Math.max(WALL, parent.time + 1),
    isEmpty: false,
    isSealing: false,
    ...rest,
  }
}

export function voteOf(kind: VoteKind, on: BlockMeta | number, signer: number): Vote {
  const subject = typeof on === 'number' ? nullifySubject(0, on) : subjectOf(0, on)
  return { kind, subject, signer, signature: SIGNATURE }
}

export class Bench {
  readonly config: ConsensusConfig
  now = 1_000_000
  wall = WALL
  state: ConsensusState
  /** Everything asked for so far. */
  readonly actions: Action[] = []
  /** What the last event led to. */
  last: readonly Action[] = []

  constructor(config: ConsensusConfig, recovered: Partial<Recovered> = {}) {
    this.config = config
    const nothing: Recovered = {
      committed: GENESIS,
      finalization: null,
      certificates: [],
      votes: [],
      blocks: [],
      marks: { notarize: 0, nullify: 0, finalize: 0 },
      rejoin: null,
    }
    const { state, actions } = start(config, { ...nothing, ...recovered }, this.clock())
    this.state = state
    this.#take(actions)
  }

  clock(): { monotonic: number; wall: number } {
    return { monotonic: this.now, wall: this.wall }
  }

  feed(event: Event): readonly Action[] {
    const { state, actions } = step(this.state, event, this.clock())
    this.state = state
    this.#take(actions)
    return actions
  }

  timer(name: TimerName, view = this.state.view): readonly Action[] {
    return this.feed({ type: 'timer', name, view })
  }

  certify(...certificates: Certificate[]): readonly Action[] {
    return this.feed({ type: 'certificates', certificates })
  }

  vote(...votes: Vote[]): readonly Action[] {
    return this.feed({ type: 'votes', votes })
  }

  propose(block: BlockMeta, justification: Certificate[] = []): readonly Action[] {
    const from = block.view % this.config.authorities
    const proposal: Proposal = { block, vote: voteOf('notarize', block, from), justification }
    return this.feed({ type: 'proposal', from, proposal })
  }

  executed(block: BlockMeta, outcome: 'valid' | 'invalid' = 'valid'): readonly Action[] {
    return this.feed({ type: 'executed', digest: block.digest, outcome })
  }

  /** The votes of the last event are durable: they come back. */
  release(): readonly Action[] {
    const given = this.last.flatMap((action) =>
      action.type === 'vote' || action.type === 'propose' ? [action.vote] : [],
    )
    assert.ok(given.length > 0, 'a vote was given')
    return this.vote(...given.map((vote) => ({ ...vote, signature: SIGNATURE })))
  }

  /** A proposal that is executed at once. */
  show(block: BlockMeta, justification: Certificate[] = []): readonly Action[] {
    this.propose(block, justification)
    return this.executed(block)
  }

  /** Makes a block notarized and executed here, as if its proposal had been seen. */
  notarize(block: BlockMeta): void {
    this.feed({ type: 'block', block })
    this.certify(this.notarization(block))
    this.executed(block)
  }

  notarization(block: BlockMeta, signers = this.others()): Certificate {
    return this.#certificate('notarize', subjectOf(0, block), signers)
  }

  finalization(block: BlockMeta, signers = this.others()): Certificate {
    return this.#certificate('finalize', subjectOf(0, block), signers)
  }

  nullification(view: number, signers = this.others()): Certificate {
    return this.#certificate('nullify', nullifySubject(0, view), signers)
  }

  /** A quorum without us, or with us if there is none. */
  others(): number[] {
    const all = Array.from({ length: this.config.authorities }, (_, index) => index)
    const others = all.filter((index) => index !== this.config.me)
    const quorum = quorumOf(this.config.authorities)
    return (others.length >= quorum ? others : all).slice(0, quorum)
  }

  /** Votes asked for so far, as text: `notarize 3`. */
  given(): string[] {
    return votesIn(this.actions)
  }

  sent<T extends 'send' | 'broadcast'>(type: T): Extract<Action, { type: T }>[] {
    return this.last.filter(
      (action): action is Extract<Action, { type: T }> => action.type === type,
    )
  }

  #take(actions: readonly Action[]): void {
    this.last = actions
    this.actions.push(...actions)
  }

  #certificate(kind: VoteKind, subject: Subject, signers: readonly number[]): Certificate {
    const bitmap = bitmapOf([...signers], this.config.authorities)
    return { kind, subject, bitmap, signatures: signers.map(() => SIGNATURE) }
  }
}

export function votesIn(actions: readonly Action[]): string[] {
  return unsignedIn(actions).map(({ kind, subject }) => `${kind} ${subject.view}`)
}

export function unsignedIn(actions: readonly Action[]): UnsignedVote[] {
  return actions.flatMap((action) =>
    action.type === 'vote' || action.type === 'propose' ? [action.vote] : [],
  )
}

export function typesIn(actions: readonly Action[]): string[] {
  return actions.map((action) => (action.type === 'set-timer' ? action.name : action.type))
}

export function only<T extends Action['type']>(
  actions: readonly Action[],
  type: T,
): Extract<Action, { type: T }> {
  const found = actions.filter(
    (action): action is Extract<Action, { type: T }> => action.type === type,
  )
  const [first] = found
  assert.equal(found.length, 1, `one ${type} among ${typesIn(actions).join(', ')}`)
  assert.ok(first !== undefined)
  return first
}
