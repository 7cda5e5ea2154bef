// The access log of one patient, as all members tell it: for the patient, and for the hospital that has to
// account for what it disclosed.

import type { Accounting, Disclosure, TimelineHandlers, Trace } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import { heldRequestDigest, openAccessEntry } from '@mooring/records'
import type { AccessCollector, CollectedAccess } from './access-collector.ts'
import { type Account, type Accounts, unknownPatient } from './accounts.ts'
import type { CustodianIndex } from './custodian-index.ts'
import { patientReference } from './grant-terms.ts'
import { accountOf } from './patient-timeline.ts'

export interface TracesModules {
  readonly self: string
  readonly collector: Pick<AccessCollector, 'collect' | 'of'>
  readonly accounts: Pick<Accounts, 'find' | 'findByKey' | 'logKeyPair'>
  readonly index: Pick<CustodianIndex, 'getBySet'>
}

export function createPatientTraces(
  modules: TracesModules,
): Pick<TimelineHandlers, 'traces' | 'accounting'> {
  return {
    traces: async (caller, { after, limit }) => {
      const account = accountOf(modules.accounts, caller)
      const silent = after === null ? await modules.collector.collect() : []
      const all = await linesOf(modules, account)
      const start = after === null ? 0 : 1 + all.findIndex(({ line }) => nameOf(line) === after)
      const page = all.slice(start, start + limit)
      const last = page.at(-1)
      const isEnd = last === undefined || start + limit >= all.length
      const items = page.map((each) => traceOf(modules, each))
      return { items, silent, next: isEnd ? null : nameOf(last.line) }
    },
    accounting: async (patient) => {
      const account = modules.accounts.find(patientReference(patient))
      if (account === undefined) throw unknownPatient()
      const silent = await modules.collector.collect()
      const all = await linesOf(modules, account)
      const items = all.flatMap((each) => disclosureOf(modules, each))
      return { organisation: modules.self, patient, items, silent } satisfies Accounting
    },
  }
}

/** Under all keys that the patient has had, newest first. */
export async function linesOf(
  { collector }: Pick<TracesModules, 'collector'>,
  account: Account,
): Promise<CollectedAccess[]> {
  const lines = await Promise.all(keysOf(account).map((key) => collector.of(key)))
  return lines
    .flat()
    .toSorted((a, b) => timeOf(b) - timeOf(a) || (nameOf(a.line) < nameOf(b.line) ? -1 : 1))
}

function keysOf({ patientKey, former }: Account): Uint8Array[] {
  return [patientKey, ...former]
}

function timeOf({ at }: CollectedAccess): number {
  return Math.min(...at.map(({ time }) => time))
}

/** Of one leaf there are several lines where holders do not say the same. */
function nameOf({ leaf, asked }: CollectedAccess['line']): string {
  return toHex(leaf) + (asked === null ? '' : toHex(heldRequestDigest(asked)))
}

function traceOf({ accounts }: TracesModules, { line, at }: CollectedAccess): Trace {
  const { leaf, asked, note, entry } = line
  const logKey = asked?.patientKey ? accounts.logKeyPair(asked.patientKey) : undefined
  const opened = entry === null || logKey === undefined ? undefined : openAccessEntry(entry, logKey)
  return {
    leaf: toHex(leaf),
    request: asked && {
      id: toHex(asked.id),
      reader: asked.reader,
      purpose: asked.purpose,
      grant: asked.grant && toHex(asked.grant),
      sets: asked.sets.map(toHex),
    },
    refusal: note && {
      organisation: note.organisation,
      code: note.code ?? 'refused',
      count: note.count,
      entry: note.entry && toHex(note.entry),
    },
    entry: entry && {
      nonce: toHex(entry.nonce),
      custodian: entry.custodian,
      sealed: encodeBase64url(entry.sealed),
    },
    opened: opened ?? null,
    at: at.map(({ holder, time, served, height }) => {
      return { holder, time: new Date(time).toISOString(), served, height }
    }),
  }
}

/** Nothing for what was refused, was not given, or stayed in the house. */
function disclosureOf({ self, index }: TracesModules, { line, at }: CollectedAccess): Disclosure[] {
  const { asked, leaf } = line
  const isGiven = at.some(({ served }) => served > 0)
  if (asked === null || asked.reader === self || !isGiven) return []
  const found = asked.sets.map((setId) => index.getBySet(setId))
  const records = found.flatMap((entry) =>
    entry === undefined
      ? []
      : [
          {
            id: toHex(entry.id),
            class: entry.metadata.facts.class,
            resourceType: entry.metadata.resourceType,
          },
        ],
  )
  return [
    {
      access: toHex(leaf),
      time: new Date(timeOf({ line, at })).toISOString(),
      recipient: asked.reader,
      purpose: asked.purpose,
      grant: asked.grant && toHex(asked.grant),
      records,
      unknown: found.length - records.length,
      holders: at.map(({ holder }) => holder).toSorted(),
    },
  ]
}
