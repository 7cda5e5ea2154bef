// A network that governs itself: members sign changes with the keys of the fixture, and a chain of blocks
// takes them in. Every block is made by the proposer's selection and judged by the rules for blocks,
// which must agree.

import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import {
  applyBlock,
  applyTransactions,
  type AuthoritySet,
  authoritySetDigest,
  type Block,
  blockDigest,
  type Change,
  changeOf,
  checkTransaction,
  createTransaction,
  DEVNET_PARAMETERS,
  type DecodedTransaction,
  decodeTransaction,
  type Duty,
  epochOf,
  type Header,
  type InvalidTransaction,
  type NewKey,
  openChanges,
  type Organisation,
  parametersOf,
  parentOf,
  type PayloadOf,
  type RecordedChange,
  sealOf,
  signAdmission,
  signNewKey,
} from '../src/index.ts'
import {
  blockOn,
  keyOf,
  type MemoryState,
  MINUTE,
  organisation,
  START,
  type World,
  world,
} from './fixture.ts'

export const DAY = 24 * 60 * MINUTE

export type ProposalInput = {
  by?: string
  change: Change
  reason?: string
  expiresAt?: number
  key?: KeyPair
  /** Of the transaction. */
  until?: number
}

type About = {
  kind: 'change.approve' | 'change.withdraw' | 'change.ready'
  body: { organisation: string; change: Uint8Array }
}

/** A newcomer's entry, signed for the network of the fixture. */
export function admission(genesisDigest: Uint8Array, id: string, entry?: Organisation): Change {
  const newcomer = entry ?? organisation(id, 'observer')
  return { kind: 'admit', body: signAdmission(genesisDigest, newcomer, keyOf(id, 'governance')) }
}

export function role(id: string, to: 'authority' | 'observer'): Change {
  return { kind: 'role', body: { organisation: id, role: to } }
}

export function remove(id: string, evidence: Uint8Array[] = []): Change {
  return { kind: 'remove', body: { organisation: id, evidence } }
}

export function rekey(id: string, ...keys: NewKey[]): Change {
  return { kind: 'rekey', body: { organisation: id, keys } }
}

export function parameters(change: Partial<typeof DEVNET_PARAMETERS>): Change {
  return { kind: 'parameters', body: { ...DEVNET_PARAMETERS, ...change } }
}

/** The smallest change of all. */
export function quota(quotaPerMinute: number): Change {
  return parameters({ quotaPerMinute })
}

export function protocol(version: number, height: number): Change {
  return { kind: 'protocol', body: { version, height } }
}

/** The n-th key of an organisation for a duty, with its signature. */
export function newKey(
  genesisDigest: Uint8Array,
  place: { organisation: string; duty: Duty },
  n = 2,
): NewKey {
  const { organisation: id, duty } = place
  return signNewKey(genesisDigest, { organisation: id, duty }, keyOf(id, `${duty} ${n}`))
}

export class Chain {
  at: World
  #time = START

  constructor(at = world()) {
    this.at = at
  }

  get state() {
    return this.at.state
  }

  get time(): number {
    return this.#time
  }

  /** Of the next block. */
  get place() {
    const { digest, parent, state } = this.at
    return {
      genesisDigest: digest,
      time: this.#time,
      height: parent.height + 1,
      parameters: parametersOf(state),
    }
  }

  wait(ms: number): void {
    this.#time += ms
  }

  propose(input: ProposalInput): DecodedTransaction {
    const { by = 'st-mary', change, reason = 'agreed by telephone' } = input
    const body = {
      organisation: by,
      reason,
      expiresAt: input.expiresAt ?? this.#time + DAY,
      change,
    }
    return this.#sign({ kind: 'change.propose', body }, input)
  }

  approve(by: string, change: Uint8Array, key?: KeyPair): DecodedTransaction {
    const body = { organisation: by, change }
    return this.#sign({ kind: 'change.approve', body }, key === undefined ? { by } : { by, key })
  }

