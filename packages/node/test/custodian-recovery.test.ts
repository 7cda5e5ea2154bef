import assert from 'node:assert/strict'
import { fromHex, toHex } from '@mooring/codec'
import { x25519PublicKey } from '@mooring/crypto'
import { createTransaction, genesisDigest, patientKeyDigest, tombstoneItem } from '@mooring/ledger'
import {
  batchRoot,
  decodeBatchDeposit,
  decodeKeyDeposit,
  leavesOfDeposit,
  openKeyDeposit,
  type ShardHead,
  shardSetId,
} from '@mooring/records'
import { MemoryLevel } from '@mooring/storage'
import { test } from 'uvu'
import type { Account } from '../src/accounts.ts'
import { AtRest } from '../src/at-rest.ts'
import type { FoundKey } from '../src/discovery.ts'
import type { FoundBatch } from '../src/recovered-batches.ts'
import { keyOf } from './chain-members.ts'
import {
  anchorsOn,
  type Custody,
  eventually,
  jsonOf,
  OWN,
  SECRET,
  type Run,
  submission,
  TICK_MS,
  withCustody,
} from './custody-world.ts'

const PATIENTS = ['Patient/one', 'Patient/two']

function bundleOf(names: readonly string[]): Uint8Array {
  const entry = names.flatMap((reference, at) => [
    { resource: { resourceType: 'Observation', subject: { reference }, valueInteger: at } },
    {
      resource: {
        resourceType: 'AllergyIntolerance',
        patient: { reference },
        note: [{ text: 'x' }],
      },
    },
  ])
  return jsonOf({ resourceType: 'Bundle', type: 'collection', entry })
}

function sorted(proofs: readonly unknown[]): string[] {
  return proofs.map((proof) => JSON.stringify(proof)).toSorted()
}

/** What the holders would list of this custodian. */
async function listedBy({ holders }: Custody, run: Run) {
  const heads: ShardHead[] = (await run.custodian.index.list(null, 1_000)).map((entry) => {
    const { set, manifest, holders: places } = entry
    return { set, manifest, holders: [...places], index: 0 }
  })
  const deposits = new Map([...holders.holders.values()].flatMap(({ keys }) => [...keys.entries()]))
  const keys = [...deposits.values()].flatMap((deposit): FoundKey[] => {
    const content = openKeyDeposit(decodeKeyDeposit(deposit), keyOf(OWN, 'seal').seed)
    return content === undefined ? [] : [{ deposit, content }]
  })
  const given = [...holders.holders.values()].flatMap(({ batches }) => [...batches.values()])
  const batches = given.map((encoded): FoundBatch => {
    const deposit = decodeBatchDeposit(encoded)
    const { sequence, transaction, height } = deposit
    const leaves = leavesOfDeposit(deposit)
    return { root: batchRoot(leaves), leaves, anchor: { sequence, transaction, height } }
  })
  return { heads, keys, batches }
}

// oxlint-disable-next-line require-await -- an array as an asynchronous iterable
async function* listed(found: readonly FoundBatch[]): AsyncGenerator<FoundBatch> {
  yield* found
}

async function* pages(heads: readonly ShardHead[]): AsyncGenerator<ShardHead[]> {
  await Promise.resolve()
  yield heads.slice(0, 2)
  // Another holder lists the same sets.
  yield [...heads]
}

test('a custodian whose disk was lost has its records, accounts and keys again', async () => {
  await withCustody(async (custody) => {
    const before = await custody.run()
    const bytes = bundleOf(PATIENTS)
    const { records } = await before.custodian.submitRecords(submission(bytes))
    await eventually(() => before.custodian.placing.status().waiting === 0, 'all placed')
    const accounts = PATIENTS.map((name) =>
      before.custodian.accounts.find(name.split('/')[1] ?? ''),
    )
    const { heads, keys } = await listedBy(custody, before)
    assert.equal(heads.length, 4)

    const after = await custody.run({ level: new MemoryLevel('another disk') })
    assert.equal(after.custodian.counts().accepted, 0)
    assert.equal(
      await after.custodian.recover({ keys, heads: pages(heads), batches: listed([]) }),
      4,
    )
    assert.equal(
      await after.custodian.recover({ keys, heads: pages(heads), batches: listed([]) }),
      0,
    )
    for (const { id } of records) {
      const entry = after.custodian.index.get(Uint8Array.from(Buffer.from(id, 'hex')))
      assert.ok(entry !== undefined)
      assert.ok(after.content(id) !== undefined)
    }
    for (const account of accounts) {
      assert.ok(account !== undefined)
      const found = after.custodian.accounts.find(account.reference)
      assert.deepEqual(found, account)
      assert.equal(after.custodian.accounts.classKeys(account.patientKey).length, 2)
    }
    const again = await after.custodian.submitRecords(submission(bytes))
    assert.ok(again.records.every(({ status }) => status === 'known'))
    assert.deepEqual(
      again.records.map(({ id }) => id),
      records.map(({ id }) => id),
    )
  })
})

