// A timeline as one FHIR document that proves itself: a collection Bundle of the resources, each byte as it
// was anchored, and for each a Provenance that carries its proof.
//
// The proof is the same file that `proof verify` reads, in `signature.data`. It is about the bytes of the
// resource as they stand in the Bundle, so a Bundle is written and read as text: whoever parses and prints it
// again has another document, in which the proofs hold no more. Versions of one resource share no address:
// the newest keeps the one it had, older ones are named by their commitment. What is no FHIR resource is in
// a Binary; its proof is about the bytes that the Binary holds. White space around a resource that came
// alone is no part of JSON, and is told beside it.

import {
  concatBytes,
  JsonError,
  type JsonNode,
  memberOf,
  parseJson,
  textMemberOf,
  toHex,
} from '@mooring/codec'
import { CryptoError, decodeBase64url, encodeBase64url, sha256 } from '@mooring/crypto'
import { RecordsError } from './errors.ts'
import { organisationDid } from './patient-keys.ts'
import { formatRecordProof, parseRecordProof, type WholeRecordProof } from './record-proof.ts'
import { trimJson } from './read-submission.ts'
import type { TimelineEntry, TimelineLine } from './timeline.ts'

export interface ExportedEntry extends TimelineEntry {
  /** Its address in the bundle it came in. */
  readonly fullUrl: string | null
  readonly contentType: string
  /** Of what is anchored, with what opens it. */
  readonly proof: WholeRecordProof | null
}

export interface ExportedLine {
  readonly line: TimelineLine<ExportedEntry>
  /** The bytes as they were anchored. */
  readonly raw: Uint8Array
}

export interface ProvenResource {
  readonly fullUrl: string
  readonly raw: Uint8Array
  /** Null: it was not anchored when it was exported. */
  readonly proof: WholeRecordProof | null
}

export const TIMELINE_BUNDLE_BYTES_MAX = 512 * 1024 * 1024

const HL7 = 'http://terminology.hl7.org/CodeSystem'
const SIGNATURE = {
  system: 'urn:iso-astm:E1762-95:2013',
  code: '1.2.840.10065.1.12.1.5',
  display: 'Verification Signature',
}
const PROOF_FORMAT = 'application/vnd.mooring.proof+json'
const TAG_SYSTEM = 'urn:mooring:timeline'
const SPACE_SYSTEM = 'urn:mooring:white-space'
const utf8 = new TextEncoder()
const NOTHING = new Uint8Array(0)
const LIMITS = { bytesMax: TIMELINE_BUNDLE_BYTES_MAX, depthMax: 128, itemsMax: 4_000_000 }

/** Oldest first, as the timeline is. */
export function formatTimelineBundle(lines: readonly ExportedLine[], at: number): string {
  const addresses = addressesOf(lines)
  const byRecord = new Map(
    lines.map(({ line }, index) => [toHex(line.entry.record), addresses[index] ?? '']),
  )
  const entries = lines.flatMap(({ line, raw }, index) => {
    const address = addresses[index] ?? ''
    const inner = line.entry.resourceType === null ? undefined : trimJson(raw)
    const resource =
      inner === undefined
        ? JSON.stringify(binaryOf(line.entry, raw))
        : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(inner)
    const around = inner === undefined ? null : spaceAround(raw, inner)
    const provenance = provenanceOf(line, { address, byRecord, at, around })
    const about = uuidOf(utf8.encode(`provenance ${address}`))
    return [
      `{"fullUrl":${JSON.stringify(address)},"resource":${resource}}`,
      `{"fullUrl":"urn:uuid:${about}","resource":${JSON.stringify(provenance)}}`,
    ]
  })
  const timestamp = new Date(at).toISOString()
  return `{"resourceType":"Bundle","type":"collection","timestamp":"${timestamp}","entry":[\n${entries.join(',\n')}\n]}\n`
}

