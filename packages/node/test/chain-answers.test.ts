import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import { genesisDigest, parseGenesisJson } from '@mooring/ledger'
import { test } from 'uvu'
import { type ChainAnswers, createChainAnswers } from '../src/chain-answers.ts'
import { catalogEntry } from '../src/errors.ts'
import { NAMES } from './chain-members.ts'
import { type World, withWorld } from './chain-world.ts'
import { START } from './test-clock.ts'

const NOTHING_WRONG = { stall: () => null, alarms: () => [], waitingMs: () => 0 }

interface Asked {
  answers: ChainAnswers
  refused: string[]
}

function ask({ parts }: World, freeBytes: number | null = null): Asked {
  const refused: string[] = []
  const answers = createChainAnswers(parts, {
    health: NOTHING_WRONG,
    finality: { times: () => ({ p50Ms: 210, p95Ms: 480.5 }) },
    disk: { current: () => ({ bytes: 1_024, freeBytes }) },
    onRefused: (code) => refused.push(code),
  })
  return { answers, refused }
}

test('the network and its members are those of the genesis', async () => {
  await withWorld((world) => {
    const { answers } = ask(world)
    const { genesis } = world
    const digest = toHex(genesisDigest(genesis))
    assert.deepEqual(answers.network(), {
      name: 'test',
      networkId: `moor-${digest.slice(0, 8)}`,
      genesisDigest: digest,
      epoch: 0,
      protocolVersion: 1,
      scheduledProtocol: null,
      softwareProtocol: 1,
      parameters: { ...genesis.parameters },
      authorities: NAMES,
      quorum: 3,
    })
    const sent = answers.genesis()
    assert.equal(sent.digest, digest)
    assert.equal(toHex(genesisDigest(parseGenesisJson(sent.json))), digest)
    const [member, ...others] = answers.members()
    assert.equal(others.length, 4)
    assert.equal(member?.id, 'st-mary')
    assert.equal(member?.peerId, world.parts.network.peerId)
    assert.equal(member?.keys['issuer'], null)
    assert.match(member?.keys['anchor'] ?? '', /^[0-9a-f]{64}$/)
  })
})

test('blocks are found by height, digest and place, newest first', async () => {
  await withWorld(async (world) => {
    const { answers } = ask(world)
    assert.deepEqual(await answers.blocks({ before: null, limit: 10 }), [])
    assert.equal(await answers.block('latest'), undefined)
    const bytes = world.anchor('st-mary', 1)
    await world.finalize([bytes])
    await world.finalize()
    await world.finalize([], [])

    const heightsOf = async (before: number | null, limit: number) =>
      (await answers.blocks({ before, limit })).map(({ height }) => height)
    assert.deepEqual(await heightsOf(null, 10), [4, 3, 2, 1])
    assert.deepEqual(await heightsOf(null, 2), [4, 3])
    assert.deepEqual(await heightsOf(3, 2), [2, 1])
    assert.deepEqual(await heightsOf(1, 2), [])
    assert.deepEqual(await heightsOf(99, 1), [4])

    const first = await answers.block({ height: 1 })
    assert.ok(first)
    assert.deepEqual(await answers.block({ digest: first.digest }), first)
    const [summary] = await answers.blocks({ before: 2, limit: 1 })
    assert.deepEqual({ ...first, ...summary }, first)
    assert.equal(first.parent, first.genesisDigest)
    assert.deepEqual(first.transactions, [world.idOf(bytes)])
    assert.equal(first.transactionCount, 1)
    assert.equal((await answers.block('latest'))?.height, 4)
    for (const height of [0, 5]) assert.equal(await answers.block({ height }), undefined)
    assert.equal(await answers.block({ digest: first.parent }), undefined)
  })
})

test('a block names who finalized it, itself or by a descendant', async () => {
  await withWorld(async (world) => {
    const { answers } = ask(world)
    await world.finalize([], [])
    const last = await answers.block({ height: 2 })
    assert.deepEqual(last?.finalization, {
      height: 2,
      digest: last?.digest,
      view: last?.view,
      signers: NAMES.slice(0, 3),
      quorum: 3,
    })
    const first = await answers.block({ height: 1 })
    assert.deepEqual(first?.finalization, last?.finalization)
  })
})

