/**
 * The clients of one organisation: they sign one transaction after another, hand each to a node, to
 * another when there is no answer, and believe what they are told. What was accepted is not sent again.
 */
import { toHex } from '@mooring/codec'
import { createTransaction, decodeTransaction } from '@mooring/ledger'
import { keyOf, nameOf } from './keys.ts'
import type { Process } from './process.ts'
import type { WholeWorld } from './whole-world.ts'

type Kind = 'record.anchor' | 'access.log'

interface Signed {
  readonly bytes: Uint8Array
  readonly id: string
  readonly kind: Kind
  readonly sequence: number
}

const EXPIRY_MS = 240_000
const PATIENCE_MS = 1_500
/** One of so many is a batch of access entries: a second sequence beside that of the anchors. */
const ACCESS_EVERY = 3

export class Client {
  readonly organisation: number
  readonly #world: WholeWorld
  readonly #signed: Signed[] = []
  #left: number
  /** Not yet accepted by anybody, in order. */
  #open: Signed[] = []
  #askedAt = -Infinity

  constructor(organisation: number, transactions: number, world: WholeWorld) {
    this.organisation = organisation
    this.#left = transactions
    this.#world = world
  }

  get isDone(): boolean {
    const isMember = this.#world.chain.members.has(nameOf(this.organisation))
    return !isMember || (this.#left === 0 && this.#open.length === 0)
  }

  /** A disk has lost what it had accepted: that promise is void, and the client is asked to repeat. */
  repeat(lost: ReadonlySet<string>): void {
    this.#open = this.#signed.filter((signed) => lost.has(signed.id) || this.#open.includes(signed))
  }

  act(): void {
    const { scheduler, chain } = this.#world
    if (!chain.members.has(nameOf(this.organisation))) return
    this.#repeatOrphans()
    if (this.#open.length === 0) this.#signNext()
    const [signed] = this.#open
    if (signed === undefined || scheduler.now - this.#askedAt < PATIENCE_MS) return
    const node = this.#choose()
    if (node?.running == null) return
    this.#askedAt = scheduler.now
    const { life } = node
    node.running.agreement.mempool.submit(signed.bytes).then(
      (answer) => {
        if (life?.isOver !== false) return
        this.#askedAt = -Infinity
        this.#world.note(node, `answers ${answer.status} to ${signed.id.slice(0, 8)}`)
        if (answer.status !== 'rejected') this.#accepted(signed, node)
        else this.#refused(answer, signed.kind)
      },
      () => this.#world.count('submission failed'),
    )
  }

  /** Accepted by a hospital that was removed since, and not final: what was accepted after it waits for it elsewhere. */
  #repeatOrphans(): void {
    const { chain } = this.#world
    const orphans = this.#signed.filter(({ id }) => {
      const promise = chain.promised.get(id)
      return promise !== undefined && !chain.included.has(id) && !chain.members.has(promise.by)
    })
    for (const { id } of orphans) chain.promised.delete(id)
    if (orphans.length > 0) this.repeat(new Set(orphans.map(({ id }) => id)))
  }

  /** What is expected may have been accepted by a hospital that was removed with it: it is sent again. */
  #refused({ code, expected = 0 }: { code: string; expected?: number }, kind: Kind): void {
    const { chain } = this.#world
    this.#world.count(`refused: ${code}`)
    const missing = this.#signed.find((each) => each.kind === kind && each.sequence === expected)
    const promise = missing === undefined ? undefined : chain.promised.get(missing.id)
    if (missing === undefined || promise === undefined || chain.members.has(promise.by)) return
    chain.promised.delete(missing.id)
    this.repeat(new Set([missing.id]))
  }

  #accepted(signed: Signed, node: Process): void {
    this.#open = this.#open.filter((other) => other !== signed)
    this.#world.promise(signed.id, nameOf(this.organisation), node)
  }

  #signNext(): void {
    if (this.#left === 0) return
    this.#left -= 1
    const { random, founding, scheduler, wallZero } = this.#world
    const isAccess = this.#signed.length % ACCESS_EVERY === ACCESS_EVERY - 1
    const kind = isAccess ? 'access.log' : 'record.anchor'
    const sequence = 1 + this.#signed.filter((each) => each.kind === kind).length
    const expiresAt = wallZero + scheduler.now + EXPIRY_MS
    const batchRoot = new Uint8Array(32).map(() => random.between(0, 255))
    const bytes = createTransaction({
      genesisDigest: founding.digest,
      keyPair: keyOf(this.organisation, 'anchor'),
      kind,
      expiresAt,
      body: { organisation: nameOf(this.organisation), sequence, batchRoot, sizeBucket: 16 },
    })
    const id = toHex(decodeTransaction(bytes, founding.digest).id)
    const signed = { bytes, id, kind, sequence } as const
    this.#signed.push(signed)
    this.#open.push(signed)
  }

  /** Mostly its own node; a traitor's word is worth nothing. */
  #choose(): Process | undefined {
    const { honest, random } = this.#world
    const up = honest.filter(({ running }) => running !== null)
    const own = up.find(({ index }) => index === this.organisation)
    if (own !== undefined && random.chance(0.8)) return own
    return up.length === 0 ? undefined : random.pick(up)
  }
}
