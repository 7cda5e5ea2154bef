import assert from 'node:assert/strict'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { test } from 'uvu'
import { CHANNEL_PROTOCOLS } from '../src/channels.ts'
import { HELLO_PROTOCOL } from '../src/hello.ts'
import { defaultLimits } from '../src/index.ts'
import { REQUEST_PROTOCOLS, requestTerms } from '../src/request-terms.ts'
import { addressOf, createIdentities, type Identity, startNode } from './world.ts'

// Fewer protocols, fewer doors: no discovery, no relay, no peer exchange, no floodsub, no plaintext.
test('a node speaks what it needs and nothing else, and tells little of itself', async () => {
  const [member, other] = await createIdentities(2)
  if (member === undefined || other === undefined) throw new Error('no identities')
  const { network } = await startNode(member, { members: [member, other], knows: [] })
  const { protocols, agentVersion, listenAddrs } = await lookAt(member, other)
  const terms = requestTerms(defaultLimits)
  const own = [
    HELLO_PROTOCOL,
    ...Object.values(CHANNEL_PROTOCOLS),
    ...REQUEST_PROTOCOLS.map((protocol) => terms[protocol].id),
  ]
  const others = protocols.filter((protocol) => !own.includes(protocol))
  assert.deepEqual(
    own.filter((protocol) => !protocols.includes(protocol)),
    [],
  )
  for (const protocol of others)
    assert.match(protocol, /^\/(ipfs\/(id|id\/push|ping)\/1\.0\.0|meshsub\/1\.[0-3]\.0)$/)
  assert.equal(agentVersion, 'mooring')
  assert.deepEqual(listenAddrs.map(String), [addressOf(member)])
  await network.close()
})

test('a node behind a router tells the address that it is reached at, and not its own', async () => {
  const [member, other] = await createIdentities(2)
  if (member === undefined || other === undefined) throw new Error('no identities')
  const announce = ['/dns4/st-mary.example/tcp/7420']
  const { network } = await startNode(member, { members: [member, other], knows: [], announce })
  assert.deepEqual(network.addresses(), [`${announce[0]}/p2p/${member.peerId}`])
  const { listenAddrs } = await lookAt(member, other)
  assert.deepEqual(listenAddrs.map(String), announce)
  await network.close()
})

test('every limit is a number that a host can bear', () => {
  for (const [name, value] of Object.entries(defaultLimits)) {
    assert.ok(Number.isFinite(value) && value > 0, `${name} is ${value}`)
  }
  const { connectionsMax, dialTimeoutMs, upgradeTimeoutMs, streamsMax } = defaultLimits
  // A full mesh of 100 authorities, and 16 more.
  assert.ok(connectionsMax >= 116)
  assert.ok(streamsMax <= 64)
  assert.ok(dialTimeoutMs <= 5_000 && upgradeTimeoutMs <= 5_000)
})

/** What it says of itself to another member. */
async function lookAt(member: Identity, other: Identity) {
  const looker = await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', other.seed),
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify({ runOnConnectionOpen: false }) },
  })
  try {
    const connection = await looker.dial(multiaddr(`${addressOf(member)}/p2p/${member.peerId}`))
    return await looker.services.identify.identify(connection)
  } finally {
    await looker.stop()
  }
}

test.run()
