/**
 * n state machines of `consensus` under one seeded scheduler with virtual time.
 *
 * Only agreement is real here: blocks are lists of transaction names, signatures are empty. A node's
 * disk is what it journalled before its last sync; a crash keeps that and nothing else. Faults go on
 * until `calmAt`; after it the network is good and every transaction must become final.
 */
import { createHash } from 'node:crypto'
import {
  type Action,
  type BlockMeta,
  type Certificate,
  type Clock,
  type ConsensusConfig,
  type ConsensusState,
  type Event,
  type Outgoing,
  type Proposal,
  recordOf,
  start,
  step,
  type Vote,
  ZERO_DIGEST,
} from '@mooring/consensus'
import type { Oracle } from './oracle.ts'
import type { Random } from './random.ts'

const GENESIS: BlockMeta = {
  digest: 'a'.repeat(64),
  parent: ZERO_DIGEST,
  view: 0,
  parentView: 0,
  height: 0,
  time: 0,
  isEmpty: true,
}

export interface Faults {
  readonly loss: number
  readonly delayMs: readonly [number, number]
  readonly crashesPerSecond: number
  readonly partitionsPerSecond: number
}

export interface Plan {
  readonly authorities: number
  readonly faults: Faults
  readonly calmAt: number
  readonly transactions: number
  /** The authority that misbehaves, and how. */
  readonly byzantine: ReadonlyMap<number, 'silent' | 'equivocator' | 'withholder' | 'nullifier'>
}

/** What an equivocating leader puts into its second block. */
const FORGED = 'forged'

interface Block {
  readonly meta: BlockMeta
  readonly transactions: readonly string[]
}

interface Disk {
  committed: BlockMeta
  finalization: Certificate | null
  certificates: Certificate[]
  votes: Vote[]
  blocks: Map<string, Block>
  log: Block[]
}

interface Machine {
  readonly index: number
  state: ConsensusState
  isUp: boolean
  life: number
  disk: Disk
  unsynced: Certificate[]
  bodies: Map<string, Block>
  executed: Set<string>
  pending: Set<string>
  isWaiting: boolean
}

type Packet =
  | { readonly kind: 'message'; readonly message: Outgoing; readonly from: number }
  | {
      readonly kind: 'proposal'
      readonly proposal: Proposal
      readonly block: Block
      readonly from: number
    }
  | { readonly kind: 'transaction'; readonly name: string }

interface Scheduled {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export class Agreement {
  now = 1_000
  readonly counters = new Map<string, number>()
  readonly machines: Machine[] = []
  readonly #plan: Plan
  readonly #random: Random
  readonly #oracle: Oracle
  #queue: Scheduled[] = []
  #order = 0
  #cut: ReadonlySet<number> = new Set()

  constructor(plan: Plan, random: Random, oracle: Oracle) {
    this.#plan = plan
    this.#random = random
    this.#oracle = oracle
    for (let index = 0; index < plan.authorities; index += 1) this.#boot(index, emptyDisk())
    for (let count = 0; count < plan.transactions; count += 1) this.#submitLater(`tx-${count}`)
    this.#planFaults()
    this.#every(1_000, () => this.#tellPeers())
  }

  /** Runs until virtual time `until`, or until every honest node that is up has every transaction. */
  run(until: number): void {
    for (;;) {
      const next = this.#pop()
      if (next === undefined || next.at > until) return
      this.now = next.at
      next.run()
      if (this.now > this.#plan.calmAt && this.isDone()) return
    }
  }

  isDone(): boolean {
    return this.machines.every((machine) => {
      if (this.#plan.byzantine.has(machine.index)) return true
      const names = machine.disk.log.flatMap((block) => block.transactions)
      const seen = new Set(names.filter((name) => name !== FORGED))
      return machine.isUp && seen.size === this.#plan.transactions
    })
  }

  #count(what: string): void {
    this.counters.set(what, (this.counters.get(what) ?? 0) + 1)
  }

  #boot(index: number, disk: Disk): void {
    const { authorities } = this.#plan
    const config: ConsensusConfig = {
      epoch: 0,
      authorities,
      me: index,
      deltaMs: 150,
      skipMs: 2_000,
      statusMs: 3_000,
      minBlockIntervalMs: 0,
      precisionMs: 500,
    }
    const above = [...disk.blocks.values()].filter(
      (block) => block.meta.height > disk.committed.height,
    )
    const marks = { notarize: 0, nullify: 0, finalize: 0 }
    for (const vote of disk.votes) marks[vote.kind] = Math.max(marks[vote.kind], vote.subject.view)
    const { state, actions } = start(
      config,
      { ...disk, blocks: above.map((block) => block.meta), marks },
      this.#clock(),
    )
    const known = this.machines[index]
    const machine: Machine = {
      index,
      state,
      isUp: true,
      life: (known?.life ?? 0) + 1,
      disk,
      unsynced: [],
      bodies: new Map(disk.blocks),
      executed: new Set(),
      pending: known?.pending ?? new Set(),
      isWaiting: false,
    }
    this.machines[index] = machine
    this.#perform(machine, actions)
    this.#tellWork(machine)
  }