test('a patient who had moved to a wallet has it again, with or without records of after', async () => {
  await withCustody(async (custody) => {
    const before = await custody.run()
    const { accounts } = before.custodian
    await before.custodian.submitRecords(submission(bundleOf(PATIENTS)))
    const wallets = new Map<string, Account>()
    for (const [at, reference] of ['one', 'two'].entries()) {
      const hosted = accounts.find(reference)?.patientKey ?? assert.fail()
      const patientKey = keyOf(`wallet ${at}`, 'sign').publicKey
      const logKey = x25519PublicKey(keyOf(`wallet ${at}`, 'seal').seed)
      await replaceKey(custody, hosted, patientKey)
      const keys = { patientKey, logKey, recoveryCommit: null }
      wallets.set(reference, await accounts.adopt(reference, keys))
    }
    const later = { resourceType: 'Observation', subject: { reference: 'Patient/one' } }
    await before.custodian.submitRecords(submission(jsonOf(later)))
    await eventually(() => before.custodian.placing.status().waiting === 0, 'all placed')
    const { heads, keys } = await listedBy(custody, before)

    const after = await custody.run({ level: new MemoryLevel('another disk') })
    const found = { keys, heads: pages(heads), batches: listed([]) }
    assert.equal(await after.custodian.recover(found), 5)
    for (const [reference, wallet] of wallets) {
      const account = after.custodian.accounts.find(reference)
      assert.deepEqual(account, wallet)
      const records = await after.custodian.index.listAccount(wallet.patientKey, null, 10)
      assert.equal(records.length, reference === 'one' ? 3 : 2)
    }
  })
})

/** On the chain, as the desk does it. */
async function replaceKey(
  { world, block }: Custody,
  former: Uint8Array,
  patientKey: Uint8Array,
): Promise<void> {
  const retired = patientKeyDigest(OWN, former)
  const successor = patientKeyDigest(OWN, patientKey)
  const transaction = createTransaction({
    kind: 'key.replace',
    body: { organisation: OWN, retired, successor },
    expiresAt: world.clock.wall() + 60_000,
    genesisDigest: genesisDigest(world.genesis),
    keyPair: keyOf(OWN, 'anchor'),
  })
  await world.mempool.submit(transaction)
  assert.ok((await block()) !== undefined)
}

test('what was anchored is anchored still, and can be proved without a new anchor', async () => {
  await withCustody(async (custody) => {
    const before = await custody.run()
    await before.custodian.submitRecords(submission(bundleOf(PATIENTS)))
    await eventually(() => before.custodian.placing.status().waiting === 0, 'all placed')
    custody.world.clock.advance(TICK_MS)
    await eventually(() => custody.world.mempool.size > 0, 'an anchor')
    await custody.block()
    await eventually(() => before.custodian.counts().anchored === 4, 'all anchored')
    custody.world.clock.advance(300)
    const given = () =>
      custody.holders.answered.filter((each) => each.startsWith('deposit-batches')).length
    await eventually(() => given() === 4, 'the leaves at their holders')
    const { heads, keys, batches } = await listedBy(custody, before)
    const ids = heads.length
    const proofsBefore = (await before.custodian.index.list(null, ids)).map(({ id }) =>
      before.proofs.record(toHex(id), true),
    )

    const after = await custody.run({ level: new MemoryLevel('another disk') })
    const found = { keys, heads: pages(heads), batches: listed(batches) }
    assert.equal(await after.custodian.recover(found), 4)
    assert.deepEqual(after.custodian.counts(), { accepted: 4, anchored: 4, pending: 0 })
    const proofsAfter = (await after.custodian.index.list(null, ids)).map(({ id }) =>
      after.proofs.record(toHex(id), true),
    )
    assert.deepEqual(sorted(proofsAfter), sorted(proofsBefore))
    custody.world.clock.advance(3 * TICK_MS)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(custody.world.mempool.size, 0, 'nothing is anchored twice')
    const fresh = await after.custodian.submitRecords(submission(jsonOf({ resourceType: 'Basic' })))
    assert.equal(fresh.records.length, 1)
    custody.world.clock.advance(TICK_MS)
    await eventually(() => custody.world.mempool.size > 0, 'the next batch has a number of its own')
    await custody.block()
    await eventually(() => after.custodian.counts().anchored === 5, 'the new one as well')
    assert.deepEqual(after.failures, [])
  })
})

