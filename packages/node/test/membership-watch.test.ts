import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { x25519PublicKey } from '@mooring/crypto'
import { NetworkError, type NetworkErrorCode, type PeerInfo } from '@mooring/network'
import { test } from 'uvu'
import { createLogger } from '../src/logger.ts'
import { MembershipWatch, type NodeRestart } from '../src/membership-watch.ts'
import type { NodeError } from '../src/node-error.ts'
import { keyOf, NAMES } from './chain-members.ts'
import { withWorld, type World } from './chain-world.ts'

const [OWN = ''] = NAMES
const NOWHERE = '/nowhere/key.json'

interface Watched {
  watch: MembershipWatch
  stops: (NodeError | NodeRestart)[]
  /** All others close every connection at once, or no longer do. */
  refuse: (isRefused: boolean) => void
  /** What came of the last try to connect with each of the others; null: it is connected. */
  outcomes: (...codes: (NetworkErrorCode | null)[]) => void
}

function watchAs(world: World, name: string, keysOf = name): Watched {
  const stops: Watched['stops'] = []
  const key = (duty: string) => keyOf(keysOf, duty)
  const seal = { ...key('seal'), publicKey: x25519PublicKey(key('seal').seed) }
  const keys = { consensus: key('consensus'), transport: key('transport'), anchor: key('anchor') }
  let peers: PeerInfo[] = world.peers
  const watch = new MembershipWatch(
    {
      name,
      networkId: 'moor-test',
      keys: { ...keys, seal },
      keyPaths: { consensus: NOWHERE, transport: NOWHERE, anchor: NOWHERE, seal: NOWHERE },
    },
    {
      clock: world.clock,
      execution: world.parts.execution,
      network: { peerId: 'own', peers: () => peers },
      logger: createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' }),
      onStop: (reason) => stops.push(reason),
      onFatal: (error) => {
        throw error
      },
    },
  )
  const refuse = (isRefused: boolean): void => {
    const lastError = isRefused ? new NetworkError('not_admitted', 'closed') : null
    peers = world.peers.map((peer) => ({ ...peer, connected: !isRefused, lastError }))
  }
  const outcomes: Watched['outcomes'] = (...codes) => {
    peers = codes.map((code, index) => ({
      ...(world.peers[0] ?? assert.fail()),
      peerId: `peer-${index}`,
      connected: code === null,
      lastError: code === null ? null : new NetworkError(code, 'a test says so'),
    }))
  }
  return { watch, stops, refuse, outcomes }
}

test('a member that all others refuse stops after a minute, and not for less', async () => {
  await withWorld(async (world) => {
    const { watch, stops, refuse } = watchAs(world, OWN)
    assert.equal(watch.finding(), null)
    refuse(true)
    await pass(world, 50)
    refuse(false)
    await pass(world, 10)
    refuse(true)
    await pass(world, 50)
    assert.deepEqual(stops, [])
    await pass(world, 20)
    assert.deepEqual(codesOf(stops).slice(0, 1), ['refused_by_all'])
    watch.close()
  })
})

test('who cannot be dialled, and who is away, does not keep a member from being refused', async () => {
  await withWorld(async (world) => {
    const { watch, stops, outcomes } = watchAs(world, OWN)
    outcomes('not_admitted', 'not_admitted', 'dial_failed', 'no_address', 'no_address')
    await pass(world, 50)
    assert.deepEqual(stops, [])
    await pass(world, 20)
    assert.deepEqual(codesOf(stops).slice(0, 1), ['refused_by_all'])
    watch.close()
  })
})

test('a third that may lie refuses nobody, and neither does silence', async () => {
  await withWorld(async (world) => {
    const { watch, stops, outcomes } = watchAs(world, OWN)
    outcomes('not_admitted', 'dial_failed', 'dial_failed')
    await pass(world, 100)
    outcomes('not_admitted', 'not_admitted', 'not_admitted', null)
    await pass(world, 100)
    outcomes('dial_failed', 'closed', 'no_address')
    await pass(world, 100)
    outcomes('no_address', 'no_address', 'no_address')
    await pass(world, 100)
    assert.deepEqual(stops, [])
    watch.close()
  })
})

test('a newcomer waits for its admission however long it takes, and says so', async () => {
  await withWorld((world) => {
    const { watch, stops, refuse } = watchAs(world, 'newcomer')
    assert.equal(watch.finding(), null)
    refuse(true)
    world.clock.advance(3_600_000)
    assert.deepEqual(stops, [])
    assert.equal(watch.finding()?.code, 'waiting_for_admission')
    watch.close()
  })
})

test('keys that the chain does not name are a matter for people', async () => {
  await withWorld(async (world) => {
    const { watch, stops } = watchAs(world, OWN, NAMES[1])
    const finding = watch.finding()
    assert.equal(finding?.code, 'keys_foreign')
    assert.match(finding.detail, /consensus, transport, anchor, seal/)
    await watch.onEpoch()
    assert.deepEqual(stops, [], 'no next key waits: a restart would change nothing')
    watch.close()
  })
})

/** Second by second, so that files can be looked at in between. */
async function pass(world: World, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    world.clock.advance(1_000)
    await pause(2)
  }
}

function codesOf(stops: Watched['stops']): string[] {
  return stops.map((stop) => ('code' in stop ? stop.code : stop.why))
}

test.run()