/** The resources with their proofs. @throws RecordsError for what is no such Bundle */
export function readTimelineBundle(text: string | Uint8Array): ProvenResource[] {
  const bytes = typeof text === 'string' ? utf8.encode(text) : text
  const root = parsed(bytes)
  const isBundle =
    textMemberOf(root, 'resourceType') === 'Bundle' && textMemberOf(root, 'type') === 'collection'
  const list = memberOf(root, 'entry')
  if (!isBundle || list?.kind !== 'array') throw bad('', 'a collection Bundle')
  const resources = new Map<string, Uint8Array>()
  const proofs = new Map<string, Pick<ProvenResource, 'proof'> & { around: string | undefined }>()
  for (const [index, entry] of list.items.entries()) {
    const path = `entry[${index}]`
    const fullUrl = textMemberOf(entry, 'fullUrl')
    const resource = memberOf(entry, 'resource')
    if (fullUrl === undefined || resource === undefined) throw bad(path, 'an entry with an address')
    if (isAbout(resource)) {
      const target = targetOf(resource)
      if (target === undefined || proofs.has(target)) throw bad(path, 'about one entry')
      const around = tagOf(resource, SPACE_SYSTEM)
      proofs.set(target, { proof: proofIn(resource, path), around })
    } else if (resources.has(fullUrl)) throw bad(path, 'an address of its own')
    else resources.set(fullUrl, rawOf(resource, bytes, path))
  }
  for (const target of proofs.keys()) {
    if (!resources.has(target)) throw bad('entry', `with ${target}, which a Provenance is about`)
  }
  return [...resources].map(([fullUrl, raw]) => {
    const about = proofs.get(fullUrl)
    if (about === undefined) throw bad('entry', `with a Provenance of ${fullUrl}`)
    return { fullUrl, raw: withSpace(raw, about.around), proof: about.proof }
  })
}

/** A resource that a hospital anchored may be a Provenance as well: ours has our format. */
function isAbout(resource: JsonNode): boolean {
  const isProvenance = textMemberOf(resource, 'resourceType') === 'Provenance'
  return isProvenance && tagOf(resource, TAG_SYSTEM) !== undefined
}

function tagOf(resource: JsonNode, system: string): string | undefined {
  const meta = memberOf(resource, 'meta')
  const tags = meta === undefined ? undefined : memberOf(meta, 'tag')
  const found =
    tags?.kind === 'array'
      ? tags.items.find((tag) => textMemberOf(tag, 'system') === system)
      : undefined
  return found && textMemberOf(found, 'code')
}

interface Around {
  readonly address: string
  readonly byRecord: ReadonlyMap<string, string>
  readonly at: number
  /** White space before and behind, where there is some. */
  readonly around: string | null
}

function spaceAround(raw: Uint8Array, inner: Uint8Array): string | null {
  if (raw.length === inner.length) return null
  const start = inner.byteOffset - raw.byteOffset
  const before = encodeBase64url(raw.subarray(0, start))
  return `${before}.${encodeBase64url(raw.subarray(start + inner.length))}`
}

function provenanceOf(line: TimelineLine<ExportedEntry>, around: Around): object {
  const { entry } = line
  const { address, at, byRecord } = around
  const anchoredAt = new Date(entry.block?.time ?? at).toISOString()
  const custodian = {
    identifier: { system: 'urn:ietf:rfc:3986', value: organisationDid(entry.custodian) },
    display: entry.custodian,
  }
  const before =
    entry.supersedes &&
    (byRecord.get(toHex(entry.supersedes)) ?? `urn:uuid:${uuidOf(entry.supersedes)}`)
  return {
    resourceType: 'Provenance',
    meta: {
      tag: [
        { system: TAG_SYSTEM, code: stateOf(line) },
        ...(around.around === null ? [] : [{ system: SPACE_SYSTEM, code: around.around }]),
      ],
    },
    target: [{ reference: address }],
    ...(entry.eventAt !== '' && { occurredDateTime: entry.eventAt }),
    recorded: new Date(entry.receivedAt).toISOString(),
    activity: {
      coding: [
        {
          system: `${HL7}/v3-DataOperation`,
          code: entry.supersedes === null ? 'CREATE' : 'UPDATE',
        },
      ],
    },
    agent: [
      {
        type: { coding: [{ system: `${HL7}/provenance-participant-type`, code: 'custodian' }] },
        who: custodian,
      },
    ],
    entity: [
      {
        role: 'source',
        what: {
          identifier: { system: 'urn:mooring:record', value: toHex(entry.record) },
          display: `record ${entry.sequence} of ${entry.custodian}`,
        },
      },
      ...(before ? [{ role: 'revision', what: { reference: before } }] : []),
    ],
    ...(entry.proof !== null && {
      signature: [
        {
          type: [SIGNATURE],
          when: anchoredAt,
          who: custodian,
          sigFormat: PROOF_FORMAT,
          data: base64(utf8.encode(formatRecordProof(entry.proof))),
        },
      ],
    }),
  }
}

