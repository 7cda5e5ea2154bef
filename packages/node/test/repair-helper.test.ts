import assert from 'node:assert/strict'
import { test } from 'uvu'
import { bytesFor } from './vault-keys.ts'
import { type Placed, VaultWorld } from './vault-world.ts'

/** One record, at all five. */
async function one(work: (world: VaultWorld, placed: Placed) => Promise<void>): Promise<void> {
  await VaultWorld.with(['a', 'b', 'c', 'd', 'e'], async (world) => {
    await work(world, await world.place(world.patient('a', 'maria'), bytesFor('record', 2_000)))
  })
}

test('nobody collects shards by asking to have them made again', async () => {
  await one(async (made, { located }) => {
    const { set, setId, holders } = located
    const thief = holders[0] ?? ''
    const { peers } = made.hospital(thief)
    for (const index of [1, 2, 3, 4]) {
      const helpers = holders
        .map((holder, at) => ({ holder, index: at }))
        .filter((place) => place.index !== index && place.holder !== thief)
        .slice(0, set.k)
      const question = {
        nonce: new Uint8Array(16),
        setId,
        index,
        recipient: thief,
        helpers,
        from: 0,
        count: 1,
      }
      for (const { holder } of helpers) {
        const request = { kind: 'repair' as const, body: { questions: [question] } }
        const { body } = await peers.request(holder, request, { timeoutMs: 5_000 })
        assert.deepEqual(body.parts, [null])
      }
    }
  })
})

test('who is to get a shard is no helper of it, and helpers stand where the set has them', async () => {
  await one(async (made, { located }) => {
    const { setId, holders } = located
    const places = holders.map((holder, index) => ({ holder, index }))
    const [own, second, third, fourth, fifth] = places
    assert.ok(own && second && third && fourth && fifth)
    const { peers } = made.hospital(own.holder)
    const ask = async (helpers: typeof places): Promise<(Uint8Array | null)[]> => {
      const nonce = new Uint8Array(16)
      const asked = { nonce, setId, index: own.index, recipient: own.holder, helpers }
      const questions = [{ ...asked, from: 0, count: 1 }]
      const request = { kind: 'repair' as const, body: { questions } }
      const { body } = await peers.request(second.holder, request, { timeoutMs: 5_000 })
      return body.parts
    }
    // Two of these, and what the masks hide are two equations for the shards of two others.
    for (const { index } of [fourth, fifth]) {
      assert.deepEqual(await ask([second, third, { holder: own.holder, index }]), [null])
    }
    const misplaced = { holder: fifth.holder, index: fourth.index }
    assert.deepEqual(await ask([second, third, misplaced]), [null])
    assert.ok((await ask([second, third, fourth]))[0] instanceof Uint8Array)
  })
})

test.run()
