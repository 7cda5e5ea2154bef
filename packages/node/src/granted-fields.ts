// Fields of records, for who may see no more of them.
//
// The shards of a record open the whole, so no holder gives them out under such a grant. Its custodian
// reads the record back, which leaves a trace of its own, and makes a proof that opens the fields and
// nothing else. The reader checks each proof against its own genesis: the fields are those of a record
// that this custodian anchored, whoever hands them on.

import { Refusal } from '@mooring/api'
import { verifyProof } from '@mooring/api/verify'
import { toHex } from '@mooring/codec'
import {
  FIELD_PROOF_BYTES_MAX,
  FIELD_RECORDS_MAX,
  parseRecordProof,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { type AccessModules, signQuery, untilBlockKnown } from './access-session.ts'
import { type CatalogueModules, coveredBy, permitQuery } from './catalogue.ts'
import type { Disclosures } from './disclosures.ts'
import { checkSignature, type GrantUse } from './granted-records.ts'
import type { Logger } from './logger.ts'
import { NodeError } from './node-error.ts'
import { VaultPeerError } from './vault-peers.ts'

type Question = Extract<VaultRequest, { kind: 'fields' }>['body']
type Answer = Extract<VaultAnswer, { kind: 'fields' }>['body']

export interface AnswerFieldsModules extends CatalogueModules {
  readonly discloseSome: Disclosures['discloseSome']
}

const ANSWER_MS = 20_000
const TIMEOUT_MS = 30_000

/** The custodian's side. @throws Refusal */
export async function answerFields(
  modules: AnswerFieldsModules,
  sender: string,
  { signed, entry, after, limit }: Question,
): Promise<Answer> {
  const { grant, account } = await permitQuery(modules, sender, { signed, entry })
  const asked = { grant, account, request: signed.request }
  const page = { after, limit: Math.min(limit, FIELD_RECORDS_MAX), isOfFields: true }
  const found = await coveredBy(modules, asked, page)
  const signal = AbortSignal.timeout(ANSWER_MS)
  const proofs: string[] = []
  for (const { entry: record, fields } of found.items) {
    const id = toHex(record.metadata.recordCommit)
    const proof = await modules.discloseSome(id, fields, signal)
    if (proof !== undefined && proof.length <= FIELD_PROOF_BYTES_MAX) proofs.push(proof)
  }
  return { proofs, next: found.next }
}

export interface ReadFieldsModules extends AccessModules {
  readonly logger: Logger
  readonly genesisDigest: Uint8Array
}

export interface ShownRecord {
  /** The record commitment. */
  readonly id: Uint8Array
  readonly fields: readonly { readonly pointer: string; readonly value: string }[]
  /** As a file. */
  readonly proof: string
}

/** The reader's side: one page, with the commitment of the entry that the question left. */
export async function readFields(
  modules: ReadFieldsModules,
  { grant, purpose, person, signal }: GrantUse,
  { after, limit }: { after: Uint8Array | null; limit: number },
): Promise<{ items: ShownRecord[]; entry: Uint8Array; next: Uint8Array | null }> {
  checkSignature(grant)
  const { custodian, logKey } = grant
  const query = 'fields that this grant shows'
  const question = await signQuery(modules, { grant, logKey, purpose, person, query })
  const asked = { ...question, after, limit: Math.min(limit, FIELD_RECORDS_MAX) }
  const answer = await ask(modules, custodian, asked, signal)
  const items = answer.proofs.flatMap((proof) => {
    const shown = shownBy(proof, { custodian, genesisDigest: modules.genesisDigest })
    if (shown === undefined) modules.logger.warn('a proof of fields does not hold', { custodian })
    return shown === undefined ? [] : [shown]
  })
  return { items, entry: question.signed.request.entry, next: answer.next }
}

async function ask(
  { peers, clock }: ReadFieldsModules,
  custodian: string,
  body: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const isThere = custodian === peers.self || peers.isConnected(custodian)
  if (!isThere) throw new NodeError('custodian_away', { custodian })
  try {
    const request = { kind: 'fields' as const, body }
    const answer = await untilBlockKnown({ clock, signal }, () => {
      signal.throwIfAborted()
      return peers.request(custodian, request, { timeoutMs: TIMEOUT_MS })
    })
    return answer.body
  } catch (error) {
    if (!(error instanceof VaultPeerError)) throw error
    const { refusal } = error
    if (refusal === null) throw new NodeError('custodian_away', { custodian }, { cause: error })
    throw new Refusal(refusal, `${custodian} refuses: ${refusal}.`)
  }
}

/** Undefined when it does not hold, or is of another custodian. */
function shownBy(
  proof: string,
  { custodian, genesisDigest }: { custodian: string; genesisDigest: Uint8Array },
): ShownRecord | undefined {
  const result = verifyProof(proof, { genesisDigest })
  if (!result.ok || result.shown.length === 0) return undefined
  const { anchor, shown } = result
  if (anchor?.kind !== 'record.anchor' || anchor.organisation !== custodian) return undefined
  return { id: parseRecordProof(proof).record.commit, fields: shown, proof }
}
