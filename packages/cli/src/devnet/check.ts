// The promises of the network, asked of all its nodes at once: one block a height, one state a block,
// nothing lost that was acknowledged, everything readable, no contradictory votes.

import { ApiProblem, type Client, createClient } from '@mooring/api/client'
import { findContradictions } from '@mooring/node/guard-check'
import { itemsOf } from '../pages.ts'
import { checkReading, checkStrength } from './check-vault.ts'
import {
  type Acknowledgement,
  type DevnetNodeState,
  type DevnetState,
  readAcknowledged,
} from './state.ts'

export type Finding = { check: string; ok: boolean; detail: string }

const STATES_COMPARED = 100
const NAMED_MAX = 5
const SETTLE_MS = 10_000
const POLL_MS = 200

// `base`: a chain that began with a snapshot has nothing at or below; `prunedTo`: nor bodies there.
type Asked = { node: DevnetNodeState; client: Client; base: number; prunedTo: number }

async function digestsOf({ client }: Asked): Promise<Map<number, string>> {
  const digests = new Map<number, string>()
  for await (const { height, digest } of itemsOf((page) => client.blocks(page)))
    digests.set(height, digest)
  return digests
}

async function checkBlocks(asked: readonly Asked[]): Promise<{ finding: Finding; top: number }> {
  const chains = await Promise.all(asked.map(digestsOf))
  const top = Math.min(...chains.map((chain) => Math.max(0, ...chain.keys())))
  const forks: string[] = []
  let highest = 0
  for (const height of new Set(chains.flatMap((chain) => [...chain.keys()]))) {
    highest = Math.max(highest, height)
    const seen = new Set(chains.flatMap((chain) => chain.get(height) ?? []))
    if (seen.size > 1) forks.push(`height ${height}: ${[...seen].join(' and ')}`)
  }
  const gaps = asked.flatMap(({ node, base }, index) => {
    const chain = chains[index]
    const own = Math.max(base, ...(chain?.keys() ?? []))
    const heights = Array.from({ length: own - base }, (_, at) => base + at + 1)
    const missing = heights.filter((at) => !chain?.has(at))
    return missing.length === 0 ? [] : [`${node.name} lacks ${missing.length} blocks`]
  })
  const wrong = [...forks, ...gaps]
  const detail =
    wrong.length === 0 ? `heights 1 to ${highest}, ${asked.length} nodes` : firstOf(wrong)
  return { finding: { check: 'one block at each height', ok: wrong.length === 0, detail }, top }
}

async function checkStates(asked: readonly Asked[], top: number): Promise<Finding> {
  const check = 'one state after each block'
  const kept = Math.max(...asked.map(({ prunedTo }) => prunedTo)) + 1
  const first = Math.max(kept, top - STATES_COMPARED + 1)
  for (let height = first; height <= top; height += 1) {
    const roots = await Promise.all(
      asked.map(async ({ client }) => (await client.block(height)).stateRoot),
    )
    if (new Set(roots).size > 1) {
      return { check, ok: false, detail: `height ${height}: ${[...new Set(roots)].join(' and ')}` }
    }
  }
  const detail = first > top ? 'no blocks that all have' : `heights ${first} to ${top}`
  return { check, ok: true, detail }
}

/** Page by page: there may be tens of thousands, and most of them are. */
async function anchoredOf({ client }: Pick<Asked, 'client'>): Promise<Set<string>> {
  const anchored = new Set<string>()
  for await (const { id, status } of itemsOf((page) => client.records(page)))
    if (status === 'anchored') anchored.add(id)
  return anchored
}

