// Lives that end in the middle of the switch from one epoch to the next.

import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { decodeCertificate, decodeMessage } from '@mooring/consensus'
import { decodeHeader } from '@mooring/ledger'
import type { Network } from '@mooring/network'
import type { ChainStore, FinalBlock } from '@mooring/storage'
import { test } from 'uvu'
import { Cluster, type RunningMember } from './cluster.ts'

const ALL = [0, 1, 2, 3]

async function withCluster(work: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = await Cluster.start(4)
  try {
    await work(cluster)
  } finally {
    await cluster.close()
  }
}

/** A chain whose disk goes away around the first block that ends an epoch. */
function dyingChain(when: 'before' | 'after') {
  return (chain: ChainStore): ChainStore =>
    new Proxy(chain, {
      get(target, name) {
        if (name === 'commitAll')
          return async (blocks: readonly FinalBlock[]) => {
            const isEnd = blocks.some(({ nextAuthorities }) => nextAuthorities !== null)
            if (!isEnd || when === 'after') await target.commitAll(blocks)
            if (isEnd) throw new Error('the disk went away')
          }
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
}

async function changeQuota(cluster: Cluster, quotaPerMinute: number): Promise<void> {
  const body = { ...cluster.genesis.parameters, quotaPerMinute }
  await cluster.propose({ kind: 'parameters', body }, [0, 1, 2])
}

async function restartAll(cluster: Cluster, faults = {}): Promise<void> {
  for (const index of ALL) await cluster.stopMember(index)
  for (const index of ALL) await cluster.startMember(index, faults)
}

async function goesOn(cluster: Cluster, epoch: number, index = 0): Promise<void> {
  await cluster.inEpoch(epoch)
  const anchor = cluster.anchor(index, 1)
  await cluster.submit(index, anchor)
  await cluster.eventually(() => {
    const digests = cluster.running().map(({ stores }) => toHex(stores.chain.tip.digest))
    return cluster.running().every(hasOneAtEnd) && new Set(digests).size === 1
  })
  for (const { halted, index: name } of cluster.running())
    assert.deepEqual(halted, [], `member ${name}`)
}

function hasOneAtEnd({ stores }: RunningMember): boolean {
  return stores.chain.recentTransactionIds(0).at(-1)?.ids.length === 1
}

for (const when of ['before', 'after'] as const)
  test(`all die ${when} the last block of an epoch is durable, and go on from there`, () =>
    withCluster(async (cluster) => {
      await restartAll(cluster, { chain: dyingChain(when) })
      await changeQuota(cluster, 4_000)
      await cluster.eventually(() => cluster.running().every(({ halted }) => halted.length > 0))
      const ended = when === 'before' ? 0 : 1
      for (const { stores, agreement } of cluster.running()) {
        assert.equal(stores.chain.epochs().length, ended)
        assert.equal(agreement.driver.state.config.epoch, 0, 'nothing of the next epoch is signed')
        assert.equal(stores.journal.marks.epoch, 0)
      }
      await restartAll(cluster)
      await goesOn(cluster, 1)
    }))

test('one dies before the last block of an epoch is durable, and finds the others in the next', () =>
  withCluster(async (cluster) => {
    await cluster.stopMember(3)
    await cluster.startMember(3, { chain: dyingChain('before') })
    await changeQuota(cluster, 4_000)
    await cluster.inEpoch(
      1,
      [0, 1, 2].map((index) => cluster.member(index)),
    )
    await cluster.eventually(() => cluster.member(3).halted.length > 0)
    await cluster.stopMember(3)
    await cluster.startMember(3)
    await cluster.stopMember(1)
    await goesOn(cluster, 1, 3)
  }))

test('who has lost the chain and not the guard votes in no epoch that is over', () =>
  withCluster(async (cluster) => {
    await changeQuota(cluster, 4_000)
    await cluster.inEpoch(1)
    await changeQuota(cluster, 4_001)
    await cluster.inEpoch(2)
    await goesOn(cluster, 2)
    await cluster.stopMember(3)
    await cluster.loseData(3)
    const voted: number[] = []
    await cluster.startMember(3, { network: (network) => listening(network, voted) })
    await cluster.inEpoch(2)
    await cluster.stopMember(1)
    await cluster.submit(2, cluster.anchor(2, 1))
    await cluster.eventually(() => voted.length > 0)
    assert.deepEqual([...new Set(voted)], [2])
    assert.deepEqual(cluster.member(3).halted, [])
  }))

test('a sealing block that is not final in its own view is proposed again until it is', () =>
  withCluster(async (cluster) => {
    for (const index of ALL) await cluster.stopMember(index)
    for (const index of ALL) await cluster.startMember(index, { network: withoutFirstSeal })
    await changeQuota(cluster, 4_000)
    await cluster.inEpoch(1)
    const { chain } = cluster.member(2).stores
    const [end] = chain.epochs()
    assert.ok(end !== undefined)
    const header = chain.getHeader(end.height)
    const finalization = chain.getFinalization(end.height)
    assert.ok(header !== undefined && finalization !== undefined)
    const { view } = decodeCertificate(finalization).subject
    assert.ok(view > decodeHeader(header).view, 'final in a later view than its own')
    await cluster.stopMember(3)
    await cluster.loseData(3)
    await cluster.startMember(3)
    await goesOn(cluster, 1)
  }))

function listening(network: Network, voted: number[]): Network {
  return {
    ...network,
    send: (peerId, lane, frame) => {
      const message = decodeMessage(frame)
      if (message.kind === 'votes') voted.push(...message.votes.map(({ subject }) => subject.epoch))
      return network.send(peerId, lane, frame)
    },
  }
}

/** Loses every finalize for a block that ends the epoch, in the view in which it was made. */
function withoutFirstSeal(
  network: Network,
  agreement: () => RunningMember['agreement'] | null,
): Network {
  const isLost = (frame: Uint8Array): boolean => {
    const message = decodeMessage(frame)
    if (message.kind !== 'votes') return false
    return message.votes.some(({ kind, subject }) => {
      const meta = agreement()?.execution.executedOf(subject.digest)?.meta
      return kind === 'finalize' && meta?.isSealing === true && meta.view === subject.view
    })
  }
  return {
    ...network,
    send: (peerId, lane, frame) => isLost(frame) || network.send(peerId, lane, frame),
  }
}

test.run()
