// The access log as the API tells of it: what an operator may see of it, and, for patients whose keys this
// custodian hosts, the audit event that was sealed to them.

import type { Access, AccessOutcome, AccessQuery, ApiHandlers } from '@mooring/api'
import { fromHex, toHex } from '@mooring/codec'
import { openAccessEntry, type SealKeyPair } from '@mooring/records'
import type { AccessLog, KeptAccess } from './access-log.ts'

export interface AccessAnswersModules {
  /** The sealing key of a patient whose keys are hosted here, by the patient's signing key. */
  logKeyOf: (patientKey: Uint8Array) => SealKeyPair | undefined
}

/** A page looks no further than this for what the filter leaves; the next page goes on from there. */
const LOOKED_AT_MAX = 5_000

export function createAccessAnswers(
  log: Pick<AccessLog, 'find' | 'list'>,
  { logKeyOf }: AccessAnswersModules,
): Pick<ApiHandlers, 'listAccess' | 'access'> {
  return {
    listAccess: async ({ before, limit, isOpen, ...filter }) => {
      const items: Access[] = []
      let looked = 0
      for await (const kept of log.list(before)) {
        looked += 1
        const answer = answerOf(kept)
        if (kept.act === null && isWanted(answer, filter)) {
          items.push({ ...answer, event: isOpen ? eventOf(kept, logKeyOf) : null })
        }
        if (items.length < limit && looked < LOOKED_AT_MAX) continue
        return { items, next: kept.arrival > 1 ? kept.arrival : null }
      }
      return { items, next: null }
    },
    access: (id, { isOpen }) => {
      const kept = log.find(fromHex(id))
      if (kept === undefined || kept.act !== null) return undefined
      return { ...answerOf(kept), event: isOpen ? eventOf(kept, logKeyOf) : null }
    },
  }
}

function isWanted(
  answer: Omit<Access, 'event'>,
  filter: Pick<AccessQuery, 'organisation' | 'custodian' | 'outcome'>,
): boolean {
  const { organisation, custodian, outcome } = filter
  return (
    (organisation === null || answer.organisation === organisation) &&
    (custodian === null || answer.custodian === custodian) &&
    (outcome === null || answer.outcome === outcome)
  )
}

function answerOf(kept: KeptAccess): Omit<Access, 'event'> {
  const { leaf, time, asked, note, status, batch, height } = kept
  const isRepair = note?.kind === 'repair'
  return {
    id: toHex(leaf),
    time: new Date(time).toISOString(),
    organisation: note?.organisation ?? asked?.reader ?? '',
    custodian: note?.custodian ?? asked?.custodian ?? null,
    purpose: asked?.purpose ?? null,
    outcome: outcomeOf(kept),
    code: note?.code ?? null,
    records: isRepair ? note.count : (asked?.sets.length ?? 0),
    times: note === null || isRepair ? 1 : note.count,
    grant: asked?.grant ? toHex(asked.grant) : null,
    status,
    batch: batch?.sequence ?? null,
    height,
  }
}

function outcomeOf({ role, note, asked, served }: KeptAccess): AccessOutcome {
  if (note !== null) return note.kind === 'repair' ? 'repaired' : 'refused'
  if (role === 'custodian' || asked?.sets.length === 0) return 'query'
  if (role === 'reader') return served > 0 ? 'read' : 'asked'
  return served > 0 ? 'served' : 'witnessed'
}

function eventOf(
  { entry, asked }: KeptAccess,
  logKeyOf: AccessAnswersModules['logKeyOf'],
): Record<string, unknown> | null {
  const patientKey = asked?.patientKey ?? null
  const logKey = patientKey === null ? undefined : logKeyOf(patientKey)
  const text = entry === null || logKey === undefined ? undefined : openAccessEntry(entry, logKey)
  if (text === undefined) return null
  try {
    const event: unknown = JSON.parse(text)
    return typeof event === 'object' && event !== null ? { ...event } : null
  } catch (error) {
    // Whoever made the entry can have sealed anything.
    if (error instanceof SyntaxError) return null
    throw error
  }
}
