/** What a node of a run sees of the world around it. */
import type { Random } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Chain } from './chain.ts'
import type { Costs } from './costs.ts'
import type { Mesh } from './mesh.ts'
import type { Packet } from './packets.ts'

export interface ScaleWorld {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly costs: Costs
  readonly chain: Chain
  readonly mesh: Mesh
  readonly authorities: number
  readonly nodes: number
  readonly deltaMs: number
  /** Leaves when the sender has come so far. */
  send(from: number, to: readonly number[], packet: Packet, at: number): void
  /** Durable on the disk of a node. */
  committed(node: number, transactions: readonly number[]): void
  nextName(): number
}
