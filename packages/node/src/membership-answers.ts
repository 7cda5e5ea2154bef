// What this node tells of the network as a whole: members, the changes that wait and those that passed,
// and the epochs between them. All of it follows from the final state and the index of ended epochs.

import {
  ApiError,
  type ApiHandlers,
  type Change,
  type ChangeEffect,
  type ChangePreviewOutcome,
  type Epoch,
  type Member,
  type Network,
} from '@mooring/api'
import { CodecError, fromHex, toHex } from '@mooring/codec'
import { quorumOf } from '@mooring/consensus'
import { formatPeerId } from '@mooring/crypto'
import {
  approvalsNeeded,
  type AuthoritySet,
  changeOf,
  checkTransaction,
  decodeTransaction,
  type DecodedTransaction,
  epochOf,
  isOwnRotation,
  openChanges,
  type Organisation,
  organisations,
  type Parameters,
  previewChange,
  PROTOCOL_VERSION,
  protocolOf,
  quorumArithmetic,
  type RecordedChange,
  sealOf,
  type State,
  tallyOf,
} from '@mooring/ledger'
import { detailsOfChange, subjectOf, summaryOfChange } from './change-text.ts'
import type { NodeParts } from './node-parts.ts'
import { describeRefusal } from './refusal-text.ts'

export type MembershipAnswers = Pick<
  ApiHandlers,
  'network' | 'members' | 'epochs' | 'changes' | 'change' | 'previewChange'
>

export interface MembershipParts {
  options: Pick<NodeParts['options'], 'name' | 'genesis' | 'genesisDigest' | 'networkId'>
  clock: Pick<NodeParts['clock'], 'wall'>
  sets: Pick<NodeParts['sets'], 'of'>
  execution: Pick<NodeParts['execution'], 'finalState' | 'authorities' | 'parameters'>
  chain: {
    readonly tip: { height: number; time: number }
    epochs(): readonly unknown[]
  }
  network: {
    readonly peerId: string
    peers(): readonly { peerId: string; connected: boolean }[]
  }
  heightOfPeer: NodeParts['heightOfPeer']
}

const SHOWN_MAX = 500

/** A change that ended an epoch, with what it replaced. */
type Ended = { change: RecordedChange; height: number; parameters: Parameters }

type Genesis = NodeParts['options']['genesis']

export function createMembershipAnswers(
  parts: MembershipParts,
  proposalOf: (id: string) => DecodedTransaction | undefined,
): MembershipAnswers {
  const history = new History(parts.options.genesis)
  const ended = () => history.upTo(parts.execution.finalState())
  return {
    network: () => networkOf(parts, ended()),
    members: () => membersOf(parts, ended()),
    epochs: () => epochsOf(parts, ended()),
    changes: () => changesOf(parts, ended()),
    change: (id) => changeNamed(parts, { id, ended: ended(), proposalOf }),
    previewChange: (transaction) => preview(parts, transaction),
  }
}

/** The changes that ended an epoch each, read once: what has passed stays as it is. */
class History {
  readonly #ended: Ended[] = []
  #parameters: Parameters

  constructor({ parameters }: Genesis) {
    this.#parameters = parameters
  }

  upTo(state: State): readonly Ended[] {
    for (let epoch = this.#ended.length; epoch < epochOf(state); epoch += 1) {
      const seal = sealOf(state, epoch)
      const change = seal === undefined ? undefined : changeOf(state, seal.change)
      if (seal === undefined || change === undefined) {
        throw new Error(`the state does not say what ended epoch ${epoch}`)
      }
      this.#ended.push({ change, height: seal.height, parameters: this.#parameters })
      if (change.change.kind === 'parameters') this.#parameters = change.change.body
    }
    return this.#ended
  }
}

/** The last change about the protocol scheduled what is scheduled. */
function scheduledBy(ended: readonly Ended[]): string {
  const last = ended.findLast(({ change }) => change.change.kind === 'protocol')
  if (last === undefined) throw new Error('a protocol version is scheduled by no change')
  return toHex(last.change.id)
}

