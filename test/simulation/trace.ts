/** One line for one step, for whoever follows a failing seed. */
import type { Action, Event } from '@mooring/consensus'

export function describeEvent(event: Event): string {
  switch (event.type) {
    case 'votes':
      return event.votes.map((vote) => `${vote.kind}@${vote.subject.view}/${vote.signer}`).join(' ')
    case 'certificates':
      return event.certificates.map((held) => `${held.kind}!${held.subject.view}`).join(' ')
    case 'proposal': {
      const { block } = event.proposal
      return `proposal@${block.view} on ${block.parentView} ${block.digest.slice(0, 6)}`
    }
    case 'timer':
      return `timer ${event.name}`
    case 'built':
      return `built ${event.block?.digest.slice(0, 6) ?? 'nothing'}`
    case 'work':
      return event.waiting ? 'work' : 'no work'
    case 'block':
      return `block ${event.block.digest.slice(0, 6)}`
    case 'executed':
      return `executed ${event.digest.slice(0, 6)} ${event.outcome}`
    case 'status':
      return `status of ${event.from}`
    case 'diverged':
      return `diverged at ${event.digest.slice(0, 6)}`
    case 'synced':
      return `synced to ${event.block.height}`
    case 'peers':
      return 'peers'
  }
}

export function listActions(actions: readonly Action[]): string {
  const names = actions.map((action) => {
    if (action.type === 'vote') return `${action.vote.kind}@${action.vote.subject.view}`
    return action.type === 'set-timer' ? `timer:${action.name}` : action.type
  })
  return names.length === 0 ? '' : `=> ${names.join(', ')}`
}
