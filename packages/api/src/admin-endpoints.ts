/**
 * Endpoints for who runs the node, by area.
 */

import { type AdminAccessEndpoints, adminAccessEndpoints } from './admin-access-endpoints.ts'

export type AdminEndpoints = AdminAccessEndpoints

export const adminEndpoints: AdminEndpoints = { ...adminAccessEndpoints }
