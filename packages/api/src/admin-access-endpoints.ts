/**
 * Endpoints about who may ask this node.
 */

import type { adminAccessRoutes } from './admin-access-routes.ts'
import { current, type Endpoint } from './endpoints.ts'

export type AdminAccessEndpoints = { [K in keyof typeof adminAccessRoutes]: Endpoint<K> }

export const adminAccessEndpoints: AdminAccessEndpoints = {
  getAdminCaller: ({ caller }, { handlers }) => current(handlers.admin.access.caller(caller)),
}
