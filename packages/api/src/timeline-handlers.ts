/**
 * The part of `handlers.ts` that is about timelines and access logs of patients.
 *
 * A wallet asks for what is its patient's; a recipient for what its grant opens; the hospital for what it
 * must account for. Whoever is asked collects the lines of the access log from all members first, and
 * says who did not answer.
 */

import type { PatientCaller } from './patient-handlers.ts'
import type { Accounting, Question, TimelinePage, Trace } from './timeline-answers.ts'
import type { ReadRequest, RecordContent } from './vault-handlers.ts'

type Unpaged<P> = Omit<P, 'nextCursor'>

export interface SequencePage {
  /** Number of the last record of the page before; 0 for the first page. */
  after: number
  limit: number
}

export interface TraceQuery {
  /** `next` of the page before; null for the first. */
  after: string | null
  limit: number
  signal: AbortSignal
}

export interface TimelineHandlers {
  /** All records of the patient; `next` continues the list, null at its end. */
  own(
    caller: PatientCaller,
    page: SequencePage,
  ): Promise<Unpaged<TimelinePage> & { next: number | null }>
  /** Read through holders, which leaves an entry. Undefined for what is not of this patient. */
  content(
    caller: PatientCaller,
    id: string,
    signal: AbortSignal,
  ): Promise<RecordContent | undefined>
  /** What a grant opens, with the proofs of each record. */
  granted(query: {
    /** JSON of the grant document. */
    grant: string
    purpose: string
    person: ReadRequest['person']
    practitioner: ReadRequest['practitioner']
    after: string | null
    limit: number
    signal: AbortSignal
  }): Promise<Unpaged<TimelinePage> & { next: string | null }>
  traces(
    caller: PatientCaller,
    query: TraceQuery,
  ): Promise<{ items: Trace[]; silent: string[]; next: string | null }>
  ask(caller: PatientCaller, question: { access: string; question: string }): Promise<Question>
  questions(caller: PatientCaller): Promise<Question[]>
  /** At the hospital. */
  allQuestions(query: { isOpen: boolean }): Promise<Question[]>
  /** Undefined for a question that nobody asked. */
  answer(id: string, answer: string): Promise<Question | undefined>
  /** What was given to others. */
  accounting(patient: string, signal: AbortSignal): Promise<Accounting>
}
