/**
 * What leaves a process, as the judges of votes see it: every vote in every frame, also those that only a
 * certificate or a piece of evidence shows; and what an honest node sends must hold.
 */
import { CodecError, toHex } from '@mooring/codec'
import {
  type Certificate,
  decodeMessage,
  type Evidence,
  type Message,
  type Vote,
  votesOf,
} from '@mooring/consensus'
import { decodeBlock, type DecodedBlock, decodeHeader, headerDigest } from '@mooring/ledger'
import { Violation } from '../violation.ts'
import { nameOf } from './keys.ts'
import type { Process } from './process.ts'
import type { WholeWorld } from './whole-world.ts'

export class FrameJudge {
  readonly #world: WholeWorld
  readonly #read = new WeakMap<Uint8Array, Message | null>()

  constructor(world: WholeWorld) {
    this.#world = world
  }

  /** Null when it is no message. */
  decode(frame: Uint8Array): Message | null {
    const known = this.#read.get(frame)
    if (known !== undefined) return known
    let message: Message | null = null
    try {
      message = decodeMessage(frame)
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
    }
    this.#read.set(frame, message)
    return message
  }

  judge(from: Process, message: Message): void {
    const { votes } = this.#world
    const isDurable = (vote: Vote) => (): boolean => from.disk.isDurable(vote.signature)
    switch (message.kind) {
      case 'status':
        return
      case 'evidence':
        for (const evidence of message.evidence) this.judgeEvidence(from, evidence)
        return
      case 'votes':
        for (const vote of message.votes) votes.signed(vote, isDurable(vote))
        return
      case 'certificates':
        return this.#judgeCertificates(from, message.certificates)
      case 'proposal': {
        const { block, vote, justification } = message.proposal
        this.learn(block)
        this.#judgeCertificates(from, justification)
        votes.signed(vote, isDurable(vote))
        return
      }
      case 'compact': {
        const { header, vote, justification } = message.proposal
        this.#learnHeader(header)
        this.#judgeCertificates(from, justification)
        votes.signed(vote, isDurable(vote))
      }
    }
  }

  judgeEvidence(by: Process, { kind, first, second }: Evidence): void {
    if (!by.isHonest) return
    const { votes, plan } = this.#world
    const name = votes.signerOf(first)
    // Not whether both were seen: a traitor's vote may leave inside a certificate alone.
    const isGuilty = [...plan.actors.keys()].some((index) => nameOf(index) === name)
    if (isGuilty && votes.signerOf(second) === name) return
    throw new Violation('I15', `${by.name} accuses ${name ?? 'somebody'} of a ${kind}`)
  }

  /** Of a block that somebody has made. */
  learn(encoded: Uint8Array): void {
    this.#learnIf(() => decodeBlock(encoded))
  }

  #learnHeader(encoded: Uint8Array): void {
    this.#learnIf(() => ({ header: decodeHeader(encoded), digest: headerDigest(encoded) }))
  }

  /** Unless it cannot be read. */
  #learnIf(read: () => Pick<DecodedBlock, 'header' | 'digest'>): void {
    try {
      const { header, digest } = read()
      const { epoch, view, parentView, height, time, parent } = header
      const name = toHex(digest)
      const place = { epoch, view, parentView, height, time }
      this.#world.votes.blocks.set(name, { digest: name, parent: toHex(parent), ...place })
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
    }
  }

  /** A certificate may be the first that anybody sees of a traitor's vote. */
  #judgeCertificates(from: Process, certificates: readonly Certificate[]): void {
    const { votes, processes } = this.#world
    for (const certificate of certificates) {
      const { kind } = certificate
      if (from.isHonest && !votes.isProven(certificate))
        throw new Violation('I11', `${from.name} sends a ${kind} that proves nothing`)
      for (const vote of votesOf(certificate))
        votes.signed(vote, () => processes.some(({ disk }) => disk.isDurable(vote.signature)))
    }
  }
}
