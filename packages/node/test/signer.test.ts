// A signer over its socket: who is answered, who is not, and what happens while one of the two is away.

import assert from 'node:assert/strict'
import { cp, rm, stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { voteMessage } from '@mooring/consensus'
import { keyPairFromSeed, verify } from '@mooring/crypto'
import { decodeTransaction } from '@mooring/ledger'
import { test } from 'uvu'
import { NodeError } from '../src/node-error.ts'
import { prepareNextKey } from '../src/next-keys.ts'
import { questionFrame, unsignedVote } from '../src/signer-messages.ts'
import {
  always,
  eventually,
  KEY,
  NETWORK,
  SignerWorld,
  unixAddress,
  voteFor,
} from './signer-world.ts'

const { publicKey } = KEY

async function refuses(code: string, work: Promise<unknown>): Promise<NodeError> {
  const error = await work.then(
    () => assert.fail(`not refused with ${code}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Error && 'code' in error, String(error))
  assert.equal(error.code, code)
  return error instanceof NodeError ? error : new NodeError('internal')
}

test('votes are signed with the key of the signer, and the socket is its own', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    await world.start(home)
    const { address } = home.options
    assert.ok(address.kind === 'unix')
    assert.equal((await stat(address.path)).mode & 0o777, 0o600)
    const node = world.connect(address)
    for (const vote of [voteFor('notarize', 1), voteFor('finalize', 1), voteFor('nullify', 2)]) {
      const signature = await node.vote(publicKey, vote, always)
      assert.ok(signature !== null)
      assert.ok(verify(publicKey, voteMessage(NETWORK, vote.kind, vote.subject), signature))
    }
    assert.equal(node.finding(), null)
  }))

test('acceptance 7: of two nodes with one key and one signer, one gets each vote and the other ends', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    await world.start(home)
    const refused: string[] = []
    const one = world.connect(home.options.address)
    const other = world.connect(home.options.address, { onRefused: (code) => refused.push(code) })
    assert.ok(await one.vote(publicKey, voteFor('notarize', 7), always))
    assert.ok(await other.vote(publicKey, voteFor('notarize', 7), always), 'the same vote')
    const error = await refuses(
      'signer_contradiction',
      other.vote(publicKey, voteFor('notarize', 7, 'b'), always),
    )
    assert.match(String(error.data['signed']), /notarize aaaaaaaa in view 7/)
    await refuses('signer_behind', other.vote(publicKey, voteFor('notarize', 5, 'b'), always))
    assert.deepEqual(refused, ['signer_contradiction', 'signer_behind'])
    assert.ok(await one.vote(publicKey, voteFor('finalize', 7), always))
  }))

test('a node waits for its signer, says so, and goes on by itself', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    const node = world.connect(home.options.address)
    const kept = node.vote(publicKey, voteFor('notarize', 1), always)
    let isWanted = true
    const stale = node.vote(publicKey, voteFor('nullify', 1), () => isWanted)
    await eventually(() => node.finding() !== null, 'the node says that its signer is away')
    assert.equal(node.finding()?.code, 'signer_unreachable')
    assert.equal(node.finding()?.severity, 'page')
    assert.match(String(node.finding()?.detail), /there is no socket.*does not vote/)
    assert.equal(await node.ready(publicKey, READY), null)
    isWanted = false
    const signer = await world.start(home)
    assert.equal(await stale, null)
    assert.ok(await kept)
    assert.equal(node.finding(), null)
    await signer.close()
    await world.start(home)
    assert.ok(await node.vote(publicKey, voteFor('finalize', 1), always))
  }))

const READY = {
  organisation: 'h-1',
  change: new Uint8Array(32).fill(9),
  expiresAt: 1_700_000_000_000,
}

test('a signer that hangs counts as one that is away', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    const { address } = home.options
    assert.ok(address.kind === 'unix')
    const deaf = createServer((socket) => socket.resume()).listen(address.path)
    await once(deaf, 'listening')
    const node = world.connect(address)
    await eventually(() => node.finding() !== null, 'the node notices')
    deaf.close()
  }))

test('what answers with anything else than a signature is no signer', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    await world.start(home)
    const strange = await world.home('strange')
    const { address } = strange.options
    assert.ok(address.kind === 'unix' && home.options.address.kind === 'unix')
    const { path } = home.options.address
    // Passes everything on, and turns the signatures that come back.
    const between = createServer((socket) => {
      const signer = connect({ path })
      for (const each of [socket, signer]) each.on('error', () => undefined)
      socket.pipe(signer)
      signer.on('data', (chunk: Buffer) => {
        if (chunk.length < 120) chunk[chunk.length - 1] = (chunk.at(-1) ?? 0) ^ 1
        socket.write(chunk)
      })
    }).listen(address.path)
    await once(between, 'listening')
    const node = world.connect(address)
    await refuses('signer_strange', node.vote(publicKey, voteFor('notarize', 1), always))
    between.close()
  }))

test('a signer says that its organisation is ready for a change, with the key in question', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    await world.start(home)
    const node = world.connect(home.options.address)
    await eventually(() => node.finding() === null, 'connected')
    assert.ok(await node.vote(publicKey, voteFor('nullify', 1), always))
    const transaction = await node.ready(publicKey, READY)
    assert.ok(transaction)
    const { payload, signer } = decodeTransaction(transaction, NETWORK)
    assert.equal(payload.kind, 'change.ready')
    assert.deepEqual(signer, publicKey)
  }))

test('another key or another network is not signed for, and the node says which', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    await world.start(home)
    const node = world.connect(home.options.address)
    const other = keyPairFromSeed(new Uint8Array(32).fill(8)).publicKey
    assert.equal(await node.vote(other, voteFor('notarize', 1), always), null)
    assert.equal(node.finding()?.code, 'signer_foreign')
    assert.ok(await node.vote(publicKey, voteFor('notarize', 1), always))
    assert.equal(node.finding(), null)
    const stranger = world.connect(home.options.address, { network: new Uint8Array(32).fill(7) })
    await eventually(() => stranger.finding()?.code === 'signer_foreign', 'another network')
  }))

const later = (view: number) => {
  const vote = voteFor('notarize', view)
  return { ...vote, subject: { ...vote.subject, epoch: 1 } }
}

test('the next key is used once it is asked for, and takes the place of the one before', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    const { keyPath } = home.options
    const { keyPair } = await prepareNextKey(keyPath, 'consensus', { created: new Date() })
    const signer = await world.start(home)
    const failures: unknown[] = []
    void signer.failed.then((failure) => failures.push(failure))
    const node = world.connect(home.options.address)
    const other = world.connect(home.options.address)
    assert.ok(await node.vote(publicKey, voteFor('notarize', 1), always))
    const asked = [node, other, node, other].map((each) =>
      each.vote(keyPair.publicKey, later(1), always),
    )
    for (const signature of await Promise.all(asked)) assert.ok(signature)
    assert.ok(await node.vote(keyPair.publicKey, later(2), always))
    assert.deepEqual(failures, [])
    assert.equal(await node.vote(publicKey, voteFor('notarize', 2), always), null)
  }))

test('one home, one signer; a copy of its guard does not open; without a guard it lets views go by', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    const first = await world.start(home)
    await refuses('locked', world.start(home))
    await first.close()
    const { guardDir } = home.options
    await cp(guardDir, `${guardDir}.copy`, { recursive: true })
    const node = world.connect(home.options.address)
    const second = await world.start(home)
    assert.ok(await node.vote(publicKey, voteFor('notarize', 5), always))
    await second.close()
    await rm(guardDir, { recursive: true })
    await cp(`${guardDir}.copy`, guardDir, { recursive: true })
    const copied = await world.start(home)
    // An unused guard may go anywhere, as one that is new: what was voted since it does not know.
    assert.equal(await node.vote(publicKey, voteFor('notarize', 5, 'b'), always), null)
    assert.ok(await node.vote(publicKey, voteFor('notarize', 8), always))
    await copied.close()
    await cp(guardDir, `${guardDir}.used`, { recursive: true })
    await rm(guardDir, { recursive: true })
    await cp(`${guardDir}.used`, guardDir, { recursive: true })
    await refuses('guard_moved', world.start(home))
    await world.start(home, { rejoin: true })
    assert.equal(await node.vote(publicKey, voteFor('notarize', 8, 'b'), always), null)
    assert.ok(await node.vote(publicKey, voteFor('notarize', 11), always))
  }))

test('nonsense is cut off, and the signer goes on', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    await world.start(home)
    const { address } = home.options
    assert.ok(address.kind === 'unix')
    const garbled = questionFrame(1, {
      kind: 'vote',
      body: {
        network: NETWORK,
        key: publicKey,
        vote: unsignedVote(voteFor('notarize', 1)).fill(0, 3, 9),
      },
    })
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0, 0, 0, 3, 1, 2, 3]),
      Buffer.from(garbled),
    ]) {
      const socket = connect({ path: address.path })
      socket.on('error', () => undefined)
      socket.write(bytes)
      await once(socket, 'close')
    }
    const many = Array.from({ length: 40 }, () => connect({ path: address.path }))
    for (const socket of many) socket.on('error', () => undefined).resume()
    await eventually(() => many.filter((each) => each.destroyed).length >= 24, 'most are refused')
    for (const socket of many) socket.destroy()
    const node = world.connect(address)
    assert.ok(await node.vote(publicKey, voteFor('notarize', 1), always))
  }))

test('a socket that a crash has left behind is replaced, one that answers is not', () =>
  SignerWorld.open(async (world) => {
    const home = await world.home('signer')
    const { address } = home.options
    assert.ok(address.kind === 'unix')
    const other = await world.home('other', { address: unixAddress(address.path) })
    const first = await world.start(home)
    await refuses('signer_in_use', world.start(other))
    await first.close()
    const long = unixAddress(join(home.home, 'x'.repeat(200)))
    await assert.rejects(world.start(await world.home('long', { address: long })))
  }))

test.run()
