// Showing fields of a record: it is read back like any other time, its trace included, and what comes out
// is a proof that opens these fields alone.
//
// A record that is not final yet is not read for it: the proof would have to wait.

import { type ApiHandlers, type ProofOutcome, Refusal } from '@mooring/api'
import { fromHex, JsonError, type JsonNode, parseJson } from '@mooring/codec'
import {
  discloseFields,
  type Field,
  fieldsOf,
  type FieldsOpening,
  RecordsError,
} from '@mooring/records'
import type { CustodianIndex, IndexEntry } from './custodian-index.ts'
import type { ProofDocuments } from './proof-documents.ts'

export interface DisclosureModules {
  readonly index: Pick<CustodianIndex, 'get'>
  readonly proofs: Pick<ProofDocuments, 'fields'>
  readonly recordContent: ApiHandlers['recordContent']
}

/** The work of the hospital itself; who gets the proof is not for the holders to know. */
const PURPOSE = 'HOPERAT'
const RESOURCE_BYTES_MAX = 16 * 1024 * 1024

export interface Disclosures extends Pick<ApiHandlers, 'disclose'> {
  /** Those of the fields that the record has; undefined when it has none, or waits for its anchor. */
  discloseSome(
    id: string,
    fields: readonly string[],
    signal: AbortSignal,
  ): Promise<string | undefined>
}

export function createDisclosures(modules: DisclosureModules): Disclosures {
  const disclose = (
    id: string,
    signal: AbortSignal,
    choose: (fields: readonly Field[]) => readonly string[],
  ): Promise<ProofOutcome | undefined> => {
    const entry = modules.index.get(fromHex(id))
    if (entry === undefined) return Promise.resolve(undefined)
    return modules.proofs.fields(id, async () => {
      if (entry.metadata.rawBytes > RESOURCE_BYTES_MAX) throw noFields()
      const fields = fieldsOf(nodeOf(await readWhole(modules, { id, signal })))
      return openingOf(entry, fields, choose(fields))
    })
  }
  return {
    disclose: (id, fields, signal) => disclose(id, signal, () => fields),
    discloseSome: async (id, fields, signal) => {
      try {
        const proof = await disclose(id, signal, (all) => {
          const some = fields.filter((pointer) => isThere(pointer, all))
          if (some.length === 0) throw noFields()
          return some
        })
        return proof?.kind === 'record' ? proof.json : undefined
      } catch (error) {
        if (error instanceof Refusal && error.code === 'no_such_field') return undefined
        throw error
      }
    },
  }
}

function isThere(pointer: string, fields: readonly Field[]): boolean {
  return fields.some(
    (field) => field.pointer === pointer || field.pointer.startsWith(`${pointer}/`),
  )
}

async function readWhole(
  { recordContent }: DisclosureModules,
  { id, signal }: { id: string; signal: AbortSignal },
): Promise<Uint8Array> {
  const content = await recordContent({ id, purpose: PURPOSE, grant: null, signal })
  if (content === undefined) throw new Error('a record of the index that nobody can read')
  const pieces: Uint8Array[] = []
  for await (const piece of content.body) pieces.push(piece)
  return new Uint8Array(Buffer.concat(pieces))
}

function openingOf(
  { metadata }: IndexEntry,
  fields: readonly Field[],
  pointers: readonly string[],
): FieldsOpening {
  const { rec, rawCommit } = metadata
  try {
    return discloseFields({ rec, rawCommit, fields }, pointers)
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error
    const { code, path } = error
    if (code === 'no_such_field') throw new Refusal(code, `The record has no field "${path}".`)
    throw new Refusal(code, `${error.message}.`)
  }
}

function nodeOf(raw: Uint8Array): JsonNode {
  try {
    return parseJson(raw, { bytesMax: RESOURCE_BYTES_MAX })
  } catch (error) {
    if (error instanceof JsonError) throw noFields()
    throw error
  }
}

function noFields(): Refusal {
  return new Refusal('no_such_field', 'The record is no FHIR resource: it has no fields to show.')
}
