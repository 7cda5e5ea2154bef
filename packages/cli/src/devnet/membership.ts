// The members of a devnet change as those of any network do: by proposals and approvals, each signed with
// the governance key of a hospital. Here all of these keys lie in one folder, so that one command can
// sign for everybody.

import type { Change as ChangeAnswer } from '@mooring/api'
import { type Client, createClient } from '@mooring/api/client'
import { fromHex } from '@mooring/codec'
import type { Change } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import type { Context } from '../context.ts'
import { type Governance, openGovernance, signTransaction } from '../governance.ts'
import type { Output } from '../output.ts'
import { propose, submitFinal, waitUntilPassed } from '../propose.ts'
import { asking } from '../remote-error.ts'
import type { DevnetOptions } from './command.ts'
import { quorumOf } from './progress.ts'
import { activeNodes, type DevnetNodeState, type DevnetState } from './state.ts'

const ASK_MS = 10_000
const PASS_MS = 60_000
const EXPIRES_MS = 3_600_000

export type Assembly = {
  context: Context
  options: DevnetOptions
  output: Output
  state: DevnetState
}

/** A node that runs and votes, to speak through. */
async function speakerOf(state: DevnetState, without: string): Promise<DevnetNodeState> {
  const { authorities } = await quorumOf(state)
  const found = activeNodes(state).find(
    ({ name, pid }) => pid !== null && name !== without && authorities.includes(name),
  )
  if (found !== undefined) return found
  const detail = `no authority of "${state.name}" runs besides ${without}`
  throw new NodeError('not_ready', { detail: `A change needs approvals, and ${detail}.` })
}

async function governanceOf(
  { context, options }: Assembly,
  home: string,
  speaker: DevnetNodeState,
  client: Client,
): Promise<Governance> {
  const endpoint = { url: speaker.api, web: speaker.api, origin: speaker.name }
  return openGovernance(context, { ...options, home, timeout: ASK_MS }, { client, endpoint })
}

/** Proposed by one hospital, approved by as many others as it takes; `subject` has no say in it. */
export async function passChange(
  assembly: Assembly,
  change: Change,
  { subject, reason }: { subject: string; reason: string },
): Promise<ChangeAnswer> {
  const { context, output, state } = assembly
  const speaker = await speakerOf(state, subject)
  const client = createClient(speaker.api, { timeoutMs: ASK_MS })
  const work = async () => {
    const proposer = await governanceOf(assembly, speaker.home, speaker, client)
    const terms = { reason, expires: EXPIRES_MS }
    const now = context.now()
    const id = await propose(proposer, change, terms, { output, now }).then(
      (proposed) => proposed.id,
      openProposal,
    )
    output.note(`proposed by ${proposer.organisation}`)
    await approveByOthers(assembly, { id, speaker, client, subject })
    return waitUntilPassed({ client }, id, PASS_MS)
  }
  const passed = await asking({ url: speaker.api, origin: speaker.name }, ASK_MS, work())
  output.note(`passed in block ${passed.height ?? 0}`)
  return passed
}

// What an interrupted command has proposed waits for its approvals.
function openProposal(error: unknown): string {
  if (error instanceof NodeError && error.code === 'change_exists') return String(error.data['id'])
  throw error
}

/** Whether the network has it already. */
export async function isMember({ state }: Assembly, name: string): Promise<boolean> {
  const { api } = await speakerOf(state, name)
  const { items } = await createClient(api, { timeoutMs: ASK_MS }).members()
  return items.some(({ id }) => id === name)
}

async function approveByOthers(
  assembly: Assembly,
  vote: { id: string; speaker: DevnetNodeState; client: Client; subject: string },
): Promise<void> {
  const { id, speaker, client, subject } = vote
  const { authorities } = await client.network()
  const voters = activeNodes(assembly.state).filter(
    ({ name }) => authorities.includes(name) && name !== subject && name !== speaker.name,
  )
  for (const { name, home } of voters) {
    const { status, approvals, approvalsNeeded } = await client.change(id)
    if (status !== 'open' || approvals.length >= approvalsNeeded) return
    const governance = await governanceOf(assembly, home, speaker, client)
    const body = { organisation: governance.organisation, change: fromHex(id) }
    const now = assembly.context.now()
    const transaction = signTransaction(governance, now, { kind: 'change.approve', body })
    await submitFinal(governance, transaction, assembly.output)
    assembly.output.note(`approved by ${name}`)
  }
}
