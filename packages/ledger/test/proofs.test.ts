import assert from 'node:assert/strict'
import { concatBytes, toHex } from '@mooring/codec'
import { leafHash, MerkleFrontier, inclusionProof } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  type AuthoritySet,
  authoritySetDigest,
  type Block,
  blockDigest,
  decodeStateProof,
  decodeTransactionProof,
  encodeGenesis,
  encodeHeader,
  encodeStateProof,
  encodeTransactionProof,
  createTransactionProof,
  type FailedProof,
  formatStateProofJson,
  formatTransactionProofJson,
  genesisDigest,
  organisationKey,
  parentOf,
  parseStateProofJson,
  parseTransactionProofJson,
  type BatchRoot,
  type StateProof,
  type TransactionProof,
  type VerifiedState,
  type VerifiedTransaction,
  verifyStateProof,
  verifyTransactionProof,
} from '../src/index.ts'
import {
  anchor,
  AUTHORITIES,
  blockOn,
  finalize,
  organisation,
  seedOf,
  verifyFinalization,
  type World,
  world,
} from './fixture.ts'
import { stateLeavesOf, statePathOf, stateRootOf } from './state-paths.ts'

const here = world()
const genesis = encodeGenesis(here.genesis)
const frontier = MerkleFrontier.from(0, [])
frontier.append(leafHash(here.digest))

/** Five blocks on genesis, each with its history; the first has five anchors. */
const chain = makeChain()

function makeChain(): Block[] {
  const blocks: Block[] = []
  let at: World = here
  for (let height = 1; height <= 5; height += 1) {
    const anchors = [1, 2, 3, 4, 5].map((sequence) => anchor(here, { sequence }))
    const transactions = height === 1 ? anchors : []
    const block = blockOn(at, transactions, { historyRoot: frontier.root() })
    const digest = blockDigest(block.header)
    frontier.append(leafHash(digest))
    at = { ...at, parent: parentOf(block.header, digest) }
    blocks.push(block)
  }
  return blocks
}

function blockAt(height: number): Block {
  const block = chain[height - 1]
  assert.ok(block !== undefined)
  return block
}

/** Of the anchor with sequence 3. */
function directProof(): TransactionProof {
  const { header, transactions } = blockAt(1)
  return createTransactionProof(transactions, 2, {
    genesis,
    header: encodeHeader(header),
    finalization: finalize(blockAt(1)),
    later: null,
    epochs: [],
  })
}

/** The same, when block 4 has the first finalization. */
function laterProof(): TransactionProof {
  const { header } = blockAt(4)
  const digests = [here.digest, ...chain.map((block) => blockDigest(block.header))].slice(0, 4)
  return {
    ...directProof(),
    finalization: finalize(blockAt(4)),
    later: {
      header: encodeHeader(header),
      path: inclusionProof(digests.map(leafHash), 1),
      index: 1,
      size: 4,
    },
  }
}

const nextIds = ['st-mary', 'riverside', 'county', 'seaside']
const nextSet: AuthoritySet = {
  organisations: nextIds,
  keys: nextIds.map((id) => organisation(id).keys.consensus),
}

/** Block 1 ends epoch 0; a block of epoch 1 holds the anchors and is final under the next set. */
function epochProof(): TransactionProof {
  const sealing = { ...blockAt(1).header, nextAuthoritySetDigest: authoritySetDigest(nextSet) }
  const block = blockOn(here, blockAt(1).transactions)
  const { header } = { ...block, header: { ...block.header, epoch: 1 } }
  header.authoritySetDigest = authoritySetDigest(nextSet)
  const epochs = [
    {
      header: encodeHeader(sealing),
      finalization: finalize({ header: sealing }),
      authoritySet: nextSet,
    },
  ]
  return createTransactionProof(block.transactions, 0, {
    genesis,
    header: encodeHeader(header),
    finalization: finalize({ header }, [1, 2, 3], nextIds),
    later: null,
    epochs,
  })
}

function anchorIn({ transaction: { payload } }: VerifiedTransaction): BatchRoot {
  assert.ok(payload.kind === 'record.anchor')
  return payload.body
}

