// "Why was this read?": what patients ask about accesses to their records, and what the hospital answers.
//
// A question is about one access that this custodian knows of. It is answered once; the patient asks again
// with another question. How many may wait for an answer is bounded for each patient.

import { randomBytes } from 'node:crypto'
import {
  type Question,
  QUESTION_CHARACTERS_MAX,
  Refusal,
  type TimelineHandlers,
} from '@mooring/api'
import {
  bytes,
  concatBytes,
  equalBytes,
  fromHex,
  type Infer,
  nullable,
  struct,
  text,
  toHex,
  uint,
  versioned,
} from '@mooring/codec'
import type { PrivateValues } from '@mooring/storage'
import { REFERENCE_BYTES_MAX } from './account-record.ts'
import type { Accounts } from './accounts.ts'
import type { AtRest } from './at-rest.ts'
import type { Clock } from './clock.ts'
import { accountOf } from './patient-timeline.ts'
import { linesOf, type TracesModules } from './patient-traces.ts'
import { type SealedEntry, SealedValues } from './sealed-values.ts'

const ID_BYTES = 16
/** Four bytes a character, and what JSON escapes is fewer than these. */
const TEXT_BYTES_MAX = 4 * QUESTION_CHARACTERS_MAX
/** Of one patient, without an answer. */
const OPEN_MAX = 50
const LISTED_MAX = 1_000
const utf8 = new TextEncoder()

const questionSchema = versioned(1, {
  patient: text(REFERENCE_BYTES_MAX),
  /** Commitment of the entry, or of the refusal. */
  access: bytes(32),
  reader: nullable(text(64)),
  question: text(TEXT_BYTES_MAX),
  askedAt: uint(),
  /** Role of a representative; null for the patient. */
  by: nullable(text(32)),
  answer: nullable(struct({ text: text(TEXT_BYTES_MAX), at: uint() })),
})

type Stored = Infer<typeof questionSchema>

export interface QuestionModules extends Pick<TracesModules, 'collector'> {
  readonly accounts: Pick<Accounts, 'findByKey'>
  readonly store: PrivateValues
  readonly atRest: AtRest
  readonly clock: Pick<Clock, 'wall'>
}

export function createAccessQuestions(
  modules: QuestionModules,
): Pick<TimelineHandlers, 'ask' | 'questions' | 'allQuestions' | 'answer'> {
  const { accounts, store, atRest, clock, collector } = modules
  const values = new SealedValues(store, atRest, 'questions', questionSchema)
  const of = (patient: string) => values.under(values.name(utf8.encode(patient)))
  return {
    ask: async (caller, { access, question }) => {
      const account = accountOf(accounts, caller)
      const named = fromHex(access)
      const lines = await linesOf({ collector }, account)
      const about = lines.find(({ line: { leaf, note } }) =>
        [leaf, note?.entry].some((id) => id && equalBytes(id, named)),
      )
      if (about === undefined)
        throw new Refusal('unknown_access', 'No access of this name to records of this patient.')
      const asked = await of(account.reference)
      if (asked.filter(({ value }) => value.answer === null).length >= OPEN_MAX) {
        const detail = `${OPEN_MAX} questions wait for an answer already.`
        throw new Refusal('too_many_questions', detail)
      }
      const value: Stored = {
        patient: account.reference,
        access: named,
        reader: about.line.asked?.reader ?? about.line.note?.organisation ?? null,
        question,
        askedAt: clock.wall(),
        by: caller.delegation?.role ?? caller.delegation?.kind ?? null,
        answer: null,
      }
      const id = new Uint8Array(randomBytes(ID_BYTES))
      await values.put(concatBytes(values.name(utf8.encode(account.reference)), id), value)
      return answerOf(id, value, 'wallet')
    },
    questions: async (caller) => {
      const asked = await of(accountOf(accounts, caller).reference)
      return newestFirst(asked).map(({ key, value }) => answerOf(idOf(key), value, 'wallet'))
    },
    allQuestions: async ({ isOpen }) => {
      const found: SealedEntry<Stored>[] = []
      for await (const each of values.all())
        if (!isOpen || each.value.answer === null) found.push(each)
      return newestFirst(found)
        .slice(0, LISTED_MAX)
        .map(({ key, value }) => answerOf(idOf(key), value, 'hospital'))
    },
    answer: async (id, answer) => {
      for await (const { key, value } of values.all()) {
        if (toHex(idOf(key)) !== id) continue
        if (value.answer !== null)
          throw new Refusal('question_answered', 'This question has its answer.')
        const answered = { ...value, answer: { text: answer, at: clock.wall() } }
        await values.put(key, answered)
        return answerOf(idOf(key), answered, 'hospital')
      }
      return undefined
    },
  }
}

function newestFirst<T extends { value: Stored }>(found: readonly T[]): T[] {
  return found.toSorted((a, b) => b.value.askedAt - a.value.askedAt)
}

function idOf(key: Uint8Array): Uint8Array {
  return key.subarray(-ID_BYTES)
}

function answerOf(
  id: Uint8Array,
  { patient, access, reader, question, askedAt, by, answer }: Stored,
  to: 'wallet' | 'hospital',
): Question {
  return {
    id: toHex(id),
    access: toHex(access),
    question,
    askedAt: new Date(askedAt).toISOString(),
    by,
    answer: answer?.text ?? null,
    answeredAt: answer === null ? null : new Date(answer.at).toISOString(),
    patient: to === 'hospital' ? patient : null,
    reader,
  }
}
