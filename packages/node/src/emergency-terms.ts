// Whom a set is split over, what a wallet may hand in, and who reviews an opening.

import { Refusal } from '@mooring/api'
import { encode, equalBytes, uint } from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import type { Emergency } from '@mooring/ledger'
import {
  type AddressedDeposit,
  EMERGENCY_THRESHOLD,
  type EmergencyStatement,
  placementOrder,
  TRUSTEES_LEAST,
} from '@mooring/records'
import type { HomeSet } from './emergency-store.ts'

export interface TrusteeChoice {
  readonly k: number
  readonly trustees: readonly { organisation: string; sealKey: Uint8Array }[]
}

export interface PossibleTrustee {
  readonly id: string
  readonly legalGroup: string
  readonly keys: { readonly seal: Uint8Array }
}

const TRUSTEES_WANTED = 5

/**
 * Of different owners, the same for everybody who asks; 2 of 5, or of as many as there are.
 * @throws Refusal trustees_too_few
 */
export function chooseTrustees(
  locatorId: Uint8Array,
  organisations: readonly PossibleTrustee[],
): TrusteeChoice {
  const chosen = placementOrder(locatorId, organisations).slice(0, TRUSTEES_WANTED)
  if (chosen.length < TRUSTEES_LEAST) {
    throw new Refusal('trustees_too_few', `The network has ${chosen.length} owners of members.`)
  }
  const trustees = chosen.flatMap((id) => {
    const found = organisations.find((each) => each.id === id)
    return found === undefined ? [] : [{ organisation: id, sealKey: found.keys.seal }]
  })
  return { k: EMERGENCY_THRESHOLD, trustees }
}

export interface SealedHosted {
  readonly statement: EmergencyStatement
  readonly deposits: readonly AddressedDeposit[]
  /** For those that were trustees of the set, and are none any more. */
  readonly withdrawn: readonly AddressedDeposit[]
}

/** Of the last statement. */
export function trusteesOf(known: HomeSet | undefined): string[] {
  const all = known?.versions.flatMap(({ trustees }) => trustees) ?? []
  return [...new Set(all.map(({ organisation }) => organisation))]
}

export function nextVersion(known: HomeSet | undefined): number {
  return known === undefined ? 0 : Math.max(-1, ...known.versions.map(({ version }) => version)) + 1
}

/**
 * One statement for all trustees; those that are none any more are told that everything is taken back.
 * @throws Refusal
 */
export function addressedOf(
  deposits: readonly AddressedDeposit[],
  { patientKey, self }: { patientKey: Uint8Array; self: string },
): SealedHosted {
  const [first] = deposits
  if (first === undefined) throw new Refusal('statement_incomplete', 'There is no deposit.')
  const { statement, signature } = first.deposit.signed
  const { home, versions, sequence, locatorId } = statement
  const isOwn =
    home === self && versions.every((header) => equalBytes(header.patientKey, patientKey))
  if (!isOwn) throw new Refusal('statement_of_another', 'It is not of the patient that asks.')
  const withdrawn = deposits.filter(({ deposit: { signed } }) => {
    const { versions: left, ...each } = signed.statement
    const isOfThis = each.sequence === sequence && equalBytes(each.locatorId, locatorId)
    return versions.length > 0 && left.length === 0 && isOfThis && each.home === home
  })
  const others = deposits.filter((each) => !withdrawn.includes(each))
  const isOne = others.every(({ deposit: { signed } }) => equalBytes(signed.signature, signature))
  const trustees = new Set(deposits.map(({ trustee }) => trustee))
  if (!isOne || trustees.size < deposits.length) {
    throw new Refusal('statement_incomplete', 'The deposits do not belong together.')
  }
  return { statement, deposits: others, withdrawn }
}

/**
 * One of another owner than who opened it: the same for everybody who computes it. The opener chooses the id of
 * the request, and would choose its reviewer by it; when the block comes it does not choose alone.
 */
export function reviewerOf(
  requestId: Uint8Array,
  { organisation, openedAt: { time } }: Pick<Emergency, 'organisation' | 'openedAt'>,
  organisations: readonly { id: string; legalGroup: string }[],
): string | undefined {
  const group = organisations.find(({ id }) => id === organisation)?.legalGroup
  const others = organisations.filter(({ legalGroup }) => legalGroup !== group)
  const lot = domainHash('emergency-reviewer', requestId, encode(uint(), time))
  return placementOrder(lot, others)[0]
}
