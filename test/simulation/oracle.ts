/**
 * Judges a run from outside: it sees every vote that was ever signed and every block that anyone made
 * final, and shares no predicate with the code under test, not even the size of a quorum.
 *
 * It knows nodes by number and blocks by their metadata, and nothing of how a node is built: whatever
 * process tells it of its votes and its final blocks can be judged.
 */
import type { BlockMeta, Certificate, Outgoing, UnsignedVote, Vote } from '@mooring/consensus'
import { EpochOracle, type Limits, type Voter } from './epoch-oracle.ts'
import { Violation } from './violation.ts'

export interface Judged extends Limits {
  /** The nodes that are authorities in the first epoch, in their order. */
  readonly members: readonly number[]
  /** Nodes whose votes may break any rule. */
  readonly traitors: ReadonlySet<number>
  readonly genesis: BlockMeta
  /** More are traitors than safety survives: it may break, and then the guilty must be named. */
  readonly isOverrun: boolean
}

/** What a block says beside its place: its epoch, whom it makes authorities, and whether rules allow it. */
export interface Making {
  readonly epoch: number
  readonly next: readonly number[] | null
  readonly isValid: boolean
}

export class Oracle {
  readonly finals: Map<number, BlockMeta>
  readonly epochs: EpochOracle[] = []
  readonly #judged: Judged
  readonly #blocks: Map<string, BlockMeta>
  readonly #makings = new Map<string, Making>()
  /** Votes of traitors for epochs that have not begun. */
  readonly #early: { readonly vote: UnsignedVote; readonly by: number }[] = []
  /** Heights at which two blocks became final, where that may happen. */
  readonly forks = new Set<number>()

  constructor(judged: Judged) {
    const { genesis, members } = judged
    this.#judged = judged
    this.finals = new Map([[0, genesis]])
    this.#blocks = new Map([[genesis.digest, genesis]])
    this.#begin(members, genesis)
  }

  get splitViews(): number {
    return this.epochs.reduce((sum, { splitViews }) => sum + splitViews.size, 0)
  }

  get hasCompetingSeals(): boolean {
    return this.epochs.some(({ notarizedSeals }) => notarizedSeals.size > 1)
  }

  isTraitor(node: number): boolean {
    return this.#judged.traitors.has(node)
  }

  /** A block that somebody has made. */
  made(block: BlockMeta, making: Making): void {
    this.#blocks.set(block.digest, block)
    this.#makings.set(block.digest, making)
  }

  gave(vote: UnsignedVote, voter: Voter): void {
    this.epochs[vote.subject.epoch]?.gave(vote, voter)
  }

