/**
 * What each thing costs on this computer, with the real code: CPU time of this thread where the thread of a node
 * would do it, and of the process for a frame between two nodes of `packages/network` over loopback, halved. The
 * disk is timed by the clock.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bitmapOf, keyPairFromSeed, sha256, sign } from '@mooring/crypto'
import {
  type Certificate,
  checkCertificate,
  checkVote,
  decodeMessage,
  encodeMessage,
  quorumOf,
  start,
  step,
  type Vote,
  voteMessage,
} from '@mooring/consensus'
import {
  applyBlock,
  decodeBlock,
  decodeTransaction,
  encodeBlock,
  hasValidSignature,
} from '@mooring/ledger'
import { Journal, openDatabase, StateTree } from '@mooring/storage'
import {
  anchor,
  AUTHORITIES,
  blockOn,
  contextOf,
  world,
} from '../../../packages/ledger/test/fixture.ts'
import { eventually, isFullMesh, startMembers } from '../../../packages/network/test/world.ts'
import { quantile } from '../../../scripts/bench/figures.ts'
import { GENESIS, WALL_ZERO } from '../blocks.ts'
import type { Costs } from './costs.ts'

/** Of the set whose votes and certificates are measured: the largest that a network is meant to have. */
const AUTHORITIES_MANY = 100
const AUTHORITIES_FEW = 4
const TRANSACTIONS = 400
const TREE_KEYS = 20_000

