import assert from 'node:assert/strict'
import { encode, toHex } from '@mooring/codec'
import type { Network } from '@mooring/network'
import { test } from 'uvu'
import { decodeBlockRequest } from '../src/block-exchange.ts'
import { createLogger } from '../src/logger.ts'
import { transactionBatch } from '../src/transaction-gossip.ts'
import { Cluster, type RunningMember } from './cluster.ts'

const never = { hasRoom: () => true, judge: () => new Promise<never>(() => undefined) }

function tipsOf(members: readonly RunningMember[]): Set<string> {
  return new Set(members.map(({ stores }) => toHex(stores.chain.tip.digest)))
}

test('four members agree on every transaction, go on with three, and the fourth catches up', async () => {
  const cluster = await Cluster.start(4)
  try {
    for (const sequence of [1, 2, 3])
      for (const index of [0, 1, 2, 3]) {
        const { status } = await cluster
          .member(index)
          .agreement.mempool.submit(cluster.anchor(index, sequence))
        assert.equal(status, 'accepted')
      }
    await cluster.reached(12)
    assert.equal(tipsOf(cluster.running()).size, 1)

    await cluster.stopMember(3)
    await cluster.member(0).agreement.mempool.submit(cluster.anchor(0, 4))
    await cluster.reached(13)

    await cluster.startMember(3)
    await cluster.member(3).agreement.mempool.submit(cluster.anchor(3, 4))
    await cluster.reached(14)
    assert.equal(tipsOf(cluster.running()).size, 1)
    assert.deepEqual(
      cluster.running().map(({ halted }) => halted),
      [[], [], [], []],
    )
  } finally {
    await cluster.close()
  }
})

test('who hears no gossip asks the leader for what its block names; an earlier version is sent all of it', async () => {
  const cluster = await Cluster.start(4)
  const asked = { deaf: 0, earlier: 0 }
  const counting =
    (who: keyof typeof asked) =>
    (network: Network): Network => ({
      ...network,
      request: (peerId, protocol, payload, options) => {
        if (protocol === 'blocks' && decodeBlockRequest(payload).kind === 'transactions')
          asked[who] += 1
        return network.request(peerId, protocol, payload, options)
      },
    })
  try {
    for (const index of [2, 3]) await cluster.stopMember(index)
    await cluster.startMember(2, { isDeaf: true, network: counting('deaf') })
    const earlier = { protocolVersions: [1], network: counting('earlier') }
    await cluster.startMember(3, { isDeaf: true, ...earlier })
    await cluster.eventually(
      () =>
        cluster
          .member(0)
          .network.peers()
          .every(({ connected }) => connected),
      () => 'the members do not find each other',
    )
    const list = Array.from({ length: 40 }, (_, at) => cluster.anchor(0, at + 1))
    await cluster.member(0).agreement.mempool.submitAll(list)
    await cluster.reached(40)
    assert.equal(tipsOf(cluster.running()).size, 1)
    assert.ok(asked.deaf > 0)
    assert.equal(asked.earlier, 0)
  } finally {
    await cluster.close()
  }
})

test('what gossip has brought is found before its turn has come', async () => {
  const cluster = await Cluster.start(4, { heartbeatMs: 100 })
  const asked = { blocks: 0 }
  const counting = (network: Network): Network => ({
    ...network,
    request: (peerId, protocol, payload, options) => {
      if (decodeBlockRequest(payload).kind === 'transactions') asked.blocks += 1
      return network.request(peerId, protocol, payload, options)
    },
  })
  try {
    const list = Array.from({ length: 40 }, (_, at) => cluster.anchor(0, at + 1))
    const { peerId } = cluster.member(0).network
    for (const index of [1, 2, 3]) {
      await cluster.stopMember(index)
      await cluster.startMember(index, { isDeaf: true, network: counting })
      const { agreement } = cluster.member(index)
      void agreement.judgeTransactions(peerId, encode(transactionBatch, list), never)
    }
    await cluster.member(0).agreement.mempool.submitAll(list)
    await cluster.reached(40)
    assert.equal(asked.blocks, 0)
  } finally {
    await cluster.close()
  }
})

