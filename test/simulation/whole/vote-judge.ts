/**
 * Every vote that anybody ever signed, and what may be said of them together. It reads frames and
 * journals, counts for itself, and shares no rule with the code under test.
 */
import type { Certificate, Vote } from '@mooring/consensus'
import { voteMessage } from '@mooring/consensus'
import { verify } from '@mooring/crypto'
import { Violation } from '../violation.ts'

export interface EpochSet {
  readonly organisations: readonly string[]
  readonly keys: readonly Uint8Array[]
}

export interface KnownBlock {
  readonly digest: string
  readonly parent: string
  readonly epoch: number
  readonly view: number
  readonly parentView: number
  readonly height: number
  readonly time: number
}

interface Given {
  notarize?: string
  nullify?: boolean
  finalize?: string
}

/** Votes kept of one epoch that has not been seen to begin: a traitor may name any. */
const EARLY_MAX = 1_000

export class VoteJudge {
  readonly sets = new Map<number, EpochSet>()
  readonly blocks = new Map<string, KnownBlock>()
  readonly #chain: Uint8Array
  readonly #traitors: ReadonlySet<string>
  readonly #signers = new Map<string, Set<number>>()
  readonly #signatures = new Set<string>()
  readonly #given = new Map<string, Given>()
  readonly #notarized = new Map<string, string>()
  readonly #finalized = new Map<string, string>()
  readonly #nullified = new Set<string>()
  readonly #early = new Map<number, (() => void)[]>()
  /** Where an epoch stands on the one before: the digest of the block under its view 0. */
  readonly #bases = new Map<number, string>()

  constructor(chain: Uint8Array, traitors: ReadonlySet<string>) {
    this.#chain = chain
    this.#traitors = traitors
  }

  get votes(): number {
    return this.#signatures.size
  }

  beginEpoch(epoch: number, set: EpochSet, base: string): void {
    this.sets.set(epoch, set)
    this.#bases.set(epoch, base)
    const early = this.#early.get(epoch) ?? []
    this.#early.delete(epoch)
    for (const tell of early) tell()
  }

