// A submission made ready for the vault, in two steps: what it holds, and then each record of it that is
// new, committed to, sealed and split.
//
// Between the two whoever keeps the keys says which record is sealed with which. Both steps are
// generators that yield often, so that whoever runs them decides how long they may hold a thread, and
// which one. The raw bytes are in memory from the first step to the second and nowhere else.

import {
  classOf,
  clinicalFactsOf,
  commitRecord,
  dedupeKey,
  eventTimeOf,
  fieldsOf,
  isEnteredInError,
  patientNamesOf,
  patientOf,
  placementOrder,
  type PossibleHolder,
  type RandomBytes,
  readSubmission,
  recordSecrets,
  sealRecord,
  type Split,
  type SubmissionProblem,
  type SubmittedResource,
} from '@mooring/records'
import type { AccountPlace } from '@mooring/storage'
import type { Placed } from './account-order.ts'
import { AtRest } from './at-rest.ts'
import { encodeShards, placedFields, SPOOLED } from './queued-records.ts'

export interface Preparation {
  readonly format: 'json' | 'ndjson'
  /** Keep the good lines of NDJSON although others are bad. */
  readonly isPartial: boolean
  readonly mediaType: string
  readonly receivedAt: number
  /** Keys the names by which a submission and a record are found again. */
  readonly secret: Uint8Array
}

export interface FoundRecord {
  readonly dedupeKey: Uint8Array
  readonly resourceType: string
  readonly resourceId: string | null
  readonly entry: number
  /** Reference of its patient; empty for the institution's own. */
  readonly patient: string
  readonly class: string
}

export interface FoundSubmission {
  /** The deduplication key of the whole. */
  readonly submission: Uint8Array
  readonly problems: readonly SubmissionProblem[]
  /** A history: of several versions the newest comes first. */
  readonly isNewestFirst: boolean
  readonly records: readonly FoundRecord[]
}

/** What the second step needs of the first, on the same thread. */
export interface Reading {
  readonly found: FoundSubmission
  readonly resources: readonly SubmittedResource[]
  readonly preparation: Preparation
}

export interface RecordKey {
  readonly patientKey: Uint8Array
  readonly class: string
  readonly epoch: number
  readonly key: Uint8Array
}

export interface SealingRecord extends Placed {
  /** Of the found record. */
  readonly position: number
  /** Position of its key. */
  readonly key: number
}

export interface Sealing {
  readonly custodian: string
  readonly split: Split
  /** Those that shards may be placed at. */
  readonly holders: readonly PossibleHolder[]
  readonly keys: readonly RecordKey[]
  /** Those of the found records to seal, in the order of their numbers in their accounts. */
  readonly records: readonly SealingRecord[]
}

export interface PreparedRecord {
  readonly position: number
  /** The record commitment. */
  readonly id: Uint8Array
  readonly setId: Uint8Array
  readonly setName: Uint8Array
  readonly account: Uint8Array
  readonly order: AccountPlace
  /** Sealed entry, placement and shards, as the store takes them. */
  readonly metadata: Uint8Array
  readonly holders: Uint8Array
  readonly queued: Uint8Array
  /** Shards that are too long for the queue; null for nearly all records. */
  readonly long: readonly Uint8Array[] | null
  readonly k: number
  readonly places: readonly string[]
  readonly set: Uint8Array
  readonly manifest: Uint8Array
}

const REC_BYTES = 32
const LINE_TYPE = 'application/fhir+json'

/** No record is found when the submission is refused. */
export function* findRecords(
  bytes: Uint8Array,
  preparation: Preparation,
): Generator<undefined, Reading, undefined> {
  const { format, isPartial, secret } = preparation
  const submission = dedupeKey(secret, bytes)
  const { resources, problems, bundleType } = readSubmission(bytes, { format })
  const all = { submission, problems, isNewestFirst: bundleType === 'history' }
  if (problems.length > 0 && !isPartial)
    return { found: { ...all, records: [] }, resources: [], preparation }
  const names = patientNamesOf(resources)
  const records: FoundRecord[] = []
  for (const { raw, node, resourceType, id, entry } of resources) {
    records.push({
      dedupeKey: dedupeKey(secret, raw),
      resourceType,
      resourceId: id,
      entry,
      patient: patientOf(node, names),
      class: classOf(node, mediaTypeOf(preparation)),
    })
    yield
  }
  return { found: { ...all, records }, resources, preparation }
}

export function* sealRecords(
  reading: Reading,
  sealing: Sealing,
  random: RandomBytes,
): Generator<PreparedRecord, void, undefined> {
  const atRest = new AtRest(reading.preparation.secret)
  const ids: Uint8Array[] = []
  for (const { position, key: keyAt, place, supersedes, follows } of sealing.records) {
    const resource = reading.resources[position]
    const found = reading.found.records[position]
    const key = sealing.keys[keyAt]
    if (resource === undefined || found === undefined || key === undefined)
      throw new Error(`there is no record ${position} of this submission, or no key ${keyAt}`)
    const before = supersedes ?? (follows === null ? undefined : ids[follows]) ?? null
    const one = { position, resource, found, key, place, supersedes: before }
    const sealed = seal({ reading, sealing, atRest, random }, one)
    ids.push(sealed.id)
    yield sealed
  }
}

interface OneRecord extends Pick<Placed, 'place' | 'supersedes'> {
  readonly position: number
  readonly resource: SubmittedResource
  readonly found: FoundRecord
  readonly key: RecordKey
}

function seal(
  {
    reading: { found: all, preparation },
    sealing: { custodian, split, holders },
    atRest,
    random,
  }: { reading: Reading; sealing: Sealing; atRest: AtRest; random: RandomBytes },
  { position, resource, found, key, place, supersedes }: OneRecord,
): PreparedRecord {
  const { raw, node, resourceType } = resource
  const rec = random(REC_BYTES)
  const commitment = commitRecord(fieldsOf(node), raw, recordSecrets(rec))
  const { patientKey, class: name, epoch, key: classKey } = key
  const details = {
    ...commitment,
    rec,
    resourceType,
    resourceId: resource.id,
    versionId: resource.versionId,
    fullUrl: resource.fullUrl,
    mediaType: mediaTypeOf(preparation),
    receivedAt: preparation.receivedAt,
    supersedes,
    sequence: place.sequence,
    eventAt: eventTimeOf(node),
    isMistake: isEnteredInError(node) ? 1 : 0,
    facts: {
      patientKey,
      class: name,
      record: commitment.recordCommit,
      ...clinicalFactsOf(node, resource.fullUrl),
    },
    patient: found.patient,
    submission: all.submission,
    dedupe: found.dedupeKey,
  }
  const sealed = sealRecord(raw, details, { custodian, split, classKey, random })
  const { setId, encodedSet: set, manifest, shards } = sealed
  const places = placementOrder(setId, holders).slice(0, split.n)
  const missing = places.map((_, index) => index)
  const entry = { set, manifest, patientKey, class: name, epoch }
  const isLong = sealed.set.segmentCount > 1
  return {
    position,
    id: commitment.recordCommit,
    setId,
    ...placedFields(atRest, entry, { setId, order: place, holders: places, missing }),
    queued: isLong ? SPOOLED : encodeShards(shards),
    long: isLong ? shards : null,
    k: split.k,
    places,
    set,
    manifest,
  }
}

function mediaTypeOf({ format, mediaType }: Preparation): string {
  return format === 'ndjson' ? LINE_TYPE : mediaType
}
