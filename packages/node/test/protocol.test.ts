import assert from 'node:assert/strict'
import { test } from 'uvu'
import { refuseUnspoken } from '../src/protocol.ts'
import { Cluster } from './cluster.ts'
import { nameOf, readinessOf } from './cluster-members.ts'

const ALL = [0, 1, 2, 3]

test('acceptance 18: in a network of mixed versions a node stops before the block whose protocol it does not speak, and loses nothing', async () => {
  const cluster = await Cluster.start(4)
  try {
    const height = cluster.member(0).stores.chain.tip.height + 12
    const body = { version: 2, height }
    const id = await cluster.propose({ kind: 'protocol', body }, [0, 1, 2])
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await cluster.inEpoch(0)
    assert.ok(cluster.running().every(({ stores }) => stores.chain.epochs().length === 0))

    // The word that software which speaks it would give.
    for (const index of ALL.slice(0, 3)) {
      const key = cluster.keys.pair(index, 'consensus')
      await cluster.submit(index, readinessOf(cluster.digest, nameOf(index), key, id))
    }
    await cluster.inEpoch(1)
    const before = cluster.running().map(({ stores }) => stores.chain.tip.height)
    assert.ok(Math.max(...before) < height - 1, 'there is room for a few blocks')
    let sequence = 0
    while (cluster.running().every(({ halted }) => halted.length === 0)) {
      sequence += 1
      await cluster.submit(0, cluster.anchor(0, sequence))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await cluster.eventually(() => cluster.running().every(({ halted }) => halted.length > 0))
    for (const { halted, stores } of cluster.running()) {
      assert.match(halted[0] ?? '', /protocol_unsupported/)
      const { tip } = stores.chain
      assert.ok(tip.height < height, `height ${tip.height} of ${height}`)
    }
    const { chain } = cluster.member(0).stores
    const refusal = { code: 'protocol_unsupported' }
    await cluster.eventually(() => chain.tip.height === height - 1)
    assert.throws(() => refuseUnspoken(chain.state(), height), refusal)
  } finally {
    await cluster.close()
  }
})

test.run()
