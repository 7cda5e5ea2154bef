// Whose a record is, as the hospital's own system says it: the account that it belongs to.
//
// A reference to a patient is a path that ends in `Patient/<id>`, or the `urn:uuid:` of an entry in the same
// bundle; the account is its last token, and for the Patient itself its id. Where a bundle gives the
// Patient an id that differs from its address, both are names of one account. Elements that may name
// other things (a Group, a device) count only if they say Patient or name a patient of the bundle. What
// is about nobody belongs to the institution.

import { type JsonNode, memberOf, textMemberOf } from '@mooring/codec'

/** The institution's own account. */
export const NO_PATIENT = ''

/** Other names of the patients of a submission, each with the account. */
export type PatientNames = ReadonlyMap<string, string>

/** Elements that name a patient wherever they occur. */
const PATIENT_ELEMENTS = ['patient', 'beneficiary']
/** Elements that name a patient, or something else. */
const SUBJECT_ELEMENTS = ['subject', 'individual', 'for', 'sourcePatient']
/** Lists of references, or of things that have one, of which one may be the patient. */
const LIST_ELEMENTS = ['target', 'subject', 'participant', 'actor', 'entity', 'link', 'who', 'what']

const LOCAL = 'urn:uuid:'
const PATIENT_PATH = /(?:^|\/)Patient\/([^/?#]+)(?:\/_history\/[^/]+)?$/

interface NamedResource {
  readonly node: JsonNode
  readonly resourceType: string
  readonly id: string | null
  readonly fullUrl: string | null
}

/** The patients of a submission by every name they have there. */
export function patientNamesOf(resources: readonly NamedResource[]): PatientNames {
  const names = new Map<string, string>()
  for (const { resourceType, id, fullUrl } of resources) {
    if (resourceType !== 'Patient') continue
    const address = fullUrl === null ? undefined : lastToken(fullUrl)
    const account = id ?? address
    if (account === undefined) continue
    names.set(account, account)
    if (address !== undefined) names.set(address, account)
  }
  return names
}

/** The account of a resource: the reference of its patient, or `NO_PATIENT`. */
export function patientOf(node: JsonNode, names: PatientNames = new Map()): string {
  if (textMemberOf(node, 'resourceType') === 'Patient') return ownAccount(node, names)
  for (const element of PATIENT_ELEMENTS) {
    const account = accountOf(memberOf(node, element), names, 'any')
    if (account !== undefined) return account
  }
  for (const element of SUBJECT_ELEMENTS) {
    const account = accountOf(memberOf(node, element), names, 'subject')
    if (account !== undefined) return account
  }
  for (const element of LIST_ELEMENTS) {
    const found = memberOf(node, element)
    if (found?.kind !== 'array') continue
    for (const item of found.items) {
      const account = itemAccount(item, names)
      if (account !== undefined) return account
    }
  }
  return NO_PATIENT
}

function ownAccount(node: JsonNode, names: PatientNames): string {
  const id = textMemberOf(node, 'id')
  if (id !== undefined) return names.get(id) ?? id
  // Without an id it has the name of its entry; with one patient in a submission there is no doubt.
  const accounts = new Set(names.values())
  const [only] = accounts
  return accounts.size === 1 && only !== undefined ? only : NO_PATIENT
}

function itemAccount(item: JsonNode, names: PatientNames): string | undefined {
  const nested = ['actor', 'reference', 'member', 'what', 'who', 'other'].map((key) =>
    memberOf(item, key),
  )
  for (const found of [item, ...nested]) {
    const account = accountOf(found, names, 'listed')
    if (account !== undefined) return account
  }
  return undefined
}

/** `where`: how sure the element is that what it names is a patient. */
function accountOf(
  reference: JsonNode | undefined,
  names: PatientNames,
  where: 'any' | 'subject' | 'listed',
): string | undefined {
  if (reference === undefined) return undefined
  const target = textMemberOf(reference, 'reference')
  if (target === undefined) return undefined
  const path = PATIENT_PATH.exec(target)?.[1]
  if (path !== undefined) return names.get(path) ?? path
  if (!target.startsWith(LOCAL)) return undefined
  const token = target.slice(LOCAL.length)
  const known = names.get(token)
  if (known !== undefined) return known
  const type = textMemberOf(reference, 'type')
  const isPatient = type === 'Patient' || (where === 'any' && type === undefined)
  const mayBe = where === 'subject' && type === undefined
  return token !== '' && (isPatient || mayBe) ? token : undefined
}

function lastToken(url: string): string | undefined {
  const token = url.startsWith(LOCAL) ? url.slice(LOCAL.length) : PATIENT_PATH.exec(url)?.[1]
  return token === '' ? undefined : token
}
