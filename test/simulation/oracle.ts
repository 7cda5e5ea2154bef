/**
 * Judges a run from outside: it sees every vote that was ever signed and every block that anyone made
 * final, and shares no predicate with the code under test, not even the size of a quorum.
 */
import type { BlockMeta, Certificate, Outgoing, UnsignedVote, Vote } from '@mooring/consensus'
import { GENESIS } from './blocks.ts'
import { Violation } from './violation.ts'

interface Given {
  notarize?: string
  nullify?: boolean
  finalize?: string
}

export interface Judged {
  readonly authorities: number
  /** Whose votes may break any rule. */
  readonly traitors: ReadonlySet<number>
  readonly deltaMs: number
  readonly precisionMs: number
}

/** What a voter's process knew when it gave a vote. */
export interface Voter {
  readonly view: number
  readonly wall: number
  /** Leaders' double proposals that were delivered to it, by view. */
  readonly sawEquivocation: (view: number) => boolean
  readonly isExecuted: (digest: string) => boolean
}

export class Oracle {
  readonly finals = new Map<number, BlockMeta>([[0, GENESIS]])
  /** Views of which both are known: legal, and worth reaching. */
  readonly splitViews = new Set<number>()
  readonly #judged: Judged
  readonly #quorum: number
  readonly #blocks = new Map<string, BlockMeta>([[GENESIS.digest, GENESIS]])
  readonly #given = new Map<string, Given>()
  readonly #signers = new Map<string, Set<number>>()
  /** By view: the subjects that a quorum has signed. */
  readonly #notarized = new Map<number, string>([[0, subjectKey('notarize', genesisSubject())]])
  readonly #finalized = new Map<number, string>()
  readonly #nullified = new Set<number>()

  constructor(judged: Judged) {
    this.#judged = judged
    this.#quorum = Math.floor((2 * judged.authorities + 2) / 3)
  }

  /** A block that somebody has made. */
  made(block: BlockMeta): void {
    this.#blocks.set(block.digest, block)
  }

