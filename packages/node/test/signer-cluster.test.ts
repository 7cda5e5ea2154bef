// Authorities whose votes are signed elsewhere: four in this process, with real sockets and journals.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { decodeMessage, decodeVote, type UnsignedVote, type Vote } from '@mooring/consensus'
import { Journal } from '@mooring/storage'
import { cp } from 'node:fs/promises'
import { test } from 'uvu'
import { NodeError } from '../src/node-error.ts'
import { makeFirstGuard } from '../src/first-guard.ts'
import type { RemoteSigner, SignerConnection } from '../src/remote-signer.ts'
import type { RunningSigner } from '../src/signer.ts'
import { Cluster } from './cluster.ts'
import { type SignerHome, SignerWorld } from './signer-world.ts'

async function votesIn(guardDir: string, copy: string): Promise<Vote[]> {
  await cp(guardDir, copy, { recursive: true })
  const { journal, records } = await Journal.open({ directory: copy })
  await journal.close()
  return records.filter(({ type }) => type === 'vote').map(({ payload }) => decodeVote(payload))
}

/** There is always something to vote on until it is so. */
async function whileBusy(cluster: Cluster, index: number, isSo: () => boolean): Promise<void> {
  const until = Date.now() + 20_000
  for (let sequence = 1; !isSo(); sequence += 1) {
    if (Date.now() > until) throw new Error('not within 20 s')
    await cluster.submit(index, cluster.anchor(index, sequence))
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

const nameOfVote = ({ kind, subject }: UnsignedVote) => `${kind} ${subject.view} ${subject.digest}`

/** Four members, of whom the first two have their consensus keys in signers that run. */
async function withSigners(
  scenario: (cluster: Cluster, world: SignerWorld, signed: Signed[]) => Promise<void>,
): Promise<void> {
  await SignerWorld.open(async (world) => {
    const cluster = await Cluster.prepare(4)
    const { digest: network } = cluster
    try {
      const signed: Signed[] = []
      for (let index = 0; index < 4; index += 1) {
        await makeFirstGuard(join(cluster.homeOf(index), 'guard'))
        if (index > 1) {
          await cluster.startMember(index)
          continue
        }
        const key = cluster.keys.pair(index, 'consensus')
        const home = await world.home(`signer-${index}`, { key, network })
        const running = await world.start(home)
        const connection = world.connect(home.options.address, { network })
        await cluster.startMember(index, { signer: connection })
        signed.push({ home, running, connection })
      }
      await scenario(cluster, world, signed)
    } finally {
      await cluster.close()
    }
  })
}

interface Signed {
  home: SignerHome
  running: RunningSigner
  connection: SignerConnection
}

const haltsOf = (cluster: Cluster) => cluster.running().flatMap(({ halted }) => halted)

test('two of four vote through signers; one is missed while it is away, and comes back by itself', () =>
  withSigners(async (cluster, world, [first]) => {
    assert.ok(first)
    const { home, running, connection } = first
    await cluster.submit(0, cluster.anchor(0, 1))
    await cluster.reached(1)
    await running.close()
    await cluster.submit(1, cluster.anchor(1, 1))
    await cluster.reached(2)
    await cluster.eventually(() => connection.finding()?.code === 'signer_unreachable')
    await cluster.stopMember(3)
    await cluster.submit(1, cluster.anchor(1, 2))
    await world.start(home)
    await cluster.reached(3)
    assert.equal(connection.finding(), null)
    assert.deepEqual(haltsOf(cluster), [])
    const own = await votesIn(join(cluster.homeOf(0), 'guard'), join(world.folder, 'own'))
    const signed = await votesIn(home.options.guardDir, join(world.folder, 'signed'))
    const known = new Set(signed.map(nameOfVote))
    assert.ok(own.length >= 4, `${own.length} votes`)
    assert.deepEqual(
      own.map(nameOfVote).filter((name) => !known.has(name)),
      [],
    )
  }))

/** Answers when it is let, with what another one says. */
class HeldSigner implements RemoteSigner {
  readonly asked: UnsignedVote[] = []
  readonly #answer: Promise<void>
  readonly #sign: (vote: UnsignedVote) => Uint8Array | null

  constructor(answer: Promise<void>, sign: (vote: UnsignedVote) => Uint8Array | null) {
    this.#answer = answer
    this.#sign = sign
  }

  async vote(_key: Uint8Array, vote: UnsignedVote): Promise<Uint8Array | null> {
    this.asked.push(vote)
    await this.#answer
    return this.#sign(vote)
  }

  ready = () => Promise.resolve(null)
  finding = () => null
  close = () => undefined
}

test('no vote leaves before the signer has said yes, and the marks stand before it is asked', async () => {
  const cluster = await Cluster.prepare(4)
  try {
    const answer = Promise.withResolvers<void>()
    const signer = new HeldSigner(answer.promise, ({ kind, subject }) =>
      cluster.signVote(0, kind, subject),
    )
    const sent: Vote[] = []
    const collect = (frame: Uint8Array): void => {
      const message = decodeMessage(frame)
      if (message.kind === 'votes') sent.push(...message.votes)
      if (message.kind === 'proposal') sent.push(message.proposal.vote)
    }
    for (let index = 0; index < 4; index += 1) {
      await cluster.startMember(index, {
        ...(index === 0 && { signer }),
        ...(index === 0 && {
          network: (network) => ({
            ...network,
            send: (peerId, lane, frame) => {
              collect(frame)
              return network.send(peerId, lane, frame)
            },
          }),
        }),
      })
    }
    const { journal } = cluster.member(0).stores
    await whileBusy(cluster, 1, () => signer.asked.length > 0)
    const own = () => sent.filter((vote) => vote.signer === signer.asked[0]?.signer)
    assert.deepEqual(own(), [])
    const [first] = signer.asked
    assert.ok(first !== undefined)
    const { notarized, nullified, finalized } = journal.marks
    assert.ok(Math.max(notarized, nullified, finalized) >= first.subject.view)
    answer.resolve()
    await whileBusy(cluster, 2, () => own().length > 0)
    assert.deepEqual(
      cluster.running().flatMap(({ halted }) => halted),
      [],
    )
  } finally {
    await cluster.close()
  }
})

test('acceptance 7: a node whose signer has signed for another one stops, and the others go on', async () => {
  const cluster = await Cluster.start(4)
  try {
    await cluster.stopMember(0)
    const refusing: RemoteSigner = {
      vote: () =>
        Promise.reject(new NodeError('signer_contradiction', { asked: 'this', signed: 'that' })),
      ready: () => Promise.resolve(null),
      finding: () => null,
      close: () => undefined,
    }
    await cluster.startMember(0, { signer: refusing })
    await whileBusy(cluster, 1, () => cluster.member(0).halted.length > 0)
    assert.match(cluster.member(0).halted.join(), /signer_contradiction/)
    await cluster.eventually(() =>
      [1, 2, 3].every((index) => cluster.member(index).stores.chain.tip.height > 0),
    )
  } finally {
    await cluster.close()
  }
})

test.run()
