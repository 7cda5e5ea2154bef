// Whether this node is reached from outside is something only others can tell. A member that is asked knocks
// at the addresses that it knows of whoever asks, at no others, and not more often than every few seconds:
// it cannot be sent to scan anything.

import { bool, decode, encode, type Infer, list, struct, text } from '@mooring/codec'
import type { Clock } from './clock.ts'
import { type Knocked, knockAt } from './knock.ts'

const ADDRESSES_MAX = 8
const AGAIN_MS = 10_000
const PEERS_MAX = 256

const answerSchema = struct({
  knocked: list(struct({ address: text(256), ok: bool(), detail: text(200) }), ADDRESSES_MAX),
})

export interface ReachBackModules {
  clock: Pick<Clock, 'monotonic'>
  addressesOf: (peerId: string) => readonly string[]
  knock?: (address: string) => Promise<Knocked>
}

export class ReachBack {
  readonly #modules: ReachBackModules
  readonly #answers = new Map<string, { at: number; answer: Promise<Uint8Array> }>()

  constructor(modules: ReachBackModules) {
    this.#modules = modules
  }

  answer(peerId: string): Promise<Uint8Array> {
    const now = this.#modules.clock.monotonic()
    const before = this.#answers.get(peerId)
    if (before !== undefined && now - before.at < AGAIN_MS) return before.answer
    if (this.#answers.size >= PEERS_MAX) this.#answers.clear()
    const answer = this.#knock(peerId)
    this.#answers.set(peerId, { at: now, answer })
    return answer
  }

  async #knock(peerId: string): Promise<Uint8Array> {
    const { addressesOf, knock = knockAt } = this.#modules
    const addresses = addressesOf(peerId).slice(0, ADDRESSES_MAX)
    const knocked = await Promise.all(addresses.map(knock))
    return encode(answerSchema, {
      knocked: knocked.map((each) => ({
        ...each,
        address: each.address.slice(0, 256),
        detail: each.detail.slice(0, 200),
      })),
    })
  }
}

/** @throws CodecError */
export function decodeReached(answer: Uint8Array): Infer<typeof answerSchema>['knocked'] {
  return decode(answerSchema, answer, 8 * 1024).knocked
}
