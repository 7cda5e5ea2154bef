// Proposals that name their transactions: what is put together, what is asked for, and what is never taken for it.

import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import {
  type BlockMeta,
  type CompactProposal,
  type ProposalMessage,
  step,
  type Vote,
} from '@mooring/consensus'
import { BLOCK_BYTES_MAX, type Block, createBlock, decodeBlock, encodeBlock } from '@mooring/ledger'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  decodeBlockRequest,
  encodeBlockAnswer,
  encodeTransactionsAnswer,
} from '../src/block-exchange.ts'
import {
  compactOf,
  fillIn,
  lookUp,
  missingIn,
  pick,
  putTogether,
} from '../src/compact-proposals.ts'
import { metaOf } from '../src/execution.ts'
import { type Intake, type IntakeModules, type Lacking, takeIn } from '../src/intake.ts'
import { nameOfTransaction } from '../src/known-bytes.ts'
import { createLogger } from '../src/logger.ts'
import { ProposalCompletion } from '../src/proposal-completion.ts'
import { authorities, chain, stateOfObserver, voteOf } from './made-agreement.ts'

const transactions = [1, 2, 3, 4, 5].map((seed) => new Uint8Array(40 + seed).fill(seed))
const made = blockWith(transactions)

function blockWith(content: Uint8Array[], time = 20): Block {
  const parent = { epoch: 0, view: 0, height: 0, time: 10, digest: new Uint8Array(32) }
  return createBlock(parent, {
    genesisDigest: chain,
    view: 1,
    time,
    proposer: 'st-mary',
    stateRoot: new Uint8Array(32),
    historyRoot: new Uint8Array(32),
    authoritySetDigest: new Uint8Array(32),
    nextAuthoritySetDigest: null,
    transactions: content,
  })
}

function voteFor(block: Block, leader = 1): Vote {
  const { digest } = decodeBlock(encodeBlock(block))
  const subject = { epoch: 0, view: 1, parentView: 0, height: 1, digest: toHex(digest) }
  return voteOf('notarize', subject, leader)
}

function proposalOf(block: Block): CompactProposal {
  return compactOf({ vote: voteFor(block), justification: [] }, decodeBlock(encodeBlock(block)))
}

function modulesOf(waiting: readonly Uint8Array[], held?: Uint8Array): IntakeModules {
  const named = new Map(waiting.map((each) => [toHex(nameOfTransaction(each)), each]))
  return {
    authorities,
    execution: { holdIf: holdAny, encodedOf: () => held },
    named: (name) => named.get(toHex(name)),
    tried: new Map(),
  }
}

const holdAny: IntakeModules['execution']['holdIf'] = (encoded, isWanted) => {
  const meta = metaOf(decodeBlock(encoded))
  return isWanted(meta) ? meta : null
}

function take(
  proposal: CompactProposal,
  modules: IntakeModules,
  state = stateOfObserver(),
): Intake {
  return takeIn({ kind: 'compact', proposal }, 1, state, modules)
}

function typesOf({ events }: Intake): string[] {
  return events.map(({ type }) => type)
}

test('whoever has all transactions has the block of the leader, byte for byte', () => {
  const held: Uint8Array[] = []
  const modules = modulesOf(transactions)
  const execution = {
    ...modules.execution,
    holdIf: (encoded: Uint8Array, isWanted: (meta: BlockMeta) => boolean) => {
      held.push(encoded)
      return holdAny(encoded, isWanted)
    },
  }
  const taken = take(proposalOf(made), { ...modules, execution })
  assert.deepEqual(typesOf(taken), ['proposal'])
  assert.equal(taken.lacking, undefined)
  assert.deepEqual(held, [encodeBlock(made)])
})

test('what is missing is lacking, and the vote of the leader counts meanwhile', () => {
  const taken = take(proposalOf(made), modulesOf(transactions.slice(1)))
  assert.deepEqual(typesOf(taken), ['votes'])
  assert.equal(taken.fault, null)
  assert.deepEqual(
    taken.lacking?.found.map((each) => each !== undefined),
    [false, true, true, true, true],
  )
})

test('another transaction of the same name is not taken for the one that is meant', () => {
  const [first = new Uint8Array(0), ...rest] = transactions
  const twin = Uint8Array.of(9, ...first)
  const taken = take(proposalOf(made), modulesOf([twin, ...rest]))
  assert.deepEqual(typesOf(taken), ['votes'])
  assert.equal(taken.lacking?.found.includes(undefined), false)
})

test('a block that is held needs no transaction to be found', () => {
  const taken = take(proposalOf(made), modulesOf([], encodeBlock(made)))
  assert.deepEqual(typesOf(taken), ['proposal'])
})

test('a header that is not of the vote, or of another number of transactions, is a fault', () => {
  const good = proposalOf(made)
  const other = decodeBlock(encodeBlock(blockWith(transactions, 21)))
  for (const wrong of [
    { ...good, header: other.encodedHeader },
    { ...good, header: Uint8Array.of(1, 2, 3) },
    { ...good, names: good.names.subarray(8) },
    { ...good, names: new Uint8Array(0) },
  ])
    assert.equal(take(wrong, modulesOf(transactions)).fault?.code, 'bad_proposal')
  const foreign = { ...good, vote: voteFor(made, 2) }
  assert.equal(take(foreign, modulesOf(transactions)).fault?.code, 'foreign_vote')
})

