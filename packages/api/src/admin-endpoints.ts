/**
 * Endpoints for who runs the node, by area.
 */

import { type AdminAccessEndpoints, adminAccessEndpoints } from './admin-access-endpoints.ts'
import { type AdminPeersEndpoints, adminPeersEndpoints } from './admin-peers-endpoints.ts'
import { type AdminSeeingEndpoints, adminSeeingEndpoints } from './admin-seeing-endpoints.ts'

export type AdminEndpoints = AdminAccessEndpoints & AdminPeersEndpoints & AdminSeeingEndpoints

export const adminEndpoints: AdminEndpoints = {
  ...adminAccessEndpoints,
  ...adminPeersEndpoints,
  ...adminSeeingEndpoints,
}
