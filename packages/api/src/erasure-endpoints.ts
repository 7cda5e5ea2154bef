/** From a checked request to an answer, for erasing, holding and amending records. */

import { current, type Endpoint, fresh, pageAnswer } from './endpoints.ts'
import type { erasureRoutes } from './erasure-routes.ts'
import { ApiError } from './errors.ts'
import { PAGE_DEFAULT } from './route-forms.ts'

export type ErasureEndpoints = { [K in keyof typeof erasureRoutes]: Endpoint<K> }

export const erasureEndpoints: ErasureEndpoints = {
  eraseRecord: async ({ params, body }, { handlers }) =>
    current(await handlers.erasing.erase(params.id, body.reason)),
  withdrawErasure: async ({ params }, { handlers }) =>
    current(await handlers.erasing.withdraw(params.id)),
  getErasure: ({ params }, { handlers }) => {
    const found = handlers.erasing.erasure(params.id)
    if (found !== undefined) return current(found)
    throw new ApiError('unknown_erasure', 'Nobody has asked that this record be erased.')
  },
  listErasures: async ({ query }, { handlers, cursors }) => {
    const limit = query.limit ?? PAGE_DEFAULT
    const after = query.cursor === undefined ? null : cursors.parseText('erasures', query.cursor)
    const { items, next } = await handlers.erasing.erasures({ after, limit })
    const nextCursor = next === null ? null : cursors.formatText('erasures', next)
    return pageAnswer('/v1/erasures', { limit: String(limit) }, { items, nextCursor })
  },
  holdRecord: async ({ params, body }, { handlers }) =>
    current(await handlers.erasing.hold(params.id, body.reason)),
  releaseRecord: async ({ params }, { handlers }) =>
    current(await handlers.erasing.release(params.id)),
  requestErasure: async ({ body, patient }, { handlers }) =>
    current(await handlers.erasing.requestErasure(patient, body.record)),
  listOwnErasures: async ({ patient }, { handlers }) =>
    current({ items: await handlers.erasing.ownErasures(patient) }),
  liftRestriction: async ({ params, patient }, { handlers }) =>
    current(await handlers.erasing.liftRestriction(patient, params.id)),
  requestAmendment: async ({ body, patient }, { handlers }) => ({
    status: 201,
    headers: fresh,
    body: await handlers.erasing.requestAmendment(patient, body),
  }),
  listOwnAmendments: async ({ patient }, { handlers }) =>
    current({ items: await handlers.erasing.ownAmendments(patient) }),
  listAmendments: async ({ query }, { handlers }) =>
    current({ items: await handlers.erasing.amendments({ all: query.all ?? false }) }),
  answerAmendment: async ({ params, body }, { handlers }) => {
    const { outcome, reason, correction = null } = body
    return current(
      await handlers.erasing.answerAmendment(params.id, { outcome, reason, correction }),
    )
  },
}
