// A wallet as one value: the keys of one patient at one hospital, and what it asks and signs with them.

import { randomBytes } from 'node:crypto'
import { type Client, createClient } from '@mooring/api/client'
import { fromHex, toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { handleOfKey, signGrantOpen, signGrantRevoke, wholeDayAfter } from '@mooring/ledger'
import {
  consentOf,
  formatGrant,
  type GrantTerms,
  handleKey,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  parseTicket,
  signGrant,
  signPatientRequest,
} from '@mooring/records'
import { encodeBase64url } from '@mooring/crypto'
import type { Devnet, DevnetNode } from './devnet.ts'

const DAY_MS = 86_400_000
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

export type MadeGrant = { text: string; handle: string; oneTime: KeyPair }

export class PatientKeys {
  readonly sign: KeyPair
  readonly logKey: Uint8Array
  readonly client: Client
  readonly #seed: Uint8Array
  readonly #hospital: DevnetNode
  readonly #genesisDigest: Uint8Array
  #grants = 0

  constructor(
    { genesisDigest }: Pick<Devnet, 'genesisDigest'>,
    hospital: DevnetNode,
    seed: Uint8Array = random(32),
  ) {
    const did = organisationDid(hospital.name)
    this.#seed = seed
    this.#hospital = hospital
    this.#genesisDigest = fromHex(genesisDigest)
    this.sign = pairwiseSignKey(seed, did)
    this.logKey = pairwiseSealKey(seed, did, 1).publicKey
    this.client = createClient(hospital.api, {
      timeoutMs: 60_000,
      authorize: (call) => this.authorization(call),
    })
  }

  authorization(call: { method: 'GET' | 'POST'; path: string; body: Uint8Array }): string {
    const place = { genesisDigest: this.#genesisDigest, organisation: this.#hospital.name }
    const { publicKey: patientKey } = this.sign
    const signer = { patientKey, signer: this.sign, delegations: [] }
    return signPatientRequest(signer, { ...place, ...call }, { now: Date.now(), random })
  }

  // The desk checks who it is, the wallet comes with the ticket.
  async enrol(patient: string) {
    const { client, api } = this.#hospital
    const { ticket } = await client.createEnrolment({ patient, endpoint: api })
    return this.enrolWith(ticket)
  }

  enrolWith(ticket: string) {
    const code = encodeBase64url(parseTicket(ticket).code)
    return this.client.enrolPatient({ code, sealKey: toHex(this.logKey) })
  }

  grant(recipient: string, terms: Partial<GrantTerms> = {}): MadeGrant {
    this.#grants += 1
    const oneTime = handleKey(this.#seed, this.#grants)
    const handle = handleOfKey(oneTime.publicKey)
    const consent = consentOf({
      id: random(16),
      handle,
      patientKey: this.sign.publicKey,
      logKey: this.logKey,
      custodian: this.#hospital.name,
      recipient,
      purposes: ['TREAT'],
      notBefore: Date.now(),
      expiresAt: Date.now() + DAY_MS,
      content: { classes: ['general'] },
      ...terms,
    })
    const text = formatGrant(signGrant(this.sign, consent))
    return { text, handle: toHex(handle), oneTime }
  }

  deposit({ text, oneTime }: MadeGrant) {
    const terms = { expiresAt: wholeDayAfter(Date.now() + DAY_MS), kind: 'share' as const }
    const signature = toHex(signGrantOpen(this.#genesisDigest, terms, oneTime))
    return this.client.depositGrant(text, {
      ...terms,
      publicKey: toHex(oneTime.publicKey),
      signature,
    })
  }

  revocation({ oneTime }: MadeGrant) {
    const signature = toHex(signGrantRevoke(this.#genesisDigest, oneTime))
    return { publicKey: toHex(oneTime.publicKey), signature }
  }
}
