// The program.

import { startNode } from '@mooring/node'
import { runProcess } from './process.ts'

await runProcess(startNode, process.argv.slice(2))
