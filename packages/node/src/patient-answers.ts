// What patients ask of their hospital, and what its desk does for them.

import { type PatientHandlers, Refusal } from '@mooring/api'

export function createPatientAnswers(): PatientHandlers {
  return {
    caller: refuse,
    createEnrolment: refuse,
    enrol: refuse,
    depositGrant: refuse,
    revoke: refuse,
    grants: refuse,
    grantsOf: refuse,
    revokeHosted: refuse,
  }
}

function refuse(): never {
  throw new Refusal('not_ready', 'This node does not speak to wallets yet.')
}
