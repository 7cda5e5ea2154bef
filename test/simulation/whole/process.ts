/**
 * One process: the parts of a node that agree, over a disk that may fail and a network that may not
 * deliver. It is started on what its disk holds and ends at any moment.
 */
import { equalBytes, toHex } from '@mooring/codec'
import { decodeVote, type HaltReason } from '@mooring/consensus'
import type { KeyPair } from '@mooring/crypto'
import { blockDigest, decodeHeader, genesisState } from '@mooring/ledger'
import {
  ChainStore,
  Guard,
  openDatabaseOn,
  PendingTransactions,
  type StartTurns,
  StorageError,
} from '@mooring/storage'
import { Agreement } from '../../../packages/node/src/agreement.ts'
import { Amnesia } from '../../../packages/node/src/amnesia.ts'
import { AuthoritySets } from '../../../packages/node/src/authority-sets.ts'
import { answerBlockRequest } from '../../../packages/node/src/block-server.ts'
import { checkGuardCovers } from '../../../packages/node/src/guard-cover.ts'
import type { Logger } from '../../../packages/node/src/logger.ts'
import { UNMEASURED } from '../../../packages/node/src/measures.ts'
import { placeOf } from '../../../packages/node/src/own-place.ts'
import { Readiness } from '../../../packages/node/src/readiness.ts'
import { randomOf } from '../random.ts'
import { Violation } from '../violation.ts'
import { KEY_GENERATIONS, keyOf, nameOf } from './keys.ts'
import { Life } from './life.ts'
import { NodeDisk } from './node-disk.ts'
import type { Port } from './switchboard.ts'
import type { WholeWorld } from './whole-world.ts'

/** At most so long, of virtual time. */
const PAUSE_MS = 10

export interface Running {
  readonly agreement: Agreement
  readonly chain: ChainStore
}

export class Process {
  readonly index: number
  /** Among all processes: twins have one index and two places. */
  readonly place: number
  readonly disk = new NodeDisk()
  /** By index of the peer, on our monotonic clock. */
  readonly heardAt = new Map<number, number>()
  life: Life | null = null
  lives = 0
  running: Running | null = null
  /** By which the twins are told apart. */
  hears: (from: number) => boolean = () => true
  wallJumpMs = 0
  isRemoved = false
  readonly #world: WholeWorld
  readonly #port: Port

  constructor(index: number, place: number, world: WholeWorld) {
    this.index = index
    this.place = place
    this.#world = world
    this.#port = world.switchboard.portOf(this)
  }

  get isOver(): boolean {
    return this.life === null || this.life.isOver
  }

  get isHonest(): boolean {
    return !this.#world.plan.actors.has(this.index)
  }

  get name(): string {
    return nameOf(this.index)
  }

  get height(): number {
    return this.running?.chain.tip.height ?? 0
  }

  nameOf(index: number): string {
    return nameOf(index)
  }

