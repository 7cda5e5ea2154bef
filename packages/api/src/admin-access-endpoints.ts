/**
 * Endpoints about who may ask this node, and about what was done to it.
 */

import type { adminAccessRoutes } from './admin-access-routes.ts'
import { current, type Endpoint, fresh, pageAnswer } from './endpoints.ts'
import { PAGE_DEFAULT } from './route-forms.ts'

export type AdminAccessEndpoints = { [K in keyof typeof adminAccessRoutes]: Endpoint<K> }

export const adminAccessEndpoints: AdminAccessEndpoints = {
  getCaller: ({ caller }) => current(caller),
  listActs: async ({ query }, { handlers, cursors }) => {
    const limit = query.limit ?? PAGE_DEFAULT
    const before = query.cursor === undefined ? null : cursors.parse('acts', query.cursor)
    const { items, next } = await handlers.audit.acts({ before, limit })
    const nextCursor = next === null ? null : cursors.format('acts', next)
    return pageAnswer('/v1/acts', { limit: String(limit) }, { items, nextCursor })
  },
  listTokens: (_request, { handlers }) => current({ items: handlers.admin.access.tokens() }),
  createToken: async ({ body }, { handlers }) => {
    const created = await handlers.admin.access.createToken(body)
    return { status: 201, headers: fresh, body: created }
  },
  revokeToken: async ({ params }, { handlers }) =>
    current(await handlers.admin.access.revokeToken(params.id)),
  reload: async (_request, { handlers }) =>
    current({ items: await handlers.admin.access.reload() }),
}