  /** Every vote at the moment when it leaves its signer. */
  signed(vote: UnsignedVote, isDurable: boolean, by: number): void {
    const { epoch } = vote.subject
    const known = this.epochs[epoch]
    const making = vote.kind === 'nullify' ? undefined : this.#makings.get(vote.subject.digest)
    if (making !== undefined && making.epoch !== epoch && !this.isTraitor(by))
      throw new Violation('I6', `${by} votes in epoch ${epoch} for a block of ${making.epoch}`)
    if (known !== undefined && this.#nodeOf(vote) === by) return known.signed(vote, isDurable)
    if (!this.isTraitor(by))
      throw new Violation('I12', `${by} votes in epoch ${epoch}, which has no place for it`)
    if (known === undefined) this.#early.push({ vote, by })
  }

  isSigned(vote: UnsignedVote): boolean {
    return this.epochs[vote.subject.epoch]?.isSigned(vote) === true
  }

  isCertificate(certificate: Certificate): boolean {
    return this.epochs[certificate.subject.epoch]?.isCertificate(certificate) === true
  }

  /** What an honest node sends, or sends back, must hold: votes that have left, certificates of such votes. */
  sent(message: Outgoing, by: number): void {
    if (this.isTraitor(by)) return
    if (message.kind === 'votes')
      for (const vote of message.votes)
        if (!this.isSigned(vote))
          throw new Violation('I7', `${by} sent a ${vote.kind} that its signer has not given`)
    if (message.kind === 'certificates') this.certified(message.certificates, by)
  }

  /** The certificates that an honest node shows or builds upon (I10, I11). */
  certified(certificates: readonly Certificate[], by: number): void {
    if (this.isTraitor(by)) return
    for (const certificate of certificates) {
      if (this.isCertificate(certificate)) continue
      const { kind, subject } = certificate
      const isMisplaced = this.epochs.some((epoch) => epoch.isMisplaced(certificate))
      const what = `${by} used a ${kind} certificate of view ${subject.view} that proves nothing`
      throw new Violation(isMisplaced ? 'I10' : 'I11', what)
    }
  }

  /** A node made this block final (I1, I12, I13, I14). */
  finalized(block: BlockMeta, node: number): void {
    const { height, digest, parent, time } = block
    const known = this.finals.get(height)
    if (known !== undefined) {
      if (known.digest === digest) return
      if (this.#judged.isOverrun) return void this.forks.add(height)
      throw new Violation('I1', `${node} made ${digest} final at height ${height}, others another`)
    }
    const below = this.finals.get(height - 1)
    if (below?.digest !== parent && this.forks.size > 0) return
    if (below?.digest !== parent)
      throw new Violation('I1', `the final block at height ${height} has another parent`)
    if (time <= below.time) throw new Violation('I13', `time does not rise at height ${height}`)
    const making = this.#makings.get(digest)
    if (making?.isValid !== true)
      throw new Violation('I14', `${node} made an invalid block final at height ${height}`)
    const epoch = (this.#makings.get(parent)?.epoch ?? 0) + (below.isSealing ? 1 : 0)
    if (making.epoch !== epoch)
      throw new Violation('I12', `a block of epoch ${making.epoch} is final where ${epoch} is due`)
    this.finals.set(height, block)
  }

  /** Nobody honest may be accused, and nobody of what was not signed. */
  accused({ first, second }: { first: Vote; second: Vote }): void {
    const node = this.#nodeOf(first)
    if (node === undefined || !this.isTraitor(node))
      throw new Violation('I15', `the honest authority ${first.signer} is accused`)
    if (first.signer !== second.signer || !this.isSigned(first) || !this.isSigned(second))
      throw new Violation('I15', `the evidence against ${first.signer} was never signed`)
  }

  #nodeOf({ subject, signer }: UnsignedVote): number | undefined {
    return this.epochs[subject.epoch]?.judged.members[signer]
  }

  #begin(members: readonly number[], base: BlockMeta): void {
    const epoch = this.epochs.length
    const traitors = members.flatMap((node, place) => (this.isTraitor(node) ? [place] : []))
    const { deltaMs, precisionMs, isOverrun } = this.#judged
    this.epochs.push(
      new EpochOracle({
        epoch,
        members,
        traitors: new Set(traitors),
        base,
        blocks: this.#blocks,
        deltaMs,
        precisionMs,
        isOverrun,
        onFinal: (digest) => this.#onFinal(epoch, digest),
      }),
    )
    for (const { vote, by } of this.#early)
      if (vote.subject.epoch === epoch && members[vote.signer] === by)
        this.epochs[epoch]?.signed(vote, true)
  }

  /** A final sealing block begins the next epoch, and only one can (I12). */
  #onFinal(epoch: number, digest: string): void {
    const block = this.#blocks.get(digest)
    const next = this.#makings.get(digest)?.next ?? null
    if (block === undefined || next === null) return
    const begun = this.epochs[epoch + 1]
    if (begun === undefined) return this.#begin(next, block)
    if (begun.judged.base.digest !== digest)
      throw new Violation('I12', `two blocks have ended epoch ${epoch}`)
  }
}
