// A hospital's programs at each node: lists of anchors in the order of their sequence, and the event stream.

import { ApiProblem, type Client, createClient } from '@mooring/api/client'
import { fromHex } from '@mooring/codec'
import { readKeyFile } from '@mooring/node'
import type { ClientOf, Contact, EngineClient, Payload } from './engine.ts'
import type { MooringContact } from './mooring.ts'
import { type Anchoring, signAnchor } from './payloads.ts'

const TIMEOUT_MS = 60_000
/** The node has no room, or the anchor before this one was refused for that. */
const LATER = new Set(['mempool_full', 'wrong_sequence'])
const BUSY = [429, 503]
/** The `Retry-After` of a list that was not taken whole. */
const AGAIN_MS = 1_000

function isMooring(contact: Contact): contact is MooringContact {
  return contact.engine === 'mooring'
}

export const mooringClient: ClientOf = async (contact) => {
  if (!isMooring(contact)) throw new TypeError('not a contact of Mooring')
  const genesisDigest = fromHex(contact.genesisDigest)
  const ends = new AbortController()
  const nodes = await Promise.all(
    contact.nodes.map(async ({ name, url, anchorKeyFile }) => ({
      client: createClient(url, { timeoutMs: TIMEOUT_MS }),
      taken: 0,
      anchoring: {
        genesisDigest,
        organisation: name,
        keyPair: await readKeyFile(anchorKeyFile, 'anchor'),
      } satisfies Anchoring,
    })),
  )
  const at = (index: number) => {
    const node = nodes[index]
    if (node === undefined) throw new RangeError(`no node ${index}`)
    return node
  }
  return {
    nodes: nodes.length,
    againMs: AGAIN_MS,
    prepare: (index, count) => {
      const { anchoring, taken } = at(index)
      return Array.from({ length: count }, (_, offset) => payloadOf(anchoring, taken + offset + 1))
    },
    submit: async (index, payloads) => {
      const node = at(index)
      const count = await submitTo(node.client, payloads)
      node.taken += count
      return count
    },
    observe: async (index, onFinal) => {
      const { client } = at(index)
      const { chain } = await client.status()
      const query = { types: ['transaction' as const], from: chain.height + 1, signal: ends.signal }
      tell(client.follow(query), onFinal).catch((error: unknown) => {
        if (!ends.signal.aborted) throw error
      })
    },
    close: () => ends.abort(),
  } satisfies EngineClient
}

/** Named by its place in its lane, which is what the event stream says of it. */
function payloadOf(anchoring: Anchoring, sequence: number): Payload {
  const id = `${anchoring.organisation}/${sequence}`
  return { id, bytes: signAnchor(anchoring, sequence) }
}

async function submitTo(client: Client, payloads: readonly Payload[]): Promise<number> {
  try {
    const { results } = await client.submitTransactions(payloads.map(({ bytes }) => bytes))
    const refused = results.findIndex(({ status }) => status === 'rejected')
    const problem = results[refused]?.problem ?? null
    if (problem !== null && !LATER.has(problem.code)) throw new Error(JSON.stringify(problem))
    return refused < 0 ? payloads.length : refused
  } catch (error) {
    if (error instanceof ApiProblem && BUSY.includes(error.status)) return 0
    throw error
  }
}

async function tell(
  events: ReturnType<Client['follow']>,
  onFinal: (ids: readonly string[], at: number) => void,
): Promise<void> {
  for await (const { data } of events) {
    const at = performance.now()
    if (isAnchored(data)) onFinal([`${data.organisation}/${data.sequence}`], at)
  }
}

function isAnchored(data: unknown): data is { organisation: string; sequence: number } {
  return typeof data === 'object' && data !== null && 'organisation' in data && 'sequence' in data
}
