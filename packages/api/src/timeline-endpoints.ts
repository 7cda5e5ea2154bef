/** From a checked request to an answer, for timelines and access logs of patients. */

import { current, type Endpoint, fresh, unknownRecord } from './endpoints.ts'
import { Refusal } from './errors.ts'
import { PAGE_DEFAULT } from './route-forms.ts'
import type { timelineRoutes } from './timeline-routes.ts'
import { contentAnswer, orToSign } from './vault-endpoints.ts'

export type TimelineEndpoints = { [K in keyof typeof timelineRoutes]: Endpoint<K> }

/** Each entry brings proofs of some KiB with it. */
const TIMELINE_PAGE_MAX = 100
const OWN = 'own-timeline'
const TRACES = 'own-traces'

export const timelineEndpoints: TimelineEndpoints = {
  getOwnTimeline: async ({ query, patient }, { handlers, cursors }) => {
    const limit = Math.min(query.limit ?? PAGE_DEFAULT, TIMELINE_PAGE_MAX)
    const after = query.cursor === undefined ? 0 : cursors.parse(OWN, query.cursor)
    const { next, ...found } = await handlers.timelines.own(patient, { after, limit })
    return current({ ...found, nextCursor: next === null ? null : cursors.format(OWN, next) })
  },
  readOwnRecord: async ({ params, patient, whileHere }, { handlers }) => {
    const found = await handlers.timelines.content(patient, params.id, whileHere())
    if (found === undefined) throw unknownRecord()
    return await contentAnswer(found)
  },
  listOwnTraces: async ({ query, patient, whileHere }, { handlers, cursors }) => {
    const limit = query.limit ?? PAGE_DEFAULT
    const after = query.cursor === undefined ? null : cursors.parseText(TRACES, query.cursor)
    const signal = whileHere()
    const { items, silent, next } = await handlers.timelines.traces(patient, {
      after,
      limit,
      signal,
    })
    const nextCursor = next === null ? null : cursors.formatText(TRACES, next)
    return current({ items, silent, nextCursor })
  },
  askQuestion: async ({ body, patient }, { handlers }) => {
    return { status: 201, headers: fresh, body: await handlers.timelines.ask(patient, body) }
  },
  listOwnQuestions: async ({ patient }, { handlers }) =>
    current({ items: await handlers.timelines.questions(patient) }),
  listQuestions: async ({ query }, { handlers }) =>
    current({ items: await handlers.timelines.allQuestions({ isOpen: query.open ?? false }) }),
  answerQuestion: async ({ params, body }, { handlers }) => {
    const answered = await handlers.timelines.answer(params.id, body.answer)
    if (answered !== undefined) return current(answered)
    throw new Refusal('unknown_question', 'No question of a patient has this id.')
  },
  getAccounting: async ({ query, whileHere }, { handlers }) =>
    current(await handlers.timelines.accounting(query.patient, whileHere())),
  getGrantedTimeline: async ({ query, body, whileHere }, { handlers, cursors }) => {
    const grant = JSON.stringify(body.grant)
    const { purpose, person = null, practitioner = null } = body
    const list = `timeline/${grant}/${purpose}`
    const after = query.cursor === undefined ? null : cursors.parseText(list, query.cursor)
    const limit = Math.min(query.limit ?? PAGE_DEFAULT, TIMELINE_PAGE_MAX)
    const asked = { grant, purpose, person, practitioner, after, limit, signal: whileHere() }
    return await orToSign(async () => {
      const { next, ...found } = await handlers.timelines.granted(asked)
      const nextCursor = next === null ? null : cursors.formatText(list, next)
      return current({ ...found, nextCursor })
    })
  },
}
