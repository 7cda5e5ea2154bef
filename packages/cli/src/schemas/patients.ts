// Documents of commands for patients, guardians, practitioners and desks.

import {
  always,
  answer,
  answered,
  anything,
  count,
  digest,
  document,
  extended,
  flag,
  items,
  listOf,
  number,
  object,
  oneOf,
  optional,
  orNull,
  text,
  texts,
  time,
} from './forms.ts'
import { timeline } from './records.ts'

// A line that is handed on, and the file it was written to.
const handed = { file: orNull(text), text }

const ownGrant = {
  id: orNull(text),
  handle: digest,
  custodian: text,
  recipient: text,
  purposes: optional(texts),
  notBefore: optional(time),
  expiresAt: time,
  height: optional(orNull(count)),
  offer: orNull(text),
  state: optional(text),
}

const accessLine = object({
  kind: text,
  by: oneOf('person', 'machine'),
  reader: text,
  name: orNull(text),
  key: orNull(digest),
  role: orNull(text),
  purpose: orNull(text),
  grant: orNull(text),
  emergency: orNull(text),
  outcome: oneOf('read', 'asked', 'query', 'refused'),
  codes: texts,
  first: time,
  last: time,
  count,
  entries: listOf(digest),
  records: listOf(object({ id: digest, class: text })),
  sets: count,
  holders: texts,
  height: orNull(count),
  warnings: listOf(anything),
})

const accessLog = object({
  organisation: text,
  silent: texts,
  items: listOf(accessLine),
  gaps: listOf(object({ reader: text, grant: text, from: count, to: count })),
  emergencies: listOf(answer('EmergencyNotice')),
  questions: listOf(answer('Question')),
})

const WALLET_SCHEMAS = {
  'mooring/wallet-file/v1': document('Where a wallet was written.', {
    file: text,
    label: optional(text),
    hospitals: optional(count),
  }),
  'mooring/wallet/v1': document('A wallet.', {
    file: text,
    label: text,
    kind: oneOf('patient', 'device'),
    createdAt: time,
    network: orNull(text),
    hospitals: count,
    grants: count,
  }),
  'mooring/words/v1': document('The words of a wallet.', { words: anything }),
  'mooring/words-checked/v1': document('Words that are right.', { right: always(true) }),
  'mooring/wallet-hospitals/v1': items(
    'Where a patient is enrolled.',
    object({
      organisation: text,
      name: text,
      patient: text,
      endpoint: text,
      patientKey: digest,
      enrolledAt: time,
      isOwn: flag,
      receipts: count,
    }),
  ),
  'mooring/ticket/v1': document('What a patient enrols with.', { ticket: text, expiresAt: time }),
  'mooring/enrolment/v1': document('A patient that is enrolled.', {
    organisation: text,
    name: text,
    patientKey: digest,
    receipts: count,
    replacedAt: orNull(count),
  }),
  'mooring/invite/v1': document('What another wallet joins with.', handed),
  'mooring/delegate-keys/v1': document('Keys of another wallet.', handed),
  'mooring/delegations/v1': document('Who may act for a patient.', {
    label: text,
    hospitals: texts,
    ...handed,
  }),
  'mooring/joined/v1': document('Where this wallet acts.', { hospitals: texts }),
  'mooring/devices/v1': items(
    'Who acts for a patient.',
    object({
      label: text,
      kind: text,
      hospital: text,
      expiresAt: time,
      status: oneOf('live', 'expired', 'revoked'),
    }),
  ),
  'mooring/device-revoked/v1': document('Who acts no more.', { label: text, count }),
  'mooring/patient-grants/v1': items('What a patient permits.', object(ownGrant)),
  'mooring/patient-grant/v1': document('One grant of a patient.', {
    ...ownGrant,
    resource: optional(anything),
  }),
  'mooring/revocations/v1': items(
    'Grants that were to end.',
    object({
      id: optional(orNull(text)),
      handle: digest,
      custodian: text,
      recipient: text,
      outcome: text,
      height: orNull(count),
    }),
  ),
  'mooring/patient-timeline/v1': document('The records of a patient in one order.', {
    hospitals: listOf(object({ organisation: text, count, fault: orNull(text) })),
    silent: texts,
    ...timeline,
  }),
  'mooring/patient-access/v1': document('Who looked, hospital by hospital.', {
    hospitals: listOf(accessLog),
    away: texts,
  }),
  'mooring/questions/v1': items(
    'What a patient asked.',
    extended('Question', { organisation: text }),
  ),
}

