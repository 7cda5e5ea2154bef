/** From a checked request to an answer, for emergencies. */

import { fromHex } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import type { Cursors } from './cursors.ts'
import type {
  EmergencyAnswer,
  EmergencyReviewAnswer,
  EmergencySetStatus,
} from './emergency-handlers.ts'
import type { emergencyRoutes } from './emergency-routes.ts'
import { current, type Endpoint, pageAnswer } from './endpoints.ts'
import { Refusal } from './errors.ts'
import { PAGE_DEFAULT } from './route-forms.ts'

export type EmergencyEndpoints = { [K in keyof typeof emergencyRoutes]: Endpoint<K> }

export const emergencyEndpoints: EmergencyEndpoints = {
  openEmergency: async ({ body, whileHere }, { handlers }) => {
    const { reason, presentation } = body
    const question = {
      requestId: fromHex(body.requestId),
      locatorId: fromHex(body.locatorId),
      readerKey: fromHex(body.readerKey),
      reason,
      presentation,
    }
    const opened = await handlers.emergencies.open(question, whileHere())
    const shares = opened.shares.map(({ organisation, header, ciphertext, share }) => ({
      organisation,
      header: encodeBase64url(header),
      ciphertext: encodeBase64url(ciphertext),
      share: encodeBase64url(share),
    }))
    return current({ ...opened, shares })
  },
  openOfflineEmergency: async ({ body }, { handlers }) => {
    const { requestId, patient, reason, presentations } = body
    const question = { requestId: fromHex(requestId), patient, reason, presentations }
    const { summary, number } = await handlers.emergencies.openOffline(question)
    return current({ summary: new TextDecoder().decode(summary), number })
  },
  listEmergencies: ({ query }, { handlers, cursors }) =>
    listed({ path: '/v1/emergencies', list: 'emergencies', cursors, query }, async (page) => {
      const { items, next } = await handlers.emergencies.list(page)
      return { items: items.map(shownEmergency), next }
    }),
  getEmergency: ({ params }, { handlers }) => {
    const found = handlers.emergencies.find(params.id)
    if (found !== undefined) return current(shownEmergency(found))
    throw new Refusal('unknown_emergency', 'This hospital has opened no emergency of that id.')
  },
  closeEmergency: async ({ params, body }, { handlers }) =>
    current(shownEmergency(await handlers.emergencies.close(params.id, body))),
  listEmergencyReviews: ({ query }, { handlers, cursors }) =>
    listed({ path: '/v1/emergency-reviews', list: 'reviews', cursors, query }, async (page) => {
      const { items, next } = await handlers.emergencies.reviews(page)
      return { items: items.map(shownReview), next }
    }),
  judgeEmergency: async ({ params, body }, { handlers }) =>
    current(shownReview(await handlers.emergencies.judge(params.id, body))),
  depositHostedEmergencySet: async ({ body }, { handlers }) => {
    const { patient, withSensitive = false, optOut: isOptedOut = false } = body
    return current(await handlers.emergencies.depositHosted(patient, { withSensitive, isOptedOut }))
  },
  getHostedEmergencySet: ({ query }, { handlers }) =>
    current(shownStatus(handlers.emergencies.statusOf(query.patient))),
  issueCredential: async ({ body }, { handlers }) => {
    const { key, ...rest } = body
    return current(await handlers.emergencies.issueCredential({ key: fromHex(key), ...rest }))
  },
  revokeCredential: async ({ params }, { handlers }) => {
    const index = Number(params.index)
    await handlers.emergencies.revokeCredential(index)
    return current({ index })
  },
  getOwnEmergencyStatus: ({ patient }, { handlers }) =>
    current(shownStatus(handlers.emergencies.status(patient))),
  getOwnEmergencySummary: async ({ patient, query }, { handlers }) => {
    const bundle = await handlers.emergencies.summary(patient, query.sensitive ?? false)
    return current({ bundle: new TextDecoder().decode(bundle) })
  },
  getEmergencyTrustees: ({ query }, { handlers }) =>
    current(handlers.emergencies.trustees(fromHex(query.locatorId))),
  depositEmergencySet: async ({ patient, body }, { handlers }) =>
    current(await handlers.emergencies.deposit(patient, body)),
}

function shownEmergency({ isOffline: offline, ...rest }: EmergencyAnswer) {
  return { ...rest, offline }
}

function shownReview({ isOverdue: overdue, ...rest }: EmergencyReviewAnswer) {
  return { ...rest, overdue }
}

function shownStatus({ set, notices }: EmergencySetStatus) {
  return {
    set: set && {
      locatorId: set.locatorId,
      sequence: set.sequence,
      optedOut: set.isOptedOut,
      hosted: set.isHosted,
      versions: set.versions,
      spare: set.spare,
    },
    notices: notices.map(({ isLate: late, ...notice }) => ({ ...notice, late })),
  }
}

interface Listed {
  path: string
  list: string
  cursors: Cursors
  query: { limit?: number; cursor?: string }
}

async function listed(
  { path, list, cursors, query }: Listed,
  find: (page: {
    after: string | null
    limit: number
  }) => Promise<{ items: object[]; next: string | null }>,
) {
  const limit = query.limit ?? PAGE_DEFAULT
  const after = query.cursor === undefined ? null : cursors.parseText(list, query.cursor)
  const { items, next } = await find({ after, limit })
  const nextCursor = next === null ? null : cursors.formatText(list, next)
  return pageAnswer(path, { limit: String(limit) }, { items, nextCursor })
}
