// The program. A node is loaded when one is started.

import { runProcess } from './process.ts'
import type { StartNode } from './start-node.ts'

const startNode: StartNode = async (options, how) => {
  const node = await import('@mooring/node/node')
  return node.startNode(options, how)
}

await runProcess(startNode, process.argv.slice(2))
