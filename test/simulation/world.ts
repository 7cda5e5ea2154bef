/** What a process sees of the world around it, and what may be seen of a process. */
import type { Action, Clock, ConsensusState, Event } from '@mooring/consensus'
import type { Actor, Hands } from './actor.ts'
import type { Packet } from './blocks.ts'
import type { Machine } from './machine.ts'
import type { Oracle } from './oracle.ts'
import type { Faults, Plan } from './plan.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

export interface Acting {
  readonly actor: Actor
  readonly hands: Hands
}

export interface World {
  readonly plan: Plan
  readonly scheduler: Scheduler
  readonly random: Random
  readonly oracle: Oracle
  readonly machines: readonly Machine[]
  /** What is broken just now. */
  readonly faults: Faults
  /** What leaves a process for a node; the network or an actor decides what becomes of it. */
  send(from: Machine, to: number, packet: Packet): void
  isConnected(a: number, b: number): boolean
  /** The traitor in a machine, while its key counts. */
  actingOf(machine: Machine): Acting | undefined
  /** Nodes that could be the next authorities, if a change may pass now. */
  drawNext(): readonly number[] | null
  /** Sees every step, before anything is done about it. */
  observe(step: ObservedStep): void
  /** Whether a crash is planned at this boundary. */
  crashesAt(machine: Machine, boundary: string): boolean
  /** The process ends by itself, because its disk takes no more; its operator frees it later. */
  stopFull(machine: Machine): void
  count(what: string): void
  trace(line: () => string): void
}

export interface ObservedStep {
  readonly machine: Machine
  readonly before: ConsensusState
  readonly event: Event
  readonly clock: Clock
  readonly after: ConsensusState
  readonly actions: readonly Action[]
}
