// Records ready to be sealed, and randomness that is the same in every run.

import { parseJson } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import {
  commitRecord,
  fieldsOf,
  NO_CLINICAL_FACTS,
  type RandomBytes,
  type RecordDetails,
  recordSecrets,
  type SealOptions,
} from '../src/index.ts'

export const text = new TextEncoder()

export const splits = [
  { k: 2, n: 3 },
  { k: 2, n: 4 },
  { k: 3, n: 5 },
] as const

export const classKey = new Uint8Array(32).fill(0xc1)
export const patientKey = new Uint8Array(32).fill(0x9a)

/** Each seed gives its own bytes. */
export function seededRandom(seed: number): RandomBytes {
  let counter = 0
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      const block = sha256(text.encode(`test ${seed} ${counter}`))
      bytes.set(block.subarray(0, length - at), at)
      counter += 1
    }
    return bytes
  }
}

export function optionsFor(seed: number, split: SealOptions['split'] = splits[2]): SealOptions {
  return { custodian: 'st-anna', split, classKey, random: seededRandom(seed) }
}

/** The details of bytes that are no resource, or of a resource. */
export function detailsOf(raw: Uint8Array, resourceType: string | null = null): RecordDetails {
  const rec = sha256(text.encode('rec'), raw.subarray(0, 64))
  const fields = resourceType === null ? [] : fieldsOf(parseJson(raw))
  const commitment = commitRecord(fields, raw, recordSecrets(rec))
  return {
    ...commitment,
    rec,
    mediaType: resourceType === null ? 'application/octet-stream' : 'application/fhir+json',
    resourceType,
    resourceId: null,
    versionId: null,
    fullUrl: null,
    receivedAt: 1_790_000_000_000,
    supersedes: null,
    sequence: 1,
    eventAt: '2020-02-29T10:00:00.000+01:00',
    isMistake: 0,
    facts: {
      ...NO_CLINICAL_FACTS,
      patientKey,
      class: 'general',
      type: resourceType ?? '',
      record: commitment.recordCommit,
    },
    patient: 'p-1',
    submission: new Uint8Array(32).fill(0x5b),
    dedupe: new Uint8Array(32).fill(0xde),
  }
}

/** Bytes that do not deflate and of which no two stretches are the same. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed * 2_654_435_761) >>> 0 || 1
  for (let at = 0; at < length; at += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state
  }
  return bytes
}

/** Every way to choose some of a list. */
export function choices<T>(items: readonly T[], count: number): T[][] {
  if (count === 0) return [[]]
  return items.flatMap((first, index) =>
    choices(items.slice(index + 1), count - 1).map((rest) => [first, ...rest]),
  )
}
