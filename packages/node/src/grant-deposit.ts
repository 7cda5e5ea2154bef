// Grants as they come in: read, judged by what this custodian knows, and made by it where it hosts the keys.

import { type HandleOpening, Refusal } from '@mooring/api'
import { equalBytes } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { handleOfKey, isGrantOpenSigned } from '@mooring/ledger'
import {
  checkDelegations,
  consentOf,
  type DelegationQuestion,
  type DelegationRefusal,
  formatGrant,
  type Grant,
  GRANT_LIFETIME_MS_MAX,
  parseGrant,
  readGrant,
  signGrant,
  verifyGrant,
} from '@mooring/records'
import type { Account } from './accounts.ts'
import type { KeptGrant } from './kept-grants.ts'

/** What is kept of a grant, but for whose it is. */
export type DepositedGrant = Pick<
  KeptGrant,
  | 'id'
  | 'handles'
  | 'recipient'
  | 'classes'
  | 'purposes'
  | 'notBefore'
  | 'expiresAt'
  | 'isWide'
  | 'document'
>

export interface HostedTerms {
  readonly id: Uint8Array
  readonly handle: Uint8Array
  readonly custodian: string
  readonly recipient: string
  readonly classes: readonly string[]
  readonly purposes: readonly string[]
  readonly notBefore: number
  readonly expiresAt: number
}

/** Signed with the key that is hosted for the patient. */
export function hostedGrant(
  pair: KeyPair,
  { logKey }: Account,
  terms: HostedTerms,
): DepositedGrant {
  const { id, handle, custodian, recipient, notBefore, expiresAt } = terms
  const classes = [...terms.classes]
  const purposes = [...terms.purposes]
  const patientKey = pair.publicKey
  const whose = { id, handle, patientKey, logKey, custodian, recipient }
  const scope = { purposes, notBefore, expiresAt, content: { classes } }
  const document = formatGrant(signGrant(pair, consentOf({ ...whose, ...scope })))
  const times = { notBefore, expiresAt }
  return { id, handles: [handle], recipient, classes, purposes, ...times, isWide: true, document }
}

export interface DepositGround {
  readonly organisation: string
  readonly genesisDigest: Uint8Array
  readonly now: number
  /** At the own final height. */
  readonly handleOf: DelegationQuestion['handleOf']
}

export type DepositRefusal =
  | DelegationRefusal
  | 'grant_of_another_custodian'
  | 'wrong_patient'
  | 'grant_too_long'
  | 'grant_expired'
  | 'handle_differs'
  | 'handle_too_short'
  | 'handle_forged'
  | 'grant_forged'

const DETAILS: Record<Exclude<DepositRefusal, DelegationRefusal>, string> = {
  grant_of_another_custodian: 'The grant is for the records of another hospital.',
  wrong_patient: 'The grant is not of the patient that deposits it, or seals its log elsewhere.',
  grant_too_long: 'A grant lasts a year at most.',
  grant_expired: 'The grant would never be in force.',
  handle_differs: 'The grant has another handle than the one-time key.',
  handle_too_short: 'The handle ends before the grant does.',
  handle_forged: 'The one-time key has not signed this.',
  grant_forged: 'The signature of the grant is not by the key that it names.',
}

/**
 * What a wallet brings, when it is a grant of this account that the handle belongs to.
 * @throws Refusal; RecordsError for what is no grant
 */
export function depositedGrant(
  account: Account,
  { grant: file, open }: { grant: string; open: HandleOpening },
  ground: DepositGround,
): DepositedGrant {
  const grant = readGrant(parseGrant(file))
  const code =
    checkWhose(grant, account, ground) ??
    checkTimes(grant, open, ground) ??
    checkSignatures(grant, open, ground)
  if (code !== undefined) throw new Refusal(code, detailOf(code))
  const { id, handle, recipient, classes, purposes, notBefore, expiresAt, isNarrow } = grant
  const under = grant.signed.delegations.map(({ delegation }) => delegation.handle)
  return {
    id,
    handles: [handle, ...under],
    recipient,
    classes: [...classes],
    purposes: [...purposes],
    notBefore,
    expiresAt,
    isWide: !isNarrow,
    document: formatGrant(grant.signed),
  }
}

function checkWhose(
  { custodian, patientKey, logKey }: Grant,
  account: Account,
  { organisation }: DepositGround,
): DepositRefusal | undefined {
  if (custodian !== organisation) return 'grant_of_another_custodian'
  if (!equalBytes(patientKey, account.patientKey)) return 'wrong_patient'
  return equalBytes(logKey, account.logKey) ? undefined : 'wrong_patient'
}

function checkTimes(
  { notBefore, expiresAt }: Grant,
  open: HandleOpening,
  { now }: DepositGround,
): DepositRefusal | undefined {
  if (expiresAt > notBefore + GRANT_LIFETIME_MS_MAX) return 'grant_too_long'
  if (expiresAt <= notBefore || expiresAt <= now) return 'grant_expired'
  return open.expiresAt < expiresAt ? 'handle_too_short' : undefined
}

function checkSignatures(
  grant: Grant,
  open: HandleOpening,
  { genesisDigest, now, handleOf }: DepositGround,
): DepositRefusal | undefined {
  if (!equalBytes(handleOfKey(open.publicKey), grant.handle)) return 'handle_differs'
  if (open.kind === 'delegation') return 'handle_differs'
  if (!isGrantOpenSigned(genesisDigest, open)) return 'handle_forged'
  if (!verifyGrant(grant)) return 'grant_forged'
  return checkDelegations(grant.signed.delegations, { ...grant, now, handleOf })
}

function detailOf(code: DepositRefusal): string {
  const known = Object.entries(DETAILS).find(([name]) => name === code)?.[1]
  return known ?? 'Nothing in force lets the key that signed the grant sign for the patient.'
}
