// What a hospital says of a grant that it makes itself, checked, and how it names a patient.

import { type ApiHandlers, Refusal } from '@mooring/api'
import { GRANT_LIFETIME_MS_MAX, isPurpose, isRecordClass } from '@mooring/records'

type Request = Parameters<ApiHandlers['createGrant']>[0]

/** The account of `Patient/x`, of an address that ends so, of `urn:uuid:x`, or of `x`. */
export function patientReference(patient: string): string {
  const path = /(?:^|\/)Patient\/([^/?#]+)(?:\/_history\/[^/]+)?$/.exec(patient)?.[1]
  return path ?? patient.replace(/^urn:uuid:/, '')
}

/** @throws Refusal invalid_grant */
export function checkTerms(
  { classes, purposes, expiresAt }: Pick<Request, 'classes' | 'purposes' | 'expiresAt'>,
  notBefore: number,
  now: number,
): void {
  const badClass = classes.find((name) => !isRecordClass(name))
  if (badClass !== undefined) throw invalid(`There is no class ${badClass}.`)
  const badPurpose = purposes.find((code) => !isPurpose(code))
  if (badPurpose !== undefined) throw invalid(`There is no purpose ${badPurpose}.`)
  if (classes.length === 0 || purposes.length === 0)
    throw invalid('A grant names at least one class and one purpose.')
  if (expiresAt <= notBefore || expiresAt <= now) throw invalid('It would never be in force.')
  if (expiresAt - notBefore > GRANT_LIFETIME_MS_MAX) throw invalid('It would last for too long.')
}

function invalid(detail: string): Refusal {
  return new Refusal('invalid_grant', detail)
}
