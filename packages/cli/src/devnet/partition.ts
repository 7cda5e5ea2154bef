// Cuts between the nodes of a devnet, and their end. Each node bans those of the other groups, as its
// operator could: the bans are of a kind of their own, so that healing lifts them and no others, and a node
// that was away keeps to its side when it comes back.

import { setTimeout as pause } from 'node:timers/promises'
import { forgetDecided } from '@mooring/node/peer-book'
import { ordering } from './admin.ts'
import { askAll, type DevnetQuorum } from './progress.ts'
import { PATH_NOTE, stopPaths } from './slowing.ts'
import { activeNodes, type DevnetNodeState, type DevnetState } from './state.ts'

const REASON = 'devnet partition'
const POLL_MS = 100
// Who is hung up on hears of it a moment later, and counts the connection until then.
const LOOKS = 3

const isUp = ({ pid, isPaused }: DevnetNodeState): boolean => pid !== null && isPaused !== true

/** The nodes that were told; those that do not run hear of it from the others' closed doors. */
export async function cut(
  groups: readonly (readonly DevnetNodeState[])[],
  forMs: number | null,
): Promise<DevnetNodeState[]> {
  const told: DevnetNodeState[] = []
  for (const group of groups) {
    const others = groups.filter((each) => each !== group).flat()
    const targets = others.map(({ peerId }) => peerId)
    for (const node of group.filter(isUp)) {
      await ordering(node, async ({ peers }) => {
        await lift(peers, (target) => !targets.includes(target))
        await peers.ban({ targets, reason: REASON, forMs })
      })
      told.push(node)
    }
  }
  return told
}

type Peers = Parameters<Parameters<typeof ordering>[1]>[0]['peers']

async function lift(peers: Peers, isMeant: (target: string) => boolean): Promise<number> {
  const { bans } = await peers.list()
  const targets = bans
    .filter(({ reason, target }) => reason === REASON && isMeant(target))
    .map(({ target }) => target)
  if (targets.length > 0) await peers.unban(targets)
  return targets.length
}

/** How many cuts ended; a node that is down comes back healed. */
export async function mend(state: DevnetState): Promise<number> {
  let lifted = 0
  const running = activeNodes(state).filter(isUp)
  for (const node of running) lifted += await ordering(node, ({ peers }) => lift(peers, () => true))
  for (const { pid, home } of state.nodes) if (pid === null) await forgetDecided(home, REASON)
  return lifted
}

/** Of a devnet of which no node runs: it begins whole, whatever it was when it was stopped. */
export async function beginWhole(state: DevnetState): Promise<void> {
  await stopPaths(state)
  for (const { home } of state.nodes) {
    await forgetDecided(home, REASON)
    await forgetDecided(home, PATH_NOTE)
  }
}

/** Links as the nodes see them now, against those that there should be; a node that is away has none. */
export async function untilLinked(
  groups: readonly (readonly DevnetNodeState[])[],
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  const running = groups.map((group) => group.filter(isUp))
  let looks = 0
  for (;;) {
    const reports = await askAll(running.flat())
    const isDone = reports.every(({ node, status }) => {
      const group = running.find((each) => each.includes(node)) ?? []
      return status !== null && status.peers.connected === group.length - 1
    })
    looks = isDone ? looks + 1 : 0
    if (looks === LOOKS) return true
    if (performance.now() >= deadline) return false
    await pause(POLL_MS)
  }
}

export type Side = { nodes: string[]; hasQuorum: boolean }

export function sidesOf(
  groups: readonly (readonly DevnetNodeState[])[],
  { authorities, quorum }: DevnetQuorum,
): Side[] {
  return groups.map((group) => {
    const voting = group.filter((node) => isUp(node) && authorities.includes(node.name)).length
    return { nodes: group.map(({ name }) => name), hasQuorum: voting >= quorum }
  })
}

/** "hospital-0, hospital-1, hospital-2 go on; hospital-3 waits" */
export function describeSides(sides: readonly Side[]): string {
  return sides
    .map(({ nodes, hasQuorum }) => {
      const [goes, waits] = nodes.length === 1 ? ['goes on', 'waits'] : ['go on', 'wait']
      return `${nodes.join(', ')} ${hasQuorum ? goes : waits}`
    })
    .join('; ')
}