test('a compact proposal is tried once in a view, and of a second block its vote is evidence', () => {
  const modules = modulesOf([])
  const [event] = take(proposalOf(made), modules).events
  assert.ok(event !== undefined)
  const { state } = step(stateOfObserver(), event, { monotonic: 2, wall: 2 })
  const refuse = { ...modules, named: () => assert.fail('it was looked up') }
  assert.deepEqual(take(proposalOf(made), refuse, state), { events: [], fault: null })
  const second = take(proposalOf(blockWith(transactions, 21)), refuse, state)
  assert.deepEqual(typesOf(second), ['votes'])
  assert.equal(second.lacking, undefined)
  const forged = { ...proposalOf(blockWith(transactions, 22)) }
  const vote = { ...forged.vote, signature: new Uint8Array(64) }
  assert.equal(take({ ...forged, vote }, refuse, state).fault?.code, 'bad_signature')
})

test('one large transaction named without end makes no block without end', () => {
  const large = new Uint8Array(1 << 20)
  const found = Array.from({ length: 100_000 }, () => large)
  assert.equal(putTogether(new Uint8Array(8), found), null)
  const few = found.slice(0, Math.floor(BLOCK_BYTES_MAX / large.length))
  assert.ok(putTogether(new Uint8Array(8), few) !== null)
})

test('what is missing is asked for by its place, and fills exactly that place', () => {
  const list = fc.array(fc.tuple(fc.uint8Array({ minLength: 8, maxLength: 12 }), fc.boolean()))
  fc.assert(
    fc.property(list, (each) => {
      const all = each.map(([transaction]) => transaction)
      const found = each.map(([transaction, isHere]) => (isHere ? transaction : undefined))
      const rest = pick(all, missingIn(found))
      assert.deepEqual(fillIn(found, rest), all)
      assert.equal(fillIn(found, [...rest, Uint8Array.of(1)]), null)
      if (rest.length > 0) assert.deepEqual(fillIn(found, rest.slice(1))?.at(-1), undefined)
    }),
  )
})

test('names are looked up in the order of the block', () => {
  const { names } = proposalOf(made)
  const seen: string[] = []
  lookUp(names, (name) => {
    seen.push(toHex(name))
    return undefined
  })
  assert.deepEqual(
    seen,
    transactions.map((each) => toHex(nameOfTransaction(each))),
  )
})

interface Completed {
  asked: string[]
  taken: ProposalMessage[]
  blamed: string[]
}

/** What becomes of a proposal of which the leader answers these, one after the other. */
async function complete(
  answers: readonly Uint8Array[],
  waiting: readonly Uint8Array[],
  times = 1,
): Promise<Completed> {
  const { lacking } = take(proposalOf(made), modulesOf(waiting))
  assert.ok(lacking !== undefined)
  const rest = [...answers]
  const completed: Completed = { asked: [], taken: [], blamed: [] }
  const completion = new ProposalCompletion({
    request: (_peerId, payload) => {
      completed.asked.push(decodeBlockRequest(payload).kind)
      const answer = rest.shift()
      return answer === undefined ? Promise.reject(new Error('gone')) : Promise.resolve(answer)
    },
    take: (_peerId, proposal) => void completed.taken.push(proposal),
    blame: (_peerId, reason) => void completed.blamed.push(reason),
    onFatal: (error) => assert.fail(String(error)),
    logger: createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' }),
  })
  for (let again = 0; again < times; again += 1) completion.complete('leader', lacking)
  await new Promise((resolve) => setImmediate(resolve))
  return completed
}

const whole = encodeBlockAnswer([{ block: encodeBlock(made), finalization: null }])

test('the missing transactions of the leader make its block', async () => {
  const answer = encodeTransactionsAnswer(transactions.slice(0, 2))
  const { asked, taken } = await complete([answer], transactions.slice(2))
  assert.deepEqual(asked, ['transactions'])
  assert.deepEqual(
    taken.map(({ block }) => block),
    [encodeBlock(made)],
  )
})

test('where they do not make it, and where a name meant another one, the block comes whole', async () => {
  const [first = new Uint8Array(0), ...rest] = transactions
  const lies = [[], [first, first], [new Uint8Array(30)]].map(encodeTransactionsAnswer)
  for (const lie of [...lies, Uint8Array.of(0xff)]) {
    const { asked, taken } = await complete([lie, whole], rest)
    assert.deepEqual(asked, ['transactions', 'digest'])
    assert.equal(taken.length, 1)
  }
  const twin = Uint8Array.of(9, ...first)
  const { asked, taken } = await complete([whole], [twin, ...rest])
  assert.deepEqual(asked, ['digest'])
  assert.equal(taken.length, 1)
})

test('a leader that does not answer is asked once, one that answers nonsense is named', async () => {
  const silent = await complete([], transactions.slice(1), 3)
  assert.deepEqual([silent.asked.length, silent.taken.length], [1, 0])
  const nonsense = Uint8Array.of(0xff)
  const { taken, blamed } = await complete([nonsense, nonsense], transactions.slice(1))
  assert.deepEqual([taken.length, blamed], [0, ['undecodable']])
  const empty = await complete([nonsense, encodeBlockAnswer([])], transactions.slice(1))
  assert.deepEqual([empty.taken.length, empty.blamed], [0, []])
})

test('what was asked for once may be asked for again when that has ended', async () => {
  const lacking: Lacking = { proposal: proposalOf(made), found: transactions.map(() => undefined) }
  let asked = 0
  const completion = new ProposalCompletion({
    request: () => {
      asked += 1
      return Promise.reject(new Error('gone'))
    },
    take: () => assert.fail('nothing came'),
    blame: () => assert.fail('nobody is to blame'),
    onFatal: (error) => assert.fail(String(error)),
    logger: createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' }),
  })
  for (const expected of [1, 2]) {
    completion.complete('leader', lacking)
    completion.complete('leader', lacking)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(asked, expected)
  }
})

test.run()
