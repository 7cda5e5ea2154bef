/** Administration of the node in memory. */

import type { AdminHandlers } from '../src/admin-handlers.ts'
import { memoryData } from './memory-data.ts'
import { memoryPeers } from './memory-peers.ts'
import { memorySeeing } from './memory-seeing.ts'

export const memoryAdmin: AdminHandlers = {
  seeing: memorySeeing,
  access: { caller: ({ name, role }) => ({ name, role }) },
  data: memoryData(),
  peers: memoryPeers(),
}
