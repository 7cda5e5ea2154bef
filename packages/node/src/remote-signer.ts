// The signer that holds the consensus key, as the node sees it: asked in the order of the votes, and again
// when it comes back from wherever it was.
//
// A signer that is away is no failure of the node. It follows the chain without voting, says so, and goes
// on by itself; votes that nobody needs any more by then are not asked for. That the signer refuses a vote
// as a contradiction means that somebody else votes with this key, and ends the node.

import { equalBytes, toHex } from '@mooring/codec'
import { type UnsignedVote, voteMessage } from '@mooring/consensus'
import { verify } from '@mooring/crypto'
import type { Finding } from './alarms.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import { NodeError } from './node-error.ts'
import type { SignerAddress } from './signer-address.ts'
import { SignerLink } from './signer-link.ts'
import { type SignerAnswer, type SignerQuestion, unsignedVote } from './signer-messages.ts'

const DIAL_FIRST_MS = 100
const DIAL_LAST_MS = 2_000
const LOOK_MS = 2_000
const TOLD_AFTER_MS = 2_000
const ASKED_MAX = 256

export interface ReadyTerms {
  organisation: string
  change: Uint8Array
  expiresAt: number
}

export interface RemoteSigner {
  /**
   * Asks until the signer answers, or the vote is not wanted any more.
   *
   * @returns null for a vote that is not given.
   * @throws NodeError signer_contradiction, signer_behind, signer_strange
   */
  vote(key: Uint8Array, vote: UnsignedVote, isWanted: () => boolean): Promise<Uint8Array | null>
  /** The transaction that says so; null while the signer is away. */
  ready(key: Uint8Array, terms: ReadyTerms): Promise<Uint8Array | null>
  /** What people should know of it; null when all is well. */
  finding(): Finding | null
  close(): void
}

export interface RemoteSignerModules {
  clock: Clock
  logger: Logger
  onRefused?: (code: string) => void
}

interface Asked {
  key: Uint8Array
  vote: UnsignedVote
  isWanted: () => boolean
  given: (signature: Uint8Array | null) => void
  failed: (error: unknown) => void
}

type Refusal = Extract<SignerAnswer, { kind: 'refusal' }>['body']

export class SignerConnection implements RemoteSigner {
  readonly #address: SignerAddress
  readonly #network: Uint8Array
  readonly #modules: RemoteSignerModules
  /** In the order of the votes. */
  readonly #asked = new Set<Asked>()
  #link: SignerLink | null = null
  #downSince: number | null
  #why: NodeError
  /** What it said when it was asked for a key that it does not have. */
  #foreign: string | null = null
  #isTold = false
  #isClosed = false
  #backoffMs = DIAL_FIRST_MS
  #cancelDial: () => void = () => undefined
  #cancelLook: () => void = () => undefined

  constructor(
    { address, genesisDigest }: { address: SignerAddress; genesisDigest: Uint8Array },
    modules: RemoteSignerModules,
  ) {
    this.#address = address
    this.#network = genesisDigest
    this.#modules = modules
    this.#downSince = modules.clock.monotonic()
    this.#why = this.#error('signer_unreachable', 'it was not reached yet')
    void this.#dial()
    this.#look()
  }