async function isFinal(client: Client, id: string, deadline: number): Promise<string | undefined> {
  for (;;) {
    try {
      const record = await client.record(id)
      if (record.status === 'anchored') return undefined
      if (performance.now() >= deadline) return `is ${record.status}, not anchored`
    } catch (error) {
      // What was erased is gone because somebody was right to ask for it.
      if (error instanceof ApiProblem && error.code === 'erased') return undefined
      if (!(error instanceof ApiProblem) || error.code !== 'unknown_record') throw error
      return 'is gone'
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

export async function checkAcknowledged(
  promises: readonly Acknowledgement[],
  asked: readonly { node: { name: string }; client: Client }[],
): Promise<Finding> {
  const check = 'everything acknowledged is kept and final'
  const deadline = performance.now() + SETTLE_MS
  const anchored = new Map<string, Set<string>>()
  const lost: string[] = []
  const unasked = new Set<string>()
  let kept = 0
  for (const { id, node } of promises) {
    const custodian = asked.find((each) => each.node.name === node)
    if (custodian === undefined) {
      unasked.add(node)
      continue
    }
    const known = anchored.get(node) ?? (await anchoredOf(custodian))
    anchored.set(node, known)
    const problem = known.has(id) ? undefined : await isFinal(custodian.client, id, deadline)
    if (problem === undefined) kept += 1
    else lost.push(`${id} of ${node} ${problem}`)
  }
  const verb = unasked.size === 1 ? 'does' : 'do'
  const rest = unasked.size === 0 ? '' : `; not asked: ${[...unasked].join(', ')} ${verb} not run`
  const found =
    promises.length === 0
      ? 'no record was submitted from here'
      : `${kept} of ${promises.length} records${rest}`
  const detail =
    lost.length === 0 ? found : `${lost.length} of ${promises.length}: ${firstOf(lost)}`
  return { check, ok: lost.length === 0, detail }
}

/** All of thousands would be one line without an end. */
function firstOf(wrong: readonly string[]): string {
  const more = wrong.length - NAMED_MAX
  const named = wrong.slice(0, NAMED_MAX).join('; ')
  return more > 0 ? `${named}; and ${more} more` : named
}

async function checkVotes(state: DevnetState): Promise<Finding> {
  const check = 'no contradictory votes'
  const { votes, contradictions } = await findContradictions(state.nodes.map(({ home }) => home))
  const detail =
    contradictions.length === 0
      ? `${votes} votes in ${state.nodes.length} journals`
      : firstOf(contradictions)
  return { check, ok: contradictions.length === 0, detail }
}

/** Votes that contradict each other come from those that misbehave on purpose, and from nobody else. */
async function checkEvidence(
  { misbehaved = [] }: DevnetState,
  asked: readonly Asked[],
): Promise<Finding> {
  const check = 'evidence names nobody who is honest'
  const accused = new Set<string>()
  for (const { client } of asked)
    for await (const { authority } of itemsOf((page) => client.evidenceList(page)))
      accused.add(authority)
  const innocent = [...accused].filter((name) => !misbehaved.includes(name))
  const guilty = accused.size === 0 ? 'there is none' : `it names ${[...accused].join(', ')}`
  const detail = innocent.length === 0 ? guilty : `it names ${innocent.join(', ')}`
  return { check, ok: innocent.length === 0, detail }
}

export async function checkDevnet(
  state: DevnetState,
  running: readonly DevnetNodeState[],
): Promise<Finding[]> {
  const asked = await Promise.all(
    running.map(async (node): Promise<Asked> => {
      const client = createClient(node.api)
      const { base, prunedTo } = (await client.status()).storage
      return { node, client, base, prunedTo: Math.max(base, prunedTo) }
    }),
  )
  const findings: Finding[] = []
  if (asked.length > 0) {
    const { finding, top } = await checkBlocks(asked)
    findings.push(finding, await checkStates(asked, top))
  }
  const promises = await readAcknowledged(state.dir)
  findings.push(await checkAcknowledged(promises, asked))
  const vaults = asked.map(({ node, client }) => ({ name: node.name, client }))
  const strength = await checkStrength(vaults)
  findings.push({ check: strength.check, ok: strength.ok, detail: strength.detail })
  if (strength.canRead) findings.push(await checkReading(vaults, promises))
  findings.push(await checkVotes(state))
  if (asked.length > 0) findings.push(await checkEvidence(state, asked))
  return findings
}