export async function measureCosts(isQuick: boolean): Promise<Costs> {
  const ms = isQuick ? 20 : 300
  return {
    ...measureVotes(ms),
    ...measureSteps(ms),
    ...(await measureTransactions(isQuick)),
    frameMs: await measureFrames(isQuick ? 200 : 4_000),
    syncMs: await measureDisk(isQuick ? 10 : 200),
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

function eachMs(ms: number, run: () => void): number {
  run()
  const began = threadMs()
  let count = 0
  for (let spent = 0; spent < ms; spent = threadMs() - began) {
    for (let again = 0; again <= count / 4; again += 1) run()
    count += Math.floor(count / 4) + 1
  }
  return (threadMs() - began) / count
}

function measureVotes(ms: number) {
  const chain = new Uint8Array(32).fill(7)
  const pairs = Array.from({ length: AUTHORITIES_MANY }, (_, index) =>
    keyPairFromSeed(new Uint8Array(32).fill(index + 1)),
  )
  const authorities = { chain, keys: pairs.map(({ publicKey }) => publicKey) }
  const subject = {
    epoch: 3,
    view: 70_000,
    parentView: 69_999,
    height: 65_000,
    digest: 'ab'.repeat(32),
  }
  const message = voteMessage(chain, 'notarize', subject)
  const members = quorumOf(AUTHORITIES_MANY)
  const signers = pairs.slice(0, members)
  const signatures = signers.map((pair) => sign(pair, message))
  const [pair] = signers
  const [signature] = signatures
  if (pair === undefined || signature === undefined) throw new RangeError('nothing was signed')
  const vote: Vote = { kind: 'notarize', subject, signer: 0, signature }
  const bitmap = bitmapOf([...signers.keys()], AUTHORITIES_MANY)
  const certificate: Certificate = { kind: 'notarize', subject, bitmap, signatures }
  const encodedVote = encodeMessage({ kind: 'votes', votes: [vote] })
  const encoded = encodeMessage({ kind: 'certificates', certificates: [certificate] })
  const decodeVoteMs = eachMs(ms, () => void decodeMessage(encodedVote))
  const decodeMs = eachMs(ms, () => void decodeMessage(encoded))
  return {
    signMs: eachMs(ms, () => void sign(pair, voteMessage(chain, 'notarize', subject))),
    verifyVoteMs: eachMs(ms, () => void checkVote(vote, authorities)),
    verifyMemberMs: eachMs(ms, () => void checkCertificate(certificate, authorities)) / members,
    decodeVoteMs,
    decodeMemberMs: Math.max(0, decodeMs - decodeVoteMs) / members,
  }
}

/** A vote more, of a view that is not decided yet: what a node does most often. */
function measureSteps(ms: number) {
  const few = stepMsOf(AUTHORITIES_FEW, ms)
  const many = stepMsOf(AUTHORITIES_MANY, ms)
  const stepAuthorityMs = Math.max(0, many - few) / (AUTHORITIES_MANY - AUTHORITIES_FEW)
  return { stepMs: few - AUTHORITIES_FEW * stepAuthorityMs, stepAuthorityMs }
}

function stepMsOf(authorities: number, ms: number): number {
  const timing = { deltaMs: 500, skipMs: 4_000, statusMs: 3_000, minBlockIntervalMs: 0 }
  const config = { epoch: 0, authorities, me: 0, ...timing, precisionMs: 500 }
  const nothing = { certificates: [], votes: [], blocks: [], finalization: null, rejoin: null }
  const marks = { notarize: 0, nullify: 0, finalize: 0 }
  const clock = { monotonic: 1_000, wall: WALL_ZERO }
  const recovered = { committed: GENESIS, marks, ...nothing }
  const subject = { epoch: 0, view: 1, parentView: 0, height: 1, digest: 'cd'.repeat(32) }
  const signature = new Uint8Array(64)
  const voteOf = (signer: number): Vote => ({ kind: 'notarize', subject, signer, signature })
  let { state } = start(config, recovered, clock)
  for (let signer = 1; signer < authorities / 2; signer += 1)
    state = step(state, { type: 'votes', votes: [voteOf(signer)] }, clock).state
  const last = { type: 'votes', votes: [voteOf(authorities - 1)] } as const
  return eachMs(ms, () => void step(state, last, clock))
}

async function measureTransactions(isQuick: boolean) {
  const count = isQuick ? 50 : TRANSACTIONS
  const at = world()
  const anchors = Array.from({ length: count }, (_, index) => {
    const organisation = AUTHORITIES[index % AUTHORITIES.length] ?? ''
    return anchor(at, { organisation, sequence: Math.floor(index / AUTHORITIES.length) + 1 })
  })
  const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
  try {
    const database = await openDatabase(join(folder, 'state'), { name: 'chain' })
    const tree = StateTree.open(database)
    const grown = Array.from({ length: isQuick ? 500 : TREE_KEYS }, (_, index) => ({
      key: sha256(new Uint8Array(4).fill(index)),
      value: new Uint8Array(40),
    }))
    await database.batch(tree.begin(tree.view().apply(grown)), { sync: false })
    tree.end()
    const context = { ...contextOf(at), isVerified: () => true }
    const ms = isQuick ? 20 : 300
    const executeMs = (encoded: Uint8Array): number =>
      eachMs(ms, () => {
        const applied = applyBlock(at.state, at.parent, decodeBlock(encoded), context)
        if ('code' in applied)
          throw new Error(`a block of the benchmark is not valid: ${applied.code}`)
        tree.view().apply(applied.diff.values())
      })
    const empty = encodeBlock(blockOn(at, []))
    const blockMs = executeMs(empty)
    const admitMs =
      eachMs(ms, () => {
        for (const bytes of anchors)
          if (!hasValidSignature(decodeTransaction(bytes, at.digest), at.digest))
            throw new Error('a signature of the benchmark does not hold')
      }) / count
    const transactionBytes = anchors[0]?.length ?? 0
    const applyMs = Math.max(0, executeMs(encodeBlock(blockOn(at, anchors))) - blockMs) / count
    await database.close()
    return { blockMs, admitMs, applyMs, transactionBytes, headerBytes: empty.length }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Both sides run in this process, so that a frame is sent and received. */
async function measureFrames(count: number): Promise<number> {
  const nodes = await startMembers(2)
  try {
    await eventually(() => isFullMesh(nodes))
    const [a, b] = nodes
    if (a === undefined || b === undefined) throw new RangeError('not a pair')
    const frame = new Uint8Array(200)
    const began = process.cpuUsage()
    for (let sent = 0; sent < count; sent += 1) {
      a.network.send(b.identity.peerId, 'urgent', frame)
      // A vote is rarely alone, and never with hundreds.
      if (sent % 4 === 3) await new Promise((resolve) => setImmediate(resolve))
    }
    await eventually(() => b.seen.frames.length >= count)
    const { user, system } = process.cpuUsage(began)
    return (user + system) / 1_000 / (2 * count)
  } finally {
    await Promise.all(nodes.map(({ network }) => network.close()))
  }
}

async function measureDisk(rounds: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
  try {
    const { journal } = await Journal.open({ directory: join(folder, 'guard') })
    const times: number[] = []
    for (let view = 1; view <= rounds; view += 1) {
      const began = performance.now()
      journal.advance({ epoch: 0, notarized: view, nullified: 0, finalized: 0 })
      journal.append([{ epoch: 0, view, type: 'vote', payload: new Uint8Array(300) }])
      await journal.sync()
      times.push(performance.now() - began)
    }
    await journal.close()
    return quantile(
      times.toSorted((a, b) => a - b),
      0.5,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}
