/** The part of the client that is about timelines and access logs of patients. */

import type { Call, Http, PageOptions } from './client.ts'
import type {
  Accounting,
  Question,
  QuestionPage,
  TimelinePage,
  TracePage,
} from './timeline-answers.ts'

/** All holders are asked first. */
const COLLECT_MS = 60_000

export function timelineCalls({ read }: Pick<Http, 'read'>) {
  const post = <T>(path: string, body: object, query: PageOptions = {}) => {
    const headers = { 'content-type': 'application/json' }
    const call: Call = {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      query: { ...query },
      waitMs: COLLECT_MS,
    }
    return read<T>(path, call)
  }
  return {
    ownTimeline: (page: PageOptions = {}) =>
      read<TimelinePage>('/v1/patient/timeline', { query: { ...page } }),
    ownTraces: (page: PageOptions = {}) =>
      read<TracePage>('/v1/patient/accesses', { query: { ...page }, waitMs: COLLECT_MS }),
    askQuestion: (question: { access: string; question: string }) =>
      post<Question>('/v1/patient/questions', question),
    ownQuestions: () => read<QuestionPage>('/v1/patient/questions'),
    questions: ({ open = false }: { open?: boolean } = {}) =>
      read<QuestionPage>('/v1/questions', { query: { open } }),
    answerQuestion: (id: string, answer: string) =>
      post<Question>(`/v1/questions/${encodeURIComponent(id)}/answer`, { answer }),
    accounting: (patient: string) =>
      read<Accounting>('/v1/accounting', { query: { patient }, waitMs: COLLECT_MS }),
  }
}
