// The summary for an ambulance, of a patient's records at this hospital: read back through their holders like
// any other reading, so that it leaves its trace.

import { toHex } from '@mooring/codec'
import { decodeShardSet, emergencySummary, type SummarySource } from '@mooring/records'
import { type LocatedRecord, NOBODY } from './access-session.ts'
import type { Accounts } from './accounts.ts'
import type { CustodianIndex, IndexEntry } from './custodian-index.ts'
import type { VaultReader } from './vault-reader.ts'

export interface EmergencyRecordsModules {
  readonly self: string
  readonly index: Pick<CustodianIndex, 'listAccount'>
  readonly accounts: Pick<Accounts, 'findByKey'>
  readonly reader: () => Pick<VaultReader, 'readMany'>
  readonly now: () => number
}

/** What an emergency summary may be made of. */
const TYPES = new Set([
  'Patient',
  'AllergyIntolerance',
  'MedicationRequest',
  'MedicationStatement',
  'Condition',
  'Device',
  'DeviceUseStatement',
  'Observation',
  'Consent',
  'RelatedPerson',
])
const PAGE = 256
const LOOKED_AT_MAX = 20_000
/** Of observations only few are of interest, and there may be thousands: the newest. */
const READ_MAX = 512
const RECORD_BYTES_MAX = 64 * 1024
const READING_MS = 60_000

export async function summaryOfRecords(
  { self, index, accounts, reader, now }: EmergencyRecordsModules,
  patientKey: Uint8Array,
  withSensitive: boolean,
): Promise<Uint8Array> {
  const account = accounts.findByKey(patientKey)
  const entries = account === undefined ? [] : await currentEntries(index, patientKey)
  const chosen = chooseEntries(entries, withSensitive)
  const sources: SummarySource[] = []
  const how = {
    grant: null,
    logKey: account?.logKey ?? patientKey,
    purpose: 'TREAT',
    person: NOBODY,
    signal: AbortSignal.timeout(READING_MS),
  }
  for await (const { record, raw } of reader().readMany(chosen.map(locatedOf), how)) {
    const { fullUrl, facts } = record.manifest
    if (raw !== undefined) sources.push({ raw, fullUrl, class: facts.class })
  }
  return emergencySummary(sources, { time: now(), organisations: [self], withSensitive })
}

/** Newest first; what a later version stands for, or what was a mistake, is left out. */
async function currentEntries(
  index: Pick<CustodianIndex, 'listAccount'>,
  patientKey: Uint8Array,
): Promise<IndexEntry[]> {
  const found: IndexEntry[] = []
  const superseded = new Set<string>()
  let before: number | null = null
  for (let looked = 0; looked < LOOKED_AT_MAX; looked += PAGE) {
    const page: IndexEntry[] = await index.listAccount(patientKey, before, PAGE)
    for (const entry of page) {
      const { supersedes, isMistake } = entry.metadata
      if (supersedes !== null) superseded.add(toHex(supersedes))
      if (isMistake === 0 && !superseded.has(toHex(entry.id))) found.push(entry)
    }
    before = page.at(-1)?.arrival ?? null
    if (page.length < PAGE) break
  }
  return found
}

function chooseEntries(entries: readonly IndexEntry[], withSensitive: boolean): IndexEntry[] {
  const isFit = ({ metadata: { resourceType, rawBytes, facts } }: IndexEntry): boolean =>
    resourceType !== null &&
    TYPES.has(resourceType) &&
    rawBytes <= RECORD_BYTES_MAX &&
    (withSensitive || !facts.class.startsWith('sensitive:'))
  const fit = entries.filter(isFit)
  const rest = fit.filter(({ metadata }) => metadata.resourceType === 'Observation')
  return [...fit.filter((entry) => !rest.includes(entry)), ...rest].slice(0, READ_MAX)
}

function locatedOf({ setId, set, holders, metadata }: IndexEntry): LocatedRecord {
  return { setId, set: decodeShardSet(set), holders, manifest: metadata, place: null }
}
