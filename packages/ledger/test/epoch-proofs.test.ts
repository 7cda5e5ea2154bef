// Proofs across epochs: four members become five, a consensus key is rotated, limits change; what was
// proved before holds after, and the chain of sets is followed from genesis or not at all.

import assert from 'node:assert/strict'
import { concatBytes, fromHex } from '@mooring/codec'
import { inclusionProof, leafHash, MerkleFrontier, sha256 } from '@mooring/crypto'
import { test } from 'uvu'
import {
  type AuthoritySet,
  authoritySet,
  type Block,
  blockDigest,
  changeKey,
  createTransactionProof,
  decodeTransactionProof,
  type DecodedTransaction,
  encodeGenesis,
  encodeHeader,
  encodeTransactionProof,
  epochOf,
  type FailedProof,
  isSealing,
  organisationKey,
  type StateProof,
  type TransactionProof,
  verifyStateProof,
  verifyTransactionProof,
} from '../src/index.ts'
import { decodedAnchor, finalizeBy, keyOf, verifyFinalization } from './fixture.ts'
import { admission, Chain, newKey, quota, rekey, role } from './governance-world.ts'
import { stateLeavesOf, statePathOf, stateRootOf } from './state-paths.ts'

type Recorded = { block: Block; set: AuthoritySet; next: AuthoritySet }

/** Every block with the set that decided it, and the keys that sign for that set. */
class Recording {
  readonly chain = new Chain()
  readonly blocks: Recorded[] = []
  readonly #frontier = MerkleFrontier.from(0, [])

  constructor() {
    this.#frontier.append(leafHash(this.chain.at.digest))
  }

  take(...transactions: DecodedTransaction[]): Block {
    const set = authoritySet(this.chain.state)
    const { block } = this.chain.tryBlock(transactions, (state) => ({
      historyRoot: this.#frontier.root(),
      stateRoot: stateRootOf(stateLeavesOf(state.values)),
    }))
    assert.equal(block.transactions.length, transactions.length)
    this.#frontier.append(leafHash(blockDigest(block.header)))
    this.blocks.push({ block, set, next: authoritySet(this.chain.state) })
    return block
  }

  at(height: number): Recorded {
    const recorded = this.blocks[height - 1]
    assert.ok(recorded !== undefined)
    return recorded
  }

  finalization(height: number): Uint8Array {
    const { block, set } = this.at(height)
    return finalizeBy(block.header, set)
  }

  /** The changes of the set up to an epoch. */
  epochs(until: number): TransactionProof['epochs'] {
    return this.blocks
      .filter(({ block }) => isSealing(block.header) && block.header.epoch < until)
      .map(({ block, next }) => ({
        header: encodeHeader(block.header),
        finalization: this.finalization(block.header.height),
        authoritySet: next,
      }))
  }

  proof(height: number, certified = height): TransactionProof {
    const { block } = this.at(height)
    const { epoch } = this.at(certified).block.header
    const digests = [
      this.chain.at.digest,
      ...this.blocks.map((each) => blockDigest(each.block.header)),
    ]
    const leaves = digests.slice(0, certified).map(leafHash)
    const later = {
      header: encodeHeader(this.at(certified).block.header),
      path: certified === height ? [] : inclusionProof(leaves, height),
      index: height,
      size: certified,
    }
    return createTransactionProof(block.transactions, 0, {
      genesis,
      header: encodeHeader(block.header),
      finalization: this.finalization(certified),
      later: certified === height ? null : later,
      epochs: this.epochs(epoch),
    })
  }
}

const run = new Recording()
const genesis = encodeGenesis(run.chain.at.genesis)
const network = run.chain.at.digest
const ANCHORED = fill()

/** Heights of anchors: before any change, and after every one. */
function fill(): { first: number; last: number } {
  const { chain } = run
  const all = ['st-mary', 'riverside', 'county', 'lakeview']
  const first = run.take(decodedAnchor(chain.at)).header.height
  const agreed = (proposal: DecodedTransaction): void => {
    run.take(proposal, ...all.slice(1).map((by) => chain.approve(by, proposal.id)))
  }
  agreed(chain.propose({ change: admission(network, 'seaside') }))
  const promotion = chain.propose({ change: role('seaside', 'authority') })
  agreed(promotion)
  run.take(...[...all, 'seaside'].map((by) => chain.ready(by, promotion.id)))
  const place = { organisation: 'county', duty: 'consensus' } as const
  const rotation = chain.propose({ by: 'county', change: rekey('county', newKey(network, place)) })
  run.take(rotation)
  run.take(
    ...['st-mary', 'riverside', 'seaside'].map((by) => chain.ready(by, rotation.id)),
    chain.ready('county', rotation.id, keyOf('county', 'consensus 2')),
  )
  const limits = chain.propose({ change: quota(77) })
  run.take(limits, ...['riverside', 'county', 'seaside'].map((by) => chain.approve(by, limits.id)))
  const { height: last } = run.take(decodedAnchor(chain.at, { sequence: 2 })).header
  return { first, last }
}

function outcome(proof: TransactionProof): string {
  const result = verifyTransactionProof(proof, network, verifyFinalization)
  return result.ok ? 'ok' : failure(result)
}

function failure({ failed }: FailedProof): string {
  return `${failed.number} ${failed.name}: ${failed.code}`
}

const last = run.proof(ANCHORED.last)

function withEpochs(change: (epochs: TransactionProof['epochs']) => TransactionProof['epochs']) {
  return { ...last, epochs: change(last.epochs) }
}

test('the world of this file has four epochs behind it, and its sets differ', () => {
  assert.equal(epochOf(run.chain.state), 4)
  assert.equal(last.epochs.length, 4)
  assert.deepEqual(
    last.epochs.map((epoch) => epoch.authoritySet.keys.length),
    [4, 5, 5, 5],
  )
})

