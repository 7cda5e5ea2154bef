/**
 * Judges a run from outside: it sees every vote that was ever signed and every block that anyone made
 * final, and shares no predicate with the code under test.
 */
import type { UnsignedVote } from '@mooring/consensus'

export class Violation extends Error {}

interface Given {
  notarize?: string
  nullify?: boolean
  finalize?: string
}

export class Oracle {
  readonly finals = new Map<number, string>()
  readonly #given = new Map<string, Given>()
  readonly #notarizers = new Map<string, Set<number>>()
  readonly #finalizers = new Map<string, Set<number>>()
  readonly #nullifiers = new Map<number, Set<number>>()
  readonly #quorum: number
  readonly #honest: ReadonlySet<number>

  constructor(authorities: number, honest: ReadonlySet<number>) {
    this.#quorum = Math.floor((2 * authorities + 2) / 3)
    this.#honest = honest
  }

  /** Every vote at the moment when it leaves its signer (I2 to I5). */
  signed(vote: UnsignedVote): void {
    const { view, digest } = vote.subject
    if (this.#honest.has(vote.signer)) this.#judgeHonest(vote)
    if (vote.kind === 'nullify') add(this.#nullifiers, view, vote.signer)
    if (vote.kind === 'notarize') add(this.#notarizers, `${view} ${digest}`, vote.signer)
    if (vote.kind === 'finalize') add(this.#finalizers, `${view} ${digest}`, vote.signer)
    this.#judgeView(view)
  }

  /** A node made this block final at this height (I1). */
  finalized(height: number, digest: string, node: number): void {
    const known = this.finals.get(height)
    if (known !== undefined && known !== digest)
      throw new Violation(
        `I1: node ${node} made ${digest} final at height ${height}, others ${known}`,
      )
    this.finals.set(height, digest)
  }

  #judgeHonest(vote: UnsignedVote): void {
    const { view, digest } = vote.subject
    const key = `${vote.signer} ${view}`
    const given = this.#given.get(key) ?? {}
    this.#given.set(key, given)
    const complain = (what: string): never => {
      throw new Violation(`I5: honest authority ${vote.signer} ${what} in view ${view}`)
    }
    if (vote.kind === 'notarize') {
      if (given.notarize !== undefined && given.notarize !== digest) complain('notarized twice')
      if (given.nullify === true && given.notarize === undefined)
        complain('notarized after nullify')
      given.notarize = digest
    } else if (vote.kind === 'nullify') {
      if (given.finalize !== undefined) complain('nullified after finalize')
      given.nullify = true
    } else {
      if (given.nullify === true) complain('finalized after nullify')
      if (given.finalize !== undefined && given.finalize !== digest) complain('finalized twice')
      given.finalize = digest
    }
  }

  #judgeView(view: number): void {
    const notarized = this.#certified(this.#notarizers, view)
    const finalized = this.#certified(this.#finalizers, view)
    if (notarized.length > 1) throw new Violation(`I2: two notarizations in view ${view}`)
    const nullified = (this.#nullifiers.get(view)?.size ?? 0) >= this.#quorum
    if (nullified && finalized.length > 0)
      throw new Violation(`I3: view ${view} is finalized and nullified`)
    if (finalized.length > 0 && finalized[0] !== notarized[0])
      throw new Violation(`I4: view ${view} is finalized and not notarized`)
  }

  #certified(votes: Map<string, Set<number>>, view: number): string[] {
    return [...votes].flatMap(([key, signers]) =>
      key.startsWith(`${view} `) && signers.size >= this.#quorum ? [key] : [],
    )
  }
}

function add<K>(map: Map<K, Set<number>>, key: K, signer: number): void {
  const known = map.get(key) ?? new Set()
  map.set(key, known.add(signer))
}
