// What is submitted: whole files of synthetic patients and of official examples, where the data lies
// beside the project; patients made up from a seed, where it does not.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { generatePatient, readSubmission } from '@mooring/records'

export type Source = {
  name: string
  bytes: Uint8Array
  contentType: string
  // The exact bytes of each record in it.
  records: Uint8Array[]
}

const FHIR = new URL('../../../shared/data/fhir/', import.meta.url)

export const HAS_SHARED_DATA = existsSync(FHIR)

export function sourceOf(name: string, bytes: Uint8Array): Source {
  const { format, resources } = readSubmission(bytes)
  const contentType = format === 'ndjson' ? 'application/fhir+ndjson' : 'application/fhir+json'
  return { name, bytes, contentType, records: resources.map(({ raw }) => raw) }
}

export function generatedPatients(count: number, firstSeed = 1): Source[] {
  return Array.from({ length: count }, (_, index) => {
    const seed = firstSeed + index
    return sourceOf(`patient ${seed}`, generatePatient(seed))
  })
}

// The files of folders of the shared data that can be taken whole; without it, as many patients.
export function sharedSources(folders: readonly string[], patients: number): Source[] {
  if (!HAS_SHARED_DATA) {
    process.stdout.write(`no ../shared/data: ${patients} generated patients instead\n`)
    return generatedPatients(patients)
  }
  return folders.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, FHIR))
      .toSorted()
      .map((name) => sourceOf(`${folder}/${name}`, readShared(`${folder}/${name}`)))
      .filter(({ records }) => records.length > 0),
  )
}

export function sharedFolders(): string[] {
  return HAS_SHARED_DATA ? readdirSync(FHIR).toSorted() : []
}

export function readShared(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, FHIR)))
}
