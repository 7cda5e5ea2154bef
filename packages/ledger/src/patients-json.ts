// What is on the chain about grants, keys of patients and erasure, as JSON.

import { GRANT_KINDS } from './grant-handle.ts'
import { hexForm, objectForm, textForm, timeForm, wordForm } from './json-form.ts'
import { ERASURE_REASONS } from './record-tombstone.ts'

export const patientForms = {
  'grant.open': objectForm({
    organisation: textForm,
    publicKey: hexForm,
    expiresAt: timeForm,
    kind: wordForm(...GRANT_KINDS),
    signature: hexForm,
  }),
  'grant.revoke': objectForm({ organisation: textForm, publicKey: hexForm, signature: hexForm }),
  'key.replace': objectForm({ organisation: textForm, retired: hexForm, successor: hexForm }),
  'record.tombstone': objectForm({
    organisation: textForm,
    batchRoot: hexForm,
    item: hexForm,
    reason: wordForm(...ERASURE_REASONS),
  }),
}
