// Whole nodes in this process, with homes of their own: what an end of epoch means for the node itself.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@mooring/api/client'
import { formatPeerId } from '@mooring/crypto'
import { type Change, decodeTransaction, type NewKey, signNewKey } from '@mooring/ledger'
import { test } from 'uvu'
import { createDevnet, type Devnet, findPortBlock } from '../src/devnet.ts'
import { homePaths } from '../src/home.ts'
import { readKeyFile } from '../src/keys.ts'
import { loadNodeOptions } from '../src/load-options.ts'
import { NodeRestart } from '../src/membership-watch.ts'
import { nextKeyPath, prepareNextKey } from '../src/next-keys.ts'
import { NodeError } from '../src/node-error.ts'
import { type RunningNode, type StartHow, startNode } from '../src/node.ts'
import type { NodeDuty } from '../src/own-place.ts'
import { approvalOf, proposalOf, readinessOf } from './cluster-members.ts'

const ROTATED = ['consensus', 'transport', 'anchor', 'seal'] as const

class Hospitals {
  readonly devnet: Devnet
  readonly #running = new Map<number, RunningNode>()

  constructor(devnet: Devnet) {
    this.devnet = devnet
  }

  async start(index: number, how: StartHow = {}): Promise<RunningNode> {
    const options = await loadNodeOptions({
      home: this.home(index),
      flags: { 'log.level': 'silent' },
      env: {},
    })
    const node = await startNode(options, how)
    this.#running.set(index, node)
    return node
  }

  async stop(index: number): Promise<void> {
    await this.#running.get(index)?.close()
    this.#running.delete(index)
  }