test('a transaction is unknown, then pending, then final with its receipt', async () => {
  await withWorld(async (world) => {
    const { answers, refused } = ask(world)
    const bytes = world.anchor('st-mary', 1)
    const id = world.idOf(bytes)
    const expiresAt = new Date(START + 300_000).toISOString()
    assert.equal(await answers.transaction(id), undefined)

    assert.deepEqual(await answers.submitTransactions([bytes]), [{ status: 'accepted', id }])
    const common = {
      id,
      kind: 'record.anchor',
      expiresAt,
      organisation: 'st-mary',
      summary: 'st-mary anchors batch 1',
      body: {
        organisation: 'st-mary',
        sequence: 1,
        batchRoot: toHex(domainHash('batch', new TextEncoder().encode('st-mary 1'))),
        sizeBucket: 64,
      },
    }
    const open = { height: null, index: null, time: null, receipt: null }
    assert.deepEqual(await answers.transaction(id), { ...common, status: 'pending', ...open })
    assert.deepEqual(await answers.submitTransactions([bytes]), [{ status: 'known', id }])

    const height = answers.waitForTransactions([id], new AbortController().signal)
    const block = await world.finalize([world.anchor('county', 1), bytes])
    assert.deepEqual(await height, [1])
    assert.deepEqual(await answers.transaction(id), {
      ...common,
      status: 'final',
      height: 1,
      index: 1,
      time: new Date(block.time).toISOString(),
      receipt: { outcome: 'applied', organisation: 'st-mary', sequence: 1 },
    })
    assert.deepEqual(await answers.submitTransactions([bytes]), [
      { status: 'final', id, height: 1 },
    ])
    assert.deepEqual(refused, [])
    answers.close()
  })
})

test('a list is admitted in its order, and each refusal says why', async () => {
  await withWorld(async (world) => {
    const { answers, refused } = ask(world)
    const good = [1, 2, 3].map((sequence) => world.anchor('st-mary', sequence))
    const gap = world.anchor('county', 5)
    const outcomes = await answers.submitTransactions([...good, gap, Uint8Array.of(1)])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['accepted', 'accepted', 'accepted', 'rejected', 'rejected'],
    )
    assert.deepEqual(outcomes[3], {
      status: 'rejected',
      id: world.idOf(gap),
      code: 'wrong_sequence',
      detail: 'county must send sequence 1 next, not 5',
    })
    assert.equal(outcomes[4]?.id, null)
    assert.deepEqual(refused, ['wrong_sequence', 'malformed'])
    assert.equal(answers.status().mempool.transactions, 3)
  })
})

test('the status is one node at one moment', async () => {
  await withWorld(async (world) => {
    const { answers } = ask(world)
    const { digest } = await world.finalize()
    const { parts, peers } = world
    const away = peers.find(({ name }) => name === 'county')
    assert.ok(away)
    Object.assign(away, { connected: false, rttMs: null, direction: null })
    const status = answers.status()
    assert.deepEqual(status.node, {
      name: 'st-mary',
      peerId: parts.network.peerId,
      role: 'authority',
      version: '0.1.0',
      runtime: process.versions.node,
      startedAt: new Date(START).toISOString(),
    })
    assert.deepEqual(status.chain, {
      height: 1,
      digest: toHex(digest),
      time: new Date(START).toISOString(),
      bestKnownHeight: 1,
      finalityP50Ms: 210,
      finalityP95Ms: 480.5,
    })
    assert.deepEqual(status.consensus, {
      epoch: 0,
      view: 2,
      leader: 'county',
      authorities: 4,
      live: 3,
      quorum: 3,
      tolerates: 0,
      waitingMs: 0,
      missing: ['county'],
      stall: null,
    })
    assert.deepEqual(status.peers, { connected: 3, members: 4 })
    assert.deepEqual(status.records, { accepted: 7, anchored: 5 })
    assert.deepEqual(status.storage, {
      bytes: 1_024,
      freeBytes: null,
      base: 0,
      prunedTo: 0,
      retention: 'forever',
      holds: [],
    })
    assert.deepEqual(status.alarms, [])
  })
})

test('a peer is told with the time since it was heard and why it is away', async () => {
  await withWorld((world) => {
    const { answers } = ask(world)
    const [first, second] = world.peers
    assert.ok(first && second)
    Object.assign(first, { height: 9, rttMs: 3.5 })
    Object.assign(second, { connected: false, lastHeard: 0, direction: null, rttMs: null })
    world.clock.advance(1_500)
    const [near, gone] = answers.peers()
    assert.deepEqual(near, {
      peerId: first.peerId,
      name: 'riverside',
      connected: true,
      direction: 'outbound',
      height: 9,
      rttMs: 3.5,
      lastHeardMs: 1_500,
      lastError: null,
    })
    assert.equal(gone?.lastHeardMs, null)
  })
})

test('an observer without a name is told by its peer id', async () => {
  await withWorld(
    (world) => {
      Object.assign(world.parts.options, { name: '' })
      const { node, consensus } = ask(world).answers.status()
      assert.equal(node.name, world.parts.network.peerId)
      assert.equal(node.role, 'observer')
      assert.equal(consensus.live, 4)
    },
    { role: 'observer' },
  )
})

test('acceptance 6: with less room than [storage] min_free nothing new is taken', async () => {
  await withWorld(async (world) => {
    const least = world.parts.options.storage.minFreeBytes
    const { answers } = ask(world, least - 1)
    const submitted = () => answers.submitTransactions([])
    assert.throws(submitted, { name: 'NodeError', code: 'disk_low' })
    assert.equal(catalogEntry('disk_low')?.status, 507)
    assert.deepEqual(await ask(world, least).answers.submitTransactions([]), [])
  })
})

test.run()