  withdraw(by: string, change: Uint8Array, key?: KeyPair): DecodedTransaction {
    const body = { organisation: by, change }
    return this.#sign({ kind: 'change.withdraw', body }, key === undefined ? { by } : { by, key })
  }

  ready(by: string, change: Uint8Array, key = keyOf(by, 'consensus')): DecodedTransaction {
    return this.#sign({ kind: 'change.ready', body: { organisation: by, change } }, { by, key })
  }

  check(transaction: DecodedTransaction, acceptsGap = false): InvalidTransaction | undefined {
    return checkTransaction(this.state, this.place, transaction, { acceptsGap })
  }

  /** A block of these, all of which it must take; the set of the next epoch when it ends one. */
  block(...transactions: DecodedTransaction[]): AuthoritySet | null {
    const { next, rejected } = this.tryBlock(transactions)
    assert.deepEqual(
      rejected.map(({ reason }) => reason),
      [],
    )
    return next
  }

  /** A block of those of these that it takes. */
  tryBlock(
    transactions: DecodedTransaction[],
    rootsOf: (after: MemoryState) => Partial<Header> = () => ({}),
  ) {
    const { at, place } = this
    const proposed = applyTransactions(at.state, place, transactions)
    const { next, included, rejected } = proposed
    const block = blockOn(
      at,
      included.map(({ bytes }) => bytes),
      {
        ...rootsOf(at.state.after(proposed.diff)),
        time: place.time,
        nextAuthoritySetDigest: next === null ? null : authoritySetDigest(next),
      },
    )
    const applied = applyBlock(at.state, at.parent, block, {
      genesisDigest: at.digest,
      parameters: place.parameters,
      expectedProposer: 'riverside',
    })
    if ('code' in applied) assert.fail(`the block is invalid: ${JSON.stringify(applied)}`)
    assert.deepEqual([...applied.diff], [...proposed.diff])
    assert.deepEqual(applied.receipts, proposed.receipts)
    assert.deepEqual(applied.next, next)
    this.move(block)
    return { next, included, rejected, block }
  }

  /** Takes in a block that is known to be valid. */
  move(block: Block): void {
    const { at } = this
    const applied = applyBlock(at.state, at.parent, block, {
      genesisDigest: at.digest,
      parameters: parametersOf(at.state),
      expectedProposer: 'riverside',
    })
    if ('code' in applied) assert.fail(`the block is invalid: ${JSON.stringify(applied)}`)
    const ids = applied.receipts.map(({ transaction }) => transaction)
    const parent = parentOf(block.header, blockDigest(block.header))
    this.at = { ...at, parent, state: at.state.after(applied.diff, ids) }
    this.#time = Math.max(this.#time, block.header.time) + 1
    assert.equal(epochOf(this.state), parent.epoch)
  }

  /** A change that these propose and approve, in one block. */
  pass(change: Change, by: readonly string[]): AuthoritySet | null {
    const [proposer = 'st-mary', ...others] = by
    const proposal = this.propose({ by: proposer, change })
    return this.block(proposal, ...others.map((id) => this.approve(id, proposal.id)))
  }

  open(): RecordedChange[] {
    return openChanges(this.state)
  }

  /** The changes that passed, one an epoch. */
  passedIds(): Uint8Array[] {
    return Array.from({ length: epochOf(this.state) }, (_, epoch) => {
      const seal = sealOf(this.state, epoch)
      assert.ok(seal !== undefined)
      return seal.change
    })
  }

  recordOf(id: Uint8Array): RecordedChange {
    const record = changeOf(this.state, id)
    assert.ok(record !== undefined, `the state has change ${toHex(id)}`)
    return record
  }

  #sign(
    content: Omit<PayloadOf<'change.propose'>, 'expiresAt'> | About,
    { by = 'st-mary', key, until }: { by?: string; key?: KeyPair; until?: number },
  ): DecodedTransaction {
    const bytes = createTransaction({
      ...content,
      genesisDigest: this.at.digest,
      keyPair: key ?? keyOf(by, 'governance'),
      expiresAt: until ?? this.#time + MINUTE,
    })
    return decodeTransaction(bytes, this.at.digest)
  }
}
