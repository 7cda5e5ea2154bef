// A signer: it has the consensus key and a guard of its own, and answers who may ask.
//
// What it signs are votes that its guard lets pass, and that a change may come (`change.ready`), which
// binds nobody. The next key, once it is asked for it, takes the place of the present one: a node asks
// for it when the chain names it. Its files are read and moved by one question at a time, for several may
// ask for it before it has its place.

import { equalBytes } from '@mooring/codec'
import { type UnsignedVote, voteMessage } from '@mooring/consensus'
import { type KeyPair, sign } from '@mooring/crypto'
import { createTransaction } from '@mooring/ledger'
import { InTurn } from './in-turn.ts'
import type { Logger } from './logger.ts'
import { findNextKey, promoteNextKey } from './next-keys.ts'
import type { SeedLock } from './seed-lock.ts'
import type { SignerGuard } from './signer-guard.ts'
import {
  readUnsignedVote,
  type SignerAnswer,
  type SignerInfo,
  type SignerQuestion,
} from './signer-messages.ts'

export interface SignerServiceOptions {
  version: string
  genesisDigest: Uint8Array
  /** In use at the start. */
  key: KeyPair
  keyPath: string
  lock: SeedLock
}

export interface SignerServiceModules {
  guard: SignerGuard
  logger: Logger
  now: () => number
}

type Refusal = Extract<SignerAnswer, { kind: 'refusal' }>

export class SignerService {
  readonly #options: SignerServiceOptions
  readonly #modules: SignerServiceModules
  readonly #startedAt: number
  readonly #keyFiles = new InTurn()
  #key: KeyPair
  #signed = 0
  #refused = 0

  constructor(options: SignerServiceOptions, modules: SignerServiceModules) {
    this.#options = options
    this.#modules = modules
    this.#key = options.key
    this.#startedAt = modules.now()
  }

  async answer(question: SignerQuestion): Promise<SignerAnswer> {
    if (question.kind === 'info') return { kind: 'info', body: await this.info() }
    const { network, key } = question.body
    if (!equalBytes(network, this.#options.genesisDigest)) {
      return this.#refuse(foreign('the signer has the genesis of another network'))
    }
    const held = await this.#keyNamed(key)
    if (held === undefined) return this.#refuse(foreign('the signer holds another key'))
    if (question.kind === 'vote') return this.#vote(readUnsignedVote(question.body.vote), held)
    const { organisation, change, expiresAt } = question.body
    const transaction = createTransaction({
      genesisDigest: network,
      keyPair: held,
      kind: 'change.ready',
      expiresAt,
      body: { organisation, change },
    })
    return { kind: 'transaction', body: transaction }
  }

  async info(): Promise<SignerInfo> {
    const { guard } = this.#modules
    const { version, genesisDigest: network } = this.#options
    const keys = await this.#keyFiles.run(async () => [this.#key, ...(await this.#nextKeys())])
    return {
      version,
      network,
      keys: keys.map(({ publicKey }) => publicKey),
      memory: guard.memory,
      marks: { ...guard.marks },
      signed: this.#signed,
      refused: this.#refused,
      startedAt: this.#startedAt,
    }
  }

  async #vote(vote: UnsignedVote, held: KeyPair): Promise<SignerAnswer> {
    const message = voteMessage(this.#options.genesisDigest, vote.kind, vote.subject)
    const given = await this.#modules.guard.sign(vote, () => sign(held, message))
    if (!(given instanceof Uint8Array)) return this.#refuse({ kind: 'refusal', body: given })
    this.#signed += 1
    await this.#promote(held)
    return { kind: 'signature', body: given }
  }

  #refuse(refusal: Refusal): Refusal {
    const { code, asked, signed } = refusal.body
    this.#refused += 1
    this.#modules.logger.error('a vote was refused', { code, asked, signed })
    return refusal
  }

  async #keyNamed(publicKey: Uint8Array): Promise<KeyPair | undefined> {
    if (this.#isInUse(publicKey)) return this.#key
    return await this.#keyFiles.run(async () => {
      // It may have come into use while this question waited.
      const keys = [this.#key, ...(await this.#nextKeys())]
      return keys.find((key) => equalBytes(key.publicKey, publicKey))
    })
  }

  async #nextKeys(): Promise<KeyPair[]> {
    const next = await findNextKey(this.#options.keyPath, 'consensus', this.#options.lock)
    return next === undefined ? [] : [next]
  }

  #isInUse(publicKey: Uint8Array): boolean {
    return equalBytes(this.#key.publicKey, publicKey)
  }

  async #promote(held: KeyPair): Promise<void> {
    if (this.#isInUse(held.publicKey)) return
    await this.#keyFiles.run(async () => {
      if (this.#isInUse(held.publicKey)) return
      await promoteNextKey(this.#options.keyPath, 'consensus')
      this.#key = held
      this.#modules.logger.info(
        'the next consensus key is in use now, and the one before is destroyed',
      )
    })
  }
}

function foreign(detail: string): Refusal {
  return { kind: 'refusal', body: { code: 'signer_foreign', asked: detail, signed: '' } }
}
