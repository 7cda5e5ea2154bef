/**
 * Endpoints for who runs the node, by area.
 */

import { type AdminAccessEndpoints, adminAccessEndpoints } from './admin-access-endpoints.ts'
import { type AdminDataEndpoints, adminDataEndpoints } from './admin-data-endpoints.ts'
import { type AdminPeersEndpoints, adminPeersEndpoints } from './admin-peers-endpoints.ts'
import { type AdminSeeingEndpoints, adminSeeingEndpoints } from './admin-seeing-endpoints.ts'

export type AdminEndpoints = AdminAccessEndpoints &
  AdminDataEndpoints &
  AdminPeersEndpoints &
  AdminSeeingEndpoints

export const adminEndpoints: AdminEndpoints = {
  ...adminAccessEndpoints,
  ...adminDataEndpoints,
  ...adminPeersEndpoints,
  ...adminSeeingEndpoints,
}