function verify(proof: TransactionProof): VerifiedTransaction | FailedProof {
  return verifyTransactionProof(proof, here.digest, verifyFinalization)
}

function outcomeOf(result: VerifiedTransaction | VerifiedState | FailedProof): string {
  if (result.ok) return 'ok'
  const { number, name, code } = result.failed
  const last = result.steps.at(-1)
  assert.deepEqual([last?.number, last?.name, last?.ok], [number, name, false])
  assert.ok(result.steps.slice(0, -1).every(({ ok }) => ok))
  return `${number} ${name}: ${code}`
}

test('a proof is verified with the genesis digest alone, and says each step', () => {
  const result = verify(directProof())
  assert.ok(result.ok)
  const root = toHex(blockAt(1).header.transactionRoot)
  const network = toHex(here.digest)
  assert.deepEqual(result.steps, [
    {
      number: 4,
      name: 'transaction',
      detail: `inclusion path = ${root.slice(0, 4)}…${root.slice(-2)}, matches block 1 header`,
      ok: true,
    },
    {
      number: 5,
      name: 'finalization',
      detail: '3 of 4 authorities valid (need 3): st-mary, riverside, county',
      ok: true,
    },
    {
      number: 6,
      name: 'authority set',
      detail: `epoch 0, chained from genesis ${network.slice(0, 4)}…${network.slice(-2)} through 0 signed changes`,
      ok: true,
    },
  ])
  assert.equal(result.height, 1)
  assert.equal(result.blockTime, blockAt(1).header.time)
  assert.equal(anchorIn(result).sequence, 3)
})

test('a block without a finalization of its own is final through a later one', () => {
  const result = verify(laterProof())
  assert.ok(result.ok)
  assert.equal(result.height, 1)
  assert.match(result.steps[1]?.detail ?? '', /^in the history of block 4; 3 of 4 authorities/)
})

test('a change of the authorities is followed from genesis', () => {
  const result = verify(epochProof())
  assert.ok(result.ok)
  assert.match(result.steps[1]?.detail ?? '', /: riverside, county, seaside$/)
  assert.match(result.steps[2]?.detail ?? '', /^epoch 1, .* through 1 signed change$/)
})

test('every transaction of a block has its proof', () => {
  const { header, transactions } = blockAt(1)
  const { finalization, later, epochs } = directProof()
  const finality = { genesis, header: encodeHeader(header), finalization, later, epochs }
  for (const index of transactions.keys()) {
    const result = verify(createTransactionProof(transactions, index, finality))
    assert.ok(result.ok)
    assert.equal(anchorIn(result).sequence, index + 1)
  }
  assert.throws(() => createTransactionProof(transactions, 5, finality), RangeError)
})

test('each altered field of a proof fails and names its step', () => {
  const proof = directProof()
  const otherBlock = encodeHeader(blockAt(2).header)
  const otherWorld = world({}, 'elsewhere')
  const elsewhere = encodeHeader({ ...blockAt(1).header, genesisDigest: otherWorld.digest })
  const transaction = '4 transaction'
  const [first = seedOf('none'), ...rest] = proof.path
  const cases: [Partial<TransactionProof>, string][] = [
    [{ transaction: blockAt(1).transactions[0] ?? genesis }, `${transaction}: wrong_path`],
    [{ transaction: flip(proof.transaction, -1) }, `${transaction}: wrong_path`],
    [{ transaction: proof.transaction.subarray(1) }, `${transaction}: malformed_transaction`],
    [{ index: 1 }, `${transaction}: wrong_path`],
    [{ index: 5 }, `${transaction}: wrong_path`],
    [{ count: 4 }, `${transaction}: wrong_count`],
    [{ count: 6 }, `${transaction}: wrong_count`],
    [{ path: rest }, `${transaction}: wrong_path`],
    [{ path: [...proof.path, first] }, `${transaction}: wrong_path`],
    [{ path: [flip(first, 0), ...rest] }, `${transaction}: wrong_path`],
    [{ header: otherBlock }, `${transaction}: wrong_count`],
    [{ header: proof.header.subarray(1) }, `${transaction}: malformed_header`],
    [{ header: elsewhere }, `${transaction}: wrong_network`],
    [{ finalization: flip(proof.finalization, -1) }, '5 finalization: not_final'],
    [{ finalization: new Uint8Array(0) }, '5 finalization: not_final'],
    [{ finalization: finalize(blockAt(1), [0, 1]) }, '5 finalization: not_final'],
    [{ finalization: finalize(blockAt(2)) }, '5 finalization: not_final'],
    [{ genesis: flip(genesis, -1) }, '6 authority set: wrong_genesis'],
    [{ genesis: encodeGenesis(otherWorld.genesis) }, '6 authority set: wrong_genesis'],
    [{ epochs: epochProof().epochs }, '6 authority set: wrong_epoch'],
  ]
  for (const [index, [change, expected]] of cases.entries()) {
    assert.equal(outcomeOf(verify({ ...proof, ...change })), expected, `case ${index}`)
  }
})

