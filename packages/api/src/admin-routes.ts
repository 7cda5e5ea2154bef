/**
 * The part of the table that is for who runs the node, by area.
 */

import { adminAccessRoutes } from './admin-access-routes.ts'
import { adminDataRoutes } from './admin-data-routes.ts'
import { adminPeersRoutes } from './admin-peers-routes.ts'
import { adminSeeingRoutes } from './admin-seeing-routes.ts'

export const adminRoutes = {
  ...adminAccessRoutes,
  ...adminDataRoutes,
  ...adminPeersRoutes,
  ...adminSeeingRoutes,
}
