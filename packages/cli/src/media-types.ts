// What a file is, by its name or by what the person says. FHIR is read and checked; everything else is
// one record of opaque bytes.

import { NodeError } from '@mooring/node/node-error'

const BY_ENDING: Readonly<Record<string, string>> = {
  dcm: 'application/dicom',
  pdf: 'application/pdf',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  xml: 'application/xml',
  hl7: 'application/edi-hl7v2',
  mp4: 'video/mp4',
  zip: 'application/zip',
}

const FHIR_TYPES: readonly string[] = [
  'application/fhir+json',
  'application/json',
  'application/fhir+ndjson',
  'application/ndjson',
  'application/x-ndjson',
]

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;.*)?$/

// Null: FHIR as JSON or NDJSON, which is told apart by reading it.
export function mediaTypeOf(path: string, said: string | null): string | null {
  if (said !== null && !MEDIA_TYPE.test(said)) {
    const detail = `"${said}" is no media type. For example: application/dicom, image/png.`
    throw new NodeError('usage', { detail, command: 'record submit ' })
  }
  if (said !== null) return FHIR_TYPES.includes(said.toLowerCase()) ? null : said.toLowerCase()
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  return BY_ENDING[ending] ?? null
}