/** What the reader of a Bundle has to know of an entry before anything else. */
function stateOf({ entry, correctedBy }: TimelineLine): string {
  if (entry.isMistake) return 'entered-in-error'
  return correctedBy === null ? 'current' : 'superseded'
}

/** The newest version of a resource has the address that others refer to. */
function addressesOf(lines: readonly ExportedLine[]): string[] {
  const taken = new Set<string>()
  return lines.map(({ line: { entry, correctedBy } }) => {
    const own = correctedBy === null ? entry.fullUrl : null
    const address = own === null || taken.has(own) ? `urn:uuid:${uuidOf(entry.record)}` : own
    taken.add(address)
    return address
  })
}

/** Of version 8 (RFC 9562): made from what it names. */
function uuidOf(name: Uint8Array): string {
  const bytes = sha256(utf8.encode('mooring timeline entry'), name).slice(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function binaryOf({ contentType, record }: ExportedEntry, raw: Uint8Array): object {
  return { resourceType: 'Binary', id: uuidOf(record), contentType, data: base64(raw) }
}

function withSpace(raw: Uint8Array, around: string | undefined): Uint8Array {
  if (around === undefined) return raw
  const [before, behind] = around.split('.').map((part) => {
    try {
      return decodeBase64url(part)
    } catch (error) {
      if (error instanceof CryptoError) throw bad('meta.tag', 'white space')
      throw error
    }
  })
  return concatBytes(before ?? NOTHING, raw, behind ?? NOTHING)
}

function parsed(bytes: Uint8Array): JsonNode {
  try {
    return parseJson(bytes, LIMITS)
  } catch (error) {
    if (error instanceof JsonError) throw bad('', `JSON (${error.message})`)
    throw error
  }
}

/** The very bytes; of a Binary those that it holds. */
function rawOf(resource: JsonNode, bytes: Uint8Array, path: string): Uint8Array {
  const data = textMemberOf(resource, 'data')
  const isBinary = textMemberOf(resource, 'resourceType') === 'Binary' && data !== undefined
  if (!isBinary) return bytes.subarray(resource.start, resource.end)
  return fromBase64(data, `${path}.resource.data`)
}

function targetOf(provenance: JsonNode): string | undefined {
  const targets = memberOf(provenance, 'target')
  const [only] = targets?.kind === 'array' ? targets.items : []
  return only && textMemberOf(only, 'reference')
}

function proofIn(provenance: JsonNode, path: string): WholeRecordProof | null {
  const signatures = memberOf(provenance, 'signature')
  const [only] = signatures?.kind === 'array' ? signatures.items : []
  if (only === undefined) return null
  const data = textMemberOf(only, 'data')
  if (textMemberOf(only, 'sigFormat') !== PROOF_FORMAT || data === undefined)
    throw bad(`${path}.resource.signature`, 'a proof')
  const proof = parseRecordProof(fromBase64(data, `${path}.resource.signature.data`))
  if (proof.version !== 1) throw bad(`${path}.resource.signature`, 'a proof about a whole record')
  return proof
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000)
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}

function fromBase64(text: string, path: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw bad(path, 'base64')
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

function bad(path: string, expected: string): RecordsError {
  return new RecordsError('bad_encoding', path, `not ${expected}`)
}
