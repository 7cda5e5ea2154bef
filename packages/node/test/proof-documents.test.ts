import assert from 'node:assert/strict'
import { verifyProof } from '@mooring/api/verify'
import { fromHex, toHex } from '@mooring/codec'
import { decodeTransaction, decodeTransactionProof, genesisDigest } from '@mooring/ledger'
import { parseRecordProof } from '@mooring/records'
import { test } from 'uvu'
import { eventually, observations, OWN, TICK_MS, withCustody } from './custody-world.ts'

test('a block that a later one finalized is proved through that one', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const { custodian, proofs, content } = await custody.run()
    const { records } = await custodian.submitRecords(observations(20))
    world.clock.advance(TICK_MS)
    await eventually(() => world.mempool.size === 1, 'the anchor is at the door')
    const state = world.parts.execution.finalState()
    const [anchor] = world.mempool.take(state, { count: 1, bytes: 1e6 })
    assert.ok(anchor !== undefined)
    await world.finalize([world.anchor('county', 1)])
    await world.finalize([world.anchor('county', 2), anchor.bytes], [], [world.anchor('county', 3)])
    await eventually(() => custodian.counts().pending === 0, 'the records are anchored')

    const trust = { genesisDigest: genesisDigest(world.genesis) }
    for (const { id } of records) {
      const outcome = proofs.record(id, true)
      const raw = content(id)
      assert.ok(outcome?.kind === 'record' && raw !== undefined)
      const verified = verifyProof(outcome.json, trust, raw)
      assert.ok(verified.ok)
      assert.equal(verified.height, 2)
      assert.deepEqual(verified.anchor, {
        kind: 'record.anchor',
        organisation: OWN,
        sequence: 1,
      })
    }
    const [first] = records
    const outcome = proofs.record(first?.id ?? '', false)
    assert.ok(outcome?.kind === 'record')
    const proof = parseRecordProof(outcome.json)
    assert.equal(proof.record.opening, null)
    assert.equal(toHex(proof.record.commit), first?.id)
    const { later, index, count } = decodeTransactionProof(proof.anchor)
    assert.deepEqual([later?.index, later?.size, index, count], [2, 4, 1, 2])

    for (const [sequence, height] of [
      [1, 1],
      [2, 2],
      [3, 4],
    ]) {
      const bytes = world.anchor('county', sequence ?? 0)
      const id = toHex(decodeTransaction(bytes, trust.genesisDigest).id)
      const transaction = proofs.transaction(id)
      assert.ok(transaction?.kind === 'transaction')
      const verified = verifyProof(transaction.json, trust)
      assert.ok(verified.ok)
      assert.equal(verified.transactionId, id)
      assert.equal(verified.height, height)
    }
    assert.equal(fromHex(first?.id ?? '').length, 32)
  }))

test('what is not final yet has no proof', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const { custodian, proofs } = await custody.run()
    const { records } = await custodian.submitRecords(observations(1))
    const id = records[0]?.id ?? ''
    assert.deepEqual(proofs.record(id, true), { kind: 'pending' })
    world.clock.advance(TICK_MS)
    await eventually(() => world.mempool.size === 1, 'the anchor is at the door')
    assert.deepEqual(proofs.record(id, true), { kind: 'pending' })
    assert.equal((await custodian.record(id))?.status, 'batched')
    assert.equal(proofs.transaction(id), undefined)
  }))

test.run()
