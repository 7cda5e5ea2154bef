// From a change to a proposal in a block: what it would do is asked of the node and shown, what could
// leave the network without a quorum is refused, and only then is the proposal submitted.

import { setTimeout as pause } from 'node:timers/promises'
import type { Change as ChangeAnswer, ChangePreview, Member } from '@mooring/api'
import { ApiProblem } from '@mooring/api/client'
import { canonicalJson } from '@mooring/codec'
import type { Change } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import { formatDuration } from '@mooring/node/option-values'
import { waitingFor } from './context.ts'
import { formatEffect, formatWaiting, shortId } from './change-text.ts'
import { type Governance, signTransaction } from './governance.ts'
import type { Output } from './output.ts'

/** As far behind as a node may be that is to vote. */
export const BEHIND_MAX = 5
const FINAL_MS = 20_000
const POLL_MS = 200

export type ProposeOptions = {
  reason: string
  expires: number
  dryRun?: boolean
  force?: boolean
}

export type Proposed = {
  id: string
  preview: ChangePreview
  warnings: string[]
  isSubmitted: boolean
}

export async function propose(
  governance: Governance,
  change: Change,
  options: ProposeOptions,
  { output, now }: { output: Output; now: Date },
): Promise<Proposed> {
  const { client, organisation } = governance
  const { reason } = options
  const body = { organisation, reason, expiresAt: now.getTime() + options.expires, change }
  const transaction = signTransaction(governance, now, { kind: 'change.propose', body })
  const preview = await client.previewChange(transaction)
  output.note(preview.summary)
  if (preview.effect !== null) output.note(formatEffect(preview.effect))
  if (preview.problem !== null) {
    const { mor, ...problem } = preview.problem
    throw new ApiProblem({ ...problem, status: 422, ...(mor === null ? {} : { mor }) })
  }
  const warnings = await objections(governance, preview)
  const [first] = warnings
  if (first !== undefined && options.force !== true) {
    throw new NodeError('change_unsafe', { detail: first }, { rows: warnings.slice(1) })
  }
  for (const warning of warnings) output.note(`warning: ${warning}`)
  const { id } = preview
  if (options.dryRun === true) return { id, preview, warnings, isSubmitted: false }
  await submitFinal(governance, transaction, output)
  return { id, preview, warnings, isSubmitted: true }
}

/** Submits, and waits until the transaction is in a final block. */
export async function submitFinal(
  { client }: Governance,
  transaction: Uint8Array,
  output: Output,
): Promise<string> {
  const submitted = client.submitTransaction(transaction, { waitMs: FINAL_MS })
  const { id, status } = await waitingFor(output.note, 'a final block', submitted)
  if (status === 'final') return id
  const timeout = formatDuration(FINAL_MS)
  throw new NodeError('wait_timeout', { what: `Transaction ${id}`, timeout })
}

// Why a change would be a danger now, one sentence each.
async function objections(
  { client, members, status }: Governance,
  preview: ChangePreview,
): Promise<string[]> {
  const { kind, organisation, effect, details } = preview
  const found: string[] = []
  const { items } = await client.changes({ status: 'open' })
  const same = items.find((change) => isSame(change, preview))
  if (same !== undefined) {
    const { id, proposer, summary } = same
    throw new NodeError('change_exists', { id, proposer, summary, short: shortId(id) })
  }
  const subject = members.find(({ id }) => id === organisation)
  if (kind === 'role' && details['role'] === 'authority' && subject !== undefined) {
    const problem = notReady(subject, status.chain.height)
    if (problem !== undefined) found.push(problem)
  }
  if (effect === null) return found
  const missing = new Set(status.consensus.missing)
  const live = effect.authorities.filter((name) =>
    members.some(
      ({ id, authority, connected }) =>
        id === name && (authority === null ? connected : !missing.has(name)),
    ),
  )
  if (effect.authoritiesAfter !== effect.authoritiesBefore && live.length < effect.quorumAfter) {
    const away = effect.authorities.filter((name) => !live.includes(name))
    found.push(
      `After it ${effect.quorumAfter} of ${effect.authoritiesAfter} must agree, and this node sees ${live.length}: ${away.join(', ')} away.`,
    )
  }
  return found
}

function notReady({ id, connected, height }: Member, tip: number): string | undefined {
  if (!connected) return `${id} is not connected to this node: it could not vote.`
  const behind = tip - (height ?? 0)
  if (behind <= BEHIND_MAX) return undefined
  return `${id} is ${behind} blocks behind; it may be ${BEHIND_MAX} at most.`
}

function isSame(open: ChangeAnswer, { kind, organisation, details }: ChangePreview): boolean {
  if (open.kind !== kind || open.organisation !== organisation) return false
  return canonicalJson(open.details) === canonicalJson(details)
}

/** The change whose id starts with these digits, among those that are open, or any by its whole id. */
export async function findChange(
  { client }: Pick<Governance, 'client'>,
  id: string,
): Promise<ChangeAnswer> {
  if (/^[0-9a-f]{64}$/i.test(id)) return client.change(id.toLowerCase())
  const { items } = await client.changes()
  const fitting = items.filter((change) => change.id.startsWith(id.toLowerCase()))
  const [first, ...others] = fitting
  if (first !== undefined && others.length === 0) return first
  throw new NodeError('change_ambiguous', { id, count: fitting.length })
}

/** What a node that takes new keys, or starts, answers for a moment. */
const AWAY = new Set(['unreachable', 'timeout', 'closing', 'not_ready'])

/** Asks until the change has passed; the node may restart meanwhile, for it may be about its keys. */
export async function waitUntilPassed(
  { client }: Pick<Governance, 'client'>,
  id: string,
  timeoutMs: number,
): Promise<ChangeAnswer> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const hasTime = performance.now() < deadline
    const change = await client.change(id).catch((error: unknown) => {
      if (hasTime && error instanceof ApiProblem && AWAY.has(error.code)) return undefined
      throw error
    })
    if (change?.status === 'passed') return change
    if (change?.status === 'closed') throw new NodeError('change_closed', { id })
    if (change !== undefined && !hasTime) {
      const what = formatWaiting(change)
      const timeout = formatDuration(timeoutMs)
      throw new NodeError('change_waiting', { id: shortId(id), what, timeout })
    }
    await pause(POLL_MS)
  }
}