  #clock(): Clock {
    return { monotonic: this.now, wall: this.now }
  }

  #feed(machine: Machine, event: Event): void {
    if (!machine.isUp) return
    const before = machine.state.view
    const { state, actions } = step(machine.state, event, this.#clock())
    machine.state = state
    this.#perform(machine, actions)
    if (state.view !== before || event.type === 'proposal') this.#tellWork(machine)
  }

  #perform(machine: Machine, actions: readonly Action[]): void {
    for (const action of actions) this.#performOne(machine, action)
  }

  #performOne(machine: Machine, action: Action): void {
    switch (action.type) {
      case 'journal':
        machine.unsynced.push(action.certificate)
        return
      case 'vote':
      case 'propose':
        return this.#vote(machine, action)
      case 'send':
        return this.#send(machine, action.to, {
          kind: 'message',
          message: action.message,
          from: machine.index,
        })
      case 'broadcast':
        for (const other of this.machines)
          if (other.index !== machine.index)
            this.#send(machine, other.index, {
              kind: 'message',
              message: action.message,
              from: machine.index,
            })
        return
      case 'build':
        return this.#build(machine, action)
      case 'execute':
        machine.executed.add(action.digest)
        return this.#soon(machine, 1, { type: 'executed', digest: action.digest, outcome: 'valid' })
      case 'fetch-block':
        return this.#fetch(machine, action.digest)
      case 'set-timer':
        return this.#soon(machine, action.afterMs, {
          type: 'timer',
          name: action.name,
          view: action.view,
        })
      case 'commit':
        return this.#commit(machine, action.blocks, action.finalization)
      case 'sync':
        return this.#sync(machine, action.finalization)
      case 'evidence':
        this.#count('evidence')
        if (!this.#plan.byzantine.has(action.evidence.first.signer))
          throw new Error(`I15: honest authority ${action.evidence.first.signer} is accused`)
        return
      case 'halt':
        if (this.#plan.byzantine.has(machine.index)) return
        throw new Error(`node ${machine.index} halted: ${JSON.stringify(action.reason)}`)
    }
  }

  #vote(machine: Machine, action: Extract<Action, { type: 'vote' | 'propose' }>): void {
    const vote: Vote = { ...action.vote, signature: new Uint8Array(64) }
    const block = machine.bodies.get(vote.subject.digest)
    const { life } = machine
    const sync = this.#random.between(0, 3)
    this.#at(this.now + sync, () => {
      if (!machine.isUp || machine.life !== life || this.machines[machine.index] !== machine) return
      if (vote.kind === 'notarize' && block !== undefined)
        machine.disk.blocks.set(block.meta.digest, block)
      machine.disk.certificates.push(...machine.unsynced)
      machine.unsynced = []
      machine.disk.votes.push(vote)
      this.#oracle.signed(vote)
      this.#count(vote.kind)
      if (action.type === 'propose' && block !== undefined)
        this.#propose(
          machine,
          { block: block.meta, vote, justification: action.justification },
          block,
        )
      else
        this.#sendAll(machine, {
          kind: 'message',
          message: { kind: 'votes', votes: [vote] },
          from: machine.index,
        })
      this.#feed(machine, { type: 'votes', votes: [vote] })
    })
  }

  #propose(machine: Machine, proposal: Proposal, block: Block): void {
    const behaviour = this.#plan.byzantine.get(machine.index)
    if (behaviour === undefined)
      return this.#sendAll(machine, { kind: 'proposal', proposal, block, from: machine.index })
    const twin = blockOf({ ...block.meta, isEmpty: true }, [FORGED])
    const vote = {
      ...proposal.vote,
      subject: { ...proposal.vote.subject, digest: twin.meta.digest },
    }
    if (behaviour === 'equivocator') this.#oracle.signed(vote)
    for (const other of this.machines) {
      const isOdd = other.index % 2 === 1
      if (behaviour === 'equivocator' && isOdd)
        this.#send(machine, other.index, {
          kind: 'proposal',
          proposal: { ...proposal, block: twin.meta, vote },
          block: twin,
          from: machine.index,
        })
      else if (
        behaviour !== 'withholder' ||
        other.index === (machine.index + 1) % this.#plan.authorities
      )
        this.#send(machine, other.index, { kind: 'proposal', proposal, block, from: machine.index })
    }
  }

  #build(machine: Machine, action: Extract<Action, { type: 'build' }>): void {
    const { parent, view, mayBeEmpty } = action
    const included = new Set(this.#suffix(machine, parent.digest))
    const transactions = [...machine.pending].filter((name) => !included.has(name)).slice(0, 3)
    if (transactions.length === 0 && !mayBeEmpty)
      return this.#soon(machine, 0, { type: 'built', view, block: null, failed: false })
    const time = Math.max(this.now, parent.time + 1)
    const place = {
      parent: parent.digest,
      view,
      parentView: parent.view,
      height: parent.height + 1,
    }
    const block = blockOf(
      { ...place, digest: '', time, isEmpty: transactions.length === 0 },
      transactions,
    )
    machine.bodies.set(block.meta.digest, block)
    this.#soon(machine, 0, { type: 'built', view, block: block.meta, failed: false })
  }

  /** Names that the committed log and the open chain up to a block contain. */
  #suffix(machine: Machine, digest: string): string[] {
    const names: string[] = []
    let at = digest
    for (let block = machine.bodies.get(at); block !== undefined; block = machine.bodies.get(at)) {
      if (block.meta.height <= machine.disk.committed.height) break
      names.push(...block.transactions)
      at = block.meta.parent
    }
    return names.concat(machine.disk.log.flatMap((block) => block.transactions))
  }

  #tellWork(machine: Machine): void {
    const { state } = machine
    const best = [...state.views.keys()]
      .filter((view) => view > state.final.view)
      .toSorted((a, b) => b - a)
    const tip = best.map((view) => recordOf(state, view).notarization).find((held) => held !== null)
    const included = new Set(
      this.#suffix(machine, tip?.subject.digest ?? state.final.subject.digest),
    )
    for (const name of recordOf(state, state.view).proposal === null ? [] : this.#proposed(machine))
      included.add(name)
    const isWaiting = [...machine.pending].some((name) => !included.has(name))
    if (isWaiting === machine.isWaiting && isWaiting === state.isWaiting) return
    machine.isWaiting = isWaiting
    this.#feed(machine, { type: 'work', waiting: isWaiting })
  }

  #proposed(machine: Machine): readonly string[] {
    const { proposal } = recordOf(machine.state, machine.state.view)
    return machine.bodies.get(proposal?.block.digest ?? '')?.transactions ?? []
  }

  #fetch(machine: Machine, digest: string): void {
    const holder = this.machines.find((other) => other.isUp && other.bodies.has(digest))
    const block = holder?.bodies.get(digest)
    const isLost = this.now < this.#plan.calmAt && this.#random.chance(this.#plan.faults.loss)
    this.#count('fetch')
    this.#at(this.now + this.#random.between(5, 60), () => {
      if (!machine.isUp || this.machines[machine.index] !== machine) return
      if (block === undefined || isLost || !this.#connected(machine.index, holder?.index ?? 0))
        return this.#fetch(machine, digest)
      machine.bodies.set(digest, block)
      this.#feed(machine, { type: 'block', block: block.meta })
    })
  }

  #commit(machine: Machine, blocks: readonly BlockMeta[], finalization: Certificate | null): void {
    for (const meta of blocks) {
      const block = machine.bodies.get(meta.digest)
      if (block === undefined) throw new Error(`committed a block without a body at ${meta.height}`)
      if (
        meta.height !== machine.disk.committed.height + 1 ||
        meta.parent !== machine.disk.committed.digest
      )
        throw new Error(`node ${machine.index} committed out of order at ${meta.height}`)
      machine.disk.committed = meta
      machine.disk.log.push(block)
      for (const name of block.transactions) machine.pending.delete(name)
      this.#oracle.finalized(meta.height, meta.digest, machine.index)
    }
    if (finalization !== null) machine.disk.finalization = finalization
    machine.disk.certificates.push(...machine.unsynced)
    machine.unsynced = []
    this.#tellWork(machine)
  }

  #sync(machine: Machine, finalization: Certificate): void {
    this.#count('sync')
    const source = this.machines.find(
      (other) =>
        other.isUp && other.disk.finalization?.subject.height === finalization.subject.height,
    )
    const ahead =
      source ??
      this.machines.find(
        (other) => other.isUp && other.disk.committed.height >= finalization.subject.height,
      )
    this.#at(this.now + 50, () => {
      if (!machine.isUp || this.machines[machine.index] !== machine) return
      if (ahead === undefined) return this.#sync(machine, finalization)
      const blocks = ahead.disk.log.slice(machine.disk.log.length, finalization.subject.height)
      for (const block of blocks) machine.bodies.set(block.meta.digest, block)
      this.#commit(
        machine,
        blocks.map((block) => block.meta),
        finalization,
      )
      const block = machine.disk.committed
      this.#feed(machine, { type: 'synced', block, finalization })
    })
  }

  #connected(a: number, b: number): boolean {
    return this.#cut.has(a) === this.#cut.has(b)
  }

  #sendAll(machine: Machine, packet: Packet): void {
    for (const other of this.machines)
      if (other.index !== machine.index) this.#send(machine, other.index, packet)
  }

  #send(machine: Machine, to: number, packet: Packet): void {
    const behaviour = this.#plan.byzantine.get(machine.index)
    if (behaviour === 'silent' || !this.#connected(machine.index, to)) return
    const { loss, delayMs } = this.#plan.faults
    const isCalm = this.now >= this.#plan.calmAt
    if (!isCalm && this.#random.chance(loss)) return
    const delay = this.#random.between(delayMs[0], isCalm ? 60 : delayMs[1])
    this.#at(this.now + delay, () => this.#receive(to, packet))
  }

  #receive(to: number, packet: Packet): void {
    const machine = this.machines[to]
    if (machine === undefined || !machine.isUp) return
    if (packet.kind === 'transaction') {
      const isKnown = machine.disk.log.some((block) => block.transactions.includes(packet.name))
      if (!isKnown) machine.pending.add(packet.name)
      return this.#tellWork(machine)
    }
    if (packet.kind === 'proposal') {
      machine.bodies.set(packet.block.meta.digest, packet.block)
      return this.#feed(machine, { type: 'proposal', from: packet.from, proposal: packet.proposal })
    }
    const { message } = packet
    if (message.kind === 'votes') this.#feed(machine, { type: 'votes', votes: message.votes })
    else if (message.kind === 'certificates')
      this.#feed(machine, { type: 'certificates', certificates: message.certificates })
    else this.#feed(machine, { type: 'status', from: packet.from, status: message.status })
  }

  #tellPeers(): void {
    for (const machine of this.machines) {
      const heard = this.machines.map((other) => {
        const isSilent = this.#plan.byzantine.get(other.index) === 'silent'
        return other.isUp && !isSilent && this.#connected(machine.index, other.index)
          ? this.now
          : null
      })
      this.#feed(machine, { type: 'peers', heard })
    }
  }

  #submitLater(name: string): void {
    const at = this.now + this.#random.between(0, this.#plan.calmAt - this.now)
    this.#at(at, () => {
      for (const machine of this.machines) {
        const again = (): void => this.#receive(machine.index, { kind: 'transaction', name })
        this.#at(this.now + this.#random.between(1, 40), again)
        this.#at(this.#plan.calmAt + 1_000, again)
      }
    })
  }

  #planFaults(): void {
    const { faults, calmAt } = this.#plan
    this.#every(100, () => {
      if (this.now >= calmAt) return
      if (this.#random.chance(faults.crashesPerSecond / 10))
        this.#crash(this.#random.pick(this.machines).index)
      if (this.#random.chance(faults.partitionsPerSecond / 10)) this.#partition()
    })
    this.#at(calmAt, () => {
      this.#cut = new Set()
    })
  }

  #partition(): void {
    const side = this.machines
      .map((machine) => machine.index)
      .filter(() => this.#random.chance(0.5))
    this.#cut = new Set(side)
    this.#count('partition')
    this.#at(this.now + this.#random.between(100, 4_000), () => {
      this.#cut = new Set()
    })
  }

  #crash(index: number): void {
    const machine = this.machines[index]
    if (machine === undefined || !machine.isUp) return
    machine.isUp = false
    this.#count('crash')
    this.#at(this.now + this.#random.between(50, 3_000), () => this.#boot(index, machine.disk))
  }

  #soon(machine: Machine, afterMs: number, event: Event): void {
    this.#at(this.now + afterMs, () => {
      if (this.machines[machine.index] === machine) this.#feed(machine, event)
    })
  }

  #every(ms: number, run: () => void): void {
    this.#at(this.now + ms, () => {
      run()
      this.#every(ms, run)
    })
  }

  #at(at: number, run: () => void): void {
    this.#order += 1
    const entry = { at, order: this.#order, run }
    let low = 0
    let high = this.#queue.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#queue[middle]
      if (other !== undefined && (other.at > at || (other.at === at && other.order > entry.order)))
        low = middle + 1
      else high = middle
    }
    this.#queue.splice(low, 0, entry)
  }

  #pop(): Scheduled | undefined {
    return this.#queue.pop()
  }
}

function emptyDisk(): Disk {
  return {
    committed: GENESIS,
    finalization: null,
    certificates: [],
    votes: [],
    blocks: new Map(),
    log: [],
  }
}

function blockOf(meta: BlockMeta, transactions: readonly string[]): Block {
  const content = JSON.stringify([{ ...meta, digest: '' }, transactions])
  const digest = createHash('sha256').update(content).digest('hex')
  return { meta: { ...meta, digest }, transactions }
}
