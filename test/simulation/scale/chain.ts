/**
 * The blocks of a run, all nodes' together, and the one chain that they may make final. A block is its place and
 * the numbers of its transactions; its bytes are those of the real encoding. Who makes a second block final at a
 * height, or a transaction final twice, ends the run.
 */
import { createHash } from 'node:crypto'
import type { BlockMeta, Certificate } from '@mooring/consensus'
import { Violation } from '../violation.ts'

export interface Body {
  readonly meta: BlockMeta
  readonly transactions: readonly number[]
  readonly bytes: number
}

export interface BlockSizes {
  readonly headerBytes: number
  readonly transactionBytes: number
}

/** Below the tip of any node no more blocks than this are open. */
const OPEN_MAX = 32

export class Chain {
  readonly #sizes: BlockSizes
  readonly #bodies = new Map<string, Body>()
  /** By block: what it and the open blocks below it carry. */
  readonly #carried = new Map<string, ReadonlySet<number>>()
  /** By height. */
  readonly #final = new Map<number, Body>()
  readonly #included = new Set<number>()
  height = 0

  constructor(sizes: BlockSizes) {
    this.#sizes = sizes
  }

  get transactions(): number {
    return this.#included.size
  }

  has(digest: string): boolean {
    return this.#bodies.has(digest)
  }

  body(digest: string): Body {
    const body = this.#bodies.get(digest)
    if (body === undefined) throw new Error(`no block ${digest} was ever made`)
    return body
  }

  at(height: number): Body {
    const body = this.#final.get(height)
    if (body === undefined) throw new Error(`no block is final at ${height}`)
    return body
  }

  build(parent: BlockMeta, view: number, wall: number, transactions: readonly number[]): Body {
    const { headerBytes, transactionBytes } = this.#sizes
    const place = {
      parent: parent.digest,
      view,
      parentView: parent.view,
      height: parent.height + 1,
    }
    const time = Math.max(Math.floor(wall), parent.time + 1)
    const content = JSON.stringify([place, time, transactions])
    const digest = createHash('sha256').update(content).digest('hex')
    const isEmpty = transactions.length === 0
    const meta: BlockMeta = { ...place, digest, time, isEmpty, isSealing: false }
    // A list of byte strings: each with the three bytes that say how long it is.
    const bytes = headerBytes + transactions.length * (transactionBytes + 3)
    const body = { meta, transactions, bytes }
    this.#bodies.set(digest, body)
    return body
  }

  /** What a block on top of this one must not carry again. */
  carried(digest: string): ReadonlySet<number> {
    const known = this.#carried.get(digest)
    if (known !== undefined) return known
    const carried = new Set<number>()
    let body = this.#bodies.get(digest)
    for (let depth = 0; depth < OPEN_MAX && body !== undefined; depth += 1) {
      for (const each of body.transactions) carried.add(each)
      body = this.#bodies.get(body.meta.parent)
    }
    this.#carried.set(digest, carried)
    return carried
  }

  /** @throws Violation when another block is final there. */
  finalize({ digest, height }: BlockMeta, node: number): Body {
    const body = this.body(digest)
    const known = this.#final.get(height)
    if (known !== undefined) {
      if (known === body) return body
      throw new Violation('I1', `node ${node} makes a second block final at ${height}`)
    }
    if (height !== this.height + 1)
      throw new Violation('I1', `node ${node} makes ${height} final after ${this.height}`)
    if (height > 1 && this.at(height - 1).meta.digest !== body.meta.parent)
      throw new Violation('I1', `the block final at ${height} is on no final one`)
    this.height = height
    this.#final.set(height, body)
    for (const each of body.transactions) {
      if (this.#included.has(each)) throw new Violation('I1', `transaction ${each} is final twice`)
      this.#included.add(each)
    }
    return body
  }

  /** So that a long run does not keep what no node asks for any more. */
  forget(height: number): void {
    for (const [digest, { meta }] of this.#bodies) {
      if (meta.height >= height - 2 * OPEN_MAX) continue
      this.#bodies.delete(digest)
      this.#carried.delete(digest)
    }
  }
}

/** The finalizations that a node has of its own chain, for whoever asks it for blocks. */
export type Finalizations = Map<number, Certificate>
