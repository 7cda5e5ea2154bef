// What a holder may learn of a record, and only when somebody reads it: whose it is, its class, and of
// the rest as much as the grant makes the holder check.
//
// The header of a shard set has a gate instead of these facts. Whoever opened the manifest knows the
// tag that opens the gate and the salt of each facet. To a holder it shows the tag, the patient's key,
// the class, and those facets that are asked for; of the others only hashes. The holder hashes it all
// and compares: so facts cannot be made up to fit a grant, what stays hidden cannot be guessed, and
// before a read nobody but the custodian knows any of it.

import { bytes, encode, type Infer, list, type Schema, struct, text, variant } from '@mooring/codec'
import { sha256, hkdfOf } from '@mooring/crypto'

export const REFERENCE_BYTES_MAX = 256
export const LABELS_MAX = 32

/** Facets and their order, which the gate fixes; a new one comes last. */
const facetSchemas = {
  /** Type of the resource; empty for bytes that are none. */
  type: text(64),
  /** The record commitment. */
  record: bytes(32),
  /** Day of the event, YYYY-MM-DD; empty when the resource does not say it to the day. */
  date: text(10),
  /** Reference to who wrote it, as the resource has it; empty for none. */
  author: text(REFERENCE_BYTES_MAX),
  /** Reference to the encounter that it belongs to, of an encounter to itself; empty for none. */
  encounter: text(REFERENCE_BYTES_MAX),
  /** Codes of sensitivity and confidentiality, sorted. */
  labels: list(text(32), LABELS_MAX),
}

export type FacetName = keyof typeof facetSchemas

export const FACET_NAMES: readonly FacetName[] = [
  'type',
  'record',
  'date',
  'author',
  'encounter',
  'labels',
]

const alwaysShown = {
  /** The patient's pairwise signing key at the custodian. */
  patientKey: bytes(32),
  class: text(64),
}

export const factsSchema = struct({ ...alwaysShown, ...facetSchemas })

export type RecordFacts = Infer<typeof factsSchema>

const SALT_BYTES = 16

function facet<T>(schema: Schema<T>) {
  return variant({ shown: struct({ salt: bytes(SALT_BYTES), value: schema }), hidden: bytes(32) })
}

/** The facts of a record with some facets shown, as they go to holders. */
export const factsOpeningSchema = struct({
  ...alwaysShown,
  type: facet(facetSchemas.type),
  record: facet(facetSchemas.record),
  date: facet(facetSchemas.date),
  author: facet(facetSchemas.author),
  encounter: facet(facetSchemas.encounter),
  labels: facet(facetSchemas.labels),
})

export type FactsOpening = Infer<typeof factsOpeningSchema>

/** What an opening says; undefined where it says nothing. */
export type ShownFacts = Pick<RecordFacts, 'patientKey' | 'class'> & {
  readonly [K in FacetName]: RecordFacts[K] | undefined
}

const utf8 = new TextEncoder()
const TAG_INFO = utf8.encode('gate/v1')
const FACETS_INFO = utf8.encode('facets/v1')
const GATE_PREFIX = utf8.encode('gate/v2\0')
const headSchema = struct(alwaysShown)
const prefixOf = (name: FacetName): Uint8Array => utf8.encode(`facet/v1\0${name}\0`)
const FACET_PREFIXES: Record<FacetName, Uint8Array> = {
  type: prefixOf('type'),
  record: prefixOf('record'),
  date: prefixOf('date'),
  author: prefixOf('author'),
  encounter: prefixOf('encounter'),
  labels: prefixOf('labels'),
}

export function gateTagOf(rec: Uint8Array): Uint8Array {
  return hkdfOf(rec)(TAG_INFO, 32)
}

export function gateOf(rec: Uint8Array, facts: RecordFacts): Uint8Array {
  const derive = hkdfOf(rec)
  return gateOfOpening(derive(TAG_INFO, 32), opened(derive, facts, new Set()))
}

/** Shows the named facets, and the patient's key and the class in any case. */
export function openFacts(
  rec: Uint8Array,
  facts: RecordFacts,
  shown: Iterable<FacetName>,
): FactsOpening {
  return opened(hkdfOf(rec), facts, new Set(shown))
}

function opened(
  derive: ReturnType<typeof hkdfOf>,
  facts: RecordFacts,
  names: ReadonlySet<FacetName>,
): FactsOpening {
  const salts = derive(FACETS_INFO, FACET_NAMES.length * SALT_BYTES)
  const open = <K extends FacetName>(name: K, schema: Schema<RecordFacts[K]>) => {
    const start = FACET_NAMES.indexOf(name) * SALT_BYTES
    const salt = salts.slice(start, start + SALT_BYTES)
    const value = facts[name]
    if (names.has(name)) return { kind: 'shown' as const, body: { salt, value } }
    return { kind: 'hidden' as const, body: facetHash(name, salt, encode(schema, value)) }
  }
  return {
    patientKey: facts.patientKey,
    class: facts.class,
    type: open('type', facetSchemas.type),
    record: open('record', facetSchemas.record),
    date: open('date', facetSchemas.date),
    author: open('author', facetSchemas.author),
    encounter: open('encounter', facetSchemas.encounter),
    labels: open('labels', facetSchemas.labels),
  }
}

/** The gate that this opens, whether or not there is a record with it. */
export function gateOfOpening(gateTag: Uint8Array, opening: FactsOpening): Uint8Array {
  const { patientKey, class: recordClass } = opening
  return sha256(
    GATE_PREFIX,
    gateTag,
    encode(headSchema, { patientKey, class: recordClass }),
    hashOf('type', facetSchemas.type, opening.type),
    hashOf('record', facetSchemas.record, opening.record),
    hashOf('date', facetSchemas.date, opening.date),
    hashOf('author', facetSchemas.author, opening.author),
    hashOf('encounter', facetSchemas.encounter, opening.encounter),
    hashOf('labels', facetSchemas.labels, opening.labels),
  )
}

export function shownFacts(opening: FactsOpening): ShownFacts {
  return {
    patientKey: opening.patientKey,
    class: opening.class,
    type: valueOf(opening.type),
    record: valueOf(opening.record),
    date: valueOf(opening.date),
    author: valueOf(opening.author),
    encounter: valueOf(opening.encounter),
    labels: valueOf(opening.labels),
  }
}

type Facet<T> =
  | { readonly kind: 'shown'; readonly body: { readonly salt: Uint8Array; readonly value: T } }
  | { readonly kind: 'hidden'; readonly body: Uint8Array }

function valueOf<T>(facetOfRecord: Facet<T>): T | undefined {
  return facetOfRecord.kind === 'shown' ? facetOfRecord.body.value : undefined
}

function hashOf<T>(name: FacetName, schema: Schema<T>, { kind, body }: Facet<T>): Uint8Array {
  return kind === 'hidden' ? body : facetHash(name, body.salt, encode(schema, body.value))
}

function facetHash(name: FacetName, salt: Uint8Array, encoded: Uint8Array): Uint8Array {
  return sha256(FACET_PREFIXES[name], salt, encoded)
}