  vote(key: Uint8Array, vote: UnsignedVote, isWanted: () => boolean): Promise<Uint8Array | null> {
    return new Promise((given, failed) => {
      const asked = { key, vote, isWanted, given, failed }
      if (this.#isClosed) return given(null)
      this.#asked.add(asked)
      this.#dropUnwanted()
      if (this.#link !== null) this.#ask(this.#link, asked)
    })
  }

  async ready(key: Uint8Array, terms: ReadyTerms): Promise<Uint8Array | null> {
    const answer = await this.#tryAsk({
      kind: 'ready',
      body: { network: this.#network, key, ...terms },
    })
    return answer?.kind === 'transaction' ? answer.body : null
  }

  finding(): Finding | null {
    const downMs = this.#downMs()
    const waits = 'This node does not vote until it is right.'
    const say = (code: 'signer_unreachable' | 'signer_foreign', detail: string): Finding => ({
      code,
      severity: 'page',
      detail: `The signer at ${this.#address.text}: ${detail}. ${waits}`,
    })
    if (downMs >= TOLD_AFTER_MS) {
      const code = this.#why.code === 'signer_foreign' ? 'signer_foreign' : 'signer_unreachable'
      return say(code, `${String(this.#why.data['detail'])}, for ${Math.round(downMs / 1_000)} s`)
    }
    return this.#foreign === null ? null : say('signer_foreign', this.#foreign)
  }

  close(): void {
    this.#isClosed = true
    this.#cancelDial()
    this.#cancelLook()
    for (const asked of this.#asked) asked.given(null)
    this.#asked.clear()
    this.#link?.close()
  }

  async #dial(): Promise<void> {
    const { clock } = this.#modules
    try {
      const link = await SignerLink.open(this.#address, {
        clock,
        onDown: (error) => this.#onDown(link, error),
      })
      if (this.#isClosed) return link.close()
      await this.#meet(link)
    } catch (error) {
      this.#down(error)
    }
  }

  /** A signer of another network is none of ours. */
  async #meet(link: SignerLink): Promise<void> {
    const answer = await link.ask({ kind: 'info', body: {} })
    if (answer.kind !== 'info') throw this.#error('signer_strange', answer.kind)
    if (!equalBytes(answer.body.network, this.#network)) {
      link.close()
      throw this.#error('signer_foreign', 'it has the genesis of another network')
    }
    this.#link = link
    this.#backoffMs = DIAL_FIRST_MS
    this.#up()
    this.#dropUnwanted()
    for (const asked of this.#asked) this.#ask(link, asked)
  }

  #onDown(link: SignerLink, error: NodeError): void {
    if (this.#link === link) this.#down(error)
  }

  #down(error: unknown): void {
    const { clock } = this.#modules
    this.#link = null
    if (this.#isClosed) return
    this.#downSince ??= clock.monotonic()
    this.#why =
      error instanceof NodeError ? error : this.#error('signer_unreachable', String(error))
    this.#cancelDial()
    this.#cancelDial = clock.after(this.#backoffMs, () => void this.#dial())
    this.#backoffMs = Math.min(2 * this.#backoffMs, DIAL_LAST_MS)
  }

  #up(): void {
    if (this.#isTold)
      this.#modules.logger.info('the signer is back', { signer: this.#address.text })
    this.#isTold = false
    this.#downSince = null
  }

  #ask(link: SignerLink, asked: Asked): void {
    const { key, vote } = asked
    const body = { network: this.#network, key, vote: unsignedVote(vote) }
    link
      .ask({ kind: 'vote', body })
      .then((answer) => this.#take(asked, answer))
      .catch((error: unknown) => {
        // The connection is gone; it is asked again over the next one.
        if (error instanceof NodeError && error.code === 'signer_unreachable') return
        this.#settle(asked)?.failed(error)
      })
  }

  #take(asked: Asked, answer: SignerAnswer): void {
    if (answer.kind === 'refusal') return this.#refused(asked, answer.body)
    const { kind, subject } = asked.vote
    const message = voteMessage(this.#network, kind, subject)
    if (answer.kind === 'signature' && verify(asked.key, message, answer.body)) {
      this.#foreign = null
      return this.#settle(asked)?.given(answer.body)
    }
    throw this.#error('signer_strange', `a ${answer.kind} that is none of the key`)
  }

  #refused(asked: Asked, { code, asked: what, signed }: Refusal): void {
    const { logger, onRefused } = this.#modules
    onRefused?.(code)
    switch (code) {
      case 'signer_forgotten':
        logger.warn('the signer does not give this vote', { asked: what, signed })
        return this.#settle(asked)?.given(null)
      case 'signer_foreign':
      case 'signer_not_ours':
        this.#foreign = `${what}, not ${toHex(asked.key.subarray(0, 4))}…`
        return this.#settle(asked)?.given(null)
      case 'signer_contradiction':
      case 'signer_behind':
        this.#settle(asked)?.failed(new NodeError(code, { asked: what, signed }))
    }
  }

  #settle(asked: Asked): Asked | undefined {
    return this.#asked.delete(asked) ? asked : undefined
  }

  async #tryAsk(question: SignerQuestion): Promise<SignerAnswer | null> {
    try {
      return (await this.#link?.ask(question)) ?? null
    } catch {
      // Whoever asks tries again later.
      return null
    }
  }

  #dropUnwanted(): void {
    for (const asked of this.#asked) {
      if (asked.isWanted() && this.#asked.size <= ASKED_MAX) continue
      this.#settle(asked)?.given(null)
    }
  }

  #look(): void {
    this.#cancelLook = this.#modules.clock.after(LOOK_MS, () => {
      this.#look()
      this.#dropUnwanted()
      if (this.#link !== null) void this.#tryAsk({ kind: 'info', body: {} })
      if (this.#isTold || this.#downMs() < TOLD_AFTER_MS) return
      this.#isTold = true
      const { text: signer } = this.#address
      const why = String(this.#why.data['detail'])
      this.#modules.logger.error('the signer does not answer: this node does not vote', {
        signer,
        why,
      })
    })
  }

  #downMs(): number {
    if (this.#downSince === null) return 0
    return this.#modules.clock.monotonic() - this.#downSince
  }

  #error(code: 'signer_unreachable' | 'signer_foreign' | 'signer_strange', detail: string) {
    return new NodeError(code, { signer: this.#address.text, detail })
  }
}
