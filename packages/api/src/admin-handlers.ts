/**
 * What a node supplies for its administration, by area.
 */

import type { AdminAccessHandlers } from './admin-access-handlers.ts'
import type { AdminDataHandlers } from './admin-data-handlers.ts'
import type { AdminPeersHandlers } from './admin-peers-handlers.ts'
import type { AdminSeeingHandlers } from './admin-seeing-handlers.ts'

export interface AdminHandlers {
  readonly access: AdminAccessHandlers
  readonly data: AdminDataHandlers
  readonly peers: AdminPeersHandlers
  readonly seeing: AdminSeeingHandlers
}