test('what was erased does not come back from a holder that was away', async () => {
  await withCustody(async (custody) => {
    const { world } = custody
    const before = await custody.run()
    await before.custodian.submitRecords(submission(bundleOf(PATIENTS)))
    await eventually(() => before.custodian.placing.status().waiting === 0, 'all placed')
    world.clock.advance(TICK_MS)
    await eventually(() => world.mempool.size > 0, 'an anchor')
    await custody.block()
    await eventually(() => before.custodian.counts().anchored === 4, 'all anchored')
    const { heads, keys, batches } = await listedBy(custody, before)
    const [erased] = heads
    const [{ root } = assert.fail()] = batches.length > 0 ? batches : anchorRoots(custody)
    assert.ok(erased !== undefined)
    const setId = shardSetId(erased.set)
    const salt = new AtRest(SECRET).tombstoneSalt(setId)
    const transaction = createTransaction({
      kind: 'record.tombstone',
      body: {
        organisation: OWN,
        batchRoot: root,
        item: tombstoneItem(setId, salt),
        reason: 'patient_request',
      },
      expiresAt: world.clock.wall() + 60_000,
      genesisDigest: genesisDigest(world.genesis),
      keyPair: keyOf(OWN, 'anchor'),
    })
    assert.equal((await world.mempool.submit(transaction)).status, 'accepted')
    assert.ok((await custody.block()) !== undefined)

    const after = await custody.run({ level: new MemoryLevel('another disk') })
    const found = { keys, heads: pages(heads), batches: listed(batches) }
    assert.equal(await after.custodian.recover(found), 3)
    assert.equal(after.custodian.index.getBySet(setId), undefined)
  })
})

function anchorRoots({ world }: Custody): { root: Uint8Array }[] {
  return anchorsOn(world).map(({ root }) => ({ root: fromHex(root) }))
}

test('what came back without its batch is anchored once more, and can be proved', async () => {
  await withCustody(async (custody) => {
    const before = await custody.run()
    await before.custodian.submitRecords(submission(bundleOf(PATIENTS)))
    await eventually(() => before.custodian.placing.status().waiting === 0, 'all placed')
    const { heads, keys } = await listedBy(custody, before)
    const after = await custody.run({ level: new MemoryLevel('another disk') })
    await after.custodian.recover({ keys, heads: pages(heads), batches: listed([]) })
    custody.world.clock.advance(TICK_MS)
    await eventually(() => custody.world.mempool.size > 0, 'an anchor')
    await custody.block()
    await eventually(() => after.custodian.counts().anchored === 4, 'all anchored')
    const [entry] = await after.custodian.index.list(null, 1)
    assert.ok(entry !== undefined)
    assert.equal(after.proofs.record(toHex(entry.id), false)?.kind, 'record')
  })
})

test('keys of other accounts, and heads that do not open, bring nothing', async () => {
  await withCustody(async (custody) => {
    const before = await custody.run()
    await before.custodian.submitRecords(submission(bundleOf(PATIENTS)))
    await eventually(() => before.custodian.placing.status().waiting === 0, 'all placed')
    const { heads, keys } = await listedBy(custody, before)
    const after = await custody.run({ level: new MemoryLevel('another disk') })
    const damaged = heads.map((head) => ({
      ...head,
      manifest: head.manifest.map((byte) => byte ^ 1),
    }))
    assert.equal(
      await after.custodian.recover({ keys, heads: pages(damaged), batches: listed([]) }),
      0,
    )
    assert.equal(
      await after.custodian.recover({ keys: [], heads: pages(heads), batches: listed([]) }),
      0,
    )
    const foreign = keys.map(({ deposit, content }) => {
      return { deposit, content: { ...content, patientKey: new Uint8Array(32) } }
    })
    assert.equal(
      await after.custodian.recover({ keys: foreign, heads: pages(heads), batches: listed([]) }),
      0,
    )
  })
})

test.run()