  /**
   * Every vote at the moment when it is decided: rules that only the voter's own state can break. The
   * very same vote once more, after a restart, is allowed.
   */
  gave(vote: UnsignedVote, voter: Voter): void {
    if (this.#judged.traitors.has(vote.signer) || this.isSigned(vote)) return
    const { kind, subject } = vote
    const complain = (what: string): never => {
      throw new Violation('I5', `authority ${vote.signer} ${what}`)
    }
    if (kind === 'nullify' && subject.view !== voter.view)
      complain(`nullified view ${subject.view} in view ${voter.view}`)
    if (kind !== 'nullify' && !voter.isExecuted(subject.digest))
      complain(`gave a ${kind} for a block that it has not executed`)
    if (kind !== 'notarize') return
    if (subject.view !== voter.view)
      complain(`notarized in view ${subject.view} while in ${voter.view}`)
    if (voter.sawEquivocation(subject.view))
      complain(`notarized in view ${subject.view}, whose leader it had seen equivocate`)
    this.#judgeTime(vote, voter.wall)
  }

  /** Every vote at the moment when it leaves its signer. */
  signed(vote: UnsignedVote, isDurable: boolean): void {
    const { kind, subject, signer } = vote
    const isHonest = !this.#judged.traitors.has(signer)
    if (isHonest && !isDurable)
      throw new Violation('I7', `${kind} of ${signer} in view ${subject.view} is not on disk`)
    if (isHonest) this.#judgeHonest(vote)
    const key = subjectKey(kind, subject)
    const signers = this.#signers.get(key) ?? new Set<number>()
    this.#signers.set(key, signers.add(signer))
    if (signers.size >= this.#quorum) this.#certified(vote, key)
  }

  /** Whether this authority signed this: what a receiver's check of the signature would say. */
  isSigned({ kind, subject, signer }: UnsignedVote): boolean {
    return this.#signers.get(subjectKey(kind, subject))?.has(signer) === true
  }

  isCertificate(certificate: Certificate): boolean {
    const { kind, subject, bitmap, signatures } = certificate
    const signers = signersIn(bitmap)
    if (signers.length !== this.#quorum || signatures.length !== this.#quorum) return false
    return signers.every((signer) => this.isSigned({ kind, subject, signer }))
  }

  /** What an honest node sends must hold: votes that have left, certificates of such votes. */
  sent(message: Outgoing, by: number): void {
    if (this.#judged.traitors.has(by)) return
    if (message.kind === 'votes')
      for (const vote of message.votes)
        if (vote.signer !== by || !this.isSigned(vote))
          throw new Violation('I7', `${by} sent a ${vote.kind} that its signer has not given`)
    if (message.kind === 'certificates') this.certified(message.certificates, by)
  }

  certified(certificates: readonly Certificate[], by: number): void {
    if (this.#judged.traitors.has(by)) return
    for (const certificate of certificates)
      if (!this.isCertificate(certificate))
        throw new Violation(
          'I11',
          `${by} used a ${certificate.kind} certificate of view ${certificate.subject.view} that proves nothing`,
        )
  }

  /** A node made this block final (I1, I13). */
  finalized(block: BlockMeta, node: number): void {
    const { height, digest, parent, time } = block
    const known = this.finals.get(height)
    if (known !== undefined && known.digest !== digest)
      throw new Violation('I1', `${node} made ${digest} final at height ${height}, others another`)
    const below = this.finals.get(height - 1)
    if (below?.digest !== parent)
      throw new Violation('I1', `the final block at height ${height} has another parent`)
    if (time <= below.time) throw new Violation('I13', `time does not rise at height ${height}`)
    this.finals.set(height, block)
  }

  /** Nobody honest may be accused, and nobody of what was not signed. */
  accused({ first, second }: { first: Vote; second: Vote }): void {
    if (!this.#judged.traitors.has(first.signer))
      throw new Violation('I15', `the honest authority ${first.signer} is accused`)
    if (first.signer !== second.signer || !this.isSigned(first) || !this.isSigned(second))
      throw new Violation('I15', `the evidence against ${first.signer} was never signed`)
  }

  #judgeTime({ subject, signer }: UnsignedVote, wall: number): void {
    const block = this.#blocks.get(subject.digest)
    const parent = block === undefined ? undefined : this.#blocks.get(block.parent)
    if (block === undefined || parent === undefined)
      throw new Violation('I6', `a block without a known parent is notarized in ${subject.view}`)
    const { deltaMs, precisionMs } = this.#judged
    const delay = (3 * deltaMs + 10_000) * 1.25 ** Math.min(32, block.view - block.parentView - 1)
    const isNear = block.time <= wall + precisionMs && block.time >= wall - delay - precisionMs
    const isOwn = subject.view % this.#judged.authorities === signer
    const isRight = isOwn ? block.time <= Math.max(wall, parent.time + 1) : isNear
    if (!isRight)
      throw new Violation('I13', `a block ${block.time - wall} ms from its voter's clock`)
  }

  #judgeHonest(vote: UnsignedVote): void {
    const { view } = vote.subject
    const voted = subjectKey(vote.kind, vote.subject)
    const key = `${vote.signer} ${view}`
    const given = this.#given.get(key) ?? {}
    this.#given.set(key, given)
    const complain = (what: string): never => {
      throw new Violation('I5', `authority ${vote.signer} ${what} in view ${view}`)
    }
    switch (vote.kind) {
      case 'notarize':
        if (given.notarize !== undefined && given.notarize !== voted) complain('notarized twice')
        if (given.nullify === true && given.notarize === undefined)
          complain('notarized after a nullify')
        given.notarize = voted
        return this.#judgeParent(vote)
      case 'nullify':
        if (given.finalize !== undefined) complain('nullified after a finalize')
        given.nullify = true
        return
      case 'finalize':
        if (given.nullify === true) complain('finalized after a nullify')
        if (given.finalize !== undefined && given.finalize !== voted) complain('finalized twice')
        given.finalize = voted
        if (this.#notarized.get(view) !== subjectKey('notarize', vote.subject))
          complain('finalized what is not notarized')
    }
  }

  #judgeParent({ subject, signer }: UnsignedVote): void {
    const { view, parentView } = subject
    const block = this.#blocks.get(subject.digest)
    const isPlaced =
      block?.view === view && block.parentView === parentView && block.height === subject.height
    const parent = isPlaced ? this.#blocks.get(block.parent) : undefined
    const complain = (what: string): never => {
      throw new Violation('I6', `${signer} notarized in view ${view} ${what}`)
    }
    if (parent === undefined || parent.height + 1 !== subject.height || parentView >= view)
      return complain('what does not stand on its parent')
    if (!this.#notarized.get(parentView)?.endsWith(` ${parent.digest}`))
      complain(`on a parent that is not notarized in view ${parentView}`)
    for (let skipped = parentView + 1; skipped < view; skipped += 1)
      if (!this.#nullified.has(skipped)) complain(`although view ${skipped} is not nullified`)
  }

  #certified({ kind, subject }: UnsignedVote, key: string): void {
    const { view } = subject
    if (kind === 'nullify') this.#nullified.add(view)
    else {
      const certified = kind === 'notarize' ? this.#notarized : this.#finalized
      const known = certified.get(view)
      if (known !== undefined && known !== key)
        throw new Violation('I2', `two blocks have a quorum of ${kind} in view ${view}`)
      certified.set(view, key)
    }
    const finalized = this.#finalized.get(view)
    if (finalized !== undefined && this.#nullified.has(view))
      throw new Violation('I3', `view ${view} is finalized and nullified`)
    if (finalized !== undefined && this.#notarized.get(view) !== notarizeOf(finalized))
      throw new Violation('I4', `view ${view} is finalized and not notarized`)
    if (this.#notarized.has(view) && this.#nullified.has(view)) this.splitViews.add(view)
  }
}

function genesisSubject(): UnsignedVote['subject'] {
  return { epoch: 0, view: 0, parentView: 0, height: 0, digest: GENESIS.digest }
}

function subjectKey(kind: string, subject: UnsignedVote['subject']): string {
  const { epoch, view, parentView, height, digest } = subject
  return `${kind} ${epoch} ${view} ${parentView} ${height} ${digest}`
}

function notarizeOf(finalizeKey: string): string {
  return finalizeKey.replace('finalize', 'notarize')
}

function signersIn(bitmap: Uint8Array): number[] {
  const signers: number[] = []
  for (let index = 0; index < bitmap.length * 8; index += 1)
    if (((bitmap[index >> 3] ?? 0) >> (index & 7)) % 2 === 1) signers.push(index)
  return signers
}