function networkOf({ options, execution }: MembershipParts, ended: readonly Ended[]): Network {
  const { organisations: names } = execution.authorities
  const state = execution.finalState()
  const { version, next } = protocolOf(state)
  return {
    name: options.genesis.networkName,
    networkId: options.networkId,
    genesisDigest: toHex(options.genesisDigest),
    epoch: epochOf(state),
    protocolVersion: version,
    scheduledProtocol: next === null ? null : { ...next, change: scheduledBy(ended) },
    softwareProtocol: PROTOCOL_VERSION,
    parameters: { ...execution.parameters },
    authorities: [...names],
    quorum: quorumOf(names.length),
  }
}

function membersOf(
  { options, execution, chain, network, heightOfPeer }: MembershipParts,
  ended: readonly Ended[],
): Member[] {
  const admitted = new Map<string, number>()
  for (const [epoch, { change }] of ended.entries()) {
    if (change.change.kind === 'admit') {
      admitted.set(change.change.body.organisation.id, epoch + 1)
    }
  }
  const connected = new Set(
    network.peers().flatMap((peer) => (peer.connected ? [peer.peerId] : [])),
  )
  const { organisations: authorities } = execution.authorities
  return organisations(execution.finalState()).map((organisation) => {
    const { id } = organisation
    const member = memberOf(organisation)
    const isSelf = id === options.name && member.peerId === network.peerId
    const place = authorities.indexOf(id)
    return {
      ...member,
      authority: place === -1 ? null : place,
      sinceEpoch: admitted.get(id) ?? 0,
      connected: isSelf || connected.has(member.peerId),
      height: isSelf ? chain.tip.height : heightOfPeer(member.peerId),
    }
  })
}

function memberOf({ id, name, legalGroup, roles, keys }: Organisation) {
  const byDuty = Object.entries(keys).map(
    ([duty, key]) => [duty, key === null ? null : toHex(key)] as const,
  )
  return {
    id,
    name,
    legalGroup,
    roles: [...roles],
    peerId: formatPeerId(keys.transport),
    keys: Object.fromEntries(byDuty),
  }
}

/** The authority sets of all epochs, the running one last. */
function setsOf({ chain, sets }: MembershipParts): AuthoritySet[] {
  return Array.from({ length: chain.epochs().length + 1 }, (_, epoch) => {
    const set = sets.of(epoch)
    if (set === undefined) throw new Error(`no authority set of epoch ${epoch}`)
    return set
  })
}

function epochsOf(parts: MembershipParts, ended: readonly Ended[]): Epoch[] {
  const sets = setsOf(parts)
  const epochs = sets.map(({ organisations: authorities }, epoch): Epoch => {
    const before = ended[epoch - 1]
    const end = ended[epoch]
    return {
      epoch,
      firstHeight: (before?.height ?? 0) + 1,
      lastHeight: end?.height ?? null,
      authorities: [...authorities],
      quorum: quorumOf(authorities.length),
      endedBy: end === undefined ? null : passed(end, epoch, sets),
    }
  })
  return epochs.toReversed().slice(0, SHOWN_MAX)
}

function changesOf(parts: MembershipParts, ended: readonly Ended[]): Change[] {
  const sets = setsOf(parts)
  const over = ended.map((end, epoch) => passed(end, epoch, sets))
  const open = openChanges(parts.execution.finalState()).map((change) => waiting(parts, change))
  return [...open, ...over.toReversed().slice(0, SHOWN_MAX)]
}

function changeNamed(
  parts: MembershipParts,
  {
    id,
    ended,
    proposalOf,
  }: {
    id: string
    ended: readonly Ended[]
    proposalOf: (id: string) => DecodedTransaction | undefined
  },
): Change | undefined {
  const found = changeOf(parts.execution.finalState(), fromHex(id))
  if (found === undefined) return closed(id, proposalOf(id))
  if (found.passedAt === null) return waiting(parts, found)
  const { epoch } = found.passedAt
  const end = ended[epoch]
  return end === undefined ? undefined : passed(end, epoch, setsOf(parts))
}

function describe({ change }: { change: RecordedChange['change'] }, before: Parameters | null) {
  return {
    kind: change.kind,
    organisation: subjectOf(change),
    summary: summaryOfChange(change, before),
    details: detailsOfChange(change),
  }
}

function common({ id, proposer, reason, expiresAt, approvals }: RecordedChange) {
  return {
    id: toHex(id),
    proposer,
    reason,
    expiresAt: new Date(expiresAt).toISOString(),
    approvals: [...approvals],
  }
}