test('a header altered in any field the path does not bind is not final', () => {
  const { header } = blockAt(1)
  const changes = [
    { time: header.time + 1 },
    { height: 7 },
    { view: 7 },
    { stateRoot: seedOf('x') },
    { historyRoot: seedOf('x') },
    { parent: seedOf('x') },
    { proposer: 'county' },
    { nextAuthoritySetDigest: authoritySetDigest(nextSet) },
  ]
  for (const change of changes) {
    const altered = { ...directProof(), header: encodeHeader({ ...header, ...change }) }
    assert.equal(outcomeOf(verify(altered)), '5 finalization: not_final', Object.keys(change)[0])
  }
  const set = { authoritySetDigest: authoritySetDigest(nextSet) }
  const altered = { ...directProof(), header: encodeHeader({ ...header, ...set }) }
  assert.equal(outcomeOf(verify(altered)), '6 authority set: wrong_authority_set')
})

test('each altered field of the later header fails and names its step', () => {
  const proof = laterProof()
  const { later } = proof
  assert.ok(later !== null)
  const [first = seedOf('none'), ...rest] = later.path
  const cases: [Partial<typeof later>, string][] = [
    [{ index: 2 }, '5 finalization: wrong_history'],
    [{ size: 5 }, '5 finalization: wrong_history'],
    [{ path: rest }, '5 finalization: wrong_history'],
    [{ path: [flip(first, 0), ...rest] }, '5 finalization: wrong_history'],
    [{ header: encodeHeader(blockAt(3).header) }, '5 finalization: wrong_history'],
    [{ header: later.header.subarray(1) }, '5 finalization: malformed_header'],
    [
      { header: encodeHeader({ ...blockAt(4).header, genesisDigest: seedOf('x') }) },
      '5 finalization: wrong_network',
    ],
    [
      { header: encodeHeader({ ...blockAt(4).header, stateRoot: seedOf('x') }) },
      '5 finalization: not_final',
    ],
    [{ header: encodeHeader({ ...blockAt(4).header, epoch: 1 }) }, '6 authority set: wrong_epoch'],
  ]
  for (const [index, [change, expected]] of cases.entries()) {
    const altered: TransactionProof = { ...proof, later: { ...later, ...change } }
    assert.equal(outcomeOf(verify(altered)), expected, `case ${index}`)
  }
  assert.equal(outcomeOf(verify({ ...proof, later: null })), '5 finalization: not_final')
})

test('a history that has the block in another place, or another size, proves nothing', () => {
  const digest = leafHash(blockDigest(blockAt(1).header))
  const claim = (leaves: Uint8Array[], index: number): TransactionProof => {
    const tree = MerkleFrontier.from(0, [])
    for (const leaf of leaves) tree.append(leaf)
    const header = { ...blockAt(4).header, historyRoot: tree.root() }
    const path = inclusionProof(leaves, index)
    return {
      ...laterProof(),
      finalization: finalize({ header }),
      later: { header: encodeHeader(header), path, index, size: leaves.length },
    }
  }
  const [a, b, c] = ['a', 'b', 'c'].map((name) => leafHash(seedOf(name)))
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  assert.equal(outcomeOf(verify(claim([a, digest, b, c], 1))), 'ok')
  assert.equal(outcomeOf(verify(claim([a, b, digest, c], 2))), '5 finalization: wrong_history')
  assert.equal(outcomeOf(verify(claim([a, digest, b], 1))), '5 finalization: wrong_history')
})

