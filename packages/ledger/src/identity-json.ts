// The events of identities as JSON: what `transaction show` prints of them.

import {
  base58Form,
  hexForm,
  integerForm,
  listForm,
  nullableForm,
  objectForm,
  textForm,
  variantForm,
} from './json-form.ts'

const policyForm = objectForm({
  guardians: hexForm,
  threshold: integerForm,
  vetoes: integerForm,
  lockMs: integerForm,
  deskLockMs: integerForm,
})

const settingsForm = objectForm({
  controlKey: base58Form,
  nextKeyDigest: hexForm,
  recovery: nullableForm(policyForm),
  devices: listForm(hexForm),
})

const approvalsForm = listForm(
  objectForm({
    index: integerForm,
    salt: hexForm,
    organisation: nullableForm(textForm),
    key: base58Form,
    path: listForm(hexForm),
    signature: hexForm,
  }),
)

const place = { organisation: textForm, identity: hexForm, sequence: integerForm }
const signed = objectForm({ key: base58Form, signature: hexForm })
const objectionForm = variantForm({ control: signed, device: signed, guardians: approvalsForm }, {})

export const identityForms = {
  'identity.create': objectForm({
    organisation: textForm,
    settings: settingsForm,
    signature: hexForm,
  }),
  'identity.rotate': objectForm({ ...place, settings: settingsForm, signature: hexForm }),
  'identity.recover': objectForm({
    ...place,
    controlKey: base58Form,
    nextKeyDigest: hexForm,
    approvals: approvalsForm,
    desk: nullableForm(objectForm({ organisation: textForm, key: base58Form, signature: hexForm })),
  }),
  'identity.veto': objectForm({ ...place, by: objectionForm }),
  'identity.finalize': objectForm({ ...place, controlKey: base58Form, signature: hexForm }),
}
