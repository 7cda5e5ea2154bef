// A holder that serves without a trace is found by asking it to, and named; an honest one only refuses.

import assert from 'node:assert/strict'
import {
  openManifest,
  decodeVaultRequest,
  encodeVaultAnswer,
  type VaultAnswer,
} from '@mooring/records'
import { test } from 'uvu'
import type { AccessModules } from '../src/access-session.ts'
import { createLogger } from '../src/logger.ts'
import { TraceProbe } from '../src/trace-probe.ts'
import { createVaultPeers } from '../src/vault-peers.ts'
import { keyOf, NAMES } from './chain-members.ts'
import { bytesOf, CUSTODIAN, type HolderWorld, patient, withHolders } from './holder-world.ts'

const LIAR = 'county'
const EVERY_MS = 10 * 60_000

interface Probing {
  probe: TraceProbe
  asked: [holder: string, isServed: boolean][]
  reported: string[]
}

/** The custodian's probe of one record; the holder of this name serves whoever asks. */
async function probing(world: HolderWorld, liar: string | null): Promise<Probing> {
  const { record, holders } = await world.deposit()
  const manifest = openManifest(record.manifest, bytesOf('class key'), record.setId)
  assert.ok(manifest !== undefined)
  const reported: string[] = []
  const list = world.organisations.map(({ id }) => ({ peerId: id, name: id, authority: true }))
  const peers = createVaultPeers(CUSTODIAN, {
    members: { list },
    answer: () => Promise.reject(new Error('it does not probe itself')),
    network: {
      peers: () => list.map((member) => ({ ...member, ...CONNECTED })),
      request: async (holder, _protocol, payload) => {
        const request = decodeVaultRequest(payload)
        if (request.kind === 'report') {
          reported.push(`${request.body.holder} ${request.body.code} to ${holder}`)
          return encodeVaultAnswer({ kind: 'done', body: {} })
        }
        if (holder !== liar)
          return encodeVaultAnswer(await world.askBytes(CUSTODIAN, holder, payload))
        const shard = record.shards[NAMES.indexOf(holder)] ?? new Uint8Array(0)
        const index = NAMES.indexOf(holder)
        const item = { setId: record.setId, index, from: 0, digests: [], fragments: [shard] }
        const served: VaultAnswer = { kind: 'release', body: { items: [item] } }
        return encodeVaultAnswer(served)
      },
    },
  })
  let count = 0
  const access: AccessModules = {
    self: CUSTODIAN,
    anchorKey: keyOf(CUSTODIAN, 'anchor'),
    clock: world.clock,
    peers,
    random: (length) => {
      count += 1
      return length === 1 ? Uint8Array.of(count) : bytesOf(`random ${count}`).slice(0, length)
    },
    recentBlock: () => world.blockAt(world.chain.height),
    memberOf: () => undefined,
    nextSequence: () => Promise.reject(new Error('a probe has no number')),
    keepEntry: () => Promise.reject(new Error('a probe is no read')),
  }
  const asked: Probing['asked'] = []
  const probe = new TraceProbe({
    access,
    clock: world.clock,
    logger: createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' }),
    target: () =>
      Promise.resolve({
        record: { setId: record.setId, set: record.set, holders, manifest },
        logKey: patient.log.publicKey,
      }),
    others: () => world.organisations.flatMap(({ id }) => (id === CUSTODIAN ? [] : [id])),
    observe: (holder, isServed) => asked.push([holder, isServed]),
  })
  return { probe, asked, reported }
}

const CONNECTED = {
  connected: true,
  lastHeard: 1,
  rttMs: null,
  direction: null,
  height: null,
  lastError: null,
}

test('honest holders refuse a probe and note it, and nobody is blamed', async () => {
  await withHolders(async (world) => {
    const { probe, asked, reported } = await probing(world, null)
    for (let time = 0; time < 6; time += 1) assert.equal(await probe.probe(), null)
    assert.deepEqual(new Set(asked.map(([holder]) => holder)), new Set(NAMES.slice(1)))
    assert.ok(asked.every(([, isServed]) => !isServed))
    assert.equal(probe.finding(), null)
    assert.deepEqual(reported, [])
    for (const name of NAMES.slice(1)) {
      const codes = world.hospital(name).noted.refused.map(({ code }) => code)
      assert.deepEqual(new Set(codes), new Set(['too_few_witnesses']))
      assert.equal(world.hospital(name).noted.served, 0)
    }
  })
})

test('a holder that serves without a trace is named, alarmed about for a day, and reported', async () => {
  await withHolders(async (world) => {
    const { probe, asked, reported } = await probing(world, LIAR)
    const found: (string | null)[] = []
    for (let time = 0; time < 3; time += 1) found.push(await probe.probe())
    assert.deepEqual(
      found.filter((holder) => holder !== null),
      [LIAR],
    )
    assert.deepEqual(
      asked.filter(([, isServed]) => isServed),
      [[LIAR, true]],
    )
    assert.equal(probe.finding()?.code, 'served_without_trace')
    assert.match(probe.finding()?.detail ?? '', /^county gave out/)
    const others = ['riverside', 'lakeview', 'laboratory']
    assert.deepEqual(
      reported,
      others.map((other) => `county served_without_trace to ${other}`),
    )
    world.clock.advance(25 * 60 * 60_000)
    assert.equal(probe.finding(), null)
  })
})

test('holders are probed by the clock, until the node stops', async () => {
  await withHolders(async (world) => {
    const { probe, asked } = await probing(world, null)
    probe.start()
    world.clock.advance(EVERY_MS)
    for (let turn = 0; asked.length < 1; turn += 1) {
      assert.ok(turn < 10_000, 'nobody was asked')
      await new Promise(setImmediate)
    }
    await probe.close()
    world.clock.advance(EVERY_MS * 3)
    await new Promise(setImmediate)
    assert.equal(asked.length, 1)
  })
})

test.run()
