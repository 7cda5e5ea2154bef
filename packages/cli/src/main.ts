// The program.

import { startNode } from './load-node.ts'
import { runProcess } from './process.ts'

await runProcess(startNode, process.argv.slice(2))
