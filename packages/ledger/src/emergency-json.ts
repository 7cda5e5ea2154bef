// What is on the chain about emergency access, as JSON.

import { EMERGENCY_OUTCOMES, EMERGENCY_REASONS } from './emergency.ts'
import { hexForm, objectForm, textForm, wordForm } from './json-form.ts'

export const emergencyForms = {
  'emergency.open': objectForm({
    organisation: textForm,
    requestId: hexForm,
    credentialCommit: hexForm,
    reason: wordForm(...EMERGENCY_REASONS),
    setHandle: hexForm,
  }),
  'emergency.close': objectForm({
    organisation: textForm,
    requestId: hexForm,
    outcome: wordForm(...EMERGENCY_OUTCOMES),
    reasonCommit: hexForm,
  }),
}
