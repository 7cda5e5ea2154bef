import assert from 'node:assert/strict'
import { verifyProof } from '@mooring/api/verify'
import { toHex } from '@mooring/codec'
import { countersOf, decodeTransaction, encodeGenesis } from '@mooring/ledger'
import { test } from 'uvu'
import { createProofDocuments } from '../src/proof-documents.ts'
import { Cluster, type RunningMember } from './cluster.ts'
import { nameOf, proposalOf } from './cluster-members.ts'

function tipsOf(members: readonly RunningMember[]): Set<string> {
  return new Set(members.map(({ stores }) => toHex(stores.chain.tip.digest)))
}

async function withCluster(work: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = await Cluster.start(4)
  try {
    await work(cluster)
    for (const { index, halted } of cluster.running())
      assert.deepEqual(halted, [], `member ${index}`)
  } finally {
    await cluster.close()
  }
}

/** One anchor after another from each of these members, until told to stop; the answer is how many. */
function flow(cluster: Cluster, indices: readonly number[]): () => Promise<number> {
  const end = new AbortController()
  let count = 0
  const run = async (index: number): Promise<void> => {
    for (let sequence = 1; !end.signal.aborted; sequence += 1) {
      await cluster.submit(index, cluster.anchor(index, sequence))
      count += 1
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
  const running = Promise.all(indices.map(run))
  return async () => {
    end.abort()
    await running
    return count
  }
}

test('four become five and four again while transactions flow', () =>
  withCluster(async (cluster) => {
    const stop = flow(cluster, [0, 1, 2])
    await cluster.propose(cluster.admission(4), [0, 1, 2])
    await cluster.inEpoch(1)
    await cluster.startMember(4)
    const newcomer = cluster.member(4)
    await cluster.inEpoch(1)
    assert.equal(newcomer.agreement.driver.state.config.me, null)

    const promotion = { organisation: nameOf(4), role: 'authority' } as const
    await cluster.propose({ kind: 'role', body: promotion }, [1, 2, 3])
    await cluster.inEpoch(2)
    assert.equal(newcomer.agreement.driver.state.config.me, 4)
    for (const { agreement } of cluster.running())
      assert.equal(agreement.driver.state.config.authorities, 5)

    const removal = { organisation: nameOf(3), evidence: [] }
    await cluster.propose({ kind: 'remove', body: removal }, [0, 1, 2, 4])
    const others = cluster.running().filter(({ index }) => index !== 3)
    await cluster.inEpoch(3, others)
    const count = await stop()
    assert.ok(count > 30, `${count} transactions`)
    const [first] = others
    assert.deepEqual(first?.changes, [
      { organisation: nameOf(4), change: 'admitted' },
      { organisation: nameOf(4), change: 'promoted' },
      { organisation: nameOf(3), change: 'removed' },
    ])
    assert.deepEqual(first?.agreement.execution.authorities.organisations, [0, 1, 2, 4].map(nameOf))
    for (const { network } of others)
      assert.ok(
        network.peers().every(({ name }) => name !== nameOf(3)),
        'it is no peer any more',
      )
    await cluster.eventually(() => tipsOf(others).size === 1)
  }))

test('a member renews every key, is away for a moment, and goes on with the new ones', () =>
  withCluster(async (cluster) => {
    const renewed = cluster.member(3)
    const peerId = renewed.network.peerId
    await cluster.submit(3, cluster.anchor(3, 1))
    await cluster.reached(1)
    const proposer = cluster.keys.pair(3, 'governance')
    const change = cluster.keys.rekey(cluster.digest, 3, [
      'consensus',
      'transport',
      'anchor',
      'seal',
    ])
    await cluster.submit(3, proposalOf(cluster.digest, nameOf(3), proposer, change))
    await cluster.inEpoch(1)
    assert.equal(renewed.agreement.driver.state.config.me, null, 'its old key votes no more')
    await cluster.stopMember(3)
    await cluster.startMember(3)
    const member = cluster.member(3)
    assert.notEqual(member.network.peerId, peerId)
    assert.equal(member.agreement.driver.state.config.me, 3)
    await cluster.submit(3, cluster.anchor(3, 2))
    await cluster.stopMember(0)
    await cluster.submit(1, cluster.anchor(1, 1))
    await cluster.eventually(() =>
      cluster.running().every(({ agreement }) => sequencesOf(agreement).join() === '1,2'),
    )
    assert.ok(member.agreement.driver.state.final.view > 0)
  }))

test('governance keys are renewed by the others, and parameters hold from the next block on', () =>
  withCluster(async (cluster) => {
    const change = cluster.keys.rekey(cluster.digest, 2, ['governance'])
    await cluster.propose(change, [0, 1, 3])
    await cluster.inEpoch(1)
    const parameters = { ...cluster.genesis.parameters, deltaMs: 200, quotaPerMinute: 5_000 }
    await cluster.propose({ kind: 'parameters', body: parameters }, [2, 0, 1])
    await cluster.inEpoch(2)
    for (const { agreement } of cluster.running()) {
      assert.equal(agreement.driver.state.config.deltaMs, 200)
      assert.equal(agreement.execution.parameters.quotaPerMinute, 5_000)
    }
    await cluster.submit(1, cluster.anchor(1, 1))
    await cluster.eventually(() =>
      cluster.running().every(({ agreement }) => sequencesOf(agreement).join() === '1,0'),
    )
  }))

test('a proof made before holds after, and a new one reaches back through three epochs', () =>
  withCluster(async (cluster) => {
    const { stores } = cluster.member(1)
    const documents = createProofDocuments({
      chain: stores.chain,
      store: stores.records,
      index: { get: () => undefined },
      genesis: encodeGenesis(cluster.genesis),
      genesisDigest: cluster.digest,
    })
    const proofOf = async (sequence: number): Promise<string> => {
      const anchor = cluster.anchor(0, sequence)
      const { id } = decodeTransaction(anchor, cluster.digest)
      await cluster.submit(0, anchor)
      await cluster.eventually(() => stores.chain.getTransaction(id) !== undefined)
      const proof = documents.transaction(toHex(id))
      assert.ok(proof !== undefined && 'json' in proof)
      return proof.json
    }
    const trust = { genesisDigest: cluster.digest }
    const before = await proofOf(1)
    await cluster.propose(cluster.admission(4), [0, 1, 2])
    await cluster.inEpoch(1)
    await cluster.propose(
      { kind: 'remove', body: { organisation: nameOf(4), evidence: [] } },
      [0, 1, 2],
    )
    await cluster.inEpoch(2)
    const duties = ['consensus'] as const
    const proposer = cluster.keys.pair(3, 'governance')
    const change = cluster.keys.rekey(cluster.digest, 3, duties)
    await cluster.submit(3, proposalOf(cluster.digest, nameOf(3), proposer, change))
    await cluster.inEpoch(3)
    const after = await proofOf(2)
    for (const proof of [before, after]) assert.equal(verifyProof(proof, trust).ok, true)
    const verified = verifyProof(after, trust)
    assert.match(verified.steps.at(-1)?.detail ?? '', /epoch 3, .* through 3 signed changes/)
    assert.equal(verifyProof(after, { genesisDigest: new Uint8Array(32) }).ok, false)
  }))

test('an observer follows through epochs, and one that was away comes back through all of them', () =>
  withCluster(async (cluster) => {
    await cluster.startMember(4)
    await cluster.eventually(() =>
      cluster
        .member(4)
        .network.peers()
        .some(({ lastError }) => lastError?.code === 'not_admitted'),
    )
    await cluster.propose(cluster.admission(4), [0, 1, 2])
    await cluster.inEpoch(1)
    await cluster.stopMember(3)
    for (const [epoch, quotaPerMinute] of [
      [2, 4_000],
      [3, 4_001],
      [4, 4_002],
    ] as const) {
      const body = { ...cluster.genesis.parameters, quotaPerMinute }
      await cluster.propose({ kind: 'parameters', body }, [0, 1, 2])
      await cluster.inEpoch(epoch)
    }
    assert.equal(cluster.member(4).agreement.driver.state.config.me, null)
    await cluster.startMember(3)
    await cluster.inEpoch(4)
    await cluster.eventually(() => tipsOf(cluster.running()).size === 1)
    await cluster.stopMember(0)
    await cluster.submit(3, cluster.anchor(3, 1))
    await cluster.eventually(() => tipsOf(cluster.running()).size === 1)
    await cluster.submit(1, cluster.anchor(1, 1))
    await cluster.eventually(() =>
      cluster.running().every(({ agreement }) => sequencesOf(agreement).join() === '1,1'),
    )
  }))

test('as long as votes are checked by the old keys, peers have their old places', () =>
  withCluster(async (cluster) => {
    const { agreement } = cluster.member(0)
    const { peerId } = cluster.member(3).network
    const { mempool, members } = agreement
    const review = mempool.review.bind(mempool)
    const known: (number | undefined)[] = []
    mempool.review = async () => {
      await review()
      known.push(members.indexOfPeer(peerId))
    }
    const proposer = cluster.keys.pair(3, 'governance')
    const change = cluster.keys.rekey(cluster.digest, 3, ['transport'])
    await cluster.submit(3, proposalOf(cluster.digest, nameOf(3), proposer, change))
    await cluster.inEpoch(1)
    assert.deepEqual(known, [3])
    assert.equal(members.indexOfPeer(peerId), undefined)
  }))

function sequencesOf({ execution }: RunningMember['agreement']): number[] {
  const state = execution.finalState()
  return [1, 3].map((index) => countersOf(state, nameOf(index)).anchorSequence)
}

test.run()