const RECOVERY_SCHEMAS = {
  'mooring/identity/v1': answered('An identity as the chain has it.', 'Identity', {
    guardianNames: optional(
      listOf(object({ place: count, label: text, kind: oneOf('person', 'member') })),
    ),
  }),
  'mooring/guardians/v1': document('The guardians of an identity.', {
    identity: digest,
    height: count,
    threshold: count,
    vetoes: count,
    lockMs: count,
    deskLockMs: count,
    kits: listOf(object({ label: text, text, hasShare: flag })),
  }),
  'mooring/guardian-key/v1': document('What a guardian gives to whom it guards.', handed),
  'mooring/ward/v1': document('Whom this wallet guards.', { ward: text, identity: digest }),
  'mooring/wards/v1': items(
    'Whom this wallet guards.',
    object({
      ward: text,
      identity: digest,
      isGuardian: flag,
      pending: orNull(answer('PendingRecovery')),
    }),
  ),
  'mooring/approval/v1': document('A guardian agrees to a recovery.', handed),
  'mooring/attestation/v1': document('A desk has seen who recovers.', handed),
  'mooring/veto/v1': document('A recovery is stopped, or one more objects.', {
    stopped: flag,
    text: orNull(text),
  }),
  'mooring/share/v1': document('The share of a guardian, sealed to the new key.', handed),
  'mooring/revoke-kit/v1': document('Revocations signed in advance.', { count, ...handed }),
  'mooring/revoked/v1': document('How many grants have ended.', { revoked: count }),
  'mooring/recovery/v1': document('What guardians are asked for.', {
    fingerprint: text,
    ...handed,
  }),
  'mooring/recovered/v1': document('An identity with its new key.', { identity: digest }),
  'mooring/returned/v1': document('Hospitals to which a patient went back.', { hospitals: texts }),
  'mooring/backup/v1': document('What was in the backup of a wallet.', {
    label: text,
    hospitals: texts,
    grants: count,
    seals: count,
    revoked: count,
  }),
  'mooring/backup-file/v1': document('Where the backup of a wallet was written.', {
    file: text,
    bytes: count,
  }),
}

const EMERGENCY_SCHEMAS = {
  'mooring/emergency-set/v1': document('An emergency set and who keeps it.', {
    card: orNull(text),
    taken: texts,
    waiting: texts,
    firstVersion: optional(count),
    versions: optional(count),
    optOut: optional(flag),
  }),
  'mooring/emergency-card/v1': document('What a patient carries.', { card: text }),
  'mooring/emergency-opt-out/v1': document('Nobody opens a set of this patient.', {
    taken: texts,
    waiting: texts,
  }),
  'mooring/emergency-status/v1': document('The set of a patient, and who opened it.', {
    isOptedOut: flag,
    set: orNull(answer('EmergencySet')),
    notices: listOf(extended('EmergencyNotice', { hospital: text })),
  }),
  'mooring/emergency-opened/v1': document('A set that was opened.', {
    requestId: text,
    height: count,
    endsAt: time,
    trustees: texts,
    refused: listOf(answer('EmergencyRefusal')),
    liars: texts,
    ms: count,
    summary: anything,
  }),
  'mooring/emergency-offline/v1': document('A set that was opened without the network.', {
    requestId: text,
    number,
    summary: anything,
  }),
  'mooring/emergencies/v1': items('Emergencies of this hospital.', answer('Emergency')),
  'mooring/emergency/v1': answered('One emergency.', 'Emergency'),
  'mooring/emergency-reviews/v1': items('What this hospital judges.', answer('EmergencyReview')),
  'mooring/emergency-review/v1': answered('One judgement.', 'EmergencyReview'),
  'mooring/practitioner-key/v1': document('The key of a practitioner.', { key: text, path: text }),
  'mooring/practitioner/v1': document('What a credential says.', {
    organisation: text,
    statusIndex: count,
    role: text,
    name: text,
    licence: text,
    btg: flag,
    key: text,
    issuedAt: time,
    expiresAt: time,
  }),
  'mooring/practitioner-credential/v1': answered(
    'A credential that was issued.',
    'PractitionerCredential',
  ),
  'mooring/credential-revoked/v1': answered('A credential that has ended.', 'RevokedCredential'),
}

export const PATIENT_SCHEMAS = { ...WALLET_SCHEMAS, ...RECOVERY_SCHEMAS, ...EMERGENCY_SCHEMAS }
