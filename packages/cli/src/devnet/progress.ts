// What the nodes of a devnet say of themselves, asked all at once, and the steps to READY.

import type { Status } from '@mooring/api'
import { createClient } from '@mooring/api/client'
import { activeNodes, type DevnetNodeState, type DevnetState } from './state.ts'

const ASK_MS = 2_000

export type NodeReport = { node: DevnetNodeState; status: Status | null }

export async function askAll(nodes: readonly DevnetNodeState[]): Promise<NodeReport[]> {
  return Promise.all(
    nodes.map(async (node) => ({
      node,
      // A node that is starting, stopping or dead has no status; which of them shows elsewhere.
      status: await createClient(node.api, { timeoutMs: ASK_MS })
        .status()
        .catch(() => null),
    })),
  )
}

export type Agreement = { height: number; digest: string }

export async function proposerOf(node: DevnetNodeState, height: number): Promise<string> {
  const block = await createClient(node.api, { timeoutMs: ASK_MS }).block(height)
  return block.proposer
}

// The digest of one block on every node, or undefined while one of them does not have it.
export async function agreeOn(
  nodes: readonly DevnetNodeState[],
  height: number,
): Promise<Agreement | undefined> {
  const digests = await Promise.all(
    nodes.map((node) =>
      createClient(node.api, { timeoutMs: ASK_MS })
        .block(height)
        .then(
          (block) => block.digest,
          () => undefined,
        ),
    ),
  )
  const [first] = digests
  if (first === undefined || digests.some((digest) => digest === undefined)) return undefined
  if (digests.some((digest) => digest !== first)) {
    throw new Error(`nodes disagree on block ${height}: ${digests.join(', ')}`)
  }
  return { height, digest: first }
}

export function describeMissing(reports: readonly NodeReport[]): string {
  const silent = reports.filter(({ status }) => status === null).map(({ node }) => node.name)
  if (silent.length > 0) return `no answer from ${silent.join(', ')}`
  const apart = reports.flatMap(({ node, status }) => {
    const missing = (status?.peers.members ?? 0) - (status?.peers.connected ?? 0)
    return missing > 0 ? [`${node.name} lacks ${missing} of its peers`] : []
  })
  if (apart.length > 0) return apart.join(', ')
  return reports
    .map(({ node, status }) => `${node.name} at height ${status?.chain.height ?? 0}`)
    .join(', ')
}

export function linksOf(reports: readonly NodeReport[]): number {
  return reports.reduce((sum, { status }) => sum + (status?.peers.connected ?? 0), 0)
}

export type DevnetQuorum = { authorities: string[]; quorum: number }

// Who votes, as a node that runs knows it; without one, all that belong to the network.
export async function quorumOf(state: DevnetState): Promise<DevnetQuorum> {
  for (const { api, pid } of activeNodes(state)) {
    if (pid === null) continue
    const network = await createClient(api, { timeoutMs: ASK_MS })
      .network()
      .catch(() => null)
    if (network !== null) return { authorities: network.authorities, quorum: network.quorum }
  }
  const authorities = activeNodes(state).map(({ name }) => name)
  return { authorities, quorum: Math.ceil((2 * authorities.length) / 3) }
}
