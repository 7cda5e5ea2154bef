// Which nodes of a devnet still hear each other: "0,1|2,3" on the command line.

import { NodeError } from '@mooring/node/node-error'
import { type DevnetNodeState, type DevnetState, activeNodes, memberOf } from './state.ts'

/** "3", "hospital-3" */
export function indexIn(word: string): number | undefined {
  const digits = /^(?:hospital-)?(\d{1,4})$/.exec(word.trim())?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/**
 * Words that may each hold several groups; who is in none of them is in one more.
 *
 * @throws NodeError devnet_groups_invalid
 */
export function groupsOf(state: DevnetState, words: readonly string[]): DevnetNodeState[][] {
  const seen = new Set<DevnetNodeState>()
  const groups = words
    .flatMap((word) => word.split('|'))
    .map((group) =>
      group.split(',').map((word) => {
        const index = indexIn(word)
        if (index === undefined) throw invalid(`"${word}" is no number or name of a node`)
        const node = memberOf(state, index)
        if (seen.has(node)) throw invalid(`${node.name} is in two groups`)
        seen.add(node)
        return node
      }),
    )
  const rest = activeNodes(state).filter((node) => !seen.has(node))
  const all = rest.length === 0 ? groups : [...groups, rest]
  if (all.length < 2) throw invalid('one group is no partition')
  return all
}

function invalid(detail: string): NodeError {
  return new NodeError('devnet_groups_invalid', { detail })
}
