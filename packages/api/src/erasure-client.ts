/** The part of the client that is about erasing, holding and amending records. */

import type { Call, Http, PageOptions } from './client.ts'
import type {
  Amendment,
  Amendments,
  Erasure,
  ErasurePage,
  Erasures,
  LegalHold,
  Released,
} from './erasure-answers.ts'

/** A block, and a round of all members. */
const FINAL_MS = 60_000

const recordPath = (id: string) => `/v1/records/${encodeURIComponent(id)}`

export function erasureCalls({ read }: Pick<Http, 'read'>) {
  const post = <T>(path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const call: Call = { method: 'POST', headers, body: JSON.stringify(body), waitMs: FINAL_MS }
    return read<T>(path, call)
  }
  return {
    eraseRecord: (id: string, reason: Erasure['reason']) =>
      post<Erasure>(`${recordPath(id)}/erasure`, { reason }),
    withdrawErasure: (id: string) => post<Erasure>(`${recordPath(id)}/erasure/withdraw`, {}),
    erasure: (id: string) => read<Erasure>(`${recordPath(id)}/erasure`),
    erasures: (page: PageOptions = {}) => read<ErasurePage>('/v1/erasures', { query: { ...page } }),
    holdRecord: (id: string, reason: string) =>
      post<LegalHold>(`${recordPath(id)}/hold`, { reason }),
    releaseRecord: (id: string) => post<Released>(`${recordPath(id)}/release`, {}),
    /** These are signed by the patient. */
    requestErasure: (record: string) => post<Erasure>('/v1/patient/erasures', { record }),
    ownErasures: () => read<Erasures>('/v1/patient/erasures'),
    liftRestriction: (record: string) =>
      post<Erasure>(`/v1/patient/erasures/${encodeURIComponent(record)}/withdraw`, {}),
    requestAmendment: (record: string, request: string) =>
      post<Amendment>('/v1/patient/amendments', { record, request }),
    ownAmendments: () => read<Amendments>('/v1/patient/amendments'),
    amendments: ({ all = false }: { all?: boolean } = {}) =>
      read<Amendments>('/v1/amendments', { query: { all: all ? 'true' : undefined } }),
    answerAmendment: (
      id: string,
      answer: { outcome: 'accepted' | 'refused'; reason: string; correction?: string },
    ) => post<Amendment>(`/v1/amendments/${encodeURIComponent(id)}/answer`, answer),
  }
}
