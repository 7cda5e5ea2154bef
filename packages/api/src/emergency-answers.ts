/** The shape of the answers about emergencies. */

import {
  count,
  digest,
  flag,
  list,
  named,
  nextCursor,
  nullOr,
  oneOf,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

const EmergencyShare = named('EmergencyShare', 'What a trustee gave, for this request alone.', {
  organisation: text('The trustee.'),
  header: text('Of the set: CBOR as base64url.'),
  ciphertext: text('The set, sealed; base64url.'),
  share: text('The share, sealed to the one-time key of the request; base64url.'),
})

const EmergencyRefusal = named('EmergencyRefusal', 'A trustee that gave no share.', {
  organisation: text('The trustee.'),
  code: text('Why.'),
})

export const EmergencyOpened = named('EmergencyOpened', 'An emergency set that can be opened.', {
  requestId: digest('The request.'),
  transactionId: digest('What says so on the chain.'),
  height: count('Of the block that has it.'),
  openedAt: time('By the chain.'),
  endsAt: time('When trustees give no more shares and delete this version.'),
  shares: list(EmergencyShare),
  refused: list(EmergencyRefusal),
})
export type EmergencyOpened = Static<typeof EmergencyOpened>

export const Emergency = named('Emergency', 'An emergency that this hospital has opened.', {
  requestId: digest('The request.'),
  reason: text('A code.'),
  role: text('Of the practitioner.'),
  practitioner: text('The key of the practitioner, did:key.'),
  openedAt: time('By the chain.'),
  endsAt: time('When it ends by itself.'),
  height: count('Of the block that has it.'),
  status: oneOf(
    ['open', 'ended', 'closed', 'overdue'],
    'Closed when the written reason is there; overdue when it is late.',
  ),
  reasonDueAt: time('Until when the written reason is due.'),
  outcome: textOrNull('How it ended, as a code.'),
  reviewer: textOrNull('The member that reviews it.'),
  offline: flag('Opened without the network, and anchored late.'),
})
export type Emergency = Static<typeof Emergency>

export const EmergencyList = named('Emergencies', 'A page.', {
  items: list(Emergency),
  nextCursor,
})
export type EmergencyList = Static<typeof EmergencyList>

export const EmergencyReview = named('EmergencyReview', 'An emergency to be reviewed here.', {
  requestId: digest('The request.'),
  organisation: text('Who opened it.'),
  reason: text('A code.'),
  time: time('When.'),
  written: textOrNull('The written reason; null while there is none.'),
  overdue: flag('It should be there by now.'),
  verdict: textOrNull('Of this member.'),
  note: textOrNull('What it said.'),
})
export type EmergencyReview = Static<typeof EmergencyReview>

export const EmergencyReviews = named('EmergencyReviews', 'A page.', {
  items: list(EmergencyReview),
  nextCursor,
})
export type EmergencyReviews = Static<typeof EmergencyReviews>

const EmergencyVerdict = named('EmergencyVerdict', 'What a reviewer said.', {
  reviewer: text('The member.'),
  verdict: text('A code.'),
  note: text('In words; empty where only the verdict is told.'),
})

const EmergencyNotice = named('EmergencyNotice', 'An emergency that somebody is told of.', {
  requestId: digest('The request.'),
  organisation: text('Who opened the set.'),
  reason: text('A code.'),
  time: time('When.'),
  as: oneOf(
    ['patient', 'guardian'],
    'Whose emergency it is: the own, or that of somebody trusted.',
  ),
  written: textOrNull('The written reason; null while there is none.'),
  verdict: nullOr(EmergencyVerdict),
  late: flag('It was opened without the network, and told late.'),
})
export type EmergencyNotice = Static<typeof EmergencyNotice>

const EmergencySet = named('EmergencySet', 'A set that went through this hospital.', {
  locatorId: digest('Its name with trustees.'),
  sequence: count('Of the last statement.'),
  optedOut: flag('Nobody opens a set of this patient.'),
  hosted: flag('The hospital keeps it for the patient.'),
  versions: Type.Array(Type.Integer({ minimum: 0 }), { description: 'Deposited ones.' }),
  spare: count('How many of them nobody has opened.'),
})

export const EmergencyStatus = named('EmergencyStatus', 'What is known here for one patient.', {
  set: nullOr(EmergencySet),
  notices: list(EmergencyNotice),
})
export type EmergencyStatus = Static<typeof EmergencyStatus>

export const EmergencySummary = named('EmergencySummary', 'What an ambulance would see.', {
  bundle: text('A FHIR Bundle in the shape of an International Patient Summary, as JSON text.'),
})
export type EmergencySummary = Static<typeof EmergencySummary>

const EmergencyTrustee = named('EmergencyTrustee', 'A member that may keep a share.', {
  organisation: text('The member.'),
  sealKey: digest('X25519, in hex: its share is sealed to it.'),
})

export const EmergencyTrustees = named('EmergencyTrustees', 'Whom a set is split over.', {
  k: count('So many of them open it.'),
  trustees: list(EmergencyTrustee),
})
export type EmergencyTrustees = Static<typeof EmergencyTrustees>

const trustees = Type.Array(Type.String(), { description: 'Trustees that have it.' })
const waiting = Type.Array(Type.String(), {
  description: 'Trustees that get it when they are back.',
})

export const EmergencyDeposited = named('EmergencyDeposited', 'A set that trustees have.', {
  taken: trustees,
  waiting,
})
export type EmergencyDeposited = Static<typeof EmergencyDeposited>

export const HostedEmergencySet = named('HostedEmergencySet', 'A set, and its card.', {
  card: text('What the patient carries, as text or QR code.'),
  taken: trustees,
  waiting,
})
export type HostedEmergencySet = Static<typeof HostedEmergencySet>

export const PractitionerCredential = named('PractitionerCredential', 'For a practitioner.', {
  credential: text('SD-JWT VC with all disclosures.'),
  index: count('By which it is taken back.'),
})
export type PractitionerCredential = Static<typeof PractitionerCredential>

export const RevokedCredential = named('RevokedCredential', 'A credential that is taken back.', {
  index: count('Its number.'),
})

export const OfflineSummary = named('OfflineSummary', 'A set opened without the network.', {
  summary: text('The Bundle, as JSON text.'),
  number: count('Of the entry in the local log, which is anchored later.'),
})
export type OfflineSummary = Static<typeof OfflineSummary>
