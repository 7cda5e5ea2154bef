// Governance for people and programs: changes, the transactions about them, and what the state keeps of
// them, as JSON. A change is `{ "kind": "role", "body": { ... } }`, a transaction's payload the same with its
// expiry beside it.

import {
  type Admission,
  admissionSchema,
  type Change,
  changeSchema,
  type RecordedChange,
  recordedChangeSchema,
} from './change.ts'
import { emergencyForms } from './emergency-json.ts'
import { organisationForm, parametersForm } from './genesis-json.ts'
import { identityForms } from './identity-json.ts'
import {
  base58Form,
  base64urlForm,
  type Document,
  formatDocument,
  hexForm,
  integerForm,
  type JsonForm,
  type JsonValue,
  listForm,
  nullableForm,
  objectForm,
  parseDocument,
  textForm,
  timeForm,
  variantForm,
  wordForm,
} from './json-form.ts'
import type { Payload } from './kinds.ts'
import { DUTIES } from './organisation.ts'
import { patientForms } from './patients-json.ts'
import { payloadSchema } from './transaction.ts'

const admissionForm = objectForm({ organisation: organisationForm, signature: hexForm })

const changeForm: JsonForm<Change> = variantForm(
  {
    admit: admissionForm,
    role: objectForm({ organisation: textForm, role: wordForm('authority', 'observer') }),
    remove: objectForm({ organisation: textForm, evidence: listForm(base64urlForm) }),
    rekey: objectForm({
      organisation: textForm,
      keys: listForm(
        objectForm({
          duty: wordForm(...DUTIES),
          key: base58Form,
          signature: nullableForm(hexForm),
        }),
      ),
    }),
    parameters: parametersForm,
    protocol: objectForm({ version: integerForm, height: integerForm }),
  },
  {},
)

const aboutForm = objectForm({ organisation: textForm, change: hexForm })

const batchForm = objectForm({
  organisation: textForm,
  sequence: integerForm,
  batchRoot: hexForm,
  sizeBucket: integerForm,
})

const payloadForm: JsonForm<Payload> = variantForm(
  {
    'record.anchor': batchForm,
    'access.log': batchForm,
    'change.propose': objectForm({
      organisation: textForm,
      reason: textForm,
      expiresAt: timeForm,
      change: changeForm,
    }),
    'change.approve': aboutForm,
    'change.withdraw': aboutForm,
    'change.ready': aboutForm,
    ...patientForms,
    ...identityForms,
    ...emergencyForms,
  },
  { expiresAt: timeForm },
)

const recordedChangeForm: JsonForm<RecordedChange> = objectForm({
  id: hexForm,
  proposer: textForm,
  reason: textForm,
  proposedAt: objectForm({ height: integerForm, time: timeForm }),
  expiresAt: timeForm,
  change: changeForm,
  approvals: listForm(textForm),
  ready: listForm(objectForm({ organisation: textForm, key: base58Form })),
  passedAt: nullableForm(objectForm({ epoch: integerForm, height: integerForm })),
})

const admission: Document<Admission> = { version: 1, form: admissionForm, schema: admissionSchema }
const change: Document<Change> = { version: 1, form: changeForm, schema: changeSchema }
const payload: Document<Payload> = { version: 1, form: payloadForm, schema: payloadSchema }
const recordedChange: Document<RecordedChange> = {
  version: 1,
  form: recordedChangeForm,
  schema: recordedChangeSchema,
}

/** What a newcomer hands to the members: its entry, signed. */
export function formatAdmissionJson(value: Admission): string {
  return formatDocument(admission, value)
}

/** @throws LedgerError that names the path of every problem. */
export function parseAdmissionJson(text: string): Admission {
  return parseDocument(admission, text)
}

export function formatChangeJson(value: Change): string {
  return formatDocument(change, value)
}

/** @throws LedgerError that names the path of every problem. */
export function parseChangeJson(text: string): Change {
  return parseDocument(change, text)
}

/** What a transaction says, before it is signed. */
export function formatPayloadJson(value: Payload): string {
  return formatDocument(payload, value)
}

/** @throws LedgerError that names the path of every problem. */
export function parsePayloadJson(text: string): Payload {
  return parseDocument(payload, text)
}

export function formatRecordedChangeJson(value: RecordedChange): string {
  return formatDocument(recordedChange, value)
}

/** @throws LedgerError that names the path of every problem. */
export function parseRecordedChangeJson(text: string): RecordedChange {
  return parseDocument(recordedChange, text)
}

/** As a part of a larger answer. */
export function changeAsJson(value: Change): JsonValue {
  return changeForm.format(value)
}

export function payloadAsJson(value: Payload): JsonValue {
  return payloadForm.format(value)
}

export function recordedChangeAsJson(value: RecordedChange): JsonValue {
  return recordedChangeForm.format(value)
}
