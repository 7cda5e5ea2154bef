/**
 * The votes of one process: journalled, made durable group by group, and only then sent and handed back.
 * It keeps the contract of `node/src/driver.ts`; a crash can come at every boundary between two effects.
 */
import type { Action, Certificate, Vote } from '@mooring/consensus'
import { SIGNATURE } from './blocks.ts'
import { voteKey } from './disk.ts'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

export type VoteAction = Extract<Action, { type: 'vote' | 'propose' }>

export class Voting {
  readonly #machine: Machine
  readonly #world: World
  readonly #journalled = new Set<string>()

  constructor(machine: Machine, world: World) {
    this.#machine = machine
    this.#world = world
  }

  /** These blocks are on disk already. */
  found(digests: readonly string[]): void {
    for (const digest of digests) this.#journalled.add(digest)
  }

  forget(digests: readonly string[]): void {
    for (const digest of digests) this.#journalled.delete(digest)
  }

  /** Finalizes come later: what they rest on is on disk before their marks. */
  journal(actions: readonly Action[]): { votes: VoteAction[]; finalizes: VoteAction[] } {
    const { disk } = this.#machine
    const votes: VoteAction[] = []
    const finalizes: VoteAction[] = []
    for (const action of actions) {
      if (action.type === 'journal')
        disk.append({ type: 'certificate', certificate: action.certificate })
      if (action.type !== 'vote' && action.type !== 'propose') continue
      this.#show(action)
      if (action.vote.kind === 'finalize') finalizes.push(action)
      else {
        this.#append(action)
        votes.push(action)
      }
    }
    return { votes, finalizes }
  }

  #show({ vote }: VoteAction): void {
    const { ledger, state, judge } = this.#machine
    this.#world.oracle.gave(vote, {
      view: state.view,
      wall: this.#machine.wall(),
      floor: state.final.view,
      sawEquivocation: (view) => judge.sawEquivocation(view),
      isExecuted: (digest) => ledger.isBase(digest),
    })
  }

  #append({ vote }: VoteAction): void {
    const { disk, ledger } = this.#machine
    const { digest } = vote.subject
    const block = vote.kind === 'notarize' ? ledger.find(digest) : undefined
    if (block !== undefined && ledger.isExecuted(digest) && !this.#journalled.has(digest)) {
      this.#journalled.add(digest)
      disk.append({ type: 'block', block })
    }
    disk.append({ type: 'vote', vote: sign(vote) })
  }

  /** Calls back to the machine with these votes when they are durable. */
  release(votes: readonly VoteAction[]): void {
    this.#machine.disk.wait(() => this.#release(votes))
    this.#flush()
  }

  /** When the certificates before them are durable. */
  finalize(actions: readonly VoteAction[]): void {
    const { epoch } = this.#machine
    this.#machine.disk.wait(() => {
      if (this.#machine.epoch !== epoch) return
      for (const action of actions) this.#append(action)
      this.release(actions)
    })
    this.#flush()
  }

  #flush(): void {
    const { disk, life } = this.#machine
    if (!disk.startFlush()) return
    const { random, faults } = this.#world
    const isSlow = random.chance(faults.slowDisk)
    this.#machine.later(isSlow ? random.between(20, 400) : random.between(0, 3), () => {
      if (disk.isFull) return this.#world.stopFull(this.#machine)
      const done = disk.endFlush()
      if (this.#world.crashesAt(this.#machine, 'after the sync')) return
      for (const tell of done) if (this.#machine.life === life) tell()
      if (this.#machine.life === life) this.#flush()
    })
  }

  #release(votes: readonly VoteAction[]): void {
    const { oracle } = this.#world
    const { node, disk } = this.#machine
    const signed = votes.map(({ vote }) => sign(vote))
    for (const [index, action] of votes.entries()) {
      const vote = signed[index]
      if (vote === undefined) continue
      oracle.signed(vote, disk.voted.has(voteKey(vote)), node)
      this.#world.count(vote.kind)
      if (action.type === 'propose') this.#sendProposal(vote, action.justification)
      else this.#machine.broadcast({ kind: 'votes', votes: [vote] })
    }
    this.#machine.feed({ type: 'votes', votes: signed })
  }

  #sendProposal(vote: Vote, justification: readonly Certificate[]): void {
    const machine = this.#machine
    const { subject } = vote
    const block = machine.ledger.find(subject.digest)
    if (block === undefined) return
    this.#world.oracle.certified(justification, machine.node)
    if (subject.view - subject.parentView > 33)
      this.#world.count('proposal over more views than it can justify')
    if (subject.view !== block.meta.view) this.#world.count('sealing block proposed again')
    const proposal = { block: block.meta, vote, justification }
    machine.sendAll({ kind: 'proposal', proposal, block, from: machine.node })
  }
}

function sign({ kind, subject, signer }: Omit<Vote, 'signature'>): Vote {
  return { kind, subject, signer, signature: SIGNATURE }
}