  async stopAll(): Promise<void> {
    for (const index of this.#running.keys()) await this.stop(index)
  }

  /** Why it stops by itself. */
  failure(index: number): Promise<unknown> {
    const node = this.#running.get(index)
    assert.ok(node !== undefined, `hospital ${index} does not run`)
    return node.failed
  }

  home(index: number): string {
    return join(this.devnet.dir, `hospital-${index}`)
  }

  keyFile(index: number, duty: string): string {
    return join(homePaths(this.home(index)).keys, `${duty}.json`)
  }

  client(index: number): ReturnType<typeof createClient> {
    const node = this.#running.get(index)
    assert.ok(node !== undefined, `hospital ${index} does not run`)
    return createClient(node.api)
  }

  async propose(change: Change, [first = 0, ...others]: readonly number[]): Promise<void> {
    const network = this.devnet.genesisDigest
    const key = (index: number) => readKeyFile(this.keyFile(index, 'governance'), 'governance')
    const proposal = proposalOf(network, `hospital-${first}`, await key(first), change)
    await this.client(first).submitTransaction(proposal, { waitMs: 10_000 })
    const { id } = decodeTransaction(proposal, network)
    for (const index of others)
      await this.client(index).submitTransaction(
        approvalOf(network, `hospital-${index}`, await key(index), id),
      )
  }

  /** What makes a rotation of this member, its next keys in their files. */
  async rekey(index: number, duties: readonly NodeDuty[] = ROTATED): Promise<Change> {
    const organisation = `hospital-${index}`
    const keys: NewKey[] = []
    for (const duty of duties) {
      const { keyPair } = await prepareNextKey(this.keyFile(index, duty), duty, {
        created: new Date(),
      })
      keys.push(
        duty === 'seal'
          ? { duty, key: keyPair.publicKey, signature: null }
          : signNewKey(this.devnet.genesisDigest, { organisation, duty }, keyPair),
      )
    }
    return { kind: 'rekey', body: { organisation, keys } }
  }
}

async function withHospitals(work: (hospitals: Hospitals) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-membership-'))
  const { basePort } = await findPortBlock(0, 5)
  const devnet = await createDevnet({ dir, basePort, nodes: 5, name: 'members', heartbeatMs: 0 })
  const hospitals = new Hospitals(devnet)
  try {
    for (const index of [0, 1, 2, 3, 4]) await hospitals.start(index)
    await work(hospitals)
  } finally {
    await hospitals.stopAll()
    await rm(dir, { recursive: true, force: true })
  }
}

async function eventually(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const until = Date.now() + 20_000
  while (!(await isSo())) {
    if (Date.now() > until) throw new Error(`not after 20 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/**
 * A record that its holders have and whose anchor waits: they stop before a block can have it. When the
 * block was quicker, with another one.
 */
async function waitingAnchor(hospitals: Hospitals, others: readonly number[]): Promise<string> {
  const contentType = 'application/fhir+json'
  for (let value = 1; value <= 8; value += 1) {
    const { records } = await hospitals.client(3).submitRecords(observation(value), { contentType })
    const [record] = records
    assert.ok(record !== undefined)
    await Promise.all(others.map((index) => hospitals.stop(index)))
    const isBatched = async () => {
      const { status, height } = await hospitals.client(3).record(record.id)
      return status === 'batched' || height !== null
    }
    await eventually(isBatched, 'the record is in a batch')
    const { mempool } = await hospitals.client(3).status()
    if (mempool.transactions === 1) return record.id
    for (const index of others) await hospitals.start(index)
  }
  throw new Error('every anchor was in a block before the others had stopped')
}

function observation(value: number): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'heart rate' },
      valueInteger: value,
    }),
  )
}

test('a node takes its new keys by itself, loses no accepted record, and ends when it is removed', () =>
  withHospitals(async (hospitals) => {
    const contentType = 'application/fhir+json'
    await hospitals.client(3).submitRecords(observation(1), { contentType, waitMs: 10_000 })
    const change = await hospitals.rekey(3)
    await hospitals.propose(change, [3])
    const late = await hospitals.client(3).submitRecords(observation(2), { contentType })
    const [record] = late.records
    assert.ok(record !== undefined)
    const reason = await hospitals.failure(3)
    assert.ok(reason instanceof NodeRestart, String(reason))
    assert.match(reason.why, /consensus, transport, anchor, seal/)
    await hospitals.stop(3)

    const again = await hospitals.start(3)
    assert.equal(again.role(), 'authority')
    const files = await readdir(homePaths(hospitals.home(3)).keys)
    assert.ok(
      files.every((file) => !file.includes('.next')),
      files.join(', '),
    )
    assert.equal(files.filter((file) => file.startsWith('seal.')).length, 2)
    const anchored = async () => (await hospitals.client(3).record(record.id)).height !== null
    await eventually(anchored, 'the record that was accepted before the rotation is anchored')
    const transport = await readKeyFile(hospitals.keyFile(3, 'transport'), 'transport')
    const { items } = await hospitals.client(0).peers()
    const peer = items.find(({ name }) => name === 'hospital-3')
    assert.equal(peer?.peerId, formatPeerId(transport.publicKey))

    const removal = { organisation: 'hospital-3', evidence: [] }
    await hospitals.propose({ kind: 'remove', body: removal }, [0, 1, 2, 4])
    const removed = await hospitals.failure(3)
    assert.ok(removed instanceof NodeError && removed.code === 'removed', String(removed))
    await hospitals.stop(3)
    await assert.rejects(hospitals.start(3), { code: 'removed' })
    const gone = async () => {
      const { items: peers } = await hospitals.client(0).peers()
      return peers.every(({ name }) => name !== 'hospital-3')
    }
    await eventually(gone, 'it is no peer of the others')
  }))

test('an anchor that waits while its key is renewed elsewhere is signed anew and not lost', () =>
  withHospitals(async (hospitals) => {
    const others = [0, 1, 2, 4]
    const record = await waitingAnchor(hospitals, others)
    await hospitals.stop(3)
    for (const index of others) await hospitals.start(index)
    const governance = await readKeyFile(hospitals.keyFile(3, 'governance'), 'governance')
    const change = await hospitals.rekey(3, ['anchor'])
    const network = hospitals.devnet.genesisDigest
    const proposal = proposalOf(network, 'hospital-3', governance, change)
    await hospitals.client(0).submitTransaction(proposal, { waitMs: 10_000 })

    await hospitals.start(3)
    const reason = await hospitals.failure(3)
    assert.ok(reason instanceof NodeRestart, String(reason))
    await hospitals.stop(3)
    await hospitals.start(3)
    const anchored = async () => (await hospitals.client(3).record(record)).height !== null
    await eventually(anchored, 'the record is anchored with the new key')
  }))

test('a node that was away while its transport key was renewed finds its way back', () =>
  withHospitals(async (hospitals) => {
    const change = await hospitals.rekey(3, ['transport', 'consensus'])
    await hospitals.stop(3)
    const governance = await readKeyFile(hospitals.keyFile(3, 'governance'), 'governance')
    const network = hospitals.devnet.genesisDigest
    const proposal = proposalOf(network, 'hospital-3', governance, change)
    await hospitals.client(0).submitTransaction(proposal, { waitMs: 10_000 })
    const { id } = decodeTransaction(proposal, network)
    const next = await readKeyFile(nextKeyPath(hospitals.keyFile(3, 'consensus')), 'consensus')
    const ready = readinessOf(network, 'hospital-3', next, id)
    await hospitals.client(0).submitTransaction(ready, { waitMs: 10_000 })
    await eventually(async () => (await hospitals.client(0).network()).epoch === 1, 'epoch 1')

    await hospitals.start(3)
    const refused = await hospitals.failure(3)
    assert.ok(refused instanceof NodeRestart, String(refused))
    assert.deepEqual(refused.how, { transport: 'next' })
    await hospitals.stop(3)
    await hospitals.start(3, refused.how)
    const reason = await hospitals.failure(3)
    assert.ok(reason instanceof NodeRestart, String(reason))
    assert.deepEqual(reason.how, {})
    await hospitals.stop(3)
    assert.equal((await hospitals.start(3)).role(), 'authority')
    const files = await readdir(homePaths(hospitals.home(3)).keys)
    assert.ok(
      files.every((file) => !file.includes('.next')),
      files.join(', '),
    )
  }))

test.run()
