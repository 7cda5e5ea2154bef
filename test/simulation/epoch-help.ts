/**
 * The whole of catching up across epochs: who speaks of an older epoch is told how that epoch ended, and
 * who speaks of a newer one is told where we are; both at most once in a while for each node.
 */
import { statusOf } from '@mooring/consensus'
import type { Packet } from './blocks.ts'
import { epochOf } from './blocks.ts'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

const PAUSE_MS = 100

export class EpochHelp {
  readonly #machine: Machine
  readonly #world: World
  readonly #helpedAt = new Map<number, number>()

  constructor(machine: Machine, world: World) {
    this.#machine = machine
    this.#world = world
  }

  /** @returns whether the packet belongs to another epoch, and so not to the state machine. */
  takes(packet: Packet): boolean {
    const machine = this.#machine
    const epoch = epochOf(packet)
    if (epoch === null || epoch === machine.epoch) {
      if (epoch !== null) this.#helpFollower(packet)
      return false
    }
    if (!this.#mayHelp(packet.from)) return true
    if (epoch > machine.epoch) {
      machine.sendTo(packet.from, { kind: 'status', status: statusOf(machine.state) })
      return true
    }
    const ended = machine.ledger.ended[epoch]
    if (ended === undefined) return true
    this.#world.count('ended epoch shown to a laggard')
    machine.sendTo(packet.from, { kind: 'certificates', certificates: [ended] })
    return true
  }

  /** Who is no authority has no place in the state machine: its status is answered here. */
  #helpFollower(packet: Packet): void {
    const { members, state } = this.#machine
    if (packet.kind !== 'message' || packet.message.kind !== 'status') return
    const { certificate, view } = state.final
    if (members.includes(packet.from) || certificate === null) return
    if (packet.message.status.finalizedView >= view || !this.#mayHelp(packet.from)) return
    this.#machine.sendTo(packet.from, { kind: 'certificates', certificates: [certificate] })
  }

  #mayHelp(node: number): boolean {
    const { now } = this.#world.scheduler
    if (now - (this.#helpedAt.get(node) ?? -PAUSE_MS) < PAUSE_MS) return false
    this.#helpedAt.set(node, now)
    return true
  }
}