  boot(): void {
    if (!this.isOver || this.isRemoved) return
    const { plan, scheduler } = this.#world
    const skewMs = plan.skewMs[this.index] ?? 0
    const wallMs = (): number => this.#world.wallZero + skewMs + this.wallJumpMs
    const life = new Life({ scheduler, wallMs, monotonicMs: 1_000 * (this.place + 1) })
    this.life = life
    this.lives += 1
    this.heardAt.clear()
    this.#start(life).catch((error: unknown) => {
      if (!life.isOver) this.#world.diedOf(this, error)
    })
  }

  /** The process is gone; what its disk still holds is decided here. */
  end(how: 'kill' | 'power loss', cutBatches = 0): void {
    if (this.life === null || this.life.isOver) return
    this.life.isOver = true
    this.running = null
    const { random } = this.#world
    if (how === 'kill') this.disk.kill(random)
    else this.disk.losePower(random, cutBatches)
    this.#world.note(this, how)
    this.#world.switchboard.ended(this, how === 'kill')
  }

  receive(from: number, frame: Uint8Array): void {
    if (this.isOver || this.running === null) return
    this.heard(from)
    this.#world.arrived(this, from, frame)
    this.running.agreement.onFrame(this.#world.peerIdOf(from), frame)
  }

  receiveTransactions(from: number, batch: Uint8Array): 'accept' | 'ignore' | 'reject' {
    if (this.isOver || this.running === null) return 'ignore'
    const verdict = this.running.agreement.onTransactions(this.#world.peerIdOf(from), batch)
    if (verdict === 'reject') this.#world.rejected(this, from)
    return verdict
  }

  serve(payload: Uint8Array): Uint8Array {
    if (this.running === null) throw new Error('it is still starting')
    const { agreement, chain } = this.running
    return answerBlockRequest(payload, { chain, execution: agreement.execution })
  }

  heard(from: number): void {
    if (this.life !== null) this.heardAt.set(from, this.life.monotonic())
  }

  /** Whether that one is a member, as far as this node has got. */
  knows(index: number): boolean {
    const peerId = this.#world.peerIdOf(index)
    return this.running?.agreement.members.hasPeer(peerId) ?? true
  }

  peersChanged(): void {
    if (!this.isOver) this.running?.agreement.onPeers()
  }

  async #start(life: Life): Promise<void> {
    const world = this.#world
    const { genesis, digest } = world.founding
    const where = { directory: 'guard', machine: '' }
    if (this.lives === 1) await this.disk.init(where)
    const { fileSystem, level } = this.disk.open(life, world.diskWorldOf(this))
    const database = await openDatabaseOn(level, 'chain')
    const state = genesisState(genesis).values()
    const chain = await ChainStore.open(database, {
      genesis: { digest, time: genesis.time, state },
      turns: this.#turnsOf(life),
      decodeHeader: (encoded) => {
        const header = decodeHeader(encoded)
        return { ...header, digest: blockDigest(header) }
      },
    })
    const { segmentBytes, mempoolMax } = world.plan
    const { guard, records, marks } = await Guard.open({ ...where, fileSystem, segmentBytes })
    const { journal } = guard
    const remembered = { records, marks }
    const amnesia = new Amnesia({
      guard,
      records,
      marks: () => journal.marks,
      nonce: () => world.random.between(1, 1 << 30),
    })
    const place = placeOf(chain.state(), this.name)
    if (place.kind === 'removed') return this.#leave(life)
    const consensusKey = this.consensusKeyNamed(
      place.kind === 'member' ? place.organisation.keys.consensus : null,
    )
    const sets = new AuthoritySets(genesis, chain)
    checkGuardCovers(chain, { marks, floor: guard.floor }, consensusKey.publicKey, sets)
    for (const { type, payload } of remembered.records)
      if (type === 'block') world.frames.learn(payload)
    const votes = remembered.records.filter(({ type }) => type === 'vote')
    world.recovered(
      this,
      votes.map(({ payload }) => decodeVote(payload)),
    )
    world.restarted(this, chain, remembered)
    const onFatal = (error: unknown): void => {
      if (!life.isOver) world.diedOf(this, error)
    }
    const agreement = await Agreement.start(
      {
        genesisDigest: digest,
        consensusKey,
        mempool: { maxCount: mempoolMax, maxBytes: 1 << 20 },
        wholeBytesMax: this.#wholeBytesMax(),
      },
      {
        clock: life,
        // Nothing waits for the event loop here: all promises settle between two events.
        turn: () => Promise.resolve(),
        turns: this.#turnsOf(life),
        logger: this.#logger(life),
        chain,
        journal,
        remembered,
        amnesia,
        pending: new PendingTransactions(database),
        network: this.#port,
        onEvidence: (evidence) => {
          if (!life.isOver) world.accused(this, evidence)
        },
        onHalt: (reason) => {
          if (!life.isOver) this.#halted(reason)
        },
        onVoted: () => undefined,
        measures: {
          ...UNMEASURED,
          compact: (outcome) => {
            if (!life.isOver) world.count(`compact proposal: ${outcome}`)
          },
        },
        onDurable: (blocks) => {
          if (!life.isOver) world.durable(this, blocks, chain)
        },
        onEpoch: () => {
          if (!life.isOver) this.#epochBegan(consensusKey)
        },
        onFatal,
      },
    )
    if (life.isOver) return
    this.#startReadiness(life, agreement, onFatal)
    this.running = { agreement, chain }
    world.note(this, `up at height ${chain.tip.height} in view ${agreement.driver.state.view}`)
    agreement.onPeers()
  }

  /** A traitor who does something to whole proposals sends no others. */
  #wholeBytesMax(): number {
    const { actors, wholeBytesMax } = this.#world.plan
    const actor = actors.get(this.index)
    const sendsNames = actor === undefined || actor === 'twin' || actor === 'false namer'
    return sendsNames ? wholeBytesMax : Infinity
  }

  /** Ours with this public key, or the first when there is none: the chain may only be behind. */
  consensusKeyNamed(publicKey: Uint8Array | null): KeyPair {
    const keys = Array.from({ length: KEY_GENERATIONS }, (_, generation) =>
      keyOf(this.index, 'consensus', generation),
    )
    const named = keys.find((key) => publicKey !== null && equalBytes(key.publicKey, publicKey))
    return named ?? keyOf(this.index, 'consensus')
  }

  /** The consensus key that the state names, of a running member. */
  namedKey(): KeyPair | null {
    const view = this.running?.agreement.execution.tip.view
    const place = view === undefined ? null : placeOf(view, this.name)
    return place?.kind === 'member'
      ? this.consensusKeyNamed(place.organisation.keys.consensus)
      : null
  }

  #startReadiness(life: Life, agreement: Agreement, onFatal: (error: unknown) => void): void {
    const { execution, committer, mempool } = agreement
    const readiness = new Readiness(
      { organisation: this.name, genesisDigest: this.#world.founding.digest },
      {
        clock: life,
        execution,
        committer,
        mempool,
        logger: this.#logger(life),
        bestKnownHeight: () => agreement.bestKnownHeight(),
        connectedOf: (names) =>
          this.#port.peers().filter(({ name, connected }) => connected && names.includes(name))
            .length,
        keyNamed: (publicKey) => {
          const key = this.consensusKeyNamed(publicKey)
          return Promise.resolve(equalBytes(key.publicKey, publicKey) ? key : undefined)
        },
        onFatal,
      },
    )
    void readiness
  }

  /** As a node watches its own membership: other keys need another start, and no place an end. */
  #epochBegan(consensusKey: KeyPair): void {
    const { running, life } = this
    if (running === null || life === null) return
    this.#world.count('epoch begun')
    const place = placeOf(running.agreement.execution.tip.view, this.name)
    if (place.kind === 'removed') return this.end('kill')
    if (place.kind !== 'member') return
    if (equalBytes(place.organisation.keys.consensus, consensusKey.publicKey)) return
    this.#world.count('restart with a new key')
    this.end('kill')
    this.boot()
  }

  #leave(life: Life): void {
    life.isOver = true
    this.isRemoved = true
    this.#world.count('a removed node stops')
    this.#world.note(this, 'is no member any more, and stops')
    this.#world.switchboard.ended(this, true)
  }

  #halted({ code }: HaltReason): void {
    this.#world.count(`halt: ${code}`)
    if (this.isHonest) this.#world.fail(new Violation('halt', `${this.name} halts: ${code}`))
  }

  /** Long work pauses now and then, with numbers of its own, so that a run is the same but for that. */
  #turnsOf(life: Life): StartTurns {
    const { seed, pauses } = this.#world.plan
    const random = randomOf(Math.imul(seed, 0xc2b2ae35) ^ (64 * this.index + this.lives))
    return () => () => {
      if (!random.chance(pauses)) return null
      this.#world.count('long work paused')
      return life.wait(random.between(0, PAUSE_MS))
    }
  }

  #logger(life: Life): Logger {
    const say = (level: string, sentence: string, fields: unknown): void => {
      if (life.isOver) return
      this.#world.note(this, `${level}: ${sentence}`)
      this.#world.detail(() => `    ${describe(fields)}`)
    }
    const logger: Logger = {
      trace: () => undefined,
      debug: (sentence, fields) => say('debug', sentence, fields),
      info: (sentence, fields) => say('info', sentence, fields),
      warn: (sentence, fields) => say('warn', sentence, fields),
      error: (sentence, fields) => say('error', sentence, fields),
      log: (level, sentence, fields) => say(level, sentence, fields),
      module: () => logger,
    }
    return logger
  }
}

export function isDiskFault(error: unknown): boolean {
  return error instanceof StorageError && (error.code === 'full' || isDiskFault(error.cause))
}

function describe(fields: unknown): string {
  if (typeof fields !== 'object' || fields === null) return ''
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Uint8Array ? toHex(value) : String(value)}`)
    .join(' ')
}
