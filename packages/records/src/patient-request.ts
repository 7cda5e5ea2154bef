// How a patient's wallet speaks to a hospital: every request carries its own signature.
//
// There is no session and no password. The header binds one request: the network and the hospital, the
// method, the path with its query, the digest of the body, the time and a nonce. It is signed with the
// pairwise key of the patient at that hospital, or with the key of a device or a representative to
// whom that key has delegated. Elsewhere, later, or over another body it is worth nothing; that it
// is used once, the hospital sees by the nonce.
//
// Header: `Authorization: Mooring-Patient <base64url>`, the canonical CBOR of request and signature.

import {
  bytes,
  CodecError,
  concatBytes,
  decode,
  encode,
  equalBytes,
  type Infer,
  list,
  oneOf,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import {
  CryptoError,
  decodeBase64url,
  domainBytes,
  domainHash,
  encodeBase64url,
  type KeyPair,
  sha256,
  sign,
  verify,
} from '@mooring/crypto'
import type { RandomBytes } from './batch.ts'
import {
  checkDelegations,
  type DelegationQuestion,
  type DelegationRefusal,
  DELEGATIONS_MAX,
  type SignedDelegation,
  signedDelegationSchema,
  verifyDelegation,
} from './delegation.ts'
import { organisationIdSchema } from './placement.ts'

/** How far the clocks of a wallet and a hospital may be apart; nonces are remembered twice as long. */
export const PATIENT_REQUEST_SKEW_MS = 60_000
export const PATIENT_REQUEST_SCHEME = 'Mooring-Patient'

const HEADER_CHARACTERS_MAX = 12_288
const PATH_BYTES_MAX = 2_048

const patientRequestSchema = versioned(1, {
  genesisDigest: bytes(32),
  /** Whom it is for. */
  organisation: organisationIdSchema,
  /** The pairwise key of the patient there. */
  patientKey: bytes(32),
  /** Whose signature this is: that key, or the last one of the delegations. */
  signer: bytes(32),
  /** From the patient's key to the signer's. */
  delegations: list(signedDelegationSchema, DELEGATIONS_MAX),
  method: oneOf('GET', 'POST'),
  /** With the query, as it is sent. */
  path: text(PATH_BYTES_MAX),
  bodyDigest: bytes(32),
  issuedAt: uint(),
  nonce: bytes(16),
})

const signedSchema = struct({ request: patientRequestSchema, signature: bytes(64) })

type PatientRequest = Infer<typeof patientRequestSchema>
type PatientMethod = PatientRequest['method']

/** Who signs, and for whom. */
export interface PatientSigner {
  readonly patientKey: Uint8Array
  readonly signer: KeyPair
  readonly delegations: readonly SignedDelegation[]
}

/** What is asked of which hospital. */
export interface PatientCall {
  readonly genesisDigest: Uint8Array
  readonly organisation: string
  readonly method: PatientMethod
  /** With the query. */
  readonly path: string
  readonly body: Uint8Array
}

const PATIENT_REQUEST_REFUSALS = [
  'patient_request_malformed',
  'patient_request_forged',
  'patient_request_elsewhere',
  'patient_request_other',
  'patient_request_time',
] as const

export type PatientRequestRefusal = (typeof PATIENT_REQUEST_REFUSALS)[number]

/** The time here, and what the chain says of the handles of delegations. */
type PatientRequestContext = Pick<DelegationQuestion, 'now' | 'handleOf'>

/** A request that is what it says; whether it came before, and whose key it is, others check. */
interface CheckedPatientRequest {
  readonly request: PatientRequest
  /** Names it: one that came before is a replay. */
  readonly name: Uint8Array
}

/** The value of the header. */
export function signPatientRequest(
  { patientKey, signer, delegations }: PatientSigner,
  call: PatientCall,
  { now, random }: { now: number; random: RandomBytes },
): string {
  const { genesisDigest, organisation, method, path, body } = call
  const request: PatientRequest = {
    genesisDigest,
    organisation,
    patientKey,
    signer: signer.publicKey,
    delegations: [...delegations],
    method,
    path,
    bodyDigest: sha256(body),
    issuedAt: now,
    nonce: random(16),
  }
  const signature = sign(signer, messageOf(request))
  return `${PATIENT_REQUEST_SCHEME} ${encodeBase64url(encode(signedSchema, { request, signature }))}`
}

/** Signature, place, time, content, and by whom the signer was delegated. */
export function checkPatientRequest(
  header: string,
  call: PatientCall,
  context: PatientRequestContext,
): CheckedPatientRequest | { readonly code: PatientRequestRefusal | DelegationRefusal } {
  const signed = read(header)
  if (signed === undefined) return { code: 'patient_request_malformed' }
  const { request, signature } = signed
  const code = checkCall(request, call, context.now)
  if (code !== undefined) return { code }
  if (!verify(request.signer, messageOf(request), signature)) {
    return { code: 'patient_request_forged' }
  }
  const refusal = checkSigner(request, context)
  if (refusal !== undefined) return { code: refusal }
  return { request, name: domainHash('patient-request-name', messageOf(request)) }
}

function checkCall(
  request: PatientRequest,
  call: PatientCall,
  now: number,
): PatientRequestRefusal | undefined {
  const isHere =
    request.organisation === call.organisation &&
    equalBytes(request.genesisDigest, call.genesisDigest)
  if (!isHere) return 'patient_request_elsewhere'
  if (Math.abs(now - request.issuedAt) > PATIENT_REQUEST_SKEW_MS) return 'patient_request_time'
  const isThis =
    request.method === call.method &&
    request.path === call.path &&
    equalBytes(request.bodyDigest, sha256(call.body))
  return isThis ? undefined : 'patient_request_other'
}

function checkSigner(
  { organisation, patientKey, signer, delegations }: PatientRequest,
  { now, handleOf }: PatientRequestContext,
): DelegationRefusal | undefined {
  if (!delegations.every(verifyDelegation)) return 'delegation_forged'
  return checkDelegations(delegations, {
    patientKey,
    signerKey: signer,
    custodian: organisation,
    now,
    handleOf,
  })
}

function read(header: string): Infer<typeof signedSchema> | undefined {
  const prefix = `${PATIENT_REQUEST_SCHEME} `
  if (header.length > HEADER_CHARACTERS_MAX || !header.startsWith(prefix)) return undefined
  try {
    return decode(signedSchema, decodeBase64url(header.slice(prefix.length)))
  } catch (error) {
    if (error instanceof CodecError || error instanceof CryptoError) return undefined
    throw error
  }
}

function messageOf(request: PatientRequest): Uint8Array {
  return concatBytes(domainBytes('patient-request'), encode(patientRequestSchema, request))
}
