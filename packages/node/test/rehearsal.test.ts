import assert from 'node:assert/strict'
import {
  checkEvidence,
  decodeMessage,
  encodeMessage,
  evidenceOf,
  type Vote,
  voteMessage,
} from '@mooring/consensus'
import { formatPeerId, keyPairFromSeed, sign } from '@mooring/crypto'
import { type Member, type Network, startNetwork } from '@mooring/network'
import { test } from 'uvu'
import type { Behaviour } from '../src/behaviours.ts'
import { misbehave } from '../src/rehearsal.ts'

const DIGEST = new Uint8Array(32).fill(7)
const SEEDS = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte))
const MEMBERS: Member[] = SEEDS.map((seed, index) => {
  const peerId = formatPeerId(keyPairFromSeed(seed).publicKey)
  return { peerId, name: `hospital-${index}`, authority: true }
})
const KEY = keyPairFromSeed(new Uint8Array(32).fill(9))

test('who equivocates signs two votes for one view, which convict it', () =>
  inNetwork('equivocate', async ({ guilty, others }) => {
    const vote = signedVote()
    const frame = encodeMessage({ kind: 'votes', votes: [vote] })
    for (const { peerId } of MEMBERS.slice(1)) guilty.send(peerId, 'urgent', frame)
    await eventually(() => others.flatMap(({ frames }) => frames).length === 3)
    const heard = others.map(({ frames }) => frames.flatMap((each) => votesIn(each)))
    const [first, second] = heard.find(({ length }) => length === 2) ?? []
    assert.deepEqual(
      heard.find(({ length }) => length === 1),
      [vote],
    )
    assert.ok(first !== undefined && second !== undefined)
    const evidence = evidenceOf(first, second)
    assert.ok(evidence !== null)
    const keys = { chain: DIGEST, keys: [KEY.publicKey] }
    assert.equal(checkEvidence(evidence, keys), undefined)
    const status = encodeMessage({ kind: 'certificates', certificates: [] })
    for (const { peerId } of MEMBERS.slice(1)) guilty.send(peerId, 'urgent', status)
    await eventually(() => others.flatMap(({ frames }) => frames).length === 5)
    assert.deepEqual(others[0]?.frames.at(-1), others[1]?.frames.at(-1))
  }))

test('who withholds sends everything but votes, and answers nobody', () =>
  inNetwork('withhold', async ({ guilty, others }) => {
    const [, other] = MEMBERS
    assert.ok(other !== undefined)
    const vote = encodeMessage({ kind: 'votes', votes: [signedVote()] })
    assert.equal(guilty.send(other.peerId, 'urgent', vote), true)
    const rest = encodeMessage({ kind: 'certificates', certificates: [] })
    guilty.send(other.peerId, 'urgent', rest)
    await eventually(() => (others[0]?.frames.length ?? 0) > 0)
    assert.deepEqual(others[0]?.frames, [rest])
    const asked = others[0]?.network.request(guilty.peerId, 'blocks', rest, { timeoutMs: 5_000 })
    await assert.rejects(asked ?? Promise.resolve())
  }))

test('who floods sends what nobody can read, and its own frames as well', () =>
  inNetwork('flood', async ({ guilty, others }) => {
    const [, other] = MEMBERS
    const own = encodeMessage({ kind: 'certificates', certificates: [] })
    guilty.send(other?.peerId ?? '', 'urgent', own)
    await eventually(() => (others[0]?.frames.length ?? 0) > 50)
    const frames = others[0]?.frames ?? []
    assert.equal(frames.filter((frame) => Buffer.from(frame).equals(own)).length, 1)
  }))

test('who lies claims a height that it does not have, and answers with nonsense', () =>
  inNetwork('lie', async ({ guilty, others }) => {
    const peer = others[0]?.network.peers().find(({ peerId }) => peerId === guilty.peerId)
    assert.ok((peer?.height ?? 0) > 1_000)
    const question = new Uint8Array([1])
    const answer = await others[0]?.network.request(guilty.peerId, 'blocks', question, {
      timeoutMs: 5_000,
    })
    assert.notDeepEqual(answer, question)
  }))

test('outside of a devnet nobody misbehaves on purpose', () => {
  assert.throws(() => misbehave('lie', { ...node(), profile: 'prod' }), {
    code: 'rehearsal_refused',
  })
})

function node() {
  return {
    name: 'hospital-0',
    profile: 'devnet' as const,
    genesisDigest: DIGEST,
    keys: { consensus: KEY },
  }
}

function signedVote(): Vote {
  const subject = { epoch: 0, view: 5, parentView: 4, height: 5, digest: 'aa'.repeat(32) }
  const signature = sign(KEY, voteMessage(DIGEST, 'notarize', subject))
  return { kind: 'notarize', subject, signer: 0, signature }
}

function votesIn(frame: Uint8Array): readonly Vote[] {
  const message = decodeMessage(frame)
  return message.kind === 'votes' ? message.votes : []
}

interface Other {
  network: Network
  frames: Uint8Array[]
}

async function inNetwork(
  behaviour: Behaviour,
  work: (world: { guilty: Network; others: Other[] }) => Promise<void>,
): Promise<void> {
  const places = new Map<string, string>()
  const others: Other[] = []
  for (const index of [1, 2]) {
    const frames: Uint8Array[] = []
    const network = await start(startNetwork, index, places, frames)
    others.push({ network, frames })
  }
  const guilty = await start(misbehave(behaviour, node()), 0, places, [])
  try {
    await eventually(() => guilty.peers().every(({ connected }) => connected))
    await work({ guilty, others })
  } finally {
    for (const each of [guilty, ...others.map(({ network }) => network)]) await each.close()
  }
}

async function start(
  begin: typeof startNetwork,
  index: number,
  places: Map<string, string>,
  frames: Uint8Array[],
): Promise<Network> {
  const network = await begin(
    {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      transportSeed: SEEDS[index] ?? DIGEST,
      networkId: 'moor-07070707',
      genesisDigest: DIGEST,
      protocolVersions: [1, 2],
      members: () => MEMBERS,
      addresses: (peerId) => [places.get(peerId) ?? []].flat(),
      log: () => undefined,
    },
    {
      onMessage: (_peer, _channel, frame) => {
        frames.push(frame)
      },
      onTransactions: () => 'ignore',
      onRequest: (_peer, _protocol, payload) => Promise.resolve(payload),
      onPeer: () => undefined,
      status: () => ({ height: 5 }),
    },
  )
  const [address] = network.addresses()
  if (address !== undefined) places.set(network.peerId, address)
  return network
}

async function eventually(isDone: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!isDone()) {
    assert.ok(performance.now() < deadline, 'it did not happen within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test.run()
