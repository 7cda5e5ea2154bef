/**
 * The administrators of the members, with their governance keys: now and then one proposes a change of the
 * network, and the others approve it, each at some node that is up. What is proposed leaves few enough
 * faulty in every authority set, whichever of the changes that wait pass beside it. At the calm there is
 * one last change, which must pass.
 */
import {
  type Change,
  changeOf,
  type ChangePreview,
  createTransaction,
  decodeTransaction,
  openChanges,
  type Organisation,
  organisations,
  parametersOf,
  previewChange,
  signAdmission,
  signNewKey,
  type State,
} from '@mooring/ledger'
import { equalBytes, toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { faultyOf, isBearable } from './bearing.ts'
import { indexOf, keyOf, KEY_GENERATIONS, organisationOf } from './keys.ts'
import type { Process } from './process.ts'
import type { WholeWorld } from './whole-world.ts'

const EXPIRY_MS = 200_000
const AGAIN_MS = 2_500

const KINDS = ['admit', 'promote', 'promote', 'demote', 'remove', 'rekey', 'parameters'] as const

export class Governor {
  readonly #world: WholeWorld
  #left: number
  #lastEpoch: number | null = null
  readonly #saidAt = new Map<string, number>()
  readonly #proposed: { id: Uint8Array; change: Change }[] = []

  constructor(changes: number, world: WholeWorld) {
    this.#left = changes
    this.#world = world
  }

  /** Whether the change of the calm has begun an epoch. */
  get isDone(): boolean {
    return this.#lastEpoch === null || this.#world.chain.epoch > this.#lastEpoch
  }

  calm(): void {
    this.#left = 0
    this.#lastEpoch = this.#world.chain.epoch
  }

  act(): void {
    const { random } = this.#world
    const node = this.#chooseNode()
    const execution = node?.running?.agreement.execution
    if (node === undefined || execution === undefined) return
    const state = execution.finalState()
    // What another change has overtaken stays open until it expires.
    const open = openChanges(state).filter(({ change }) => this.#preview(state, change) !== null)
    const isLast = this.#lastEpoch !== null && !this.isDone
    if (open.length === 0 && (isLast || (this.#left > 0 && random.chance(0.5))))
      return this.#propose(node, state, isLast)
    for (const { id, approvals, change } of open)
      for (const organisation of authoritiesOf(state)) {
        if (approvals.includes(organisation.id) || !random.chance(0.5)) continue
        if (change.kind === 'remove' && change.body.organisation === organisation.id) continue
        this.#say(node, organisation, `${toHex(id)} ${organisation.id}`, (keyPair, expiresAt) =>
          createTransaction({
            genesisDigest: this.#world.founding.digest,
            keyPair,
            kind: 'change.approve',
            expiresAt,
            body: { organisation: organisation.id, change: id },
          }),
        )
      }
  }

  #propose(node: Process, state: State, isLast: boolean): void {
    const { random, scheduler } = this.#world
    const name = isLast ? 'last' : `${this.#left}`
    const kind = isLast ? 'parameters' : random.pick(KINDS)
    const change = this.#changeOf(kind, state)
    if (change === null || !this.#isBearable(state, change)) return
    const proposer = random.pick(authoritiesOf(state))
    const said = this.#say(node, proposer, `propose ${name}`, (keyPair, expiresAt) =>
      createTransaction({
        genesisDigest: this.#world.founding.digest,
        keyPair,
        kind: 'change.propose',
        expiresAt,
        body: {
          organisation: proposer.id,
          reason: `${kind} at ${scheduler.now}`,
          expiresAt: this.#world.wallZero + scheduler.now + EXPIRY_MS,
          change,
        },
      }),
    )
    if (said === null) return
    const { id } = decodeTransaction(said, this.#world.founding.digest)
    this.#proposed.push({ id, change })
    this.#world.count(`proposed: ${kind}`)
    this.#world.note(node, `is asked for ${kind} by ${proposer.id}`)
    if (!isLast) this.#left -= 1
  }

  #say(
    node: Process,
    organisation: Organisation,
    name: string,
    create: (keyPair: KeyPair, expiresAt: number) => Uint8Array,
  ): Uint8Array | null {
    const { scheduler, wallZero } = this.#world
    if (scheduler.now - (this.#saidAt.get(name) ?? -Infinity) < AGAIN_MS) return null
    this.#saidAt.set(name, scheduler.now)
    const keyPair = heldKey(organisation, 'governance')
    const transaction = create(keyPair, wallZero + scheduler.now + EXPIRY_MS)
    node.running?.agreement.mempool.submit(transaction).then(
      (answer) => {
        if (answer.status === 'rejected') this.#world.count(`governance refused: ${answer.code}`)
      },
      () => this.#world.count('submission failed'),
    )
    return transaction
  }

  #changeOf(kind: (typeof KINDS)[number], state: State): Change | null {
    const { random, plan, founding } = this.#world
    const members = organisations(state)
    const observers = members.filter(({ roles }) => !roles.includes('authority'))
    const pick = (among: Organisation[]): Organisation | null =>
      among.length === 0 ? null : random.pick(among)
    switch (kind) {
      case 'admit': {
        const first = plan.authorities + plan.observers
        const index = first + random.between(0, Math.max(0, plan.newcomers - 1))
        if (plan.newcomers === 0) return null
        const organisation = organisationOf(index, 'observer')
        const body = signAdmission(founding.digest, organisation, keyOf(index, 'governance'))
        return { kind: 'admit', body }
      }
      case 'promote': {
        const organisation = pick(observers)
        return organisation === null
          ? null
          : { kind: 'role', body: { organisation: organisation.id, role: 'authority' } }
      }
      case 'demote': {
        const { id } = random.pick(authoritiesOf(state))
        return { kind: 'role', body: { organisation: id, role: 'observer' } }
      }
      case 'remove':
        return { kind: 'remove', body: { organisation: random.pick(members).id, evidence: [] } }
      case 'rekey':
        return this.#rekey(random.pick(members))
      case 'parameters': {
        const parameters = parametersOf(state)
        const deltaMs = random.pick([100, 150, 200].filter((ms) => ms !== parameters.deltaMs))
        return { kind: 'parameters', body: { ...parameters, deltaMs } }
      }
    }
  }

  #rekey({ id, keys }: Organisation): Change | null {
    const index = indexOf(id)
    const place = { organisation: id, duty: 'consensus' } as const
    const next = nextKey(index, 'consensus', keys.consensus)
    if (next === null) return null
    return {
      kind: 'rekey',
      body: { organisation: id, keys: [signNewKey(this.#world.founding.digest, place, next)] },
    }
  }

  #preview(state: State, change: Change): ChangePreview | null {
    const { founding, chain } = this.#world
    const context = { genesisDigest: founding.digest, height: chain.height + 1 }
    const preview = previewChange(state, change, context)
    return 'code' in preview ? null : preview
  }

  /** Whether the sets to come can bear all that may be faulty in them, whatever passes of what was said. */
  #isBearable(state: State, change: Change): boolean {
    if (this.#preview(state, change) === null) return false
    const waiting = this.#proposed.filter(
      ({ id }) => (changeOf(state, id)?.passedAt ?? null) === null,
    )
    const changes = [...waiting.map((proposed) => proposed.change), change]
    const present = authoritiesOf(state).map(({ id }) => id)
    return isBearable(present, faultyOf(this.#world.plan), changes)
  }

  #chooseNode(): Process | undefined {
    const { honest, random, chain } = this.#world
    const up = honest.filter(
      ({ running, height }) => running !== null && height >= chain.height - 1,
    )
    return up.length === 0 ? undefined : random.pick(up)
  }
}

function authoritiesOf(state: State): Organisation[] {
  return organisations(state).filter(({ roles }) => roles.includes('authority'))
}

/** The pair of the key that the state names. */
export function heldKey({ id, keys }: Organisation, duty: 'governance' | 'consensus'): KeyPair {
  const index = indexOf(id)
  for (let generation = 0; generation < KEY_GENERATIONS; generation += 1) {
    const pair = keyOf(index, duty, generation)
    if (equalBytes(pair.publicKey, keys[duty])) return pair
  }
  throw new Error(`${id} has a ${duty} key that nobody made`)
}

function nextKey(index: number, duty: 'consensus', present: Uint8Array): KeyPair | null {
  for (let generation = 0; generation + 1 < KEY_GENERATIONS; generation += 1)
    if (equalBytes(keyOf(index, duty, generation).publicKey, present))
      return keyOf(index, duty, generation + 1)
  return null
}
