/** Administration of the node in memory. */

import type { AdminHandlers } from '../src/admin-handlers.ts'
import { memoryPeers } from './memory-peers.ts'

export const memoryAdmin: AdminHandlers = {
  access: { caller: ({ name, role }) => ({ name, role }) },
  peers: memoryPeers(),
}
