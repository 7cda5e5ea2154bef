/**
 * Judges the votes of one epoch: by indices into its own authority set, with its own size of a quorum,
 * and from the block that ended the epoch before.
 */
import type { BlockMeta, Certificate, UnsignedVote } from '@mooring/consensus'
import { Violation } from './violation.ts'

interface Given {
  notarize?: string
  nullify?: boolean
  finalize?: string
}

export interface Limits {
  readonly deltaMs: number
  readonly precisionMs: number
}

/** What a voter's process knew when it gave a vote. */
export interface Voter {
  readonly view: number
  readonly wall: number
  /** The view of its last finalization. */
  readonly floor: number
  /** Leaders' double proposals that were delivered to it, by view. */
  readonly sawEquivocation: (view: number) => boolean
  readonly isExecuted: (digest: string) => boolean
}

export interface EpochJudged extends Limits {
  readonly epoch: number
  /** Nodes in the order of the authority set. */
  readonly members: readonly number[]
  /** Places in it whose votes may break any rule. */
  readonly traitors: ReadonlySet<number>
  /** What ended the epoch before, or genesis. */
  readonly base: BlockMeta
  readonly blocks: ReadonlyMap<string, BlockMeta>
  /** Certificates that exclude one another may exist. */
  readonly isOverrun: boolean
  readonly onFinal: (digest: string) => void
}

export class EpochOracle {
  readonly judged: EpochJudged
  /** Views of which both are known: legal, and worth reaching. */
  readonly splitViews = new Set<number>()
  readonly notarizedSeals = new Set<string>()
  readonly quorum: number
  readonly #given = new Map<string, Given>()
  readonly #signers = new Map<string, Set<number>>()
  /** By view: the subjects that a quorum has signed. */
  readonly #notarized = new Map<number, string>()
  readonly #finalized = new Map<number, string>()
  readonly #nullified = new Set<number>()

  constructor(judged: EpochJudged) {
    this.judged = judged
    this.quorum = Math.floor((2 * judged.members.length + 2) / 3)
    const { epoch, base } = judged
    const { digest, height } = base
    const subject = { epoch, view: 0, parentView: 0, height, digest }
    this.#notarized.set(0, subjectKey('notarize', subject))
  }

  isTraitor(signer: number): boolean {
    return this.judged.traitors.has(signer)
  }

  /**
   * Every vote at the moment when it is decided: rules that only the voter's own state can break. The
   * very same vote once more, after a restart, is allowed.
   */
  gave(vote: UnsignedVote, voter: Voter): void {
    if (this.isTraitor(vote.signer) || this.isSigned(vote)) return
    const { kind, subject } = vote
    const complain = (what: string): never => {
      throw new Violation('I5', `authority ${vote.signer} ${what}`)
    }
    if (subject.view <= voter.floor)
      throw new Violation('L8', `${vote.signer} voted in view ${subject.view}, below its floor`)
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
    const isHonest = !this.isTraitor(signer)
    if (isHonest && !isDurable)
      throw new Violation('I7', `${kind} of ${signer} in view ${subject.view} is not on disk`)
    if (isHonest) this.#judgeHonest(vote)
    const key = subjectKey(kind, subject)
    const signers = this.#signers.get(key) ?? new Set<number>()
    this.#signers.set(key, signers.add(signer))
    if (signers.size >= this.quorum) this.#certified(vote, key)
  }

  /** Whether this authority signed this: what a receiver's check of the signature would say. */
  isSigned({ kind, subject, signer }: UnsignedVote): boolean {
    return this.#signers.get(subjectKey(kind, subject))?.has(signer) === true
  }

  isCertificate(certificate: Certificate): boolean {
    const { kind, subject, bitmap, signatures } = certificate
    const signers = signersIn(bitmap)
    if (signers.length !== this.quorum || signatures.length !== this.quorum) return false
    return signers.every((signer) => this.isSigned({ kind, subject, signer }))
  }

  /** Whether the signers did sign this block or view, but in another kind or place. */
  isMisplaced({ subject, bitmap }: Certificate): boolean {
    return signersIn(bitmap).every((signer) =>
      [...this.#signers].some(([key, signers]) => {
        const isOther = key.endsWith(` ${subject.digest}`) || key.includes(` ${subject.view} `)
        return isOther && signers.has(signer)
      }),
    )
  }

  #judgeTime({ subject, signer }: UnsignedVote, wall: number): void {
    const { blocks, deltaMs, precisionMs, members } = this.judged
    const block = blocks.get(subject.digest)
    const parent = block === undefined ? undefined : blocks.get(block.parent)
    if (block === undefined || parent === undefined)
      throw new Violation('I6', `a block without a known parent is notarized in ${subject.view}`)
    const isAgain = block.view !== subject.view
    const delay = (3 * deltaMs + 10_000) * 1.25 ** Math.min(32, block.view - block.parentView - 1)
    const isLate = !isAgain && block.time < wall - delay - precisionMs
    const isNear = block.time <= wall + precisionMs && !isLate
    const isOwn = (subject.view + this.judged.epoch) % members.length === signer
    const isRight = isOwn ? isAgain || block.time <= Math.max(wall, parent.time + 1) : isNear
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
        if (this.judged.isOverrun) return
        if (this.#notarized.get(view) !== subjectKey('notarize', vote.subject))
          complain('finalized what is not notarized')
    }
  }

  #judgeParent({ subject, signer }: UnsignedVote): void {
    if (this.judged.isOverrun) return
    const { view, parentView } = subject
    const { blocks } = this.judged
    const block = blocks.get(subject.digest)
    const complain = (what: string): never => {
      throw new Violation('I6', `${signer} notarized in view ${view} ${what}`)
    }
    if (block === undefined || parentView >= view || block.height !== subject.height)
      return complain('what does not stand on its parent')
    const isAgain = block.isSealing && block.view < view
    const isPlaced = block.view === view && block.parentView === parentView
    const parent = isAgain ? block : blocks.get(block.parent)
    if (parent === undefined || (!isAgain && (!isPlaced || parent.height + 1 !== block.height)))
      return complain('what does not stand on its parent')
    if (!isAgain && parent.isSealing && parent.digest !== this.judged.base.digest)
      throw new Violation('I12', `${signer} notarized in view ${view} on a sealing block`)
    if (!this.#notarized.get(parentView)?.endsWith(` ${parent.digest}`))
      complain(`on a parent that is not notarized in view ${parentView}`)
    for (let skipped = parentView + 1; skipped < view; skipped += 1)
      if (!this.#nullified.has(skipped)) complain(`although view ${skipped} is not nullified`)
  }

  #certified({ kind, subject }: UnsignedVote, key: string): void {
    if (this.judged.isOverrun) return
    const { view, digest } = subject
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
    if (kind === 'notarize' && this.judged.blocks.get(digest)?.isSealing === true)
      this.notarizedSeals.add(digest)
    if (kind === 'finalize') this.judged.onFinal(digest)
  }
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