  /** Of what was signed; null when it is nobody's signature. */
  signerOf({ kind, subject, signer, signature }: Vote): string | null {
    const set = this.sets.get(subject.epoch)
    const key = set?.keys[signer]
    const name = set?.organisations[signer]
    if (key === undefined || name === undefined) return null
    if (this.#signatures.has(nameOf(signature))) return name
    return verify(key, voteMessage(this.#chain, kind, subject), signature) ? name : null
  }

  /**
   * A vote that its signer has let out, or that stands in its journal. A notarize that never left may
   * stand there before a nullify that did: then only the journal knows their order.
   */
  signed(vote: Vote, isDurable: () => boolean, isBeforeNullify = false): void {
    const signature = nameOf(vote.signature)
    if (this.#signatures.has(signature)) return
    const { epoch } = vote.subject
    if (!this.sets.has(epoch)) return this.#keepEarly(epoch, vote, isDurable())
    const signer = this.signerOf(vote)
    if (signer === null) return
    const { kind, subject } = vote
    if (!this.#traitors.has(signer)) {
      if (!isDurable())
        throw new Violation('I7', `${kind} of ${signer} in view ${subject.view} is not on disk`)
      this.#judgeHonest(vote, signer, isBeforeNullify)
    }
    this.#signatures.add(signature)
    const key = keyOf(kind, subject)
    const signers = this.#signers.get(key) ?? new Set<number>()
    this.#signers.set(key, signers.add(vote.signer))
    if (signers.size >= this.#quorumOf(subject.epoch)) this.#certified(vote, key)
  }

  /** Of an epoch that a traitor, or a node that died before it could say so, was the first to reach. */
  #keepEarly(epoch: number, vote: Vote, isDurable: boolean): void {
    const early = this.#early.get(epoch) ?? []
    if (early.length >= EARLY_MAX) return
    early.push(() => this.signed(vote, () => isDurable))
    this.#early.set(epoch, early)
  }

  /** Whether a quorum of different authorities of its epoch has signed this, each with this signature. */
  isProven({ kind, subject, bitmap, signatures }: Certificate): boolean {
    const signers = signersIn(bitmap)
    if (signers.length !== signatures.length) return false
    if (signers.length !== this.#quorumOf(subject.epoch)) return false
    return signers.every((signer, index) => {
      const signature = signatures[index]
      return signature !== undefined && this.signerOf({ kind, subject, signer, signature }) !== null
    })
  }

  isSigned(vote: Vote): boolean {
    return this.#signatures.has(nameOf(vote.signature))
  }

  isNotarized(block: KnownBlock): boolean {
    const { epoch, view, digest } = block
    return this.#notarized.get(`${epoch} ${view}`)?.endsWith(digest) === true
  }

  #quorumOf(epoch: number): number {
    const size = this.sets.get(epoch)?.keys.length
    return size === undefined ? Infinity : Math.floor((2 * size + 2) / 3)
  }

  #judgeHonest(vote: Vote, signer: string, isBeforeNullify: boolean): void {
    const { subject, kind } = vote
    const place = `${subject.epoch} ${subject.view}`
    const voted = keyOf(kind, subject)
    const given = this.#given.get(`${signer} ${place}`) ?? {}
    this.#given.set(`${signer} ${place}`, given)
    const complain = (what: string): never => {
      throw new Violation('I5', `${signer} ${what} in view ${place}`)
    }
    switch (kind) {
      case 'notarize':
        if (given.notarize !== undefined && given.notarize !== voted) complain('notarized twice')
        if (given.nullify === true && given.notarize === undefined && !isBeforeNullify)
          complain('notarized after a nullify')
        given.notarize = voted
        return this.#judgeParent(vote, signer)
      case 'nullify':
        if (given.finalize !== undefined) complain('nullified after a finalize')
        given.nullify = true
        return
      case 'finalize':
        if (given.nullify === true) complain('finalized after a nullify')
        if (given.finalize !== undefined && given.finalize !== voted) complain('finalized twice')
        given.finalize = voted
        if (this.#notarized.get(place) !== keyOf('notarize', subject))
          complain('finalized what is not notarized')
    }
  }

  #judgeParent({ subject }: Vote, signer: string): void {
    const { epoch, view, parentView, digest } = subject
    const complain = (what: string): never => {
      throw new Violation('I6', `${signer} notarized in view ${epoch} ${view} ${what}`)
    }
    const block = this.blocks.get(digest)
    if (block === undefined || block.height !== subject.height || parentView >= view)
      return complain('a block that is not that of the vote')
    const isAgain = block.view !== view
    const under = isAgain ? digest : block.parent
    const base = this.#bases.get(epoch)
    const stands =
      parentView === 0
        ? base === under
        : this.#notarized.get(`${epoch} ${parentView}`)?.endsWith(` ${under}`) === true
    if (!stands) complain(`on a parent that is not notarized in view ${parentView}`)
    for (let skipped = parentView + 1; skipped < view; skipped += 1)
      if (!this.#nullified.has(`${epoch} ${skipped}`))
        complain(`although view ${skipped} is not nullified`)
  }

  #certified({ kind, subject }: Vote, key: string): void {
    const place = `${subject.epoch} ${subject.view}`
    if (kind === 'nullify') this.#nullified.add(place)
    else {
      const certified = kind === 'notarize' ? this.#notarized : this.#finalized
      const known = certified.get(place)
      if (known !== undefined && known !== key)
        throw new Violation('I2', `two blocks have a quorum of ${kind} in view ${place}`)
      certified.set(place, key)
    }
    const finalized = this.#finalized.get(place)
    if (finalized === undefined) return
    if (this.#nullified.has(place))
      throw new Violation('I3', `view ${place} is finalized and nullified`)
    if (this.#notarized.get(place) !== finalized.replace('finalize', 'notarize'))
      throw new Violation('I4', `view ${place} is finalized and not notarized`)
  }
}

function keyOf(kind: string, subject: Vote['subject']): string {
  const { epoch, view, parentView, height, digest } = subject
  return `${kind} ${epoch} ${view} ${parentView} ${height} ${digest}`
}

function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function signersIn(bitmap: Uint8Array): number[] {
  const signers: number[] = []
  for (let index = 0; index < bitmap.length * 8; index += 1)
    if (((bitmap[index >> 3] ?? 0) >> (index & 7)) % 2 === 1) signers.push(index)
  return signers
}
