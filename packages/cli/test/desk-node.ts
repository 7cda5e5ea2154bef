// A hospital as a wallet sees it: a real genesis, signatures of patients really checked, and a desk with
// tickets that are good once.

import { type KnownGrantAnswer, type KnownGrantQuery, Refusal } from '@mooring/api'
import { encode, toHex } from '@mooring/codec'
import { formatGenesisJson, genesisDigest } from '@mooring/ledger'
import {
  checkPatientRequest,
  formatTicket,
  signDischargeReceipts,
  signedDischargeReceiptsSchema,
  type DischargeReceipt,
} from '@mooring/records'
import { MemoryNode } from '../../api/test/memory-node.ts'
import { MEMBER } from '../../api/test/membership.ts'
import { MemoryPatients } from '../../api/test/memory-patients.ts'
import { genesisWith, keyOf } from '../../node/test/chain-members.ts'

export const HOSPITAL = 'st-mary'

const GENESIS = genesisWith({})
const DIGEST = genesisDigest(GENESIS)
const CODE = new Uint8Array(16).fill(6)

type Caller = Parameters<MemoryPatients['enrol']>[0]
type WalletEnrolment = Parameters<MemoryPatients['enrol']>[1]

export class Desk extends MemoryPatients {
  readonly now: number
  records: DischargeReceipt[] = []
  signer = keyOf(HOSPITAL, 'anchor')
  codes = new Set([toHex(CODE)])
  kept: KnownGrantAnswer[] = []

  constructor(now: number) {
    super()
    this.now = now
  }

  override caller(call: Parameters<MemoryPatients['caller']>[0]): Caller {
    this.calls.push(call)
    const header = call.authorization ?? ''
    const checked = checkPatientRequest(
      header,
      { ...call, genesisDigest: DIGEST, organisation: HOSPITAL },
      { now: this.now, handleOf: () => undefined },
    )
    if ('code' in checked) throw new Refusal(checked.code, 'It is not signed as it must be.')
    const { patientKey, signer } = checked.request
    return { patientKey, signer, delegation: null }
  }

  override enrol(caller: Caller, enrolment: WalletEnrolment) {
    if (!this.codes.delete(toHex(enrolment.code))) {
      throw new Refusal('ticket_unknown', 'There is no such ticket any more.')
    }
    this.enrolled.push({ caller, enrolment })
    const signed = signDischargeReceipts(this.signer, {
      organisation: HOSPITAL,
      patientKey: caller.patientKey,
      issuedAt: this.now,
      records: this.records,
    })
    const receipts = new Uint8Array(encode(signedDischargeReceiptsSchema, signed))
    return Promise.resolve({ receipts, replaced: { transactionId: toHex(DIGEST), height: 3 } })
  }

  override grants(_caller: Caller, { before, limit }: KnownGrantQuery) {
    const start = before ?? 0
    const items = this.kept.slice(start, start + limit)
    const next = start + limit < this.kept.length ? start + limit : null
    return Promise.resolve({ items, next })
  }
}

export class DeskNode extends MemoryNode {
  override readonly patients: Desk

  constructor(now: number) {
    super()
    this.patients = new Desk(now)
    const anchor = toHex(keyOf(HOSPITAL, 'anchor').publicKey)
    this.organisations = [{ ...MEMBER, keys: { ...MEMBER.keys, anchor } }]
  }

  override genesis() {
    return { digest: toHex(DIGEST), json: formatGenesisJson(GENESIS) }
  }

  ticket(endpoint: string, change: { genesisPrefix?: Uint8Array; organisation?: string } = {}) {
    const genesisPrefix = DIGEST.slice(0, 8)
    return formatTicket({ organisation: HOSPITAL, endpoint, code: CODE, genesisPrefix, ...change })
  }
}
