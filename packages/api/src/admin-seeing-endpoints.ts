/**
 * Endpoints about how a node is doing, for who runs it.
 */

import { type adminSeeingRoutes, BUNDLE_TYPE } from './admin-seeing-routes.ts'
import { current, type Endpoint, fresh } from './endpoints.ts'

export type AdminSeeingEndpoints = { [K in keyof typeof adminSeeingRoutes]: Endpoint<K> }

export const adminSeeingEndpoints: AdminSeeingEndpoints = {
  getChecks: async ({ query }, { handlers }) => {
    const skip = new Set(query.skip?.split(',').map((name) => name.trim()))
    return current({ items: await handlers.admin.seeing.checks(skip) })
  },
  getLogLevel: (_request, { handlers }) => current({ level: handlers.admin.seeing.logLevel() }),
  setLogLevel: ({ body }, { handlers }) =>
    current({ level: handlers.admin.seeing.setLogLevel(body.level) }),
  acknowledgeAlarm: ({ body, caller }, { handlers }) =>
    current(handlers.admin.seeing.acknowledge(body.code, body.note, caller)),
  createBundle: ({ body }, { handlers }) => ({
    status: 200,
    headers: { ...fresh, 'content-type': BUNDLE_TYPE },
    body: handlers.admin.seeing.bundle(body),
  }),
}