/** As it stands on top of the last final block. */
function waiting({ execution, chain, options }: MembershipParts, record: RecordedChange): Change {
  const state = execution.finalState()
  const { height, time } = chain.tip
  const place = { time, height: height + 1 }
  const tally = tallyOf(state, record, place)
  const base = { ...common(record), ...describe(record, execution.parameters) }
  const open = { ...base, status: 'open', height: null } as const
  if ('code' in tally) {
    const needed = approvalsNeeded(execution.authorities.keys.length)
    const nothing = { acks: [], acksNeeded: 0, acksRequired: [], effect: null }
    return { ...open, approvalsNeeded: needed, ...nothing }
  }
  const { approvals, ready } = tally
  const { genesisDigest } = options
  const plan = previewChange(state, record.change, { genesisDigest, height: height + 1 })
  return {
    ...open,
    approvals: approvals.given,
    approvalsNeeded: approvals.needed,
    acks: ready?.given ?? [],
    acksNeeded: ready?.needed ?? 0,
    acksRequired: ready?.required ?? [],
    effect: 'code' in plan ? null : effectOf(execution.authorities, plan.authorities),
  }
}

function passed(
  { change, height, parameters }: Ended,
  epoch: number,
  sets: AuthoritySet[],
): Change {
  const [before, after] = [sets[epoch], sets[epoch + 1]]
  const needed = before === undefined ? 0 : approvalsNeeded(before.keys.length)
  const isAlone = isOwnRotation(change) && change.approvals.length < needed
  const acks = change.ready.map(({ organisation }) => organisation)
  return {
    ...common(change),
    ...describe(change, parameters),
    status: 'passed',
    height,
    approvalsNeeded: isAlone ? 0 : needed,
    acks,
    acksNeeded: acks.length === 0 || after === undefined ? 0 : approvalsNeeded(after.keys.length),
    acksRequired: [],
    effect: before === undefined || after === undefined ? null : effectOf(before, after),
  }
}

/** What the state has forgotten: its proposal is still in the chain. */
function closed(id: string, proposal: DecodedTransaction | undefined): Change | undefined {
  if (proposal?.payload.kind !== 'change.propose') return undefined
  const { organisation: proposer, reason, expiresAt, change } = proposal.payload.body
  return {
    id,
    status: 'closed',
    proposer,
    reason,
    expiresAt: new Date(expiresAt).toISOString(),
    height: null,
    approvals: [],
    approvalsNeeded: 0,
    acks: [],
    acksNeeded: 0,
    acksRequired: [],
    ...describe({ change }, null),
    effect: null,
  }
}

function effectOf(before: AuthoritySet, after: AuthoritySet): ChangeEffect {
  const now = quorumArithmetic(before.keys.length)
  const then = quorumArithmetic(after.keys.length)
  return {
    authorities: [...after.organisations],
    authoritiesBefore: now.authorities,
    authoritiesAfter: then.authorities,
    quorumBefore: now.needed,
    quorumAfter: then.needed,
    toleratesAfter: then.tolerates,
  }
}

/** Judged as the next block would judge it; nothing is kept and nothing is sent. */
function preview(parts: MembershipParts, bytes: Uint8Array): ChangePreviewOutcome {
  const { options, execution, chain, clock } = parts
  const { genesisDigest } = options
  const transaction = decodeProposal(bytes, genesisDigest)
  const { id, change } = transaction
  const state = execution.finalState()
  const time = Math.max(clock.wall(), chain.tip.time + 1)
  const height = chain.tip.height + 1
  const { parameters } = execution
  const context = { genesisDigest, parameters, time, height }
  const reason = checkTransaction(state, context, transaction.decoded)
  const plan = previewChange(state, change, { genesisDigest, height })
  return {
    id: toHex(id),
    problem: reason === undefined ? null : { code: reason.code, detail: describeRefusal(reason) },
    ...describe({ change }, parameters),
    effect: 'code' in plan ? null : effectOf(execution.authorities, plan.authorities),
  }
}

function decodeProposal(bytes: Uint8Array, genesisDigest: Uint8Array) {
  try {
    const decoded = decodeTransaction(bytes, genesisDigest)
    const { id, payload } = decoded
    if (payload.kind === 'change.propose') return { id, change: payload.body.change, decoded }
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw new ApiError('malformed_transaction', error.message, { cause: error })
  }
  throw new ApiError('malformed_transaction', 'It is a transaction, and proposes no change.')
}
