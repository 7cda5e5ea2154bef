/**
 * What a node lacks, from its peers, as `node/src/sync.ts` asks for it: single blocks of their holders, and ranges.
 * Who is no authority asks one peer after the other, twice a second, for what comes after its tip, and goes on until
 * an answer shows that there is nothing more; nobody tells it. Any member may be asked: an observer that is behind
 * has nothing to give. One range is on its way at a time; time-outs and second requests are not here.
 */
import type { Packet, Served } from './packets.ts'
import type { ScaleNode } from './node.ts'
import type { ScaleWorld } from './world.ts'

const FOLLOW_MS = 500
const PAUSE_MS = 200
const TICK_MS = 100
const RANGE_HEIGHTS = 128
const RANGE_BYTES_MAX = 4 << 20

type Asked = Extract<Packet, { kind: 'ask-block' | 'ask-range' | 'block' | 'range' }>

interface Fetch {
  readonly digest: string
  readonly holders: readonly number[]
  attempt: number
}

export class Follower {
  readonly #node: ScaleNode
  readonly #world: ScaleWorld
  readonly #fetches = new Map<string, Fetch>()
  #turn: number
  #target = 0
  #isAsking = false

  constructor(node: ScaleNode, world: ScaleWorld) {
    this.#node = node
    this.#world = world
    this.#turn = world.random.between(0, world.nodes - 1)
  }

  follow(): void {
    const { random } = this.#world
    const ask = (): void => {
      this.#later(FOLLOW_MS, ask)
      this.#ask()
    }
    this.#later(random.between(0, FOLLOW_MS), ask)
  }

  syncTo(height: number): void {
    this.#target = Math.max(this.#target, height)
    this.#ask()
  }

  fetchBlock(digest: string, holders: readonly number[]): void {
    if (this.#fetches.has(digest)) return
    const fetch = { digest, holders, attempt: 0 }
    this.#fetches.set(digest, fetch)
    this.#fetch(fetch)
  }

  take(from: number, packet: Asked): void {
    switch (packet.kind) {
      case 'ask-block':
        return this.#serveBlock(from, packet.digest)
      case 'ask-range':
        return this.#serveRange(from, packet.from)
      case 'block':
        return this.#takeBlock(packet)
      case 'range':
        return this.#takeRange(packet.served)
    }
  }

  #later(ms: number, run: () => void): void {
    const { processor } = this.#node
    this.#world.scheduler.at(processor.time + ms, () => processor.do(run))
  }

  #fetch(fetch: Fetch): void {
    const holders = fetch.holders.filter((each) => each !== this.#node.index)
    const holder = holders[fetch.attempt % Math.max(1, holders.length)]
    fetch.attempt += 1
    if (holder !== undefined) this.#node.send([holder], { kind: 'ask-block', digest: fetch.digest })
  }

  #serveBlock(to: number, digest: string): void {
    const body = this.#node.content.holds(digest) ? this.#world.chain.body(digest) : null
    this.#node.send([to], { kind: 'block', digest, body })
  }

  #takeBlock({ digest, body }: Extract<Packet, { kind: 'block' }>): void {
    const fetch = this.#fetches.get(digest)
    if (fetch === undefined) return
    const { content } = this.#node
    if (body === null && !content.isBase(digest))
      return this.#later(PAUSE_MS, () => this.#fetch(fetch))
    this.#fetches.delete(digest)
    if (body === null) return
    content.hold(body)
    this.#node.feed({ type: 'block', block: body.meta })
  }

  #ask(): void {
    if (this.#isAsking) return
    this.#isAsking = true
    const { nodes } = this.#world
    this.#turn = (this.#turn + 1) % nodes
    if (this.#turn === this.#node.index) this.#turn = (this.#turn + 1) % nodes
    const from = this.#node.content.tip.height + 1
    this.#node.send([this.#turn], { kind: 'ask-range', from })
  }

  #serveRange(to: number, from: number): void {
    const { content, finalizations } = this.#node
    const served: Served[] = []
    let bytes = 0
    for (let height = from; height <= content.tip.height; height += 1) {
      const body = this.#world.chain.at(height)
      bytes += body.bytes
      if (served.length > 0 && (bytes > RANGE_BYTES_MAX || served.length >= RANGE_HEIGHTS)) break
      served.push({ body, finalization: finalizations.get(height) ?? null })
    }
    this.#node.send([to], { kind: 'range', served })
  }

  #takeRange(served: readonly Served[]): void {
    this.#isAsking = false
    const { content } = this.#node
    const above = served.filter(({ body }) => body.meta.height > content.tip.height)
    const last = above.findLastIndex(({ finalization }) => finalization !== null)
    const finalization = above[last]?.finalization ?? null
    if (finalization === null) {
      if (content.tip.height < this.#target) this.#later(TICK_MS, () => this.#ask())
      return
    }
    const { costs } = this.#world
    this.#node.processor.spend(finalization.signatures.length * costs.verifyMemberMs)
    const bodies = above.slice(0, last + 1).map(({ body }) => body)
    for (const body of bodies) {
      content.hold(body)
      if (!content.isBase(body.meta.digest)) content.execute(body.meta.digest)
    }
    const block = bodies.at(-1)?.meta
    if (block === undefined) return
    this.#node.seal(
      bodies.map(({ meta }) => meta),
      finalization,
    )
    this.#node.feed({ type: 'synced', block, finalization })
    this.#ask()
  }
}
