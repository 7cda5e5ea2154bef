// The node, loaded when one is started: of all that a process may be asked for, only that needs it.

import type { StartNode } from './start-node.ts'

export const startNode: StartNode = async (options, how) => {
  const node = await import('@mooring/node/node')
  return node.startNode(options, how)
}
