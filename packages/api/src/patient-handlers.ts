/**
 * The part of `handlers.ts` that is about patients: who one is, how a wallet comes to be known here, and
 * what it opens and closes on the chain.
 *
 * A patient has no session: each request carries its own signature (`Mooring-Patient`), and `caller`
 * says whose it is or refuses. Documents (grants) are JSON text, handed on as they are.
 */

/** A request as it came, for the signature that it carries. */
export interface PatientCall {
  /** Value of the header; null without one. */
  authorization: string | null
  method: 'GET' | 'POST'
  /** With the query, as it was sent. */
  path: string
  /** As it was sent; empty without one. */
  body: Uint8Array
}

/** Through whom a patient acts who does not sign with the key itself. */
export interface PatientDelegate {
  kind: 'device' | 'representative'
  /** Of a representative: FAMRQT, PWATRNY. */
  role: string | null
}

export interface PatientCaller {
  patientKey: Uint8Array
  /** The same, or the key of the last delegation. */
  signer: Uint8Array
  /** Null when the patient's own key has signed. */
  delegation: PatientDelegate | null
}

export interface EnrolmentRequest {
  /** A patient of this custodian, as a FHIR reference or bare number. */
  patient: string
  /** Base address under which a wallet reaches this node. */
  endpoint: string
  /** Of whom no record has come in yet. */
  isNew?: boolean
}

export interface WalletEnrolment {
  /** Of the ticket. */
  code: Uint8Array
  /** X25519: what only the patient shall read is sealed to it. */
  sealKey: Uint8Array
  /** What a later recovery shows the opening of; null for none. */
  recoveryCommit: Uint8Array | null
}

/** A wallet that comes back without a ticket: its recovered identity vouches for the new key. */
export interface WalletRebinding {
  /** By which the patient was known here. */
  former: Uint8Array
  sealKey: Uint8Array
  identity: Uint8Array
  /** Of the commitment that the former wallet left. */
  salt: Uint8Array
  /** By the key in control of the identity. */
  signature: Uint8Array
  /** For the next recovery. */
  recoveryCommit: Uint8Array | null
}

/** What a one-time key says for the chain. */
export interface HandleOpening {
  publicKey: Uint8Array
  /** Unix milliseconds, a whole day UTC. */
  expiresAt: number
  kind: 'share' | 'standing' | 'research' | 'delegation'
  signature: Uint8Array
}

/** A transaction that this node relayed, final. */
export interface RelayedHandle {
  handle: string
  /** Null when it was there already, brought by somebody else. */
  transactionId: string | null
  height: number
}

export interface KnownGrantAnswer {
  id: string
  handle: string
  recipient: string
  classes: string[]
  purposes: string[]
  notBefore: string
  expiresAt: string
  status: 'live' | 'not_yet' | 'expired' | 'revoked'
  /** Of the block that revoked it. */
  revokedHeight: number | null
  /** Whether this node has the one-time key, and so can revoke it. */
  isHosted: boolean
  /** As a file. */
  document: string
}

export interface KnownGrantQuery {
  /** Exclusive position; null starts with the newest. */
  before: number | null
  limit: number
}

export interface PatientHandlers {
  /** Refuses what is not signed as it must be, is late, came before, or by a key that is no longer in force. */
  caller(call: PatientCall): PatientCaller | Promise<PatientCaller>
  /** A ticket for one wallet, once; refuses who has no account here. */
  createEnrolment(request: EnrolmentRequest): Promise<{ ticket: string; expiresAt: string }>
  /** `receipts`: what is kept here of the patient, signed; the CBOR. */
  enrol(
    caller: PatientCaller,
    enrolment: WalletEnrolment,
  ): Promise<{
    receipts: Uint8Array
    /** The transaction that retired the key before this one; null when there was none. */
    replaced: { transactionId: string; height: number } | null
  }>
  /** The same without a ticket; refuses what the identity does not prove. */
  rebind(
    caller: PatientCaller,
    rebinding: WalletRebinding,
  ): Promise<{
    receipts: Uint8Array
    replaced: { transactionId: string; height: number } | null
  }>
  /** Resolves when the handle is final and the recipient's keys are made. */
  depositGrant(
    caller: PatientCaller,
    deposit: { grant: string; open: HandleOpening },
  ): Promise<RelayedHandle & { id: string }>
  /** Relays what says itself that it may: anybody's. */
  revoke(revocation: { publicKey: Uint8Array; signature: Uint8Array }): Promise<RelayedHandle>
  /** Of the patient that asks. */
  grants(
    caller: PatientCaller,
    query: KnownGrantQuery,
  ): Promise<{ items: KnownGrantAnswer[]; next: number | null }>
  /** Of one patient whose key is hosted here, or who has a wallet of its own. */
  grantsOf(
    patient: string,
    query: KnownGrantQuery,
  ): Promise<{ items: KnownGrantAnswer[]; next: number | null }>
  /** A grant that was signed with a key hosted here, by its handle; undefined when none is known. */
  revokeHosted(handle: string): Promise<RelayedHandle | undefined>
}
