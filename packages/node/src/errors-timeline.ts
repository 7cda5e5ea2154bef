// Texts for timelines and access logs of patients: what a hospital refuses, and what a wallet notices.

import { type CatalogEntry, entry } from './error-entry.ts'

export type TimelineRefusal = 'unknown_question' | 'question_answered' | 'too_many_questions'

export const TIMELINE_REFUSALS: Record<TimelineRefusal, CatalogEntry> = {
  unknown_question: entry(5901, 6, 404)(
    'There is no such question',
    'No patient has asked this hospital a question of this id.',
    'See what was asked:   mooring access questions',
  ),
  question_answered: entry(5902, 7, 409)(
    'The question has its answer',
    'A question is answered once, so that the patient can rely on what was said.',
    'The patient can ask again, which is another question.',
  ),
  too_many_questions: entry(5903, 10, 429)(
    'Too many questions wait for an answer',
    'A hospital keeps a bounded number of open questions of one patient.',
    'See which are open:   mooring patient questions',
    'Wait for answers, or speak to the privacy officer of the hospital.',
  ),
}

export type TimelineErrorCode =
  | 'timeline_broken'
  | 'timeline_forged'
  | 'timeline_bundle_invalid'
  | 'access_unknown'
  | 'access_ambiguous'

export const TIMELINE_TEXTS: Record<TimelineErrorCode, CatalogEntry> = {
  timeline_broken: entry(5910, 8, 422)(
    'A timeline does not continue what it was',
    '{organisation}: {detail}.',
    'Keep the wallet: it has the signed head that shows what was there.',
    'Ask the hospital; a disk that was lost explains it, and nothing else does.',
    'When that is settled, take its timeline as it is now:   mooring patient timeline --accept {organisation}',
  ),
  timeline_forged: entry(5911, 8, 422)(
    'A timeline is not what its hospital says it is',
    '{organisation}: {detail}.',
    'Ask again. If it stays, ask the hospital, and show it to another member of the network.',
  ),
  timeline_bundle_invalid: entry(5912, 8, 422)(
    'An exported timeline does not prove what it says',
    '{path}: {detail}.',
    'Take it from whom it came again, or export it anew:   mooring patient timeline --export <file>',
  ),
  access_unknown: entry(5913, 6, 404)(
    'No access of this name is in the log',
    '"{word}" names no line of the access log of {organisation}.',
    'See the lines and their names:   mooring patient access',
  ),
  access_ambiguous: entry(5914, 2, 422)(
    'Several accesses begin like this',
    '"{word}" is the beginning of {count} names.',
    'Give more digits of it.',
  ),
}