test('each altered field of an epoch change fails and names its step', () => {
  const proof = epochProof()
  const [change] = proof.epochs
  assert.ok(change !== undefined)
  const sealing = blockAt(1).header
  const other = { ...nextSet, organisations: nextSet.organisations.toReversed() }
  const altered: [Partial<typeof change>, string][] = [
    [{ authoritySet: other }, 'wrong_authority_set'],
    [{ finalization: flip(change.finalization, -1) }, 'not_final'],
    [{ finalization: finalize({ header: sealing }) }, 'not_final'],
    [{ header: encodeHeader(sealing) }, 'wrong_authority_set'],
    [{ header: change.header.subarray(1) }, 'malformed_header'],
    [{ header: encodeHeader({ ...sealing, genesisDigest: seedOf('x') }) }, 'wrong_network'],
    [{ header: encodeHeader({ ...sealing, epoch: 1 }) }, 'wrong_epoch'],
    [
      { header: encodeHeader({ ...sealing, authoritySetDigest: seedOf('x') }) },
      'wrong_authority_set',
    ],
  ]
  for (const [index, [field, code]] of altered.entries()) {
    const epochs: TransactionProof['epochs'] = [{ ...change, ...field }]
    const expected = `6 authority set: ${code}`
    assert.equal(outcomeOf(verify({ ...proof, epochs })), expected, `case ${index}`)
  }
  const none = outcomeOf(verify({ ...proof, epochs: [] }))
  assert.equal(none, '6 authority set: wrong_epoch')
  const twice = outcomeOf(verify({ ...proof, epochs: [change, change] }))
  assert.equal(twice, '6 authority set: wrong_epoch')
})

test('the old authorities cannot finalize the next epoch', () => {
  const proof = epochProof()
  const { transactions } = blockAt(1)
  const header = {
    ...blockOn(here, transactions).header,
    epoch: 1,
    authoritySetDigest: authoritySetDigest(nextSet),
  }
  const finalization = finalize({ header }, [0, 1, 3], AUTHORITIES)
  assert.equal(outcomeOf(verify({ ...proof, finalization })), '5 finalization: not_final')
})

test('one altered byte anywhere in an encoded proof is noticed', () => {
  for (const encoded of [directProof(), laterProof(), epochProof()].map(encodeTransactionProof)) {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: encoded.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (position, mask) => {
          const altered = encoded.with(position, (encoded[position] ?? 0) ^ mask)
          let proof: TransactionProof
          try {
            proof = decodeTransactionProof(altered)
          } catch (error) {
            assert.equal(error instanceof Error && error.name, 'CodecError')
            return
          }
          assert.ok(!verify(proof).ok)
        },
      ),
      { numRuns: 150 },
    )
  }
})

test('a proof of another network is refused', () => {
  const other = world({}, 'elsewhere')
  const result = verifyTransactionProof(directProof(), other.digest, verifyFinalization)
  assert.equal(outcomeOf(result), '4 transaction: wrong_network')
})

test('proofs come back from their bytes and from their JSON', () => {
  for (const proof of [directProof(), laterProof(), epochProof()]) {
    const encoded = encodeTransactionProof(proof)
    assert.deepEqual(decodeTransactionProof(encoded), proof)
    const text = formatTransactionProofJson(proof)
    assert.deepEqual(encodeTransactionProof(parseTransactionProofJson(text)), encoded)
    assert.ok(verify(parseTransactionProofJson(text)).ok)
  }
})

test('a proof file with a bad member says which', () => {
  const text = formatTransactionProofJson(laterProof())
  const changed = text.replace('"size": 4', '"size": "4"')
  assert.throws(() => parseTransactionProofJson(changed), {
    name: 'LedgerError',
    code: 'wrong_type',
    path: 'later.size',
  })
})

