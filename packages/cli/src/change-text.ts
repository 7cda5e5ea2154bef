// Changes of the network on a screen: what one would do to the quorum, who has approved, what is missing.

import type { Change, ChangeEffect, Epoch, Member } from '@mooring/api'
import { formatCount, formatFields, formatTable, shortPeerId } from './output.ts'

const ID_SHOWN = 8

/** As many digits of an id as people type. */
export function shortId(id: string): string {
  return id.slice(0, ID_SHOWN)
}

const step = (before: number, after: number) =>
  before === after ? String(after) : `${before} → ${after}`

// "4 → 5 authorities, quorum 3 → 4, tolerates 1"
export function formatEffect(effect: ChangeEffect): string {
  const { authoritiesBefore, authoritiesAfter, quorumBefore, quorumAfter, toleratesAfter } = effect
  const size = `${step(authoritiesBefore, authoritiesAfter)} authorities`
  return `${size}, quorum ${step(quorumBefore, quorumAfter)}, tolerates ${toleratesAfter}`
}

const listed = (names: readonly string[]) => (names.length === 0 ? 'nobody' : names.join(', '))

export function missingAcks({ acks, acksRequired }: Change): string[] {
  return acksRequired.filter((name) => !acks.includes(name))
}

// What an open change waits for, in one line; the empty text for one that is decided.
export function formatWaiting(change: Change): string {
  if (change.status !== 'open') return ''
  // What it would do has no answer: its keys, say, came into use by another change.
  if (change.effect === null) return 'other members or keys: with those of now it cannot pass'
  const parts: string[] = []
  const missing = change.approvalsNeeded - change.approvals.length
  if (missing > 0) parts.push(`${missing} more ${missing === 1 ? 'approval' : 'approvals'}`)
  const unready = Math.max(change.acksNeeded - change.acks.length, missingAcks(change).length)
  if (unready > 0) {
    const named = missingAcks(change)
    const who = named.length === 0 ? '' : ` (${named.join(', ')} among them)`
    const what = unready === 1 ? 'node to say that it is' : 'nodes to say that they are'
    parts.push(`${unready} more ${what} ready${who}`)
  }
  return parts.length === 0 ? 'the next block' : parts.join(' and ')
}

// A renewal of one's own keys needs nobody else.
function formatApprovals({ approvals, approvalsNeeded }: Change, of: string): string {
  return approvalsNeeded === 0 ? 'none needed' : `${approvals.length}${of}${approvalsNeeded}`
}

// A quorum is not enough while one of those that have to be among it is missing.
function formatAcks(change: Change, of: string): string {
  const { acks, acksNeeded } = change
  return `${acks.length}${of}${Math.max(acksNeeded, acks.length + missingAcks(change).length)}`
}

function formatStatus({ status, height }: Change): string {
  if (status === 'passed') return `passed in block ${formatCount(height ?? 0)}`
  return status === 'open' ? 'open' : 'closed: withdrawn, expired, or overtaken'
}

export function formatChange(change: Change, now: Date): string {
  const { id, summary, proposer, reason, expiresAt, effect, status } = change
  const { approvals, acks, acksNeeded } = change
  const fields: [string, string][] = [
    ['change', id],
    ['what', summary],
    ['reason', reason],
    ['proposed by', proposer],
    ['status', formatStatus(change)],
    ['approved by', `${listed(approvals)}  (${formatApprovals(change, ' of ')})`],
  ]
  if (acksNeeded > 0) {
    fields.push(['ready', `${listed(acks)}  (${formatAcks(change, ' of ')})`])
  }
  if (status === 'open') {
    fields.push(['waits for', formatWaiting(change)], ['expires', formatIn(expiresAt, now)])
  }
  if (effect !== null) fields.push(['quorum', formatEffect(effect)])
  return formatFields(fields)
}

function formatIn(time: string, now: Date): string {
  const hours = Math.round((Date.parse(time) - now.getTime()) / 3_600_000)
  return hours < 48 ? `${time}, in ${hours} h` : `${time}, in ${Math.round(hours / 24)} days`
}

export function formatChanges(changes: readonly Change[]): string {
  return formatTable(changes, [
    { title: 'change', value: ({ id }) => shortId(id) },
    { title: 'status', value: ({ status }) => status },
    {
      title: 'approvals',
      value: (change) => formatApprovals(change, '/'),
      align: 'right',
    },
    {
      title: 'ready',
      value: (change) => (change.acksNeeded === 0 ? '–' : formatAcks(change, '/')),
      align: 'right',
    },
    {
      title: 'block',
      value: ({ height }) => (height === null ? '–' : formatCount(height)),
      align: 'right',
    },
    { title: 'proposed by', value: ({ proposer }) => proposer },
    { title: 'what', value: ({ summary }) => summary },
  ])
}

export function formatMembers(members: readonly Member[]): string {
  return formatTable(members, [
    { title: 'member', value: ({ id }) => id },
    { title: 'name', value: ({ name }) => name },
    {
      title: 'role',
      value: ({ authority }) => (authority === null ? 'observer' : `authority ${authority}`),
    },
    { title: 'state', value: ({ connected }) => (connected ? 'connected' : 'away') },
    {
      title: 'height',
      value: ({ height }) => (height === null ? '–' : formatCount(height)),
      align: 'right',
    },
    { title: 'since epoch', value: ({ sinceEpoch }) => String(sinceEpoch), align: 'right' },
    { title: 'peer id', value: ({ peerId }) => shortPeerId(peerId) },
  ])
}

export function formatMember(member: Member): string {
  const { id, name, legalGroup, authority, connected, height, sinceEpoch, peerId, keys } = member
  return formatFields([
    ['member', id],
    ['name', name],
    ['legal group', legalGroup],
    ['role', authority === null ? 'observer' : `authority, place ${authority} of the set`],
    ['state', connected ? `connected, at height ${height ?? '–'}` : 'away'],
    ['since', `epoch ${sinceEpoch}`],
    ['peer id', peerId],
    ['keys', ''],
    ...Object.entries(keys).map(([duty, key]) => [`  ${duty}`, key ?? '–'] as const),
  ])
}

export function formatEpochs(epochs: readonly Epoch[]): string {
  return formatTable(epochs, [
    { title: 'epoch', value: ({ epoch }) => String(epoch), align: 'right' },
    {
      title: 'blocks',
      value: ({ firstHeight, lastHeight }) => `${firstHeight}–${lastHeight ?? ''}`,
      align: 'right',
    },
    {
      title: 'authorities',
      value: ({ authorities }) => String(authorities.length),
      align: 'right',
    },
    { title: 'quorum', value: ({ quorum }) => String(quorum), align: 'right' },
    {
      title: 'ended by',
      value: ({ endedBy, lastHeight }) =>
        endedBy === null
          ? lastHeight === null
            ? 'it goes on'
            : '–'
          : `${shortId(endedBy.id)}  ${endedBy.summary}`,
    },
  ])
}
