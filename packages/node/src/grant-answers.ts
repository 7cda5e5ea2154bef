// Grants as the API asks for them: checked, signed with the patient's hosted key, and given out as a file.

import { type ApiHandlers, Refusal } from '@mooring/api'
import { formatGrant, GRANT_LIFETIME_MS_MAX, isPurpose, isRecordClass } from '@mooring/records'
import type { Accounts } from './accounts.ts'
import type { Clock } from './clock.ts'

type Request = Parameters<ApiHandlers['createGrant']>[0]

export function createGrantAnswers(
  accounts: Pick<Accounts, 'createGrant'>,
  clock: Pick<Clock, 'wall'>,
): Pick<ApiHandlers, 'createGrant'> {
  return {
    createGrant: async (request) => {
      const { patient, recipient, classes, purposes, expiresAt } = request
      const notBefore = request.notBefore ?? clock.wall()
      check(request, notBefore, clock.wall())
      const reference = patientReference(patient)
      const terms = { classes, purposes, notBefore, expiresAt }
      return formatGrant(await accounts.createGrant({ reference, recipient, ...terms }))
    },
  }
}

/** The account of `Patient/x`, of an address that ends so, of `urn:uuid:x`, or of `x`. */
export function patientReference(patient: string): string {
  const path = /(?:^|\/)Patient\/([^/?#]+)(?:\/_history\/[^/]+)?$/.exec(patient)?.[1]
  return path ?? patient.replace(/^urn:uuid:/, '')
}

function check({ classes, purposes, expiresAt }: Request, notBefore: number, now: number): void {
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
