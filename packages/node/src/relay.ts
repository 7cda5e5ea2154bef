// The way from a node to its own chain for single transactions: what it says itself, and what patients have
// signed and it relays. Each is signed with the anchor key and waited for until it is final.
//
// A wait ends as soon as the final state refuses the transaction: somebody else may have brought the same
// signature of a patient onto the chain first.

import { Refusal } from '@mooring/api'
import { toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import {
  checkTransaction,
  createTransaction,
  decodeTransaction,
  type DecodedTransaction,
  type InvalidTransaction,
  type Payload,
  type UnixMs,
} from '@mooring/ledger'
import type { Clock } from './clock.ts'
import type { CommittedBlock, Committer } from './committer.ts'
import type { Execution } from './execution.ts'
import type { Mempool } from './mempool.ts'
import { describeRefusal } from './refusal-text.ts'

type Words<P> = P extends { kind: infer K; body: infer B } ? { kind: K; body: B } : never

/** A payload without its expiry, which follows from when it is sent. */
export type Relayed = Words<Payload>

export interface Relay {
  /** @throws Refusal with the code of the rule, or `relay_timeout` when it is not final in time. */
  submit(relayed: Relayed, signal?: AbortSignal): Promise<RelayedFinal>
}

export type RelayedFinal = { id: Uint8Array; height: number; time: UnixMs }

export interface RelayOptions {
  genesisDigest: Uint8Array
  anchorKey: KeyPair
}

export interface RelayModules {
  clock: Clock
  execution: Pick<Execution, 'finalState' | 'parameters'>
  mempool: Pick<Mempool, 'submit'>
  committer: Pick<Committer, 'subscribe'>
  chain: { readonly tip: { readonly height: number; readonly time: UnixMs } }
}

/** Until when it may enter a block; the window of the network may be shorter. */
const LIFETIME_MS = 60_000

export function createRelay(options: RelayOptions, modules: RelayModules): Relay {
  return {
    submit: async (relayed, signal) => {
      signal?.throwIfAborted()
      const transaction = signedNow(options, modules, relayed)
      const wait = new Wait(transaction, options, modules)
      try {
        const outcome = await modules.mempool.submit(transaction.bytes)
        if (outcome.status === 'rejected') throw new Refusal(outcome.code, outcome.detail)
        if (outcome.status === 'final') {
          return { id: transaction.id, height: outcome.height, time: modules.chain.tip.time }
        }
        return await wait.until(signal)
      } finally {
        wait.end()
      }
    },
  }
}

function signedNow(
  { genesisDigest, anchorKey: keyPair }: RelayOptions,
  { clock, execution, chain }: RelayModules,
  relayed: Relayed,
): DecodedTransaction {
  const now = Math.max(clock.wall(), chain.tip.time)
  const expiresAt = now + Math.min(LIFETIME_MS, execution.parameters.expiryWindowMs)
  const bytes = createTransaction({ ...relayed, expiresAt, genesisDigest, keyPair })
  return decodeTransaction(bytes, genesisDigest)
}

class Wait {
  readonly #transaction: DecodedTransaction
  readonly #options: RelayOptions
  readonly #modules: RelayModules
  readonly #found = Promise.withResolvers<RelayedFinal>()
  readonly #unsubscribe: () => void

  constructor(transaction: DecodedTransaction, options: RelayOptions, modules: RelayModules) {
    this.#transaction = transaction
    this.#options = options
    this.#modules = modules
    // Nobody may be waiting yet when the block comes.
    this.#found.promise.catch(() => undefined)
    this.#unsubscribe = modules.committer.subscribe((block) => this.#onBlock(block))
  }

  async until(signal: AbortSignal | undefined): Promise<RelayedFinal> {
    const { clock } = this.#modules
    const onAbort = (): void => this.#found.reject(signal?.reason)
    const detail = `${this.#transaction.payload.kind} was handed in and is in no final block so far.`
    const cancel = clock.after(LIFETIME_MS, () =>
      this.#found.reject(new Refusal('relay_timeout', detail)),
    )
    signal?.addEventListener('abort', onAbort)
    try {
      return await this.#found.promise
    } finally {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  end(): void {
    this.#unsubscribe()
  }

  #onBlock({ height, time, receipts }: CommittedBlock): void {
    const { id } = this.#transaction
    const name = toHex(id)
    if (receipts.some(({ transaction }) => toHex(transaction) === name)) {
      this.#found.resolve({ id, height, time })
      return
    }
    const reason = this.#refusedAt(height, time)
    if (reason !== undefined) this.#found.reject(new Refusal(reason.code, describeRefusal(reason)))
  }

  /** Why no later block will take it. */
  #refusedAt(height: number, time: UnixMs): InvalidTransaction | undefined {
    const { execution } = this.#modules
    const { genesisDigest } = this.#options
    const { parameters } = execution
    const place = { genesisDigest, time, height: height + 1, parameters }
    const rules = { verifySignature: false, acceptsGap: true }
    const reason = checkTransaction(execution.finalState(), place, this.#transaction, rules)
    const isPassing = reason?.code === 'quota_exceeded' || reason?.code === 'already_included'
    return isPassing ? undefined : reason
  }
}
