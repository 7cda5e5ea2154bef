// Hospitals at work: made-up patients to random nodes, one after the other in each of a few clients, for
// as long as it is asked. What a node answers with "accepted" is a promise, and is written down; a node
// that does not answer has promised nothing.

import { setTimeout as pause } from 'node:timers/promises'
import { ApiProblem } from '@mooring/api/client'
import type { Random } from '../simulation/random.ts'
import { acknowledge, type Devnet, type DevnetNode } from './devnet.ts'
import { type Source, sourceOf } from './sources.ts'
import { generatePatient } from '@mooring/records'

const CLIENTS = 3
const PAUSE_MS = 200
// Refusals that a client meets with patience: nobody answers, or the node starts, stops or is busy.
const PATIENCE = new Set(['unreachable', 'timeout', 'closing', 'busy', 'overloaded', 'not_ready'])

export type Promised = { id: string; raw: Uint8Array; node: DevnetNode }

export type LoadedNetwork = Pick<Devnet, 'dir'> & { nodes: readonly DevnetNode[] }

export type Load = {
  promised: readonly Promised[]
  // How often a client had no answer or was told to come back.
  refused: () => number
  stop: () => Promise<void>
}

export function startLoad(devnet: LoadedNetwork, random: Random): Load {
  const promised: Promised[] = []
  let refused = 0
  let seed = random.between(1, 1_000_000)
  const stop = new AbortController()
  const submit = async (node: DevnetNode, { bytes, contentType, records: raws }: Source) => {
    const { records } = await node.client.submitRecords(bytes, { contentType })
    await acknowledge(devnet, node, records)
    for (const [index, { id }] of records.entries()) {
      const raw = raws[index]
      if (raw !== undefined) promised.push({ id, raw, node })
    }
  }
  const client = async () => {
    while (!stop.signal.aborted) {
      seed += 1
      const node = random.pick(devnet.nodes)
      try {
        await submit(node, sourceOf(`patient ${seed}`, generatePatient(seed)))
      } catch (error) {
        if (!(error instanceof ApiProblem && PATIENCE.has(error.code))) throw error
        refused += 1
      }
      await pause(PAUSE_MS)
    }
  }
  const clients = Promise.all(Array.from({ length: CLIENTS }, client))
  // Told by stop(), which every scenario awaits.
  clients.catch(() => undefined)
  return {
    promised,
    refused: () => refused,
    stop: async () => {
      stop.abort()
      await clients
    },
  }
}
