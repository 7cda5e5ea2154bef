/**
 * Who hands gossip on to whom. The numbers are those of `network/src/gossip.ts`, which stands on gossipsub: what is
 * new goes to the mesh, and where `isSentToAll` says so the one who begins sends to everybody. The mesh is as the heartbeat
 * makes it: who has fewer than `D - 1` neighbours takes some until he has `D`, and nobody is sent away before he
 * has `3 D`.
 */
import { defaultLimits } from '../../../packages/network/src/limits.ts'
import type { Random } from '../random.ts'

/** By node: its neighbours. */
export type Mesh = readonly (readonly number[])[]

export function meshOf(nodes: number, random: Random): Mesh {
  const isFlooded = nodes <= defaultLimits.gossipFloodMembersMax
  const degree = Math.min(isFlooded ? 2 : nodes <= 30 ? 4 : 6, nodes - 1)
  const sets = Array.from({ length: nodes }, () => new Set<number>())
  for (const [node, own] of sets.entries()) {
    if (own.size >= degree - 1) continue
    while (own.size < degree) {
      const other = random.between(0, nodes - 1)
      if (other === node || own.has(other)) continue
      own.add(other)
      sets[other]?.add(node)
    }
  }
  return sets.map((set) => [...set])
}