const stateLeaves = stateLeavesOf(here.state.values)
const stateBlock = blockOn(here, [], { stateRoot: stateRootOf(stateLeaves) })

function stateProof(key: Uint8Array): StateProof {
  return {
    genesis,
    key,
    value: here.state.get(key) ?? null,
    ...statePathOf(stateLeaves, key),
    header: encodeHeader(stateBlock.header),
    finalization: finalize(stateBlock),
    epochs: [],
  }
}

function verifyState(proof: StateProof): VerifiedState | FailedProof {
  return verifyStateProof(proof, here.digest, verifyFinalization)
}

test('a state proof shows an organisation, or that there is none', () => {
  const member = stateProof(organisationKey('county'))
  const result = verifyState(member)
  assert.ok(result.ok && member.value !== null)
  assert.deepEqual(
    result.steps.map(({ number, name }) => `${number} ${name}`),
    ['4 state', '5 finalization', '6 authority set'],
  )
  assert.match(result.steps[0]?.detail ?? '', /^state path = /)
  const stranger = stateProof(organisationKey('nowhere'))
  assert.equal(stranger.value, null)
  const absent = verifyState(stranger)
  assert.ok(absent.ok)
  assert.match(absent.steps[0]?.detail ?? '', /^absence path = /)
})

test('each altered field of a state proof fails and names its step', () => {
  const proof = stateProof(organisationKey('county'))
  const [first = seedOf('none'), ...rest] = proof.siblings
  const leaf = proof.leaf ?? { keyHash: seedOf('a'), valueHash: seedOf('b') }
  const cases: [Partial<StateProof>, string][] = [
    [{ key: organisationKey('st-mary') }, '4 state: wrong_state'],
    [{ value: null }, '4 state: wrong_state'],
    [{ value: flip(proof.value ?? genesis, -1) }, '4 state: wrong_state'],
    [{ siblings: rest }, '4 state: wrong_state'],
    [{ siblings: [flip(first, 0), ...rest] }, '4 state: wrong_state'],
    [{ leaf: null }, '4 state: wrong_state'],
    [{ leaf: { ...leaf, keyHash: seedOf('x') } }, '4 state: wrong_state'],
    [{ leaf: { ...leaf, valueHash: seedOf('x') } }, '4 state: wrong_state'],
    [{ header: encodeHeader(blockAt(1).header) }, '4 state: wrong_state'],
    [{ header: new Uint8Array(0) }, '4 state: malformed_header'],
    [{ finalization: finalize(blockAt(1)) }, '5 finalization: not_final'],
    [{ genesis: concatBytes(genesis, Uint8Array.of(0)) }, '6 authority set: wrong_genesis'],
    [{ epochs: epochProof().epochs }, '6 authority set: wrong_epoch'],
  ]
  for (const [index, [change, expected]] of cases.entries()) {
    assert.equal(outcomeOf(verifyState({ ...proof, ...change })), expected, `case ${index}`)
  }
})

test('state proofs come back from their bytes and from their JSON', () => {
  for (const id of ['county', 'nowhere']) {
    const proof = stateProof(organisationKey(id))
    assert.deepEqual(decodeStateProof(encodeStateProof(proof)), proof)
    assert.deepEqual(parseStateProofJson(formatStateProofJson(proof)), proof)
  }
})

test('a genesis without authorities grounds no proof', () => {
  const nobody = { ...here.genesis, organisations: [] }
  const digest = genesisDigest(nobody)
  const { header, transactions } = blockAt(1)
  const foreign = { ...header, genesisDigest: digest }
  const finality = {
    genesis: encodeGenesis(nobody),
    header: encodeHeader(foreign),
    finalization: finalize({ header: foreign }),
    later: null,
    epochs: [],
  }
  const proof = createTransactionProof(transactions, 0, finality)
  const result = verifyTransactionProof(proof, digest, verifyFinalization)
  assert.equal(outcomeOf(result), '6 authority set: malformed_genesis')
})

function flip(bytes: Uint8Array, position: number): Uint8Array {
  return bytes.with(position, (bytes.at(position) ?? 0) ^ 1)
}

test.run()
