// The board: one line a node, and what to type next.

import type { Vault } from '@mooring/api'
import type { Context } from '../context.ts'
import { formatTable, formatCount, type Output } from '../output.ts'
import { formatDetail } from '../status-text.ts'
import type { DevnetQuorum, NodeReport } from './progress.ts'
import { activeNodes, devnetFolder, type DevnetState } from './state.ts'

export function formatBoard(reports: readonly NodeReport[]): string {
  return formatTable(reports, [
    { title: 'node', value: ({ node }) => node.name },
    {
      title: 'role',
      value: ({ node, status }) => {
        if (node.isRemoved === true) return 'removed'
        if (node.isPending === true) return 'not admitted'
        if (node.isPaused === true) return 'paused'
        return node.behaviour ?? status?.node.role ?? '–'
      },
    },
    {
      title: 'height',
      value: ({ status }) => (status === null ? '–' : formatCount(status.chain.height)),
      align: 'right',
    },
    {
      title: 'peers',
      value: ({ status }) => (status === null ? '–' : String(status.peers.connected)),
      align: 'right',
    },
    {
      title: 'pid',
      value: ({ node }) => (node.pid === null ? '–' : String(node.pid)),
      align: 'right',
    },
    {
      title: 'api',
      value: ({ node, status }) =>
        `${node.api}${status === null && node.isRemoved !== true ? '  (no answer)' : ''}`,
    },
  ])
}

// How records are split here, in one line.
export function formatVaultLine({ scheme }: Vault): string {
  if (scheme === null) return 'vault  three hospitals are needed: with fewer, no record is taken'
  const { needed, shards } = scheme
  return `vault  sealed records, ${shards} shards each: any ${needed} open one, no hospital alone`
}

/** How this devnet is named in this folder: nothing for the default one. */
export function flagsOf({ name, dir }: DevnetState, { cwd }: Pick<Context, 'cwd'>): string {
  if (dir !== devnetFolder({ cwd }, { name })) return ` --dir ${dir}`
  return name === 'default' ? '' : ` --name ${name}`
}

export function formatNext(
  state: DevnetState,
  { authorities, quorum }: DevnetQuorum,
  { output, flags }: { output: Output; flags: string },
): string {
  const count = authorities.length
  const last = activeNodes(state).findLast(({ name }) => authorities.includes(name))?.index ?? 0
  const spare = count - quorum
  const kept = `${count - 1} of ${count} ${spare > 0 ? 'is a quorum: it goes on' : 'is no quorum: it waits'}`
  // Only the default devnet is found without being named.
  const named = flags === '' ? [] : [`eval "$(npx mooring devnet env${flags})"`]
  const lines = [
    ...named,
    'npx mooring record submit <patient.json>',
    'npx mooring status',
    'npx mooring vault status',
    `npx mooring devnet kill ${last}${flags}      (${kept})`,
    `npx mooring devnet check${flags}`,
  ]
  return `${output.good('READY')}  try:  ${lines.join(`\n${' '.repeat(13)}`)}`
}

export function boardDocument(state: DevnetState, reports: readonly NodeReport[]) {
  const { name, dir, networkId, genesisDigest } = state
  return {
    schema: 'mooring/devnet/v1' as const,
    name,
    dir,
    networkId,
    genesisDigest,
    nodes: reports.map(({ node, status }) => ({
      ...node,
      running: node.pid !== null,
      height: status?.chain.height ?? null,
      peers: status?.peers.connected ?? null,
      stall: status?.consensus.stall ?? null,
      missing: status?.consensus.missing ?? [],
    })),
  }
}

// Why blocks wait, in the words of a node that runs: it knows which authorities it does not hear.
export function formatStalls(reports: readonly NodeReport[], output: Output): string {
  const stalled = reports.find(({ status }) => status !== null && status.consensus.stall !== null)
  const { stall, quorum, authorities, live } = stalled?.status?.consensus ?? {}
  if (stalled === undefined || stall === undefined || stall === null) return ''
  const headline = `stalled: need ${quorum} of ${authorities} authorities, ${stalled.node.name} sees ${live} (${stall.mor ?? stall.code})`
  return [output.bad(headline), ...formatDetail(stall.detail)].join('\n')
}