test('a proof made before a change of the authorities holds after it', () => {
  const before = run.proof(ANCHORED.first)
  assert.deepEqual(before.epochs, [])
  assert.equal(outcome(decodeTransactionProof(encodeTransactionProof(before))), 'ok')
})

test('a proof follows every change from genesis and says how many', () => {
  const result = verifyTransactionProof(last, network, verifyFinalization)
  assert.ok(result.ok)
  assert.match(result.steps[2]?.detail ?? '', /^epoch 4, .* through 4 signed changes$/)
  assert.match(result.steps[1]?.detail ?? '', /of 5 authorities valid \(need 4\)/)
})

test('a block is shown through one of a later epoch, by that one’s authorities', () => {
  const proof = run.proof(ANCHORED.first, ANCHORED.last)
  assert.equal(outcome(proof), 'ok')
  assert.equal(outcome({ ...proof, epochs: [] }), '6 authority set: wrong_epoch')
})

test('every transaction of every block is proved in its epoch, sealing blocks too', () => {
  for (const { block } of run.blocks) {
    const { header, transactions } = block
    if (transactions.length > 0) assert.equal(outcome(run.proof(header.height)), 'ok')
  }
})

test('a change that is missing, doubled or out of order breaks the chain of sets', () => {
  const wrongEpoch = '6 authority set: wrong_epoch'
  for (let missing = 0; missing < 4; missing += 1) {
    assert.equal(outcome(withEpochs((all) => all.toSpliced(missing, 1))), wrongEpoch)
  }
  assert.equal(outcome(withEpochs((all) => all.toReversed())), wrongEpoch)
  assert.equal(
    outcome(
      withEpochs(([first, ...rest]) =>
        [first, first, ...rest].filter((each) => each !== undefined),
      ),
    ),
    wrongEpoch,
  )
  assert.equal(outcome(withEpochs(() => [])), wrongEpoch)
  const swapped = withEpochs(([a, b, c, d]) => [a, c, b, d].filter((each) => each !== undefined))
  assert.equal(outcome(swapped), wrongEpoch)
})

test('a set that the sealing block did not announce is refused in every epoch', () => {
  for (let place = 0; place < 4; place += 1) {
    const swap = (change: (set: AuthoritySet) => AuthoritySet) =>
      withEpochs((all) =>
        all.map((each, index) =>
          index === place ? { ...each, authoritySet: change(each.authoritySet) } : each,
        ),
      )
    const forged = [
      swap(({ organisations, keys }) => ({ organisations, keys: keys.toReversed() })),
      swap(({ organisations, keys }) => ({
        organisations: organisations.slice(1),
        keys: keys.slice(1),
      })),
      swap(({ organisations, keys }) => ({
        organisations,
        keys: keys.with(0, keyOf('mallory', 'consensus').publicKey),
      })),
    ]
    for (const proof of forged) assert.equal(outcome(proof), '6 authority set: wrong_authority_set')
  }
})

test('a sealing block is final by the set before it, not by the one it brings', () => {
  const seal = run.blocks.find(({ set, next }) => next.keys.length > set.keys.length)
  assert.ok(seal !== undefined)
  const { epoch } = seal.block.header
  const proof = withEpochs((all) =>
    all.map((each, index) =>
      index === epoch ? { ...each, finalization: finalizeBy(seal.block.header, seal.next) } : each,
    ),
  )
  assert.equal(outcome(proof), '6 authority set: not_final')
})

test('a block that ends no epoch changes no set, however final', () => {
  const plain = run.at(ANCHORED.first)
  const proof = withEpochs(([first, ...rest]) =>
    first === undefined
      ? []
      : [
          {
            ...first,
            header: encodeHeader(plain.block.header),
            finalization: run.finalization(ANCHORED.first),
          },
          ...rest,
        ],
  )
  assert.equal(outcome(proof), '6 authority set: wrong_authority_set')
})

test('a header forged into another epoch is final in none', () => {
  const { block, set } = run.at(ANCHORED.last)
  const header = { ...block.header, epoch: 3 }
  const proof = { ...last, header: encodeHeader(header), finalization: finalizeBy(header, set) }
  assert.equal(outcome(proof), '6 authority set: wrong_epoch')
})

test('the state after a change is proved: who is a member, who is not, what passed', () => {
  const { values } = run.chain.state
  const { block, set } = run.at(run.blocks.length)
  const { header } = block
  // The root of a block is that of the state after it: of the last one, as it stands.
  const leaves = stateLeavesOf(values)
  const proofOf = (key: Uint8Array): StateProof => ({
    genesis,
    key,
    value: run.chain.state.get(key) ?? null,
    ...statePathOf(leaves, key),
    header: encodeHeader(header),
    finalization: finalizeBy(header, set),
    epochs: run.epochs(header.epoch),
  })
  const [passed] = run.chain.passedIds()
  assert.ok(passed !== undefined)
  for (const key of [organisationKey('seaside'), organisationKey('nowhere'), changeKey(passed)]) {
    const proof = proofOf(key)
    const result = verifyStateProof(proof, network, verifyFinalization)
    assert.ok(result.ok, JSON.stringify(result.steps))
    const lie = { ...proof, value: proof.value === null ? sha256(key) : null }
    const refused = verifyStateProof(lie, network, verifyFinalization)
    assert.ok(!refused.ok && failure(refused) === '4 state: wrong_state')
  }
  const present = concatBytes(fromHex('00'), organisationKey('seaside'))
  assert.equal(proofOf(present).value, null)
})

test.run()