test('a block that nobody could put together comes whole the next time', async () => {
  // Those who have heard of no transaction make blocks all the same.
  const cluster = await Cluster.start(4, { heartbeatMs: 100 })
  let isCut = true
  const failing = (network: Network): Network => ({
    ...network,
    request: (...question) =>
      isCut ? Promise.reject(new Error('no question gets through')) : network.request(...question),
  })
  try {
    for (const index of [1, 2, 3]) await cluster.stopMember(index)
    for (const index of [1, 2, 3])
      await cluster.startMember(index, { isDeaf: true, network: failing })
    const { agreement, stores } = cluster.member(0)
    const list = Array.from({ length: 40 }, (_, at) => cluster.anchor(0, at + 1))
    await agreement.mempool.submitAll(list)
    await cluster.eventually(
      () => agreement.mempool.size === 0,
      () => `${agreement.mempool.size} wait at height ${stores.chain.tip.height}`,
      20_000,
    )
    // Who was not among the quorum asks for it.
    isCut = false
    await cluster.reached(40)
    assert.equal(tipsOf(cluster.running()).size, 1)
  } finally {
    await cluster.close()
  }
})

test('a transaction that waits in its node survives the node', async () => {
  const cluster = await Cluster.start(4)
  try {
    for (const index of [1, 2, 3]) await cluster.stopMember(index)
    const first = await cluster.member(0).agreement.mempool.submit(cluster.anchor(0, 1))
    assert.equal(first.status, 'accepted')
    await cluster.stopMember(0)
    for (const index of [0, 1, 2]) await cluster.startMember(index)
    await cluster.reached(1)
  } finally {
    await cluster.close()
  }
})

test('the door refuses with a code and keeps nothing', async () => {
  const cluster = await Cluster.start(4)
  try {
    const { mempool } = cluster.member(0).agreement
    const good = cluster.anchor(0, 1)
    const forged = new Uint8Array(good)
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    const codes: [Uint8Array, string][] = [
      [new Uint8Array([1, 2, 3]), 'malformed'],
      [forged, 'bad_signature'],
      [cluster.anchor(0, 0), 'wrong_sequence'],
      [cluster.anchor(0, 2), 'wrong_sequence'],
    ]
    for (const [bytes, code] of codes) {
      const submitted = await mempool.submit(bytes)
      assert.equal(submitted.status === 'rejected' ? submitted.code : submitted.status, code)
    }
    assert.equal(mempool.size, 0)
    assert.equal((await mempool.submit(good)).status, 'accepted')
    await cluster.reached(1)
    assert.equal((await mempool.submit(good)).status, 'final')
  } finally {
    await cluster.close()
  }
})

test('who has used up the quota of the minute waits without keeping anybody busy', async () => {
  const cluster = await Cluster.start(4, { quotaPerMinute: 2 })
  try {
    const { mempool } = cluster.member(0).agreement
    for (let sequence = 1; sequence <= 8; sequence += 1)
      await mempool.submit(cluster.anchor(0, sequence))
    await cluster.reached(2)
    await cluster.member(1).agreement.mempool.submit(cluster.anchor(1, 1))
    await cluster.reached(3)
    assert.ok(cluster.member(1).agreement.execution.tip.meta.height <= 8)
  } finally {
    await cluster.close()
  }
})

test('a member that sends nonsense without end fills no log', async () => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const levels = { base: 'warn', modules: {} } as const
  const cluster = await Cluster.start(4)
  try {
    await cluster.stopMember(0)
    await cluster.startMember(0, { logger: createLogger({ levels, format: 'json', destination }) })
    const { agreement } = cluster.member(0)
    const [, forger, other] = agreement.members.list
    for (const { peerId } of [forger, other].flatMap((member) => member ?? []))
      for (let again = 0; again < 50; again += 1)
        assert.equal(agreement.onTransactions(peerId, Uint8Array.of(255)), 'reject')
    assert.equal(lines.filter((line) => line.includes('that are not valid')).length, 2)
  } finally {
    await cluster.close()
  }
})

test.run()
